// Where windows do not overlap, a gradient is moved and nothing is added: the bits must be the reference's.
import { assert, boolean, constantFrom, integer, property, record } from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { WindowSizes } from '../../../packages/tensor/src/kernels/kernels.js';
import { reference } from '../../../packages/tensor/src/kernels/reference/index.js';
import { maxPool2dBackward } from '../../../packages/tensor/src/kernels/wasm/pool/maxPoolBackward.js';
import { enginesOf, Placement } from './engines.js';
import { exactNumbers } from './numbers.js';
import { firstDifference } from './rounding.js';

const CAPACITY = 8 * 1024 * 1024;

function sizesOf(
  n: number,
  c: number,
  [h, w]: number[],
  kernel: number,
  stride: number,
  pad = 0,
): WindowSizes {
  const [outH, outW] = [h, w].map((size) => Math.floor((size + 2 * pad - kernel) / stride) + 1);
  const window = { kernelH: kernel, kernelW: kernel, strideH: stride, strideW: stride };
  return { n, c, h, w, ...window, padH: pad, padW: pad, dilationH: 1, dilationW: 1, outH, outW };
}

describe.each(enginesOf(CAPACITY))('the gradient of max-pooling in WASM, $name', ({ engine }) => {
  const check = (sizes: WindowSizes, arePlaced: boolean): void => {
    const { n, c, h, w, outH, outW } = sizes;
    const positions = new Int32Array(n * c * outH * outW);
    const values = new Float32Array(positions.length);
    reference.maxPool2d(exactNumbers(n * c * h * w, h), sizes, values, positions);
    const g = exactNumbers(positions.length, w);
    const expected = new Float32Array(n * c * h * w);
    reference.maxPool2dBackward(g, positions, sizes, expected);

    const placement = new Placement(engine);
    const dirty = new Float32Array(expected.length).fill(NaN);
    const [from, places, actual] = arePlaced
      ? [placement.floats(g), placement.integers(positions), placement.floats(dirty)]
      : [g, positions, dirty];
    expect(maxPool2dBackward(engine, from, places, sizes, actual)).toBe(true);
    expect(firstDifference(actual, expected)).toBe(null);
    expect(placement.isIntact()).toBe(true);
  };

  test('is the reference, bit for bit', () => {
    const samples = record({
      n: integer({ min: 0, max: 3 }),
      c: integer({ min: 1, max: 5 }),
      h: integer({ min: 3, max: 19 }),
      w: integer({ min: 3, max: 19 }),
      kernel: constantFrom(1, 2, 3),
      apart: constantFrom(0, 0, 1),
      pad: constantFrom(0, 0, 1),
      arePlaced: boolean(),
    });
    const holds = property(samples, ({ n, c, h, w, kernel, apart, pad, arePlaced }) => {
      check(sizesOf(n, c, [h, w], kernel, kernel + apart, kernel > 1 ? pad : 0), arePlaced);
    });
    assert(holds, { numRuns: 200 });
  });

  test('is shared between threads where there are many planes', () => {
    check(sizesOf(16, 16, [28, 28], 2, 2), true);
  });

  test('is left to the reference where windows overlap, and for float64', () => {
    const sizes = sizesOf(1, 1, [5, 5], 3, 2);
    const [g, positions, out] = [new Float32Array(4), new Int32Array(4), new Float32Array(25).fill(7)];
    expect(maxPool2dBackward(engine, g, positions, sizes, out)).toBe(false);
    const apart = sizesOf(1, 1, [4, 4], 2, 2);
    expect(maxPool2dBackward(engine, new Float64Array(4), positions, apart, new Float64Array(16))).toBe(
      false,
    );
    expect(out.every((value) => value === 7)).toBe(true);
  });
});
