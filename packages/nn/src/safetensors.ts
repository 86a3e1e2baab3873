// The safetensors format: an unsigned 64-bit little-endian header length, a JSON header, then the tensors' bytes.
// See https://github.com/huggingface/safetensors, "Format".

import { ArgumentError, FormatError, tensor } from '@gmml/tensor';
import type { DType, Tensor } from '@gmml/tensor';
import { ELEMENT_BYTES, headerLength, MAX_HEADER_BYTES, parseHeader, quote } from './safetensorsHeader.js';
import type { Entry, Header } from './safetensorsHeader.js';

/** What a safetensors file holds. */
export interface Safetensors {
  /** The tensors by name, in the order of their bytes. */
  tensors: Record<string, Tensor>;
  /** The strings of `__metadata__`; empty when the file has none. */
  metadata: Record<string, string>;
}

/**
 * The tensors in the bytes of a safetensors file.
 *
 * F32 and F64 are read as they are; F16, BF16, BOOL, I8, U8, I16 and U16 become float32, I32, U32, I64 and U64
 * float64: every number exactly. The whole header is checked before anything is allocated.
 *
 * @throws FormatError when the bytes are cut off, malformed or inconsistent, have an unknown dtype, or hold an
 *   integer of 2⁵³ or more in size, beyond which float64 has gaps
 */
export function parseSafetensors(bytes: Uint8Array | ArrayBuffer): Safetensors {
  const op = 'parseSafetensors';
  const all = bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes;
  const dataStart = 8 + headerLength(op, all, all.length);
  const header = parseHeader(op, all.subarray(8, dataStart), all.length - dataStart);
  return decodeTensors(op, header, (begin, end) => all.subarray(dataStart + begin, dataStart + end));
}

/**
 * The tensors of a header, `bytesOf` giving the bytes of each.
 *
 * @throws FormatError, its message starting with `op`, for a number out of range
 */
export function decodeTensors(
  op: string,
  { entries, metadata }: Header,
  bytesOf: (begin: number, end: number) => Uint8Array,
): Safetensors {
  const tensors = entries.map((entry) => [
    entry.name,
    decodeTensor(op, entry, bytesOf(entry.begin, entry.end)),
  ]);
  return { tensors: Object.fromEntries(tensors), metadata };
}

function decodeTensor(op: string, { name, dtype, shape }: Entry, bytes: Uint8Array): Tensor {
  const { as, read } = readers[dtype];
  const elementBytes = ELEMENT_BYTES.get(dtype)!;
  const count = bytes.length / elementBytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = as === 'float64' ? new Float64Array(count) : new Float32Array(count);
  for (let i = 0; i < count; i++) values[i] = read(view, i * elementBytes);
  const bad = refused[dtype] === undefined ? -1 : values.findIndex(refused[dtype]);
  if (bad !== -1) {
    throw new FormatError(
      `${op}: ${dtype === 'BOOL' ? 'BOOL must be 0 or 1' : `${dtype} must be below 2⁵³ in size to stay exact`}: ` +
        `element ${bad} of ${quote(name)} is ${values[bad]}.`,
    );
  }
  return tensor(values, { shape, dtype: as });
}

/**
 * The bytes of a safetensors file, the same for the same tensors as the reference implementation's: float64 before
 * float32, then by name; the header padded with spaces to a multiple of 8 bytes.
 *
 * @param metadata strings to keep beside the tensors; left out of the file when there are none
 * @throws ArgumentError when a name is `__metadata__` or not Unicode, metadata holds anything but strings, or the
 *   header would exceed 100 MB
 */
export function serializeSafetensors(
  tensors: Readonly<Record<string, Tensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const sorted = Object.entries(tensors).toSorted(byDTypeThenName);
  const header = encodeHeader(sorted, metadata);
  const dataBytes = sorted.reduce((total, [, { data }]) => total + data.byteLength, 0);

  const bytes = new Uint8Array(8 + header.length + dataBytes);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(header.length), true);
  bytes.set(header, 8);
  let at = 8 + header.length;
  for (const [, { data }] of sorted) {
    for (let i = 0; i < data.length; i++, at += data.BYTES_PER_ELEMENT) {
      if (data instanceof Float32Array) view.setFloat32(at, data[i], true);
      else view.setFloat64(at, data[i], true);
    }
  }
  return bytes;
}

function encodeHeader(
  sorted: readonly (readonly [string, Tensor])[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  checkStrings(metadata, sorted);
  // Put together by hand: an object would move names such as '0' to the front.
  const members: string[] = [];
  if (Object.keys(metadata).length > 0) members.push(`"__metadata__":${JSON.stringify(metadata)}`);
  let begin = 0;
  for (const [name, { dtype, shape, data }] of sorted) {
    const end = begin + data.byteLength;
    const entry = { dtype: dtype === 'float64' ? 'F64' : 'F32', shape, data_offsets: [begin, end] };
    members.push(`${JSON.stringify(name)}:${JSON.stringify(entry)}`);
    begin = end;
  }
  const json = new TextEncoder().encode(`{${members.join(',')}}`);
  const padded = new Uint8Array(Math.ceil(json.length / 8) * 8).fill(0x20);
  padded.set(json);
  if (padded.length > MAX_HEADER_BYTES) {
    throw new ArgumentError(
      `serializeSafetensors: the header must be at most ${MAX_HEADER_BYTES} bytes: it would be ${padded.length}.`,
    );
  }
  return padded;
}

function checkStrings(
  metadata: Readonly<Record<string, string>>,
  tensors: readonly (readonly [string, Tensor])[],
): void {
  for (const [key, value] of Object.entries(metadata)) {
    if (typeof value !== 'string') {
      throw new ArgumentError(
        `serializeSafetensors: metadata must be strings: '${key}' is ${String(value)}.`,
      );
    }
  }
  if (tensors.some(([name]) => name === '__metadata__')) {
    throw new ArgumentError(
      "serializeSafetensors: the name '__metadata__' must not be a tensor's: it is one's.",
    );
  }
  const broken = [...Object.entries(metadata).flat(), ...tensors.map(([name]) => name)].find((text) =>
    /\p{Surrogate}/u.test(text),
  );
  if (broken !== undefined) {
    throw new ArgumentError(
      `serializeSafetensors: strings must be Unicode: there is half a surrogate pair in ${JSON.stringify(broken)}.`,
    );
  }
}

/** By number format, the longer first, then by name in the order of its UTF-8 bytes. */
function byDTypeThenName(
  [nameA, a]: readonly [string, Tensor],
  [nameB, b]: readonly [string, Tensor],
): number {
  return b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT || compareCodePoints(nameA, nameB);
}

/** Code points order as their UTF-8 bytes do; the units of a JavaScript string do not beyond U+FFFF. */
function compareCodePoints(a: string, b: string): number {
  const [pointsA, pointsB] = [Array.from(a), Array.from(b)];
  const at = pointsA.findIndex((point, i) => point !== pointsB[i]);
  if (at === -1) return pointsA.length - pointsB.length;
  if (at >= pointsB.length) return 1;
  return pointsA[at].codePointAt(0)! - pointsB[at].codePointAt(0)!;
}

/** How an element of each dtype is read, and the format that holds each of its values exactly. */
const readers: Record<string, { as: DType; read: (view: DataView, at: number) => number }> = {
  F64: { as: 'float64', read: (view, at) => view.getFloat64(at, true) },
  F32: { as: 'float32', read: (view, at) => view.getFloat32(at, true) },
  F16: { as: 'float32', read: (view, at) => fromHalf(view.getUint16(at, true)) },
  BF16: { as: 'float32', read: (view, at) => fromBrain(view.getUint16(at, true)) },
  I64: { as: 'float64', read: (view, at) => Number(view.getBigInt64(at, true)) },
  U64: { as: 'float64', read: (view, at) => Number(view.getBigUint64(at, true)) },
  I32: { as: 'float64', read: (view, at) => view.getInt32(at, true) },
  U32: { as: 'float64', read: (view, at) => view.getUint32(at, true) },
  I16: { as: 'float32', read: (view, at) => view.getInt16(at, true) },
  U16: { as: 'float32', read: (view, at) => view.getUint16(at, true) },
  I8: { as: 'float32', read: (view, at) => view.getInt8(at) },
  U8: { as: 'float32', read: (view, at) => view.getUint8(at) },
  BOOL: { as: 'float32', read: (view, at) => view.getUint8(at) },
};

/** Values that are read but not taken: from ±2⁵³ on, the conversion may have rounded. */
const refused: Record<string, (value: number) => boolean> = {
  I64: (value) => Math.abs(value) > Number.MAX_SAFE_INTEGER,
  U64: (value) => value > Number.MAX_SAFE_INTEGER,
  BOOL: (value) => value > 1,
};

/** IEEE 754 binary16: 1 sign, 5 exponent and 10 fraction bits. */
function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const scratch = new DataView(new ArrayBuffer(4));

/** bfloat16: the upper half of a float32. */
function fromBrain(bits: number): number {
  scratch.setUint32(0, bits << 16);
  return scratch.getFloat32(0);
}
