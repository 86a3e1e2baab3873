import { tensor, type DType, type Shape, type Tensor } from '@gmml/tensor';

/** A plain array with a shape, read by index: what the references compute with, apart from the library's kernels. */
export class Grid {
  readonly shape: Shape;
  readonly values: readonly number[];

  constructor(shape: Shape, values: readonly number[]) {
    this.shape = shape;
    this.values = values;
  }

  /** The entry at an index, one number a dimension. */
  at(...index: readonly number[]): number {
    let place = 0;
    this.shape.forEach((n, dim) => {
      if (!(index[dim] >= 0 && index[dim] < n))
        throw new RangeError(`[${index}] is outside of [${this.shape}]`);
      place = place * n + index[dim];
    });
    return this.values[place];
  }

  map(f: (value: number) => number): Grid {
    return new Grid(this.shape, this.values.map(f));
  }

  tensor(dtype: DType = 'float64', requiresGrad = false): Tensor {
    return tensor(Float64Array.from(this.values), { shape: this.shape, dtype, requiresGrad });
  }
}

/** The grid whose entry at each index is `entry(index)`. */
export function build(shape: Shape, entry: (index: number[]) => number): Grid {
  return new Grid(shape, indices(shape).map(entry));
}

/** All indices of a shape in row-major order. */
export function indices(shape: Shape): number[][] {
  return shape.reduce<number[][]>(
    (all, n) => all.flatMap((index) => range(n).map((i) => index.concat(i))),
    [[]],
  );
}

export function range(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
}

/** `Σ f(i)` over i from 0 to n − 1. */
export function total(n: number, f: (i: number) => number): number {
  return range(n).reduce((sum, i) => sum + f(i), 0);
}

/**
 * Numbers spread evenly over (low, high) in a scattered order: multiples of the golden ratio, modulo 1. They are
 * distinct, so that nothing but a sample made for it has ties, and stay clear of each other for finite differences.
 */
export function spread(shape: Shape, low = -2, high = 2, seed = 1): Grid {
  const n = shape.reduce((product, size) => product * size, 1);
  const values = range(n).map(
    (i) => low + (high - low) * ((0.5 + (i + 1) * 0.6180339887498949 + seed * 0.7548776662466927) % 1),
  );
  return new Grid(shape, values);
}

/** The entry that stands at `index` of the broadcast result. */
export function broadcastAt(x: Grid, index: readonly number[]): number {
  const own = index.slice(index.length - x.shape.length);
  return x.at(...own.map((i, dim) => (x.shape[dim] === 1 ? 0 : i)));
}

/** The shape several shapes broadcast to. */
export function broadcast(...shapes: readonly Shape[]): number[] {
  const length = Math.max(...shapes.map((shape) => shape.length));
  return range(length).map((i) => {
    const sizes = shapes.map((shape) => shape[shape.length - length + i] ?? 1);
    return sizes.find((n) => n !== 1) ?? 1;
  });
}

/** Each matrix of the last two dimensions transposed. */
export function swapped(x: Grid): Grid {
  const [rows, columns] = x.shape.slice(-2);
  return build([...x.shape.slice(0, -2), columns, rows], (index) =>
    x.at(...index.slice(0, -2), ...index.slice(-2).toReversed()),
  );
}

/** Entry (i, j) of the matrix that belongs to a place of the broadcast batch. */
export function entryAt(x: Grid, batch: number[], i: number, j: number): number {
  const own = batch.slice(batch.length - (x.shape.length - 2));
  return x.at(...own.map((at, dim) => (x.shape[dim] === 1 ? 0 : at)), i, j);
}
