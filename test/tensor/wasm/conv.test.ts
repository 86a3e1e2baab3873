// Convolution as a whole: which kernel does the work must not show, except in rounding.
import { describe, expect, test } from 'vitest';
import { Generator } from '@gmml/tensor';
import type { ConvSizes } from '../../../packages/tensor/src/kernels/kernels.js';
import { reference } from '../../../packages/tensor/src/kernels/reference/index.js';
import {
  conv2d,
  conv2dInputGradient,
  conv2dWeightGradient,
} from '../../../packages/tensor/src/kernels/wasm/conv/conv.js';
import { Engine } from '../../../packages/tensor/src/kernels/wasm/engine.js';
import { insideOf, outside, placed, type Place } from './enginePlaces.js';
import { flavours, ThreeThreads } from './engines.js';
import { ROUNDING } from './rounding.js';

const CAPACITY = 32 * 1024 * 1024;

const plainWindow = { strideH: 1, strideW: 1, padH: 0, padW: 0, dilationH: 1, dilationW: 1 };

/** For each a kernel of its own, and enough to do for three threads. */
const layers: Record<string, Partial<ConvSizes> & Pick<ConvSizes, 'n' | 'c' | 'o' | 'h' | 'w'>> = {
  'minimal filtering, 5 × 5': { n: 5, c: 17, o: 18, h: 13, w: 15, kernelH: 5, kernelW: 5, padH: 2, padW: 2 },
  'minimal filtering, 5 × 5, small tiles': {
    n: 60,
    c: 17,
    o: 18,
    h: 4,
    w: 4,
    kernelH: 5,
    kernelW: 5,
    padH: 1,
    padW: 1,
  },
  'taps that meet only padding': {
    n: 60,
    c: 17,
    o: 18,
    h: 2,
    w: 5,
    kernelH: 5,
    kernelW: 5,
    padH: 2,
    padW: 2,
  },
  'minimal filtering, 3 × 3': { n: 9, c: 16, o: 20, h: 15, w: 14, kernelH: 3, kernelW: 3, padH: 1, padW: 1 },
  'one channel': { n: 9, c: 1, o: 16, h: 28, w: 27, kernelH: 5, kernelW: 5, padH: 2, padW: 2 },
  'a window that is not square': { n: 7, c: 9, o: 13, h: 21, w: 22, kernelH: 3, kernelW: 4, padH: 1 },
  'a window of one': { n: 7, c: 65, o: 31, h: 17, w: 16, kernelH: 1, kernelW: 1 },
  dilation: { n: 5, c: 8, o: 17, h: 19, w: 18, kernelH: 3, kernelW: 5, dilationH: 2, dilationW: 3, padW: 6 },
  stride: { n: 9, c: 9, o: 17, h: 29, w: 31, kernelH: 5, kernelW: 5, strideH: 2, strideW: 2, padH: 2 },
  'more padding than the kernel needs': { n: 7, c: 8, o: 9, h: 17, w: 16, kernelH: 5, kernelW: 5, padH: 6 },
  'small images': { n: 33, c: 31, o: 33, h: 3, w: 2, kernelH: 3, kernelW: 3, padH: 2, padW: 1 },
};

function sizesOf(layer: Partial<ConvSizes>): ConvSizes {
  const sizes = { ...plainWindow, ...layer } as ConvSizes;
  const { h, w, kernelH, kernelW, strideH, strideW, padH, padW, dilationH, dilationW } = sizes;
  const outH = Math.floor((h + 2 * padH - dilationH * (kernelH - 1) - 1) / strideH) + 1;
  const outW = Math.floor((w + 2 * padW - dilationW * (kernelW - 1) - 1) / strideW) + 1;
  return { ...sizes, outH, outW };
}

interface Inputs<T> {
  readonly x: T;
  readonly weight: T;
  readonly bias: T;
  readonly g: T;
}

function inputsOf({ n, c, h, w, o, kernelH, kernelW, outH, outW }: ConvSizes): Inputs<Float32Array> {
  const generator = new Generator(7);
  const numbers = (length: number): Float32Array => Float32Array.from({ length }, () => generator.normal());
  return {
    x: numbers(n * c * h * w),
    weight: numbers(o * c * kernelH * kernelW),
    bias: numbers(o),
    g: numbers(n * o * outH * outW),
  };
}

interface Results<T> {
  readonly y: T;
  readonly dx: T | null;
  readonly dw: T;
}

/** The input's gradient is left out where the engine leaves it to the reference. */
function computed(
  engine: Engine,
  sizes: ConvSizes,
  inputs: Inputs<Float32Array>,
  place: Place,
): Results<Float32Array> {
  const [x, weight, bias, g] = [inputs.x, inputs.weight, inputs.bias, inputs.g].map((a) => placed(place, a));
  const [y, dx, dw] = [g, x, weight].map(({ length }) => place(length));
  expect(conv2d(engine, x, weight, bias, sizes, y)).toBe(true);
  const has = conv2dInputGradient(engine, g, weight, sizes, dx);
  expect(has || dx.every(Number.isNaN)).toBe(true);
  expect(conv2dWeightGradient(engine, g, x, sizes, dw)).toBe(true);
  return { y, dx: has ? dx : null, dw };
}

function expected(
  { x, weight, bias, g }: Inputs<Float32Array>,
  sizes: ConvSizes,
  of: (x: number) => number,
): { y: Float64Array; dx: Float64Array; dw: Float64Array } {
  const [x64, weight64, bias64, g64] = [x, weight, bias, g].map((a) => Float64Array.from(a, of));
  const [y, dx, dw] = [g, x, weight].map(({ length }) => new Float64Array(length));
  reference.conv2d(x64, weight64, bias64, sizes, y);
  reference.conv2dInputGradient(g64, weight64, sizes, dx);
  reference.conv2dWeightGradient(g64, x64, sizes, dw);
  return { y, dx, dw };
}

function expectWithin(
  actual: Float32Array,
  exact: Float64Array,
  magnitude: Float64Array,
  terms: number,
): void {
  const factor = (Math.min(terms, 256) + Math.ceil(terms / 256) + 3) * ROUNDING;
  const outsideBound = actual.findIndex((value, i) => {
    const within = Math.abs(value - exact[i]) <= factor * magnitude[i];
    return !within && !(Number.isNaN(value) && Number.isNaN(exact[i])) && value !== Math.fround(exact[i]);
  });
  expect(outsideBound).toBe(-1);
}

describe.each(flavours)('convolution, relaxed $relaxed', (flavour) => {
  const engine = new Engine({ flavour, capacity: CAPACITY });
  const three = new ThreeThreads({ flavour, capacity: CAPACITY });

  describe.each(Object.entries(layers))('%s', (_, layer) => {
    const sizes = sizesOf(layer);
    const inputs = inputsOf(sizes);
    const results = computed(engine, sizes, inputs, outside);

    test('is the reference up to the rounding of sums', () => {
      const { c, o, n, kernelH, kernelW, outH } = sizes;
      const [exact, magnitude] = [Number, Math.abs].map((of) => expected(inputs, sizes, of));
      const taps = kernelH * kernelW;
      expectWithin(results.y, exact.y, magnitude.y, c * taps + 1);
      if (results.dx) expectWithin(results.dx, exact.dx, magnitude.dx, o * taps);
      // Blocks are whole rows of one image: there may be as many as rows.
      expectWithin(results.dw, exact.dw, magnitude.dw, 256 * n * outH);
    });

    test('is the same in place, whatever the output held', () => {
      expect(computed(engine, sizes, inputs, insideOf(engine))).toEqual(results);
    });

    test('is the same on three threads, the weight gradient up to the order of its sums', () => {
      const shared = computed(three, sizes, inputs, insideOf(three));
      expect([shared.y, shared.dx]).toEqual([results.y, results.dx]);
      const magnitude = expected(inputs, sizes, Math.abs).dw;
      expectWithin(shared.dw, Float64Array.from(results.dw), magnitude, 512 * sizes.n * sizes.outH);
    });

    test.each(['x', 'weight', 'g'] as const)('has NaN and ∞ where the reference has them: %s', (which) => {
      const spoilt = { ...inputs, [which]: inputs[which].slice() };
      const { length } = spoilt[which];
      spoilt[which][Math.floor(length / 3)] = NaN;
      spoilt[which][Math.floor((2 * length) / 3)] = Infinity;
      const kinds = (x: Float32Array | Float64Array): number[] =>
        Array.from(x, (value) => (Number.isFinite(value) ? 0 : value));
      const found = computed(engine, sizes, spoilt, outside);
      const { y, dx, dw } = expected(spoilt, sizes, Number);
      expect(kinds(found.y)).toEqual(kinds(y));
      expect(kinds(found.dx ?? dx)).toEqual(kinds(dx));
      expect(kinds(found.dw)).toEqual(kinds(dw));
    });
  });

  test('numbers that a transform would carry beyond the largest give finite results', () => {
    const sizes = sizesOf(layers['minimal filtering, 5 × 5']);
    const inputs = inputsOf(sizes);
    const large = { ...inputs, x: inputs.x.map(() => 2e37), weight: inputs.weight.map((x) => x * 1e-3) };
    const [y, expectedY] = [computed(engine, sizes, large, outside).y, expected(large, sizes, Number).y];
    const magnitude = expected(large, sizes, Math.abs).y;
    expectWithin(y, expectedY, magnitude, sizes.c * 25 + 1);
  });

  test('kernels are told apart by their sizes, whatever order these stand in', () => {
    const sizes = sizesOf(layers['a window that is not square']);
    const across = { h: 'w', w: 'h', H: 'W', W: 'H' } as Readonly<Record<string, string>>;
    const turned = Object.fromEntries(
      Object.entries(sizes).map(([name, size]) => [name.replace(/[hw]$/i, (last) => across[last]), size]),
    ) as unknown as ConvSizes;
    expect(Object.values(turned)).toEqual(Object.values(sizes));
    for (const own of [sizes, turned]) {
      const inputs = inputsOf(own);
      const { y } = computed(engine, own, inputs, outside);
      const [exact, magnitude] = [Number, Math.abs].map((of) => expected(inputs, own, of).y);
      expectWithin(y, exact, magnitude, own.c * own.kernelH * own.kernelW + 1);
    }
  });

  test.each([0, 1])('%d images', (n) => {
    const sizes = sizesOf({ ...layers['minimal filtering, 3 × 3'], n });
    const inputs = inputsOf(sizes);
    const { y, dx, dw } = computed(engine, sizes, inputs, insideOf(engine));
    const [exact, magnitude] = [Number, Math.abs].map((of) => expected(inputs, sizes, of));
    expectWithin(y, exact.y, magnitude.y, sizes.c * 9 + 1);
    expectWithin(dx!, exact.dx, magnitude.dx, sizes.o * 9);
    expectWithin(dw, exact.dw, magnitude.dw, 256 * sizes.outH);
  });

  test('float64 is left to the reference', () => {
    const sizes = sizesOf(layers['minimal filtering, 3 × 3']);
    const { x, weight, g } = inputsOf(sizes);
    const [x64, weight64, g64] = [x, weight, g].map((a) => Float64Array.from(a));
    expect(conv2d(engine, x64, weight64, null, sizes, g64.slice())).toBe(false);
    expect(conv2dInputGradient(engine, g64, weight64, sizes, x64.slice())).toBe(false);
    expect(conv2dWeightGradient(engine, g64, x64, sizes, weight64.slice())).toBe(false);
  });

  test('nothing is written where there is no room', () => {
    const small = new Engine({ flavour, capacity: 65536 });
    const sizes = sizesOf(layers['minimal filtering, 3 × 3']);
    const { x, weight, bias, g } = inputsOf(sizes);
    const y = outside(g.length);
    expect(conv2d(small, x, weight, bias, sizes, y)).toBe(false);
    expect(y).toEqual(outside(g.length));
  });
});
