// Cholesky factors in float32: LLᵀ near A, entries near the reference's, and the reference's failures.
import { describe, expect, test } from 'vitest';
import { Generator } from '@gmml/tensor';
import type { FailedPivot } from '../../../packages/tensor/src/kernels/kernels.js';
import { reference } from '../../../packages/tensor/src/kernels/reference/index.js';
import { cholesky } from '../../../packages/tensor/src/kernels/wasm/linalg/cholesky.js';
import { Engine } from '../../../packages/tensor/src/kernels/wasm/engine.js';
import { edgeSizes, engines, inKernelMemory } from './linalg.js';
import { normals } from './numbers.js';
import { ROUNDING } from './rounding.js';

/** GGᵀ/n + ridge·I for normal G, rounded to float32; NaN above the diagonal, which nothing may read. */
function positive(batch: number, n: number, ridge: number, seed = 3): Float32Array {
  const a = new Float32Array(batch * n * n).fill(NaN);
  for (let t = 0; t < batch; t++) {
    const g = normals(n * n, seed + t);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j <= i; j++) {
        let sum = i === j ? ridge : 0;
        for (let k = 0; k < n; k++) sum += (g[i * n + k] * g[j * n + k]) / n;
        a[(t * n + i) * n + j] = sum;
      }
    }
  }
  return a;
}

/**
 * |A − LLᵀ| ≤ γ|L||Lᵀ|, γ the rounding of n + 1 terms (Higham, "Accuracy and Stability of Numerical Algorithms", 2002,
 * theorem 10.3), of which sums in blocks of 256 have fewer; one more is the pivot over its root. And zeros above.
 */
function expectFactor(a: Float32Array, l: Float32Array, batch: number, n: number): void {
  const terms = Math.min(n, 256) + Math.ceil(n / 256) + 3;
  let worst = 0;
  for (let t = 0; t < batch; t++) {
    const at = (i: number, j: number): number => l[(t * n + i) * n + j];
    for (let i = 0; i < n; i++) {
      for (let j = 0; j <= i; j++) {
        let residual = a[(t * n + i) * n + j];
        let magnitude = 0;
        for (let k = 0; k <= j; k++) {
          residual -= at(i, k) * at(j, k);
          magnitude += Math.abs(at(i, k) * at(j, k));
        }
        const within = Math.abs(residual) <= terms * ROUNDING * magnitude;
        if (!within) worst = Math.max(worst, Math.abs(residual) || Infinity);
        if (i !== j && at(j, i) !== 0) worst = Infinity;
      }
    }
  }
  expect(worst).toBe(0);
}

function byReference(
  a: Float32Array,
  batch: number,
  n: number,
): { l: Float32Array; failed: FailedPivot | null } {
  const l = new Float32Array(a.length);
  return { failed: reference.cholesky(a, batch, n, l), l };
}

describe.each(engines)('cholesky in WASM, $name', ({ engine }) => {
  const factored = (a: Float32Array, batch: number, n: number): Float32Array => {
    const outside = new Float32Array(a.length).fill(NaN);
    expect(cholesky(engine, a, batch, n, outside)).toBe(null);
    const inside = inKernelMemory(engine, [a], a.length, ([x], out) => {
      expect(cholesky(engine, x, batch, n, out)).toBe(null);
    });
    expect(inside).toEqual(outside);
    return outside;
  };

  test.each([...edgeSizes, 6, 10, 11, 12, 13, 14, 64, 100, 128])('matrices of %d rows', (n) => {
    for (const batch of [0, 1, 3]) {
      const a = positive(batch, n, 0.5);
      expectFactor(a, factored(a, batch, n), batch, n);
    }
  });

  test.each([
    [1, 300],
    [4, 130],
    [5, 129],
    [1, 530],
  ])('%d matrices of %d rows, longer sums than a block has or enough for several threads', (batch, n) => {
    const a = positive(batch, n, 0.5);
    expectFactor(a, factored(a, batch, n), batch, n);
  });

  // ‖ΔL‖/‖L‖ ≤ κ(A)·‖ΔA‖/‖A‖ to first order (Sun, "Perturbation bounds for the Cholesky and QR factorizations",
  // 1991); the eigenvalues lie between 1 and 5.
  test.each([5, 16, 63, 128])('entries of well-conditioned matrices of %d rows', (n) => {
    const a = positive(2, n, 1);
    const l = factored(a, 2, n);
    const { l: expected } = byReference(a, 2, n);
    const norm = Math.hypot(...expected);
    const difference = Math.hypot(...l.map((value, i) => value - expected[i]));
    expect(difference).toBeLessThanOrEqual(5 * (n + 4) * ROUNDING * norm);
  });

  test('scales from the smallest to the largest numbers', () => {
    for (const exponent of [-140, -120, -90, -40, 40, 100, 125]) {
      const a = positive(1, 17, 0.5).map((value) => value * 2 ** exponent);
      const l = factored(a, 1, 17);
      const { l: expected } = byReference(a, 1, 17);
      const worst = Math.max(...l.map((value, i) => Math.abs(value - expected[i])));
      expect(worst).toBeLessThanOrEqual(40 * 5 * ROUNDING * Math.max(...expected));
    }
  });

  test('what only float64 can factor is factored in float64', () => {
    for (const n of [2, 5, 9, 33]) {
      // In the second of three, the last row repeats the first, but for a last digit on the diagonal.
      const a = positive(3, n, 0.5);
      const [first, last] = [n * n, n * n + n * (n - 1)];
      for (let j = 0; j < n; j++) a[last + j] = a[first + j * n];
      a[last + n - 1] = a[first] * (1 + 2 ** -22);
      const expected = byReference(a, 3, n);
      expect(expected.failed).toBe(null);
      const l = factored(a, 3, n);
      expect(l.subarray(n * n, 2 * n * n)).toEqual(expected.l.subarray(n * n, 2 * n * n));
      expectFactor(a.subarray(0, n * n), l.subarray(0, n * n), 1, n);
    }
  });

  test('names the first pivot that is not positive, as the reference does', () => {
    for (const n of [1, 2, 4, 5, 8, 9, 12, 17, 33]) {
      for (const matrix of [0, 2]) {
        for (let row = 0; row < n; row++) {
          for (const value of [0, -0, -1, -1e-30, NaN, -Infinity]) {
            const a = positive(3, n, 0.5);
            a[(matrix * n + row) * n + row] = value;
            const { failed } = byReference(a, 3, n);
            expect(failed).toMatchObject({ matrix, row });
            expect(cholesky(engine, a, 3, n, new Float32Array(a.length))).toEqual(failed);
          }
        }
      }
    }
  });

  test('NaN and infinity off the diagonal and infinity on it are judged by the reference', () => {
    const n = 13;
    for (const value of [NaN, Infinity, -Infinity, 1e30]) {
      for (let i = 0; i < n; i++) {
        for (let j = value === Infinity ? i : 0; j <= i; j++) {
          const a = positive(1, n, 0.5);
          a[i * n + j] = value;
          const expected = byReference(a, 1, n);
          const l = new Float32Array(n * n);
          expect(cholesky(engine, a, 1, n, l)).toEqual(expected.failed);
        }
      }
    }
  });

  test('nearly singular matrices of either kind pass and fail as in the reference', () => {
    const generator = new Generator(9);
    let failures = 0;
    for (let run = 0; run < 200; run++) {
      const n = 2 + Math.floor(generator.uniform() * 40);
      const a = positive(1, n, 0, run);
      // GGᵀ has small eigenvalues of its own; taking from the diagonal makes some of them negative.
      const shift = 2 ** -(4 + Math.floor(generator.uniform() * 22));
      for (let i = 0; i < n; i++) a[i * n + i] -= shift;
      const { failed } = byReference(a, 1, n);
      expect(cholesky(engine, a, 1, n, new Float32Array(n * n))).toEqual(failed);
      failures += Number(failed !== null);
    }
    expect(failures).toBeGreaterThan(50);
    expect(failures).toBeLessThan(150);
  });
});

test('float64, and what does not fit into kernel memory, is left, and nothing written', () => {
  const engine = new Engine({ flavour: { relaxed: false }, capacity: 65536 });
  const out = new Float32Array(10000).fill(7);
  expect(cholesky(engine, positive(1, 100, 1), 1, 100, out)).toBe(false);
  expect(out.every((value) => value === 7)).toBe(true);
  expect(cholesky(engine, Float64Array.of(4), 1, 1, new Float64Array(1))).toBe(false);
});
