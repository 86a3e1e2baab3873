// Sums are float64 and rounded where the reference rounds: the bits must be its, whatever lay in the output before.
import { assert, boolean, constantFrom, integer, pre, property, record } from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { WindowSizes } from '../../../packages/tensor/src/kernels/kernels.js';
import { reference } from '../../../packages/tensor/src/kernels/reference/index.js';
import { avgPool2d, avgPool2dBackward } from '../../../packages/tensor/src/kernels/wasm/pool/avgPool.js';
import { enginesOf, Placement } from './engines.js';
import { exactNumbers, roughNumbers } from './numbers.js';
import { firstDifference } from './rounding.js';

const CAPACITY = 8 * 1024 * 1024;

const imageSize = constantFrom(1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17);
const windowSize = constantFrom(1, 2, 2, 3, 4, 5, 7, 9);
const stride = constantFrom(1, 2, 2, 3, 5);
const padding = integer({ min: 0, max: 3 });

const windows = record({
  n: integer({ min: 0, max: 2 }),
  c: integer({ min: 1, max: 3 }),
  h: imageSize,
  w: imageSize,
  kernelH: windowSize,
  kernelW: windowSize,
  strideH: stride,
  strideW: stride,
  padH: padding,
  padW: padding,
});

function windowSizes(window: Omit<WindowSizes, 'dilationH' | 'dilationW' | 'outH' | 'outW'>): WindowSizes {
  const { h, w, kernelH, kernelW, strideH, strideW, padH, padW } = window;
  const outH = Math.floor((h + 2 * padH - kernelH) / strideH) + 1;
  const outW = Math.floor((w + 2 * padW - kernelW) / strideW) + 1;
  return { ...window, dilationH: 1, dilationW: 1, outH, outW };
}

describe.each(enginesOf(CAPACITY))('average pooling in WASM, $name', ({ engine }) => {
  const check = (
    kernel: typeof avgPool2d,
    routine: 'avgPool2d' | 'avgPool2dBackward',
    x: Float32Array,
    sizes: WindowSizes,
    length: number,
    arePlaced: boolean,
  ): void => {
    const before = new Float32Array(length).fill(7);
    const placement = new Placement(engine);
    const [from, actual] = arePlaced
      ? [placement.floats(x), placement.floats(before)]
      : [x, Float32Array.from(before)];
    expect(kernel(engine, from, sizes, actual)).toBe(true);
    reference[routine](x, sizes, before);
    expect(firstDifference(actual, before)).toBe(null);
    expect(firstDifference(from, x)).toBe(null);
    expect(placement.isIntact()).toBe(true);
  };

  const checkBoth = (
    sizes: WindowSizes,
    numbers: (length: number) => Float32Array,
    arePlaced = true,
  ): void => {
    const image = sizes.n * sizes.c * sizes.h * sizes.w;
    const pooled = sizes.n * sizes.c * sizes.outH * sizes.outW;
    check(avgPool2d, 'avgPool2d', numbers(image), sizes, pooled, arePlaced);
    check(avgPool2dBackward, 'avgPool2dBackward', numbers(pooled), sizes, image, arePlaced);
  };

  test('is the reference for any window, overlapping, with gaps, with padding', () => {
    const seed = integer({ min: 0, max: 1000 });
    const holds = property(windows, seed, boolean(), boolean(), (window, start, areExact, arePlaced) => {
      const { h, w, kernelH, kernelW, padH, padW } = window;
      pre(2 * padH <= kernelH && 2 * padW <= kernelW);
      pre(kernelH <= h + 2 * padH && kernelW <= w + 2 * padW);
      const numbers = areExact ? exactNumbers : roughNumbers;
      checkBoth(windowSizes(window), (length) => numbers(length, start), arePlaced);
    });
    assert(holds, { numRuns: 300 });
  });

  test.each([
    [2, 2, 0],
    [3, 2, 1],
    [3, 1, 1],
    [49, 49, 0],
  ])('pools many images by windows of %d, stride %d, padding %d', (kernel, step, pad) => {
    const images = { n: 5, c: 17, h: 49, w: 51 };
    const window = { kernelH: kernel, kernelW: kernel, strideH: step, strideW: step, padH: pad, padW: pad };
    checkBoth(windowSizes({ ...images, ...window }), (length) => roughNumbers(length, 1));
  });

  test('leaves float64, wide windows and what does not fit to the reference', () => {
    const same = { strideH: 1, strideW: 1, padH: 0, padW: 0 };
    const sizes = windowSizes({ n: 1, c: 1, h: 20, w: 20, kernelH: 2, kernelW: 2, ...same });
    expect(avgPool2d(engine, new Float64Array(400), sizes, new Float64Array(361))).toBe(false);
    expect(avgPool2dBackward(engine, new Float64Array(361), sizes, new Float64Array(400))).toBe(false);
    const wide = windowSizes({ n: 1, c: 1, h: 1, w: 65, kernelH: 1, kernelW: 65, ...same });
    expect(avgPool2d(engine, new Float32Array(65), wide, new Float32Array(1))).toBe(false);
    const large = windowSizes({ n: 1, c: 1, h: 1500, w: 1500, kernelH: 1, kernelW: 1, ...same });
    const x = new Float32Array(2_250_000);
    expect(avgPool2d(engine, x, large, new Float32Array(x.length))).toBe(false);
  });
});
