// Every kernel against the reference, within the error that float32 sums of at most 256 terms may have.
import { assert, boolean, constantFrom, integer, pre, property, record, type Arbitrary } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Generator } from '@gmml/tensor';
import type {
  ConvSizes,
  Kernels,
  MatmulSizes,
  SolveSizes,
} from '../../../packages/tensor/src/kernels/kernels.js';
import { reference } from '../../../packages/tensor/src/kernels/reference/index.js';
import type { Flavour } from '../../../packages/tensor/src/kernels/wasm/assembler.js';
import { createWasmKernels } from '../../../packages/tensor/src/kernels/wasm/index.js';
import { bestFlavour } from '../../../packages/tensor/src/kernels/wasm/probe.js';
import { startedEngine } from './startedEngine.js';

const best = bestFlavour();
const flavours: Flavour[] = [{ relaxed: false, shared: false }, ...(best.relaxed ? [best] : [])];

/** Around the width of a vector and the edges of tiles and blocks. */
const edgeSizes = [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 65];
const size = constantFrom(...edgeSizes);

function numbers(count: number, seed: number): Float32Array {
  const generator = new Generator(seed);
  return Float32Array.from({ length: count }, () => generator.normal());
}

/** Half the distance of float32 numbers from 1 on: the largest relative error of one rounding. */
const ROUNDING = 2 ** -24;

/**
 * A float32 sum of n products in blocks of 256, which are then added one by one, is off by at most
 * (min(n, 256) + ⌈n/256⌉ + 1)·2⁻²⁴ · Σ|aᵢbᵢ| (Higham, "Accuracy and Stability of Numerical Algorithms", 2002, §4.2).
 */
function expectWithinBound(
  actual: Float32Array,
  exact: Float64Array,
  magnitude: Float64Array,
  terms: number,
): void {
  const factor = (Math.min(terms, 256) + Math.ceil(terms / 256) + 2) * ROUNDING;
  const worst = actual.reduce((most, value, i) => {
    const excess = Math.abs(value - exact[i]) - factor * magnitude[i];
    return Math.max(most, excess);
  }, 0);
  expect(worst).toBe(0);
}

/** Runs a routine on the kernels, and on the reference in float64 with the numbers and with their magnitudes. */
function compare(
  kernels: Kernels,
  run: (k: Kernels, inputs: (Float32Array | Float64Array)[], out: Float32Array | Float64Array) => void,
  inputs: Float32Array[],
  length: number,
  terms: number,
): void {
  const actual = new Float32Array(length);
  const exact = new Float64Array(length);
  const magnitude = new Float64Array(length);
  run(kernels, inputs, actual);
  run(
    reference,
    inputs.map((x) => Float64Array.from(x)),
    exact,
  );
  run(
    reference,
    inputs.map((x) => Float64Array.from(x, Math.abs)),
    magnitude,
  );
  expectWithinBound(actual, exact, magnitude, terms);
}

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
 * Substitution solves a system near by: |b − op(A)x| ≤ γ·|op(A)||x| with γ the rounding of as many terms
 * (Higham, "Accuracy and Stability of Numerical Algorithms", 2002, theorem 8.5).
 */
function expectSolved(a: Float32Array, x: Float32Array, b: Float32Array, sizes: SolveSizes): void {
  const { batch, n, m, upper, transpose, unitDiagonal } = sizes;
  const entry = (t: number, i: number, j: number): number => {
    if (i === j && unitDiagonal) return 1;
    const [row, column] = transpose ? [j, i] : [i, j];
    const stored = row === column || column > row === upper;
    return stored ? a[(t * n + row) * n + column] : 0;
  };
  let worst = 0;
  for (let t = 0; t < batch; t++) {
    for (let i = 0; i < n; i++) {
      for (let l = 0; l < m; l++) {
        let residual = b[(t * n + i) * m + l];
        let magnitude = Math.abs(residual);
        for (let j = 0; j < n; j++) {
          const term = entry(t, i, j) * x[(t * n + j) * m + l];
          residual -= term;
          magnitude += Math.abs(term);
        }
        // Written so that NaN fails.
        const within = Math.abs(residual) <= (n + 4) * ROUNDING * magnitude;
        if (!within) worst = Math.max(worst, Math.abs(residual) || Infinity);
      }
    }
  }
  expect(worst).toBe(0);
}

const cases = flavours.flatMap((flavour) => [1, 2].map((threads) => ({ ...flavour, threads })));

describe.each(cases)('WASM kernels, relaxed $relaxed, threads $threads', ({ relaxed, threads }) => {
  const wasm = createWasmKernels(startedEngine({ flavour: { relaxed }, threads }));

  const checkMatmul = (sizes: MatmulSizes): void => {
    const { batch, m, k, n } = sizes;
    const inputs = [numbers(batch * m * k, 1), numbers(batch * k * n, 2)];
    compare(wasm, (kernels, [a, b], out) => kernels.matmul(a, b, sizes, out), inputs, batch * m * n, k);
  };

  const checkConv = (sizes: ConvSizes): void => {
    const { n, c, h, w, o, kernelH, kernelW, outH, outW } = sizes;
    const x = numbers(n * c * h * w, 1);
    const weight = numbers(o * c * kernelH * kernelW, 2);
    const bias = numbers(o, 3);
    const g = numbers(n * o * outH * outW, 4);
    const taps = kernelH * kernelW;
    compare(
      wasm,
      (k, [a, b, d], out) => k.conv2d(a, b, d, sizes, out),
      [x, weight, bias],
      g.length,
      c * taps + 1,
    );
    compare(
      wasm,
      (k, [a, b], out) => k.conv2dInputGradient(a, b, sizes, out),
      [g, weight],
      x.length,
      o * taps,
    );
    // Blocks are whole rows of one image: there may be as many as rows.
    const terms = 256 * n * outH;
    compare(wasm, (k, [a, b], out) => k.conv2dWeightGradient(a, b, sizes, out), [g, x], weight.length, terms);
  };

  test('multiply matrices of sizes around vectors and tiles, all transposes, shared operands', () => {
    const samples = record({
      m: size,
      k: size,
      n: size,
      batch: constantFrom(1, 3),
      transposeA: boolean(),
      transposeB: boolean(),
      shared: boolean(),
    });
    const holds = property(samples, ({ shared, ...sizes }) => {
      checkMatmul({ ...sizes, strideA: shared ? 0 : sizes.m * sizes.k, strideB: sizes.k * sizes.n });
    });
    assert(holds, { numRuns: 150 });
  });

  test.each([255, 256, 257, 512, 1000])('multiply matrices with %d terms a sum', (k) => {
    const flags = { transposeA: false, transposeB: true };
    checkMatmul({ batch: 1, m: 5, k, n: 9, ...flags, strideA: 5 * k, strideB: 9 * k });
  });

  test('multiply more rows than a block has', () => {
    const flags = { transposeA: true, transposeB: false };
    checkMatmul({ batch: 2, m: 197, k: 33, n: 10, ...flags, strideA: 197 * 33, strideB: 330 });
  });

  test('convolve any window, both gradients too', () => {
    const upTo = (least: number, most: number): Arbitrary<number> => integer({ min: least, max: most });
    const samples = record({
      n: upTo(0, 3),
      c: upTo(1, 18),
      o: upTo(1, 18),
      h: upTo(1, 12),
      w: upTo(1, 18),
      kernelH: upTo(1, 6),
      kernelW: upTo(1, 7),
      strideH: upTo(1, 3),
      strideW: upTo(1, 3),
      padH: upTo(0, 4),
      padW: upTo(0, 4),
      dilationH: upTo(1, 2),
      dilationW: upTo(1, 2),
    });
    const holds = property(samples, (s) => {
      const outH = Math.floor((s.h + 2 * s.padH - s.dilationH * (s.kernelH - 1) - 1) / s.strideH) + 1;
      const outW = Math.floor((s.w + 2 * s.padW - s.dilationW * (s.kernelW - 1) - 1) / s.strideW) + 1;
      pre(outH >= 1 && outW >= 1);
      checkConv({ ...s, outH, outW });
    });
    assert(holds, { numRuns: 100 });
  });

  test('convolve the sizes of the reference network', () => {
    const same = {
      kernelH: 5,
      kernelW: 5,
      strideH: 1,
      strideW: 1,
      padH: 2,
      padW: 2,
      dilationH: 1,
      dilationW: 1,
    };
    checkConv({ n: 2, c: 1, o: 16, h: 28, w: 28, outH: 28, outW: 28, ...same });
    checkConv({ n: 2, c: 16, o: 32, h: 14, w: 14, outH: 14, outW: 14, ...same });
  });

  test('solve triangular systems, each triangle, transposed or not', () => {
    const samples = record({
      n: constantFrom(...edgeSizes, 128, 300),
      m: constantFrom(0, 1, 3, 4, 7, 8, 9, 17, 64),
      batch: constantFrom(1, 2),
      upper: boolean(),
      transpose: boolean(),
      unitDiagonal: boolean(),
    });
    const holds = property(samples, (sizes) => {
      const { batch, n, m } = sizes;
      const a = triangles(sizes);
      const b = numbers(batch * n * m, 5);
      const x = new Float32Array(b.length);
      wasm.triangularSolve(a, b, sizes, x);
      expectSolved(a, x, b, sizes);
    });
    assert(holds, { numRuns: 150 });
  });

  test('run on as many threads as asked for', () => {
    expect(wasm.threads).toBe(threads);
  });

  test('leave float64 to the reference', () => {
    const [a, b] = [numbers(12, 1), numbers(12, 2)].map((x) => Float64Array.from(x));
    const flags = { transposeA: false, transposeB: false, strideA: 12, strideB: 12 };
    const [ours, theirs] = [wasm, reference].map((kernels) => {
      const out = new Float64Array(9);
      kernels.matmul(a, b, { batch: 1, m: 3, k: 4, n: 3, ...flags }, out);
      return out;
    });
    expect(ours).toEqual(theirs);
  });

  test('give the same bits twice', () => {
    const sizes = {
      batch: 1,
      m: 20,
      k: 300,
      n: 30,
      transposeA: false,
      transposeB: false,
      strideA: 0,
      strideB: 0,
    };
    const [a, b] = [numbers(6000, 1), numbers(9000, 2)];
    const run = (): Float32Array => {
      const out = new Float32Array(600);
      wasm.matmul(a, b, sizes, out);
      return out;
    };
    expect(run()).toEqual(run());
  });
});
