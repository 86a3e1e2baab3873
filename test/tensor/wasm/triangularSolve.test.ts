// Triangular systems: the residual within the error of substitution in float32.
import { assert, boolean, constantFrom, property, record } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Generator } from '@gmml/tensor';
import type { SolveSizes } from '../../../packages/tensor/src/kernels/kernels.js';
import { reference } from '../../../packages/tensor/src/kernels/reference/index.js';
import { Engine } from '../../../packages/tensor/src/kernels/wasm/engine.js';
import { triangularSolve } from '../../../packages/tensor/src/kernels/wasm/linalg/triangularSolve.js';
import { edgeSizes, engines, inKernelMemory } from './linalg.js';
import { normals } from './numbers.js';
import { ROUNDING } from './rounding.js';

/** Well-conditioned matrices, with NaN where a solve has nothing to read. */
function triangles({ batch, n, upper, unitDiagonal }: SolveSizes): Float32Array {
  const generator = new Generator(6);
  return Float32Array.from({ length: batch * n * n }, (_, at) => {
    const [row, column] = [Math.floor(at / n) % n, at % n];
    if (row === column) return unitDiagonal ? NaN : 1 + generator.uniform();
    return column > row === upper ? generator.normal() / n : NaN;
  });
}

/**
 * Substitution solves a system near by: |b − op(A)x| ≤ γ·|op(A)||x| with γ the rounding of as many terms, of which sums in
 * blocks of 256 have fewer (Higham, "Accuracy and Stability of Numerical Algorithms", 2002, theorem 8.5).
 */
function expectSolved(a: Float32Array, x: Float32Array, b: Float32Array, sizes: SolveSizes): void {
  const { batch, n, m, upper, transpose, unitDiagonal } = sizes;
  const entry = (t: number, i: number, j: number): number => {
    if (i === j && unitDiagonal) return 1;
    const [row, column] = transpose ? [j, i] : [i, j];
    const stored = row === column || column > row === upper;
    return stored ? a[(t * n + row) * n + column] : 0;
  };
  const terms = Math.min(n, 256) + Math.ceil(n / 256) + 3;
  let worst = 0;
  for (let t = 0; t < batch; t++) {
    for (let i = 0; i < n; i++) {
      for (let l = 0; l < m; l++) {
        let residual = b[(t * n + i) * m + l];
        let magnitude = 0;
        for (let j = 0; j < n; j++) {
          const term = entry(t, i, j) * x[(t * n + j) * m + l];
          residual -= term;
          magnitude += Math.abs(term);
        }
        // Written so that NaN fails.
        const within = Math.abs(residual) <= terms * ROUNDING * magnitude;
        if (!within) worst = Math.max(worst, Math.abs(residual) || Infinity);
      }
    }
  }
  expect(worst).toBe(0);
}

describe.each(engines)('triangularSolve in WASM, $name', ({ engine }) => {
  const solved = (a: Float32Array, b: Float32Array, sizes: SolveSizes): Float32Array => {
    const outside = new Float32Array(b.length).fill(NaN);
    expect(triangularSolve(engine, a, b, sizes, outside)).toBe(true);
    const inside = inKernelMemory(engine, [a, b], b.length, ([x, y], out) => {
      expect(triangularSolve(engine, x, y, sizes, out)).toBe(true);
    });
    expect(inside).toEqual(outside);
    return outside;
  };

  const check = (sizes: SolveSizes): void => {
    const a = triangles(sizes);
    const b = normals(sizes.batch * sizes.n * sizes.m, 5);
    expectSolved(a, solved(a, b, sizes), b, sizes);
  };

  const flags = [false, true].flatMap((upper) =>
    [false, true].flatMap((transpose) =>
      [false, true].map((unitDiagonal) => ({ upper, transpose, unitDiagonal })),
    ),
  );

  test('sizes around tiles, each triangle, transposed or not', () => {
    const samples = record({
      n: constantFrom(...edgeSizes),
      m: constantFrom(...edgeSizes),
      batch: constantFrom(0, 1, 3),
      upper: boolean(),
      transpose: boolean(),
      unitDiagonal: boolean(),
    });
    const holds = property(samples, (sizes) => check(sizes));
    assert(holds, { numRuns: 150 });
  });

  test.each(flags)('every remainder of rows and columns: %j', (own) => {
    for (let n = 1; n <= 9; n++) for (let m = 1; m <= 9; m++) check({ batch: 1, n, m, ...own });
  });

  test.each([
    [3, 128, 64],
    [1, 300, 20],
    [1, 100, 270],
    [2, 130, 130],
    [4, 120, 77],
    [1, 520, 12],
  ])(
    '%d matrices of %d rows for %d columns, more than a block has and enough for several threads',
    (...s) => {
      const [batch, n, m] = s;
      for (const upper of [false, true]) {
        for (const transpose of [false, true]) check({ batch, n, m, upper, transpose, unitDiagonal: false });
      }
    },
  );

  test('1600 terms are added in blocks', () => {
    // Once the sum is 1024 or more, each term loses almost half a unit in the last place of the sum.
    const n = 1600;
    const sizes = { batch: 1, n, m: 1, upper: false, transpose: false, unitDiagonal: true };
    const a = new Float32Array(n * n).fill(1 + 2 ** -14 - 2 ** -20, n * (n - 1));
    const b = new Float32Array(n).fill(1).fill(n, n - 1);
    expectSolved(a, solved(a, b, sizes), b, sizes);
  });

  test.each(flags)('NaN and infinity on the right spread as in the reference: %j', (own) => {
    for (const special of [NaN, Infinity, -Infinity]) {
      const sizes = { batch: 1, n: 11, m: 5, ...own };
      const a = triangles(sizes);
      const b = normals(55, 5);
      b[5 * 5 + 2] = special;
      const expected = new Float32Array(55);
      reference.triangularSolve(a, b, sizes, expected);
      const found = solved(a, b, sizes);
      expect([...found].map(Number.isFinite)).toEqual([...expected].map(Number.isFinite));
    }
  });

  test('a zero on the diagonal divides as IEEE does', () => {
    const sizes = { batch: 1, n: 1, m: 3, upper: false, transpose: false, unitDiagonal: false };
    expect([...solved(Float32Array.of(0), Float32Array.of(1, -2, 0), sizes)]).toEqual([
      Infinity,
      -Infinity,
      NaN,
    ]);
  });
});

test('little float64, and what does not fit into kernel memory, is left, and nothing written', () => {
  const engine = new Engine({ flavour: { relaxed: false }, capacity: 65536 });
  const sizes = { batch: 1, n: 100, m: 100, upper: false, transpose: false, unitDiagonal: false };
  const out = new Float32Array(10000).fill(7);
  expect(triangularSolve(engine, triangles(sizes), normals(10000, 5), sizes, out)).toBe(false);
  expect(out.every((value) => value === 7)).toBe(true);
  const one = { ...sizes, n: 1, m: 1 };
  expect(triangularSolve(engine, Float64Array.of(2), Float64Array.of(1), one, new Float64Array(1))).toBe(
    false,
  );
});
