// Safetensors files put together byte by byte, without the code under test.

/** 8 bytes of header length (or what is claimed to be), the header, the data. */
export function fileOf(header: string, data: readonly number[], length?: bigint): Uint8Array {
  const json = new TextEncoder().encode(header);
  const claimed = length ?? BigInt(json.length);
  const prefix = Array.from({ length: 8 }, (_, i) => Number((claimed >> BigInt(8 * i)) & 255n));
  return Uint8Array.from([...prefix, ...json, ...data]);
}

/** The little-endian bytes of float32 numbers. */
export function f32(...values: number[]): number[] {
  return values.flatMap((value) => {
    const view = new DataView(new ArrayBuffer(4));
    view.setFloat32(0, value);
    return [3, 2, 1, 0].map((i) => view.getUint8(i));
  });
}

/** A file with one tensor, named x. */
export function one(dtype: string, shape: readonly number[], data: readonly number[]): Uint8Array {
  return fileOf(`{"x":${JSON.stringify({ dtype, shape, data_offsets: [0, data.length] })}}`, data);
}

/** b = 1 and a = [[-2], [0.5]], with the metadata format: pt. */
export const SMALL_FILE = fileOf(
  '{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,1],"data_offsets":[4,12]},' +
    '"b":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}',
  f32(1, -2, 0.5),
);
