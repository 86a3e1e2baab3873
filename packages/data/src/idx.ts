// The IDX format of the MNIST files: two zero bytes, a type byte, the number of dimensions, each dimension as an
// unsigned 32-bit big-endian integer, then the elements, big-endian, row-major.
import { readFileSync } from 'node:fs';
import { constants, gunzipSync } from 'node:zlib';
import { ArgumentError, FormatError } from '@gmml/tensor';
import { idxElement, type Element } from './shards/elements.js';
import { systemReason } from './systemErrors.js';

/** The elements of an IDX file, in the type that the file names. */
export type IdxArray = Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array;

/** An array as an IDX file holds it: its sizes, and its elements row-major. */
export interface IdxData {
  shape: number[];
  data: IdxArray;
}

/**
 * Reads an IDX file, plain or gzipped: which of the two is seen from its content, not from its name.
 *
 * All six element types are read: unsigned and signed bytes, 16- and 32-bit integers, 32- and 64-bit floats.
 *
 * @throws ArgumentError when the file is missing or cannot be read
 * @throws FormatError when it is not an IDX file, is cut short or has bytes left over, or its gzip stream is damaged
 * @example
 * writeFileSync('labels-idx1-ubyte', Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 7, 4));
 * readIdx('labels-idx1-ubyte'); // shape [2], data [7, 4]
 * @see Yann LeCun, Corinna Cortes, Christopher Burges: The MNIST database, "The IDX file format"
 */
export function readIdx(path: string): IdxData {
  const bytes = readFile(path);
  const gzipped = bytes.length >= 2 && bytes[0] === 0x1f && bytes[1] === 0x8b;
  return parseIdx(gzipped ? decompress(bytes, path) : bytes, path);
}

/**
 * Reads an IDX file from its bytes (not gzipped). `name` is what errors call it.
 *
 * The header is held against the length before anything of the header's sizes is allocated; the result shares no
 * memory with `bytes`.
 *
 * @throws FormatError when the bytes are not an IDX file, are cut short, or some are left over
 */
export function parseIdx(bytes: Uint8Array, name: string): IdxData {
  const { shape, element, dataOffset, expectedLength } = parseHeader(bytes, name);
  if (bytes.length !== expectedLength) {
    const problem =
      bytes.length < expectedLength ? 'the file is cut short' : 'bytes are left over at the end';
    throw new FormatError(
      `${name}: ${problem}: ${element.name} [${shape.join(', ')}] takes ${expectedLength} bytes with its header, ` +
        `the file has ${bytes.length}.`,
    );
  }
  return { shape, data: element.read(new Uint8Array(bytes.subarray(dataOffset))) as IdxArray };
}

interface Header {
  shape: number[];
  element: Element;
  dataOffset: number;
  /** Bytes of the whole file, header and elements; infinite when the product of the sizes overflows. */
  expectedLength: number;
}

function parseHeader(bytes: Uint8Array, name: string): Header {
  if (bytes.length < 4) {
    throw new FormatError(
      `${name}: an IDX file starts with 4 bytes of type and dimensions: the file has ${bytes.length}.`,
    );
  }
  const [zero0, zero1, type, ndim] = bytes;
  const element = idxElement(type);
  if (zero0 !== 0 || zero1 !== 0 || !element || ndim === 0) {
    const magic = [zero0, zero1, type, ndim].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    throw new FormatError(
      `${name}: an IDX file starts with 00 00, a type (08, 09, 0b, 0c, 0d or 0e) and the number of dimensions ` +
        `(1 or more): this one starts with ${magic}.`,
    );
  }
  const dataOffset = 4 + 4 * ndim;
  if (bytes.length < dataOffset) {
    throw new FormatError(
      `${name}: the file is cut short: a header of ${ndim} dimensions takes ${dataOffset} bytes, ` +
        `the file has ${bytes.length}.`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, dataOffset);
  const shape = Array.from({ length: ndim }, (_, axis) => view.getUint32(4 + 4 * axis));
  // A zero size first, or an overflowing product of the others would make it NaN.
  const elementCount = shape.includes(0) ? 0 : shape.reduce((product, size) => product * size, 1);
  return { shape, element, dataOffset, expectedLength: dataOffset + elementCount * element.size };
}

function readFile(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new ArgumentError(`readIdx: ${path} must be a readable file: ${systemReason(error, 'file')}.`, {
      cause: error,
    });
  }
}

/** Deflate packs at most 1032 bytes into one, so a header that promises more than that is a lie. */
const MAX_DEFLATE_RATIO = 1032;

/** Unpacks a gzipped IDX file, never to more bytes than its header announces. */
function decompress(packed: Uint8Array, name: string): Uint8Array {
  // A part of the stream is enough for the header: at most 4 + 4 · 255 bytes, whatever the data.
  const start = gunzip(packed.subarray(0, 4096), name, { finishFlush: constants.Z_SYNC_FLUSH });
  const { expectedLength } = parseHeader(start, name);
  if (expectedLength > packed.length * MAX_DEFLATE_RATIO) {
    throw new FormatError(
      `${name}: the file is cut short: its header announces ${expectedLength} bytes, ` +
        `more than ${packed.length} gzipped bytes can hold.`,
    );
  }
  return gunzip(packed, name, { maxOutputLength: expectedLength });
}

function gunzip(packed: Uint8Array, name: string, options: Parameters<typeof gunzipSync>[1]): Uint8Array {
  try {
    return gunzipSync(packed, options);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const problem =
      code === 'ERR_BUFFER_TOO_LARGE' ? 'bytes are left over after the announced elements' : message;
    throw new FormatError(`${name}: the gzip stream is damaged: ${problem}.`, { cause: error });
  }
}
