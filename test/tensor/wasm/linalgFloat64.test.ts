// Products and triangular systems in float64: within the error of its sums, and the reference's rules.
import { assert, boolean, constantFrom, property, record } from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { MatmulSizes, SolveSizes } from '../../../packages/tensor/src/kernels/kernels.js';
import { reference } from '../../../packages/tensor/src/kernels/reference/index.js';
import { Engine } from '../../../packages/tensor/src/kernels/wasm/engine.js';
import { matmul } from '../../../packages/tensor/src/kernels/wasm/linalg/matmul.js';
import { triangularSolve } from '../../../packages/tensor/src/kernels/wasm/linalg/triangularSolve.js';
import { engines } from './linalg.js';
import { normals } from './numbers.js';

/** Half the distance of float64 numbers from 1 on. */
const ROUNDING = 2 ** -53;

/** Around vectors and tiles, and enough for a kernel. */
const sizes = [1, 2, 3, 4, 5, 7, 8, 9, 15, 17, 33, 64, 65];

function doubles(count: number, seed: number): Float64Array {
  return Float64Array.from(normals(count, seed), (value, i) => value + 1e-9 * (i % 7));
}

function product(
  batch: number,
  [m, k, n]: readonly [number, number, number],
  { transposeA = false, transposeB = false, sharedB = false, lower = false } = {},
): MatmulSizes {
  return { batch, m, k, n, transposeA, transposeB, strideA: m * k, strideB: sharedB ? 0 : k * n, lower };
}

function clearAbove(x: Float64Array, { m, n }: MatmulSizes): void {
  for (let at = 0; at < x.length; at++) if (at % n > Math.floor(at / n) % m) x[at] = 0;
}

/** What the kernel gives, for arrays outside of kernel memory and for such in it, which must be the same; null if it did not run. */
function multiplied(engine: Engine, own: MatmulSizes, a: Float64Array, b: Float64Array): Float64Array | null {
  const length = own.batch * own.m * own.n;
  const outside = new Float64Array(length).fill(7);
  const ran = matmul(engine, a, b, own, outside);
  expect(ran || outside.every((value) => value === 7)).toBe(true);
  const inside = engine.scratch((allocate) => {
    const place = (x: Float64Array): Float64Array => {
      const placed = engine.memory.at(allocate(2 * x.length), x);
      placed.set(x);
      return placed;
    };
    const [left, right, out] = [a, b, new Float64Array(length).fill(7)].map(place);
    expect(matmul(engine, left, right, own, out)).toBe(ran);
    expect(left).toEqual(a);
    expect(right).toEqual(b);
    return out.slice();
  });
  // Above the diagonal may be anything.
  if (own.lower) for (const x of [inside, outside]) clearAbove(x, own);
  expect(inside).toEqual(outside);
  return ran ? outside : null;
}

describe.each(engines)('float64 products in WASM, $name', ({ engine }) => {
  let products = 0;
  const check = (own: MatmulSizes): void => {
    const { batch, m, k, n, strideB, lower } = own;
    const a = doubles(batch * m * k, 1);
    const b = doubles((strideB === 0 ? 1 : batch) * k * n, 2);
    const found = multiplied(engine, own, a, b);
    if (found === null) return;
    products++;
    const exact = new Float64Array(found.length);
    const magnitude = new Float64Array(found.length);
    reference.matmul(a, b, { ...own, lower: false }, exact);
    reference.matmul(a.map(Math.abs), b.map(Math.abs), { ...own, lower: false }, magnitude);
    // Both sums are off by at most so many roundings each.
    const terms = 2 * (Math.min(k, 256) + Math.ceil(k / 256) + 2);
    const wrong = found.findIndex((value, at) => {
      if (lower && at % n > Math.floor(at / n) % m) return false;
      return !(Math.abs(value - exact[at]) <= terms * ROUNDING * magnitude[at]);
    });
    expect(wrong).toBe(-1);
  };

  test('sizes around vectors and tiles, transposes, batches, lower triangles', () => {
    const size = constantFrom(...sizes);
    const flags = {
      transposeA: boolean(),
      transposeB: boolean(),
      sharedB: boolean(),
      lower: boolean(),
    };
    const samples = record({ m: size, k: size, n: size, batch: constantFrom(1, 3), flags: record(flags) });
    assert(
      property(samples, ({ batch, m, k, n, flags: own }) => check(product(batch, [m, k, n], own))),
      { numRuns: 200 },
    );
    expect(products).toBeGreaterThan(20);
  });

  test('every number of rows and columns up to two tiles and one', () => {
    for (const transposeA of [false, true]) {
      for (const transposeB of [false, true]) {
        for (let m = 4; m <= 9; m++) {
          for (let n = 4; n <= 9; n++) check(product(1, [m, 257, n], { transposeA, transposeB }));
        }
      }
    }
  });

  test.each<[number, [number, number, number]]>([
    [1, [128, 512, 128]],
    [1, [10, 33, 2100]],
    [1, [130, 600, 140]],
    [4, [100, 101, 99]],
  ])('%d products of %j, larger than blocks or enough for several threads', (batch, size) => {
    for (const transposeA of [false, true]) {
      for (const lower of [false, true])
        check(product(batch, size, { transposeA, transposeB: !transposeA, lower }));
    }
  });

  test('NaN and infinity reach the products they are part of and no others', () => {
    const own = product(1, [17, 33, 19]);
    for (const special of [NaN, Infinity]) {
      const [a, b] = [doubles(17 * 33, 1), doubles(33 * 19, 2)];
      a[17 * 33 - 1] = special;
      const found = multiplied(engine, own, a, b)!;
      const expected = new Float64Array(found.length);
      reference.matmul(a, b, own, expected);
      expect([...found].map(Number.isFinite)).toEqual([...expected].map(Number.isFinite));
    }
  });

  test('triangular systems: residuals within rounding, all triangles', () => {
    const samples = record({
      n: constantFrom(...sizes),
      m: constantFrom(...sizes),
      batch: constantFrom(1, 3),
      upper: boolean(),
      transpose: boolean(),
      unitDiagonal: boolean(),
    });
    let solved = 0;
    const holds = property(samples, (own) => {
      const { batch, n, m, upper, unitDiagonal } = own;
      const a = doubles(batch * n * n, 3).map((value, at) => {
        const [row, column] = [Math.floor(at / n) % n, at % n];
        if (row === column) return unitDiagonal ? NaN : 1 + Math.abs(value);
        return column > row === upper ? value / n : NaN;
      });
      const b = doubles(batch * n * m, 4);
      const x = new Float64Array(b.length).fill(7);
      const ran = triangularSolve(engine, a, b, own, x);
      expect(ran || x.every((value) => value === 7)).toBe(true);
      if (!ran) return;
      solved++;
      expect(worstResidual(a, x, b, own)).toBeLessThanOrEqual(n + 3);
      reference.triangularSolve(a, b, own, x);
      expect(worstResidual(a, x, b, own)).toBeLessThanOrEqual(n + 3);
    });
    assert(holds, { numRuns: 150 });
    expect(solved).toBeGreaterThan(10);
  });
});

/** The largest |b − op(A)x| over the rounding of |op(A)||x|. (Higham, "Accuracy and Stability of Numerical Algorithms", 2002, theorem 8.5.) */
function worstResidual(a: Float64Array, x: Float64Array, b: Float64Array, own: SolveSizes): number {
  const { batch, n, m, upper, transpose, unitDiagonal } = own;
  let worst = 0;
  for (let t = 0; t < batch; t++) {
    for (let i = 0; i < n; i++) {
      for (let l = 0; l < m; l++) {
        let residual = b[(t * n + i) * m + l];
        let magnitude = 0;
        for (let j = 0; j < n; j++) {
          const [row, column] = transpose ? [j, i] : [i, j];
          if (row !== column && column > row !== upper) continue;
          const entry = i === j && unitDiagonal ? 1 : a[(t * n + row) * n + column];
          residual -= entry * x[(t * n + j) * m + l];
          magnitude += Math.abs(entry * x[(t * n + j) * m + l]);
        }
        // The residual's own sum is rounded as often. Written so that NaN counts.
        if (!(Math.abs(residual) <= 0))
          worst = Math.max(worst, Math.abs(residual) / (2 * ROUNDING * magnitude));
        if (Number.isNaN(residual)) return Infinity;
      }
    }
  }
  return worst;
}

test('few numbers and few vectors are left to the reference', () => {
  const engine = new Engine({ flavour: { relaxed: false }, capacity: 2 ** 20 });
  expect(multiplied(engine, product(1, [4, 4, 4]), doubles(16, 1), doubles(16, 2))).toBe(null);
  const vector = product(1, [1, 64, 128], { transposeB: true });
  expect(multiplied(engine, vector, doubles(64, 1), doubles(64 * 128, 2))).toBe(null);
});

test('what does not fit into kernel memory is left, and nothing written', () => {
  const engine = new Engine({ flavour: { relaxed: false }, capacity: 65536 });
  const own = product(1, [100, 100, 100]);
  const out = new Float64Array(10000).fill(7);
  expect(matmul(engine, doubles(10000, 1), doubles(10000, 2), own, out)).toBe(false);
  expect(out.every((value) => value === 7)).toBe(true);
});
