import { FormatError } from '@gmml/tensor';
import { excerpt } from '../excerpt.js';
import type { ByteReader } from './byteReader.js';
import { elementOf, idxElement, type Element } from './elements.js';

/** How the rows of a binary file lie in it, after its header. */
export interface Layout {
  readonly element: Element;
  /** [N, …]; the sizes after the first make one row. */
  readonly shape: readonly number[];
}

/** The longest header that is read, in bytes. */
const LONGEST_HEADER = 1 << 20;

/**
 * The header of a .npy file, which is then read past.
 * @throws FormatError unless it is of version 1 to 3, in C order, of numbers, and has at least one dimension
 * @see NumPy, "numpy.lib.format"
 */
export async function readNpyHeader(bytes: ByteReader, name: string): Promise<Layout> {
  const start = await bytes.read(8);
  const version = start[6];
  if (start.length < 8 || version < 1 || version > 3) {
    throw new FormatError(
      `${name}: the version of a .npy file must be 1, 2 or 3: it is ${version ?? 'cut off'}.`,
    );
  }
  const sizeBytes = await bytes.read(version === 1 ? 2 : 4);
  const view = new DataView(sizeBytes.buffer);
  if (sizeBytes.length < (version === 1 ? 2 : 4)) throw cutOff(name);
  const length = version === 1 ? view.getUint16(0, true) : view.getUint32(0, true);
  if (length > LONGEST_HEADER) {
    throw new FormatError(`${name}: the header must be at most ${LONGEST_HEADER} bytes: it says ${length}.`);
  }
  const header = await bytes.read(length);
  if (header.length < length) throw cutOff(name);
  return layoutOf(new TextDecoder().decode(header).trim(), name);
}

/**
 * The header of an IDX file, which is then read past.
 * @throws FormatError unless its sizes follow
 * @see Yann LeCun, Corinna Cortes, Christopher Burges: The MNIST database, "The IDX file format"
 */
export async function readIdxHeader(bytes: ByteReader, name: string): Promise<Layout> {
  const [, , type, ndim] = await bytes.read(4);
  const sizes = await bytes.read(4 * ndim);
  const element = idxElement(type);
  if (!element || ndim === 0 || sizes.length < 4 * ndim) throw cutOff(name);
  const view = new DataView(sizes.buffer);
  return { element, shape: Array.from({ length: ndim }, (_, axis) => view.getUint32(4 * axis)) };
}

/** Whether bytes start as an IDX file does. */
export function isIdx(start: Uint8Array): boolean {
  return (
    start.length >= 4 && start[0] === 0 && start[1] === 0 && idxElement(start[2]) !== null && start[3] > 0
  );
}

/** Whether bytes start as a .npy file does. */
export function isNpy(start: Uint8Array): boolean {
  return [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59].every((byte, i) => start[i] === byte);
}

/** The dictionary of a .npy file, Python's literal of it. */
function layoutOf(header: string, name: string): Layout {
  const descr = /'descr':\s*('([^']*)'|[^,]*)/.exec(header);
  const order = /'fortran_order':\s*(True|False)/.exec(header)?.[1];
  const shape = /'shape':\s*\(([\d\s,]*)\)/.exec(header)?.[1];
  if (!descr || order === undefined || shape === undefined) {
    throw new FormatError(
      `${name}: the header of a .npy file must have descr, fortran_order and shape: it is ${excerpt(header, 80)}.`,
    );
  }
  const sizes = shape
    .split(',')
    .filter((size) => size.trim() !== '')
    .map(Number);
  const [, byteOrder, code] = /^([<>|=])([a-z]\d)$/.exec(descr[2] ?? '') ?? [];
  const element = code === undefined ? null : elementOf(code, byteOrder === '>');
  if (!element) {
    throw new FormatError(
      `${name}: the dtype must be b1, u1, i1, u2, i2, u4, i4, u8, i8, f4 or f8: it is ${excerpt(descr[1], 80)}. Convert with astype('<f4').`,
    );
  }
  if (order === 'True' && sizes.length > 1) {
    throw new FormatError(
      `${name}: rows must follow each other (C order): the array is in Fortran order, in which a row lies all over the file. Save numpy.ascontiguousarray(x).`,
    );
  }
  if (sizes.length === 0) {
    throw new FormatError(`${name}: the array must have rows: its shape is (). Save an array [N, D].`);
  }
  return { element, shape: sizes };
}

function cutOff(name: string): FormatError {
  return new FormatError(`${name}: the file is cut short in its header.`);
}
