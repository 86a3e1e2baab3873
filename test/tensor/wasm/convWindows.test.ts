// Convolutions of any window against the reference, within the error that float32 sums of at most 256 terms may have.
import { assert, integer, pre, property, record, type Arbitrary } from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ConvSizes, Kernels } from '../../../packages/tensor/src/kernels/kernels.js';
import { reference } from '../../../packages/tensor/src/kernels/reference/index.js';
import { createWasmKernels } from '../../../packages/tensor/src/kernels/wasm/index.js';
import { startedEngine } from './startedEngine.js';
import { flavours } from './engines.js';
import { normals } from './numbers.js';
import { ROUNDING } from './rounding.js';

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

const cases = flavours.flatMap(({ relaxed }) => [1, 2].map((threads) => ({ relaxed, threads })));

describe.each(cases)('convolutions in WASM, relaxed $relaxed, threads $threads', ({ relaxed, threads }) => {
  const wasm = createWasmKernels(startedEngine({ flavour: { relaxed }, threads }));

  const checkConv = (sizes: ConvSizes): void => {
    const { n, c, h, w, o, kernelH, kernelW, outH, outW } = sizes;
    const x = normals(n * c * h * w, 1);
    const weight = normals(o * c * kernelH * kernelW, 2);
    const bias = normals(o, 3);
    const g = normals(n * o * outH * outW, 4);
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
});
