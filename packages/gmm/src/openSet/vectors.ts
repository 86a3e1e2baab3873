import { ArgumentError, NotFiniteError, ShapeError, Tensor } from '@gmml/tensor';
import { show } from '@gmml/tensor/checks';
import { eachRow } from '../linearAlgebra/vectors.js';

/** One vector [D]. */
export type Vector = readonly number[] | Float32Array | Float64Array;

/** Several vectors [N, D]. */
export type Vectors = readonly Vector[];

/** Rows of numbers that have been looked at. */
export interface CheckedRows {
  readonly rows: number;
  /** Whether one vector came by itself. */
  readonly isSingle: boolean;
  /** A fresh array of `count` rows from row `first` on, in float64 and with one kind of 0. */
  readonly block: (first: number, count: number) => Float64Array;
}

/** Beyond this, squares and their sums would overflow. */
export const LARGEST_FEATURE = 1e100;

/**
 * The rows of a tensor [N, D] or [D], an array of vectors, or a vector.
 * @throws ShapeError for other shapes; NotFiniteError for NaN, infinities and more than 1e100; ArgumentError for
 *   what is no number
 */
export function rowsOf(
  op: string,
  name: string,
  data: Tensor | Vectors | Vector,
  features: number,
): CheckedRows {
  const parts =
    data instanceof Tensor ? partsOfTensor(op, name, data, features) : partsOfArray(op, name, data);
  for (const [row, part] of parts.vectors.entries()) {
    if (part.length !== features) {
      throw new ShapeError(
        `${op}: ${name} must have ${features} numbers each: ${parts.isSingle ? 'the vector' : `vector ${row}`} has ${part.length}.`,
      );
    }
    checkNumbers(op, name, part, row);
  }
  return {
    rows: parts.vectors.length,
    isSingle: parts.isSingle,
    block: (first, count) => {
      const block = new Float64Array(count * features);
      for (let n = 0; n < count; n++) block.set(parts.vectors[first + n], n * features);
      // −0 and 0 are the same number, and are to have the same content.
      for (let at = 0; at < block.length; at++) block[at] += 0;
      return block;
    },
  };
}

interface Parts {
  readonly vectors: readonly Vector[];
  readonly isSingle: boolean;
}

function partsOfTensor(op: string, name: string, x: Tensor, features: number): Parts {
  if ((x.ndim !== 1 && x.ndim !== 2) || x.shape[x.ndim - 1] !== features) {
    throw new ShapeError(
      `${op}: ${name} must be [N, ${features}] or [${features}]: the tensor is ${show(x.shape)}.`,
    );
  }
  return { vectors: eachRow(x.data, features), isSingle: x.ndim === 1 };
}

function partsOfArray(op: string, name: string, data: Vectors | Vector): Parts {
  if (!isList(data)) {
    throw new ArgumentError(
      `${op}: ${name} must be a tensor, a vector or an array of vectors: it is ${typeof data}.`,
    );
  }
  if (data.length === 0) return { vectors: [], isSingle: false };
  if (typeof data[0] === 'number') return { vectors: [data as Vector], isSingle: true };
  const vectors = Array.from(data as Vectors);
  const bad = vectors.findIndex((vector) => !isList(vector));
  if (bad >= 0) {
    throw new ArgumentError(
      `${op}: ${name} must be arrays of numbers: vector ${bad} is ${typeof vectors[bad]}.`,
    );
  }
  return { vectors, isSingle: false };
}

function isList(value: unknown): boolean {
  return Array.isArray(value) || value instanceof Float32Array || value instanceof Float64Array;
}

function checkNumbers(op: string, name: string, vector: Vector, row: number): void {
  for (let j = 0; j < vector.length; j++) {
    const value: unknown = vector[j];
    if (typeof value !== 'number') {
      throw new ArgumentError(`${op}: ${name} must be numbers: row ${row}, column ${j} is ${typeof value}.`);
    }
    if (!(Math.abs(value) <= LARGEST_FEATURE)) {
      throw new NotFiniteError(
        `${op}: ${name} must be finite and at most 1e100 in size: row ${row}, column ${j} is ${value}.`,
      );
    }
  }
}
