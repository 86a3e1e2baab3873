// .npy files made byte by byte.

/** The bytes of a .npy file: its header as NumPy writes it, then the elements' bytes as they are given. */
export function npyBytes(
  descr: string,
  shape: readonly number[],
  elements: ArrayBufferView,
  { version = 1, order = 'False' } = {},
): Uint8Array {
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': (${sizes}), }`;
  const lengthBytes = version === 1 ? 2 : 4;
  const unpadded = 8 + lengthBytes + text.length + 1;
  const header = `${text}${' '.repeat((64 - (unpadded % 64)) % 64)}\n`;
  const start = new Uint8Array(8 + lengthBytes);
  start.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0]);
  const view = new DataView(start.buffer);
  if (version === 1) view.setUint16(8, header.length, true);
  else view.setUint32(8, header.length, true);
  const data = new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength);
  return Buffer.concat([start, Buffer.from(header, 'latin1'), data]);
}

/** Rows [N, D] in float64. */
export function npyRows(values: Float64Array, columns: number): Uint8Array {
  return npyBytes("'<f8'", [values.length / columns, columns], values);
}
