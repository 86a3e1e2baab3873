// Pooling has no rounding: values and positions must be the reference's, bit for bit.
import { array, assert, constantFrom, integer, pre, property, record } from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { WindowSizes } from '../../../packages/tensor/src/kernels/kernels.js';
import { reference } from '../../../packages/tensor/src/kernels/reference/index.js';
import { Engine } from '../../../packages/tensor/src/kernels/wasm/engine.js';
import { maxPool2d } from '../../../packages/tensor/src/kernels/wasm/pool/maxPool.js';
import { flavours, Placement, ThreeThreads } from './engines.js';
import { firstDifference } from './rounding.js';

/** One page: a call that kept its memory would soon leave none to the next. */
const CAPACITY = 65536;

/** Few different numbers, so that most windows have ties. */
const numbers = constantFrom(-Infinity, -1, -0, 0, 1, 2, Infinity, NaN);
const imageSize = constantFrom(1, 2, 3, 5, 7, 8, 9, 17);
const windowSize = integer({ min: 1, max: 8 });
const stride = constantFrom(1, 2, 2, 3, 5);

type Images = Pick<WindowSizes, 'n' | 'c' | 'h' | 'w'>;
type Window = Pick<WindowSizes, 'kernelH' | 'kernelW' | 'strideH' | 'strideW'>;

const pairs: Window = { kernelH: 2, kernelW: 2, strideH: 2, strideW: 2 };

function windowSizes(images: Images, window: Window, pad = 0): WindowSizes {
  const outH = Math.floor((images.h + 2 * pad - window.kernelH) / window.strideH) + 1;
  const outW = Math.floor((images.w + 2 * pad - window.kernelW) / window.strideW) + 1;
  return { ...images, ...window, padH: pad, padW: pad, dilationH: 1, dilationW: 1, outH, outW };
}

interface Pooled {
  readonly values: Float32Array;
  readonly positions: Int32Array;
}

function emptyOutput({ n, c, outH, outW }: WindowSizes): Pooled {
  const length = n * c * outH * outW;
  return { values: new Float32Array(length), positions: new Int32Array(length) };
}

function pooledByReference(x: Float32Array, sizes: WindowSizes): Pooled {
  const out = emptyOutput(sizes);
  reference.maxPool2d(x, sizes, out.values, out.positions);
  return out;
}

/** The numbers' bits, which tell −0 from 0. */
function bits({ values, positions }: Pooled): number[][] {
  const raw = new Int32Array(values.buffer, values.byteOffset, values.length);
  return [[...raw], [...positions]];
}

describe.each(flavours)('maxPool2d in WASM, relaxed $relaxed', (flavour) => {
  const engine = new Engine({ flavour, capacity: CAPACITY });

  const pooled = (x: Float32Array, sizes: WindowSizes): Pooled => {
    const out = emptyOutput(sizes);
    expect(maxPool2d(engine, x, sizes, out.values, out.positions)).toBe(true);
    return out;
  };

  const check = (images: Images, window: Window, cells: readonly number[], pad = 0): void => {
    const { n, c, h, w } = images;
    const sizes = windowSizes(images, window, pad);
    const x = Float32Array.from({ length: n * c * h * w }, (_, i) => cells[i % cells.length]);
    expect(bits(pooled(x, sizes))).toEqual(bits(pooledByReference(x, sizes)));
  };

  const anyImages = record({
    n: integer({ min: 0, max: 2 }),
    c: integer({ min: 1, max: 3 }),
    h: imageSize,
    w: imageSize,
  });
  // Of prime length: repeated, it meets every row and window differently.
  const cells = array(numbers, { minLength: 101, maxLength: 101 });

  test('is the reference for 2 × 2 windows side by side', () => {
    const holds = property(anyImages, cells, (sizes, values) => {
      pre(sizes.h >= 2 && sizes.w >= 2);
      check(sizes, pairs, values);
    });
    assert(holds, { numRuns: 150 });
  });

  test('is the reference for any window, overlapping or with gaps', () => {
    const window = record({ kernelH: windowSize, kernelW: windowSize, strideH: stride, strideW: stride });
    const holds = property(anyImages, window, cells, (sizes, shape, values) => {
      pre(shape.kernelH <= sizes.h && shape.kernelW <= sizes.w);
      check(sizes, shape, values);
    });
    assert(holds, { numRuns: 200 });
  });

  test('is the reference with padding', () => {
    const window = record({ kernelH: windowSize, kernelW: windowSize, strideH: stride, strideW: stride });
    const padding = integer({ min: 1, max: 3 });
    const holds = property(anyImages, window, padding, cells, (sizes, shape, pad, values) => {
      pre(2 * pad <= Math.min(shape.kernelH, shape.kernelW));
      pre(shape.kernelH <= sizes.h + 2 * pad && shape.kernelW <= sizes.w + 2 * pad);
      check(sizes, shape, values, pad);
      check(sizes, shape, [-Infinity], pad);
    });
    assert(holds, { numRuns: 150 });
  });

  test('is the reference for windows of many numbers', () => {
    const holds = property(cells, integer({ min: 0, max: 4 }), (values, pad) => {
      const images = { n: 2, c: 1, h: 13, w: 17 };
      check(images, { kernelH: 9, kernelW: 8, strideH: 2, strideW: 3 }, values, pad);
    });
    assert(holds, { numRuns: 20 });
  });

  test.each([0, 1])('writes numbers and positions where they lie in kernel memory, padding %d', (pad) => {
    for (const three of [false, true]) {
      const roomy = new (three ? ThreeThreads : Engine)({ flavour, capacity: 4 * 1024 * 1024 });
      const placement = new Placement(roomy);
      const sizes = windowSizes({ n: 5, c: 17, h: 49, w: 51 }, { ...pairs, kernelH: 3 }, pad);
      const images = Float32Array.from({ length: 5 * 17 * 49 * 51 }, (_, i) => (i * 7919) % 1009);
      const { values, positions } = emptyOutput(sizes);
      const x = placement.floats(images);
      const out = { values: placement.floats(values), positions: placement.integers(positions) };
      expect(maxPool2d(roomy, x, sizes, out.values, out.positions)).toBe(true);
      const expected = pooledByReference(images, sizes);
      expect(firstDifference(out.values, expected.values)).toBe(null);
      expect(firstDifference(out.positions, expected.positions)).toBe(null);
      expect(placement.isIntact()).toBe(true);
    }
  });

  test('takes the first of equal numbers, by rows', () => {
    const x = Float32Array.of(3, 3, 1, 2, 0, -0, 3, 3, 2, 0, -0, 0);
    const { values, positions } = pooled(x, windowSizes({ n: 1, c: 1, h: 2, w: 6 }, pairs));
    expect([...values]).toEqual([3, 2, 0]);
    expect([...positions]).toEqual([0, 3, 4]);
  });

  test('takes the last NaN of a window', () => {
    const x = Float32Array.of(NaN, 1, 9, NaN, NaN, NaN, 2, NaN, 0, 5, NaN, 7);
    const { values, positions } = pooled(x, windowSizes({ n: 1, c: 1, h: 2, w: 6 }, pairs));
    expect([...values]).toEqual([NaN, NaN, NaN]);
    expect([...positions]).toEqual([7, 3, 10]);
  });

  test('takes the first of nothing but −∞', () => {
    const x = new Float32Array(2 * 4 * 4).fill(-Infinity);
    const { values, positions } = pooled(x, windowSizes({ n: 2, c: 1, h: 4, w: 4 }, pairs));
    expect([...values]).toEqual(Array<number>(8).fill(-Infinity));
    expect([...positions]).toEqual([0, 2, 8, 10, 16, 18, 24, 26]);
  });

  test('pools an empty batch', () => {
    const { values } = pooled(new Float32Array(0), windowSizes({ n: 0, c: 3, h: 4, w: 4 }, pairs));
    expect(values).toHaveLength(0);
  });

  test.each([
    [8, 1],
    [7, 1],
    [8, 2],
    [7, 2],
    [8, 3],
  ])('leaves alone what lies beside numbers in kernel memory, %d windows, stride %d', (across, step) => {
    const images = { n: 1, c: 2, h: 3 * step + 2, w: (across - 1) * step + 2 };
    const sizes = windowSizes(images, { ...pairs, strideH: step, strideW: step });
    const { floats } = engine;
    // The last window ends with the image, and the image with the memory: to read further would trap.
    const x = floats.subarray(floats.length - 2 * images.h * images.w);
    x.forEach((_, i) => (x[i] = (i * 7) % 13));
    const around = floats.subarray(8000, 8000 + 2 * 4 * across + 2).fill(-5);
    const values = around.subarray(1, -1);
    const positions = new Int32Array(values.length);
    expect(maxPool2d(engine, x, sizes, values, positions)).toBe(true);
    expect(bits({ values, positions })).toEqual(bits(pooledByReference(x, sizes)));
    expect([around[0], around[around.length - 1]]).toEqual([-5, -5]);
  });

  test.each([
    ['padding of more than half a window', windowSizes({ n: 1, c: 1, h: 4, w: 4 }, pairs, 2)],
    [
      'a window wider than 64 numbers',
      windowSizes({ n: 1, c: 1, h: 1, w: 65 }, { ...pairs, kernelH: 1, kernelW: 65 }),
    ],
    ['images that do not fit into kernel memory', windowSizes({ n: 1, c: 1, h: 128, w: 128 }, pairs)],
  ])('leaves %s to the reference', (_, sizes) => {
    const x = new Float32Array(sizes.n * sizes.c * sizes.h * sizes.w).fill(1);
    const { values, positions } = emptyOutput(sizes);
    expect(maxPool2d(engine, x, sizes, values, positions)).toBe(false);
    expect([...values, ...positions].every((value) => value === 0)).toBe(true);
  });
});
