// Matrix products against the reference, within the error that float32 sums of at most 256 terms may have.
import { assert, boolean, constantFrom, property, record } from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { MatmulSizes } from '../../../packages/tensor/src/kernels/kernels.js';
import { reference } from '../../../packages/tensor/src/kernels/reference/index.js';
import { Engine } from '../../../packages/tensor/src/kernels/wasm/engine.js';
import { createWasmKernels } from '../../../packages/tensor/src/kernels/wasm/index.js';
import { matmul } from '../../../packages/tensor/src/kernels/wasm/linalg/matmul.js';
import { edgeSizes, engines, firstBeyond, inKernelMemory } from './linalg.js';
import { normals } from './numbers.js';
import { ROUNDING } from './rounding.js';

/**
 * A float32 sum of n products in blocks of 256, which are then added one by one, is off by at most
 * (min(n, 256) + ⌈n/256⌉ + 1)·2⁻²⁴ · Σ|aᵢbᵢ| (Higham, "Accuracy and Stability of Numerical Algorithms", 2002, §4.2).
 */
function errorOf(terms: number): number {
  return (Math.min(terms, 256) + Math.ceil(terms / 256) + 2) * ROUNDING;
}

function sizesOf(
  batch: number,
  [m, k, n]: readonly [number, number, number],
  { transposeA = false, transposeB = false, sharedA = false, sharedB = false } = {},
): MatmulSizes {
  const strides = { strideA: sharedA ? 0 : m * k, strideB: sharedB ? 0 : k * n };
  return { batch, m, k, n, transposeA, transposeB, ...strides };
}

function operands({ batch, m, k, n, strideA, strideB }: MatmulSizes): [Float32Array, Float32Array] {
  const count = (stride: number): number => (stride === 0 ? 1 : batch);
  return [normals(count(strideA) * m * k, 1), normals(count(strideB) * k * n, 2)];
}

function byReference(
  a: Float32Array,
  b: Float32Array,
  sizes: MatmulSizes,
  magnitudes: boolean,
): Float64Array {
  const out = new Float64Array(sizes.batch * sizes.m * sizes.n);
  const [left, right] = [a, b].map((x) => Float64Array.from(x, magnitudes ? Math.abs : undefined));
  reference.matmul(left, right, sizes, out);
  return out;
}

/** Sets what stands above the diagonals, which may be anything, to 0. */
function clearAbove(x: Float32Array | Float64Array, { m, n }: MatmulSizes): void {
  for (let at = 0; at < x.length; at++) if (at % n > Math.floor(at / n) % m) x[at] = 0;
}

describe.each(engines)('matmul in WASM, $name', ({ engine }) => {
  const check = (sizes: MatmulSizes, [a, b] = operands(sizes)): void => {
    const exact = byReference(a, b, sizes, false);
    const magnitude = byReference(a, b, sizes, true);
    const tolerance = (i: number): number => errorOf(sizes.k) * magnitude[i];
    const outside = new Float32Array(exact.length).fill(NaN);
    expect(matmul(engine, a, b, sizes, outside)).toBe(true);
    if (sizes.lower) [exact, outside].forEach((x) => clearAbove(x, sizes));
    expect(firstBeyond(outside, exact, tolerance)).toBe('none');
    const inside = inKernelMemory(engine, [a, b], exact.length, ([x, y], out) => {
      expect(matmul(engine, x, y, sizes, out)).toBe(true);
    });
    if (sizes.lower) clearAbove(inside, sizes);
    expect(inside).toEqual(outside);
  };

  test('sizes around vectors and tiles, all transposes, shared operands', () => {
    const size = constantFrom(...edgeSizes);
    const flags = { transposeA: boolean(), transposeB: boolean(), sharedA: boolean(), sharedB: boolean() };
    const samples = record({ m: size, k: size, n: size, batch: constantFrom(0, 1, 3), flags: record(flags) });
    const holds = property(samples, ({ batch, m, k, n, flags: chosen }) => {
      check(sizesOf(batch, [m, k, n], chosen));
    });
    assert(holds, { numRuns: 200 });
  });

  test('what stands on and below the diagonal, where no more is needed', () => {
    const size = constantFrom(...edgeSizes, 100, 130);
    const flags = { transposeA: boolean(), transposeB: boolean(), sharedB: boolean() };
    const samples = record({ m: size, k: size, n: size, batch: constantFrom(1, 3), flags: record(flags) });
    const holds = property(samples, ({ batch, m, k, n, flags: chosen }) => {
      check({ ...sizesOf(batch, [m, k, n], chosen), lower: true });
    });
    assert(holds, { numRuns: 200 });
    check({ ...sizesOf(1, [300, 300, 300], { transposeB: true }), lower: true });
    for (const [m, n] of [
      [10, 2100],
      [2100, 60],
    ]) {
      check({ ...sizesOf(1, [m, 300, n]), lower: true });
    }
  });

  test('every number of rows and columns up to two tiles and one, all transposes', () => {
    for (const transposeA of [false, true]) {
      for (const transposeB of [false, true]) {
        for (let m = 1; m <= 9; m++) {
          for (let n = 1; n <= 17; n++) check(sizesOf(1, [m, 7, n], { transposeA, transposeB }));
        }
      }
    }
  });

  test.each([255, 256, 257, 512, 1000, 2047, 2048, 2049])('%d terms a sum', (k) => {
    for (const transposeA of [false, true]) {
      for (const transposeB of [false, true]) {
        for (const [m, n] of [
          [1, 9],
          [2, 41],
          [3, 5],
          [5, 1],
          [5, 9],
          [27, 34],
        ]) {
          check(sizesOf(1, [m, k, n], { transposeA, transposeB }));
        }
      }
    }
  });

  test.each<[number, [number, number, number]]>([
    [1, [197, 256, 10]],
    [1, [10, 33, 2100]],
    [1, [130, 150, 140]],
    [1, [1200, 129, 17]],
    [1, [64, 128, 512]],
    [1, [1, 2100, 520]],
    [1, [520, 2100, 1]],
    [1, [3, 40001, 9]],
    [4, [100, 101, 99]],
    [2, [100, 101, 299]],
    [2, [300, 101, 29]],
  ])('%d products of %j, larger than blocks or enough to be shared between threads', (batch, size) => {
    for (const transposeA of [false, true]) {
      check(sizesOf(batch, size, { transposeA, transposeB: !transposeA, sharedB: batch === 2 }));
    }
  });

  test('NaN and infinity reach the products they are part of and no others', () => {
    for (const transposeA of [false, true]) {
      for (const transposeB of [false, true]) {
        for (const [m, k, n] of [
          [1, 13, 11],
          [2, 13, 11],
          [6, 13, 11],
          [9, 13, 1],
        ] as const) {
          const sizes = sizesOf(1, [m, k, n], { transposeA, transposeB });
          for (const special of [NaN, Infinity]) {
            for (const operand of [0, 1]) {
              const both = operands(sizes);
              for (const at of [0, both[operand].length - 1]) {
                const changed = both.map((x) => x.slice()) as [Float32Array, Float32Array];
                changed[operand][at] = special;
                check(sizes, changed);
              }
            }
          }
        }
      }
    }
  });

  // Once the sum is 2⁹ or 2¹¹ times as large, each of these loses almost half a unit in the last place of the sum.
  test.each([1 + 2 ** -14 - 2 ** -20, 1 + 2 ** -12 - 2 ** -20])(
    '20000 terms of %d are added in blocks',
    (term) => {
      const k = 20000;
      for (const [m, n] of [
        [1, 5],
        [5, 1],
        [6, 9],
      ] as const) {
        for (const transposeB of [false, true]) {
          const sizes = sizesOf(1, [m, k, n], { transposeB });
          check(sizes, [new Float32Array(m * k).fill(term), new Float32Array(k * n).fill(1)]);
        }
      }
    },
  );

  test('the same product has the same bits twice', () => {
    const sizes = sizesOf(1, [20, 300, 30]);
    const [a, b] = operands(sizes);
    const run = (): Float32Array => {
      const out = new Float32Array(600);
      expect(matmul(engine, a, b, sizes, out)).toBe(true);
      return out;
    };
    expect(run()).toEqual(run());
  });

  test('no terms give zeros', () => {
    const out = new Float32Array(6).fill(NaN);
    expect(matmul(engine, new Float32Array(0), new Float32Array(0), sizesOf(1, [2, 0, 3]), out)).toBe(true);
    expect([...out]).toEqual([0, 0, 0, 0, 0, 0]);
  });
});

test('little float64 is left to the reference', () => {
  const [a, b] = [normals(12, 1), normals(12, 2)].map((x) => Float64Array.from(x));
  const [ours, theirs] = [createWasmKernels(), reference].map((kernels) => {
    const out = new Float64Array(9);
    kernels.matmul(a, b, sizesOf(1, [3, 4, 3]), out);
    return out;
  });
  expect(ours).toEqual(theirs);
});

test('what does not fit into kernel memory is left, and nothing written', () => {
  const engine = new Engine({ flavour: { relaxed: false }, capacity: 65536 });
  const sizes = sizesOf(1, [100, 100, 100]);
  const out = new Float32Array(10000).fill(7);
  expect(matmul(engine, ...operands(sizes), sizes, out)).toBe(false);
  expect(out.every((value) => value === 7)).toBe(true);
});
