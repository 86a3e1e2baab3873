import { ShapeError } from './errors.js';

/** Sizes of the dimensions, outermost first. `[]` is a scalar. */
export type Shape = readonly number[];

/** One dimension, several, or (undefined) all of them. Negative counts from the last. */
export type Dims = number | readonly number[] | undefined;

/** The number of elements, `∏ shape`; 1 for a scalar. */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (const n of shape) size *= n;
  return size;
}

/** Whether two shapes have the same sizes in the same order. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((n, i) => n === b[i]);
}

/** A shape as messages show it: `[2, 3]`. What has none, as an array in the place of a tensor, is said to be no tensor. */
export function show(shape: Shape | undefined): string {
  return shape ? `[${shape.join(', ')}]` : 'not a tensor';
}

/** @throws ShapeError unless every size is a non-negative integer. */
export function checkShape(op: string, shape: Shape): void {
  for (const n of shape) {
    if (!Number.isSafeInteger(n) || n < 0) {
      throw new ShapeError(`${op}: sizes must be non-negative integers: the shape is ${show(shape)}.`);
    }
  }
}

/** Row-major strides, in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = Array.from<number>({ length: shape.length });
  let stride = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = stride;
    stride *= shape[i];
  }
  return strides;
}

/** The shape two shapes broadcast to: aligned at the last dimension, sizes equal or 1. */
export function broadcastShapes(op: string, a: Shape, b: Shape, [isA, isB] = ['a is', 'b is']): Shape {
  if (sameShape(a, b)) return a;
  const length = Math.max(a.length, b.length);
  const out = Array.from<number>({ length });
  for (let i = 1; i <= length; i++) {
    const m = a[a.length - i] ?? 1;
    const n = b[b.length - i] ?? 1;
    if (m !== n && m !== 1 && n !== 1) {
      throw new ShapeError(
        `${op}: shapes do not broadcast: ${isA} ${show(a)}, ${isB} ${show(b)} (${m} ≠ ${n} at dimension ${length - i}).`,
      );
    }
    out[length - i] = m === 1 ? n : m;
  }
  return out;
}

/** The leading dimensions that two batches of matrices broadcast to: all but the last two. */
export function broadcastLeading(op: string, a: Shape, b: Shape): Shape {
  const [leadA, leadB] = [a.slice(0, -2), b.slice(0, -2)];
  for (let i = 1; i <= Math.min(leadA.length, leadB.length); i++) {
    const [m, n] = [leadA[leadA.length - i], leadB[leadB.length - i]];
    if (m === n || m === 1 || n === 1) continue;
    throw new ShapeError(
      `${op}: leading dimensions do not broadcast: a is ${show(a)}, b is ${show(b)} (${m} ≠ ${n}).`,
    );
  }
  return broadcastShapes(op, leadA, leadB);
}

/** Strides that read `from` as if it had the shape `to`: 0 along broadcast dimensions. */
export function broadcastStrides(from: Shape, to: Shape): number[] {
  const strides = stridesOf(from);
  const skip = to.length - from.length;
  return to.map((_, i) => (i < skip || from[i - skip] === 1 ? 0 : strides[i - skip]));
}

/** `dim` counted from the front. @throws ShapeError when there is no such dimension. */
export function normalizeDim(op: string, dim: number, ndim: number): number {
  if (!Number.isInteger(dim) || dim < -ndim || dim >= ndim) {
    const allowed = ndim === 0 ? 'a scalar has none' : `allowed are ${-ndim} to ${ndim - 1}`;
    throw new ShapeError(`${op}: dimension out of range: dim is ${dim} (${allowed}).`);
  }
  return dim < 0 ? dim + ndim : dim;
}

/** The dims counted from the front, ascending, each once; all of them for undefined. */
export function normalizeDims(op: string, dims: Dims, ndim: number): number[] {
  if (dims === undefined) return Array.from({ length: ndim }, (_, i) => i);
  const given = typeof dims === 'number' ? [dims] : dims;
  const normal = given.map((dim) => normalizeDim(op, dim, ndim));
  if (new Set(normal).size !== normal.length) {
    throw new ShapeError(`${op}: a dimension is named twice: dims are ${show(given)}.`);
  }
  return normal.toSorted((a, b) => a - b);
}

/** The shape after reducing `dims` (normalised), which stay as 1 with `keepDim`. */
export function reducedShape(shape: Shape, dims: readonly number[], keepDim: boolean): Shape {
  return keepDim
    ? shape.map((n, i) => (dims.includes(i) ? 1 : n))
    : shape.filter((_, i) => !dims.includes(i));
}

/** A shape seen as [outer, length, inner] around one dimension. */
export interface Rows {
  readonly outer: number;
  readonly length: number;
  readonly inner: number;
}

/** The layout around `dim` (normalised). */
export function rowsAround(shape: Shape, dim: number): Rows {
  return {
    outer: sizeOf(shape.slice(0, dim)),
    length: shape[dim],
    inner: sizeOf(shape.slice(dim + 1)),
  };
}

/** `shape` with one −1 replaced by the size that is left over. */
export function inferShape(op: string, from: Shape, to: Shape): Shape {
  const size = sizeOf(from);
  const holes = to.filter((n) => n === -1).length;
  const known = sizeOf(to.filter((n) => n !== -1));
  if (holes > 1)
    throw new ShapeError(`${op}: at most one size may be -1: the shape asked for is ${show(to)}.`);
  checkShape(
    op,
    to.map((n) => (n === -1 ? 0 : n)),
  );
  const missing = known === 0 ? 0 : size / known;
  if (holes === 1 && known === 0) {
    throw new ShapeError(`${op}: -1 is ambiguous beside a size of 0: the shape asked for is ${show(to)}.`);
  }
  const shape = to.map((n) => (n === -1 ? missing : n));
  if (sizeOf(shape) !== size || !shape.every(Number.isInteger)) {
    throw new ShapeError(
      `${op}: the number of elements must stay the same: ${show(from)} has ${size}, ${show(to)} asks for ${holes ? `a multiple of ${known}` : known}.`,
    );
  }
  return shape;
}
