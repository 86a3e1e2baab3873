import { ArgumentError, NotFiniteError, ShapeError, tensor, Tensor } from '@gmml/tensor';
import { sameShape, show } from '@gmml/tensor/checks';
import { rowAt } from '../linearAlgebra/vectors.js';
import { checkFinite } from '../checks.js';

/** N samples of D features: a tensor [N, D] of either dtype, or N arrays of D numbers. */
export type Rows = Tensor | readonly ArrayLike<number>[];

/** One number per sample: a tensor [N], or an array. */
export type Vector = Tensor | ArrayLike<number>;

/** Samples in float64, row-major [N, D]. */
export interface Matrix {
  readonly data: Float64Array;
  readonly rows: number;
  readonly columns: number;
}

/** Rows named in one message. */
const NAMED_ROWS = 8;

/**
 * x as a matrix; a float64 tensor is not copied.
 * @throws ShapeError unless x is [N, D] with N and D of at least 1, and D = `columns` where given;
 *   ArgumentError for entries that are not numbers
 */
export function readRows(op: string, x: Rows, columns?: number): Matrix {
  const wanted = columns === undefined ? '[N, D]' : `[N, ${columns}]`;
  const refuse = (what: string): never => {
    throw new ShapeError(`${op}: x must be ${wanted}: it is ${what}.`);
  };
  const matrix = x instanceof Tensor ? fromTensor(x, refuse) : fromArrays(op, x, refuse);
  const { rows, columns: found } = matrix;
  if (rows === 0 || found === 0 || (columns !== undefined && found !== columns))
    refuse(`[${rows}, ${found}]`);
  return matrix;
}

/** x as float64 numbers. @throws ShapeError unless there are `length` of them; NotFiniteError */
export function readVector(op: string, name: string, x: Vector, length: number): Float64Array {
  const [values, shape] = x instanceof Tensor ? [x.data, x.shape] : [x, [x?.length]];
  return numbersIn(op, name, values, shape, [length]);
}

/** x as float64 numbers in the given shape. @throws ShapeError, NotFiniteError */
export function readTensor(
  op: string,
  name: string,
  x: Tensor | readonly unknown[],
  shape: readonly number[],
): Float64Array {
  const read = x instanceof Tensor ? x : tensor(x as number[], { dtype: 'float64' });
  return numbersIn(op, name, read.data, read.shape, shape);
}

/** Non-negative weights of the samples, or ones. @throws ArgumentError for a negative one or nothing but zeros */
export function readSampleWeight(op: string, x: Vector | undefined, rows: number): Float64Array {
  if (x === undefined) return new Float64Array(rows).fill(1);
  const weights = readVector(op, 'sampleWeight', x, rows);
  const negative = weights.findIndex((weight) => weight < 0);
  if (negative >= 0) {
    throw new ArgumentError(
      `${op}: sampleWeight must not be negative: entry ${negative} is ${weights[negative]}.`,
    );
  }
  if (weights.every((weight) => weight === 0)) {
    throw new ArgumentError(
      `${op}: sampleWeight must not be 0 everywhere. Give one sample a weight above 0.`,
    );
  }
  return weights;
}

/**
 * Refuses infinities, and NaN unless `allowMissing`.
 * @throws NotFiniteError naming the rows
 */
export function checkRows(op: string, x: Matrix, allowMissing: boolean, remedy: string): void {
  const isBad = (value: number): boolean => value - value !== 0 && !(allowMissing && Number.isNaN(value));
  const { data, columns } = x;
  const bad: number[] = [];
  for (let at = 0; at < data.length; at++) {
    if (!isBad(data[at])) continue;
    const row = Math.floor(at / columns);
    bad.push(row);
    at = (row + 1) * columns - 1;
  }
  if (bad.length === 0) return;
  const isNaN = bad.some((row) => rowAt(data, columns, row).some((value) => Number.isNaN(value)));
  const what = isNaN && !allowMissing ? 'NaN' : 'an infinity';
  throw new NotFiniteError(`${op}: x must be finite: ${what} in ${rowsNamed(bad)}. ${remedy}`);
}

function numbersIn(
  op: string,
  name: string,
  values: ArrayLike<number>,
  shape: readonly number[],
  wanted: readonly number[],
): Float64Array {
  if (!sameShape(shape, wanted)) {
    throw new ShapeError(`${op}: ${name} must be ${show(wanted)}: it is ${show(shape)}.`);
  }
  const out = Float64Array.from(values);
  checkFinite(op, name, out);
  return out;
}

function rowsNamed(rows: readonly number[]): string {
  const named = rows.slice(0, NAMED_ROWS).join(', ');
  const more = rows.length - NAMED_ROWS;
  return `${rows.length === 1 ? 'row' : 'rows'} ${named}${more > 0 ? ` and ${more} more` : ''}`;
}

function fromTensor(x: Tensor, refuse: (what: string) => never): Matrix {
  if (x.ndim !== 2) refuse(show(x.shape));
  const data = x.data instanceof Float64Array ? x.data : Float64Array.from(x.data);
  return { data, rows: x.shape[0], columns: x.shape[1] };
}

function fromArrays(op: string, x: readonly ArrayLike<number>[], refuse: (what: string) => never): Matrix {
  if (!Array.isArray(x)) refuse(typeof x);
  const rows = x.length;
  const columns = rows === 0 ? 0 : (x[0]?.length ?? -1);
  if (columns < 0) refuse(`[${rows}]`);
  const data = new Float64Array(rows * columns);
  for (let n = 0; n < rows; n++) {
    const row = x[n];
    if (row?.length !== columns) refuse(`ragged: row ${n} has ${row?.length} numbers, row 0 has ${columns}`);
    for (let j = 0; j < columns; j++) {
      const value = row[j];
      if (typeof value !== 'number') {
        throw new ArgumentError(`${op}: entries must be numbers: x[${n}][${j}] is ${String(value)}.`);
      }
      data[n * columns + j] = value;
    }
  }
  return { data, rows, columns };
}
