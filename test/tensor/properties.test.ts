import { cat, type Shape, ShapeError, type Tensor, tensor, triangularSolve } from '@gmml/tensor';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { broadcastAt, build, Grid, indices, range, spread, total } from './opTable/grid.js';
import { reduce } from './opTable/reduce.js';

// fast-check prints the seed and the shrunk counterexample of a failure.

const shapes = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 });
const numbers = fc.double({ min: -1e3, max: 1e3, noNaN: true });

/** A grid of a given shape. */
function gridOf(shape: number[]): fc.Arbitrary<Grid> {
  const size = shape.reduce((product, n) => product * n, 1);
  return fc.array(numbers, { minLength: size, maxLength: size }).map((values) => new Grid(shape, values));
}

const grids = shapes.chain(gridOf);

/** What two shapes broadcast to by the rule in words, or null where they do not. */
function broadcastModel(a: Shape, b: Shape): number[] | null {
  const length = Math.max(a.length, b.length);
  const sizes = range(length).map((i) => {
    const [m, n] = [a, b].map((shape) => shape.toReversed()[length - 1 - i] ?? 1);
    if (m === n || n === 1) return m;
    return m === 1 ? n : null;
  });
  return sizes.includes(null) ? null : (sizes as number[]);
}

describe('broadcasting', () => {
  test('any two shapes give what the scalar model gives', () => {
    const pairs = fc.tuple(shapes, shapes).filter(([a, b]) => broadcastModel(a, b) !== null);
    fc.assert(
      fc.property(pairs, ([shapeA, shapeB]) => {
        const [a, b] = [spread(shapeA, -2, 2, 1), spread(shapeB, -2, 2, 2)];
        const expected = build(broadcastModel(shapeA, shapeB)!, (i) => broadcastAt(a, i) - broadcastAt(b, i));
        expect(a.tensor().sub(b.tensor())).toBeAllClose(expected.tensor(), { rtol: 0, atol: 0 });
      }),
      { numRuns: 300 },
    );
  });

  test('shapes that the model refuses are refused', () => {
    const pairs = fc.tuple(shapes, shapes).filter(([a, b]) => broadcastModel(a, b) === null);
    fc.assert(
      fc.property(pairs, ([a, b]) => {
        expect(() => spread(a).tensor().sub(spread(b).tensor())).toThrow(ShapeError);
      }),
      { numRuns: 300 },
    );
  });

  test('the gradient of an operand is the sum over the places it was read for', () => {
    // Shapes that always broadcast: sizes of one target, dropped from the front or replaced by 1.
    const operand = (target: number[]): fc.Arbitrary<number[]> =>
      fc
        .tuple(
          fc.nat({ max: target.length }),
          fc.array(fc.boolean(), { minLength: target.length, maxLength: target.length }),
        )
        .map(([skip, ones]) => target.map((n, i) => (ones[i] ? 1 : n)).slice(skip));
    const cases = shapes.chain((target) => fc.tuple(operand(target), operand(target)));
    fc.assert(
      fc.property(cases, ([shapeA, shapeB]) => {
        const [a, b] = [spread(shapeA, -2, 2, 1), spread(shapeB, -2, 2, 2)];
        const [x, y] = [a.tensor('float64', true), b.tensor('float64', true)];
        x.mul(y).sum().backward();
        const shape = broadcastModel(shapeA, shapeB)!;
        const readAt = (from: Grid, place: readonly number[], index: number[]): boolean => {
          const own = index.slice(index.length - from.shape.length);
          return own.every((i, dim) => (from.shape[dim] === 1 ? 0 : i) === place[dim]);
        };
        const gradient = (of: Grid, other: Grid): Grid =>
          build(of.shape, (place) =>
            indices(shape)
              .filter((index) => readAt(of, place, index))
              .reduce((sum, index) => sum + broadcastAt(other, index), 0),
          );
        expect(x.grad).toBeAllClose(gradient(a, b).tensor(), { rtol: 1e-12, atol: 1e-12 });
        expect(y.grad).toBeAllClose(gradient(b, a).tensor(), { rtol: 1e-12, atol: 1e-12 });
      }),
    );
  });
});

describe('movement', () => {
  test('a permutation and its inverse give back the numbers', () => {
    const cases = grids.chain((x) =>
      fc.tuple(fc.constant(x), fc.shuffledSubarray(range(x.shape.length), { minLength: x.shape.length })),
    );
    fc.assert(
      fc.property(cases, ([x, dims]) => {
        const moved = x.tensor().permute(dims);
        expect(moved.shape).toEqual(dims.map((dim) => x.shape[dim]));
        const back = moved.permute(range(dims.length).map((dim) => dims.indexOf(dim)));
        expect(back).toBeAllClose(x.tensor(), { rtol: 0, atol: 0 });
      }),
    );
  });

  test('reshaping there and back gives back the numbers', () => {
    fc.assert(
      fc.property(grids, (x) => {
        const flat = x.tensor().reshape([x.values.length]);
        expect(flat).toBeAllClose(Float64Array.from(x.values), { rtol: 0, atol: 0 });
        expect(flat.reshape(x.shape)).toBeAllClose(x.tensor(), { rtol: 0, atol: 0 });
      }),
    );
  });

  test('toArray and tensor are inverse, but for what follows an empty dimension', () => {
    fc.assert(
      fc.property(grids, (x) => {
        const again = tensor(x.tensor().toArray(), { dtype: 'float64', shape: x.shape });
        expect(again).toBeAllClose(x.tensor(), { rtol: 0, atol: 0 });
      }),
    );
  });

  test('slices that meet join to the whole', () => {
    const cases = grids
      .filter((x) => x.shape.length > 0)
      .chain((x) =>
        fc
          .nat({ max: x.shape.length - 1 })
          .chain((dim) => fc.tuple(fc.constant(x), fc.constant(dim), fc.nat({ max: x.shape[dim] }))),
      );
    fc.assert(
      fc.property(cases, ([x, dim, at]) => {
        const whole = x.tensor();
        const joined = cat([whole.slice(dim, 0, at), whole.slice(dim, at)], dim);
        expect(joined).toBeAllClose(whole, { rtol: 0, atol: 0 });
      }),
    );
  });

  test('a slice gives what a JavaScript loop gives', () => {
    const bound = fc.integer({ min: -7, max: 7 });
    fc.assert(
      fc.property(fc.nat({ max: 5 }), bound, bound, fc.integer({ min: 1, max: 4 }), (n, start, end, step) => {
        const all = range(n);
        const expected = all.slice(start, end).filter((_, i) => i % step === 0);
        const x = tensor(all, { dtype: 'float64' });
        expect(x.slice(0, start, end, step)).toBeAllClose(tensor(expected, { dtype: 'float64' }), {
          rtol: 0,
          atol: 0,
        });
      }),
      { numRuns: 500 },
    );
  });
});

test('a sum over any dimensions is the nested sum', () => {
  const cases = grids.chain((x) =>
    fc.tuple(fc.constant(x), fc.subarray(range(x.shape.length)), fc.boolean()),
  );
  fc.assert(
    fc.property(cases, ([x, dims, keepDim]) => {
      const expected = reduce(x, dims, keepDim, (values) => values.reduce((a, b) => a + b, 0));
      expect(x.tensor().sum(dims, { keepDim })).toBeAllClose(expected.tensor(), { rtol: 1e-12, atol: 1e-9 });
    }),
  );
});

test('logSumExp moves with its input, and lies between the largest and that plus log n', () => {
  fc.assert(
    fc.property(
      fc.array(numbers, { minLength: 1, maxLength: 20 }),
      fc.double({ min: -1e4, max: 1e4, noNaN: true }),
      (values, shift) => {
        const x = tensor(Float64Array.from(values));
        const y = x.logSumExp().item();
        const largest = Math.max(...values);
        expect(y).toBeGreaterThanOrEqual(largest);
        expect(y).toBeLessThanOrEqual(largest + Math.log(values.length) + 1e-9);
        expect(x.add(shift).logSumExp()).toBeAllClose(y + shift, { rtol: 1e-12, atol: 1e-9 });
      },
    ),
  );
});

describe('linear algebra', () => {
  /** Lower triangular [b, n, n] with a diagonal of at least ½. */
  const factors = fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: 6 })).chain(([batch, n]) =>
    gridOf([batch, n, n]).map((x) =>
      build([batch, n, n], ([b, i, j]) => {
        const value = x.at(b, i, j) / 500;
        if (i === j) return Math.abs(value) + 0.5;
        return i > j ? value : 0;
      }),
    ),
  );

  function product(l: Tensor): Tensor {
    return l.matmul(l, { transposeB: true });
  }

  test('the Cholesky factor of L Lᵀ is L', () => {
    fc.assert(
      fc.property(factors, (l) => {
        const a = product(l.tensor());
        const factor = a.cholesky();
        expect(product(factor)).toBeAllClose(a, { rtol: 1e-10, atol: 1e-10 });
        expect(factor).toBeAllClose(l.tensor(), { rtol: 1e-6, atol: 1e-6 });
      }),
    );
  });

  test('log |L Lᵀ| is twice the sum of the logarithms on the diagonal of L', () => {
    fc.assert(
      fc.property(factors, (l) => {
        const [batch, n] = l.shape;
        const expected = build([batch], ([b]) => 2 * total(n, (i) => Math.log(l.at(b, i, i))));
        expect(product(l.tensor()).logDet()).toBeAllClose(expected.tensor(), { rtol: 1e-6, atol: 1e-6 });
      }),
    );
  });

  test('what triangularSolve gives solves the system', () => {
    const flags = fc.record({ upper: fc.boolean(), transpose: fc.boolean(), left: fc.boolean() });
    fc.assert(
      fc.property(factors, flags, fc.nat({ max: 3 }), (l, { upper, transpose, left }, m) => {
        const [batch, n] = l.shape;
        const stored = upper ? l.tensor().t() : l.tensor();
        const b = spread(left ? [batch, n, m] : [batch, m, n]).tensor();
        const x = triangularSolve(stored, b, { upper, transpose, left });
        const system = transpose ? stored.t() : stored;
        const rebuilt = left ? system.matmul(x) : x.matmul(system);
        // The residual of substitution is small against |A| |x|, however badly A is conditioned.
        const scale = left ? system.abs().matmul(x.abs()) : x.abs().matmul(system.abs());
        const error = rebuilt.sub(b).abs().sub(scale.mul(1e-13));
        expect(Array.from(error.data).filter((value) => value > 1e-13)).toEqual([]);
      }),
    );
  });

  test('a matmul is the triple loop', () => {
    const sizes = fc.tuple(fc.nat({ max: 4 }), fc.nat({ max: 5 }), fc.nat({ max: 5 }), fc.nat({ max: 5 }));
    fc.assert(
      fc.property(sizes, fc.boolean(), fc.boolean(), ([batch, m, k, n], transposeA, transposeB) => {
        const [a, b] = [spread([batch, m, k], -2, 2, 1), spread([k, n], -2, 2, 2)];
        const expected = build([batch, m, n], ([s, i, j]) => total(k, (l) => a.at(s, i, l) * b.at(l, j)));
        const x = transposeA ? a.tensor().t() : a.tensor();
        const y = transposeB ? b.tensor().t() : b.tensor();
        const actual = x.matmul(y, { transposeA, transposeB });
        expect(actual).toBeAllClose(expected.tensor(), { rtol: 1e-12, atol: 1e-12 });
      }),
    );
  });
});
