import { endianness } from 'node:os';
import { FormatError } from '@gmml/tensor';

/** A kind of number in a binary file. */
export interface Element {
  readonly name: string;
  readonly size: number;
  /** The numbers in `bytes`, which may be changed. @throws FormatError for integers that float64 does not hold */
  readonly read: (bytes: Uint8Array<ArrayBuffer>) => ArrayLike<number>;
}

/** Of the element `code`, as NumPy names it without its byte order: 'f4', 'u1'; null for others. */
export function elementOf(code: string, isBigEndian: boolean): Element | null {
  const found = ELEMENTS[code];
  if (found === undefined) return null;
  const { size, name, read } = found;
  const isOurs = size === 1 || isBigEndian === (endianness() === 'BE');
  return {
    name,
    size,
    read: (bytes) => read(isOurs ? bytes.buffer : swapped(bytes, size), bytes.length / size),
  };
}

/** Of the type byte of an IDX file, big-endian; null for others. */
export function idxElement(type: number): Element | null {
  const code = IDX_CODES[type];
  return code === undefined ? null : elementOf(code, true);
}

const IDX_CODES: Readonly<Record<number, string>> = {
  0x08: 'u1',
  0x09: 'i1',
  0x0b: 'i2',
  0x0c: 'i4',
  0x0d: 'f4',
  0x0e: 'f8',
};

interface Kind {
  readonly name: string;
  readonly size: number;
  readonly read: (buffer: ArrayBuffer, count: number) => ArrayLike<number>;
}

const ELEMENTS: Readonly<Record<string, Kind>> = {
  b1: { name: 'bool', size: 1, read: (buffer, n) => new Uint8Array(buffer, 0, n) },
  u1: { name: 'uint8', size: 1, read: (buffer, n) => new Uint8Array(buffer, 0, n) },
  i1: { name: 'int8', size: 1, read: (buffer, n) => new Int8Array(buffer, 0, n) },
  u2: { name: 'uint16', size: 2, read: (buffer, n) => new Uint16Array(buffer, 0, n) },
  i2: { name: 'int16', size: 2, read: (buffer, n) => new Int16Array(buffer, 0, n) },
  u4: { name: 'uint32', size: 4, read: (buffer, n) => new Uint32Array(buffer, 0, n) },
  i4: { name: 'int32', size: 4, read: (buffer, n) => new Int32Array(buffer, 0, n) },
  u8: { name: 'uint64', size: 8, read: (buffer, n) => exact(new BigUint64Array(buffer, 0, n)) },
  i8: { name: 'int64', size: 8, read: (buffer, n) => exact(new BigInt64Array(buffer, 0, n)) },
  f4: { name: 'float32', size: 4, read: (buffer, n) => new Float32Array(buffer, 0, n) },
  f8: { name: 'float64', size: 8, read: (buffer, n) => new Float64Array(buffer, 0, n) },
};

function exact(values: BigInt64Array | BigUint64Array): Float64Array {
  return Float64Array.from(values, (value) => {
    const number = Number(value);
    if (Number.isSafeInteger(number)) return number;
    throw new FormatError(`integers must be below 2⁵³ in size to stay exact: there is ${value}.`);
  });
}

function swapped(bytes: Uint8Array<ArrayBuffer>, size: number): ArrayBuffer {
  const buffer = Buffer.from(bytes.buffer, 0, bytes.length);
  if (size === 2) buffer.swap16();
  else if (size === 4) buffer.swap32();
  else buffer.swap64();
  return bytes.buffer;
}
