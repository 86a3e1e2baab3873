// Minimal filtering against the reference in float64, within the error bound that its documentation states.
import { assert, boolean, constantFrom, integer, pre, property, record, type Arbitrary } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Generator } from '@gmml/tensor';
import type { ConvSizes } from '../../../packages/tensor/src/kernels/kernels.js';
import { reference } from '../../../packages/tensor/src/kernels/reference/index.js';
import { Engine } from '../../../packages/tensor/src/kernels/wasm/engine.js';
import { winogradConv2d } from '../../../packages/tensor/src/kernels/wasm/conv/winograd.js';
import { winogradWeightGradient } from '../../../packages/tensor/src/kernels/wasm/conv/winogradGradient.js';
import { transformsOf } from '../../../packages/tensor/src/kernels/wasm/conv/winogradTransforms.js';
import { startedEngine } from './startedEngine.js';
import { insideOf, outside, placed, type Place } from './enginePlaces.js';
import { forwardMagnitudes, gamma, gradientMagnitudes, tileOf, transformRoundings } from './winogradBound.js';
import { flavours, ThreeThreads } from './engines.js';

const CAPACITY = 32 * 1024 * 1024;

interface Layer {
  readonly n: number;
  readonly c: number;
  readonly o: number;
  readonly h: number;
  readonly w: number;
  readonly kernel: number;
  readonly padH: number;
  readonly padW: number;
}

function convSizes({ kernel, ...layer }: Layer): ConvSizes {
  const outH = layer.h + 2 * layer.padH - kernel + 1;
  const outW = layer.w + 2 * layer.padW - kernel + 1;
  const one = { strideH: 1, strideW: 1, dilationH: 1, dilationW: 1 };
  return { ...layer, ...one, kernelH: kernel, kernelW: kernel, outH, outW };
}

/** The sizes of the convolution of the output's gradient with the turned kernel. */
function turnedSizes(sizes: ConvSizes): ConvSizes {
  const { c, o, h, w, outH, outW, kernelH, kernelW } = sizes;
  const [padH, padW] = [kernelH - 1 - sizes.padH, kernelW - 1 - sizes.padW];
  return { ...sizes, c: o, o: c, h: outH, w: outW, outH: h, outW: w, padH, padW };
}

function numbers(count: number, seed: number, mean = 0): Float32Array {
  const generator = new Generator(seed);
  return Float32Array.from({ length: count }, () => mean + generator.normal());
}

function inputsOf(sizes: ConvSizes, mean = 0): Record<'x' | 'weight' | 'bias' | 'g', Float32Array> {
  const { n, c, o, h, w, kernelH, kernelW, outH, outW } = sizes;
  return {
    x: numbers(n * c * h * w, 1, mean),
    weight: numbers(o * c * kernelH * kernelW, 2),
    bias: numbers(o, 3, mean),
    g: numbers(n * o * outH * outW, 4),
  };
}

function turnedAndSwapped(weight: Float32Array, { c, o, kernelH }: ConvSizes): Float32Array {
  const taps = kernelH * kernelH;
  return Float32Array.from(weight, (_, at) => {
    const [from, to, tap] = [Math.floor(at / (o * taps)), Math.floor(at / taps) % o, at % taps];
    return weight[(to * c + from) * taps + taps - 1 - tap];
  });
}

/** All three results, or null where the direct kernel is to compute one. */
function compute(
  engine: Engine,
  sizes: ConvSizes,
  inputs: ReturnType<typeof inputsOf>,
  place: Place = outside,
): Record<'y' | 'dx' | 'dw', Float32Array> | null {
  const [x, weight, bias, g] = [inputs.x, inputs.weight, inputs.bias, inputs.g].map((a) => placed(place, a));
  const [y, dx, dw] = [g.length, x.length, weight.length].map(place);
  const done = [
    winogradConv2d(engine, x, weight, bias, sizes, y),
    winogradConv2d(engine, g, weight, null, turnedSizes(sizes), dx, true),
    winogradWeightGradient(engine, g, x, sizes, dw),
  ];
  return done.includes(false) ? null : { y, dx, dw };
}

function expectWithin(
  actual: Float32Array,
  exact: Float64Array,
  magnitude: Float64Array,
  terms: number,
): void {
  const factor = gamma(terms);
  const worst = actual.reduce((most, value, i) => {
    // Written so that NaN fails.
    const within = Math.abs(value - exact[i]) <= factor * magnitude[i] + Number.MIN_VALUE;
    return within ? most : Math.max(most, Math.abs(value - exact[i]) || Infinity);
  }, 0);
  expect(worst).toBe(0);
}

function expectBounds(
  sizes: ConvSizes,
  inputs: ReturnType<typeof inputsOf>,
  { y, dx, dw }: Record<'y' | 'dx' | 'dw', Float32Array>,
  threads = 1,
): void {
  const { x, weight, bias, g } = inputs;
  const { n, c, o, kernelH, outH, outW } = sizes;
  const [x64, weight64, bias64, g64] = [x, weight, bias, g].map((a) => Float64Array.from(a));
  const exact = [y, dx, dw].map((out) => new Float64Array(out.length));
  reference.conv2d(x64, weight64, bias64, sizes, exact[0]);
  reference.conv2dInputGradient(g64, weight64, sizes, exact[1]);
  reference.conv2dWeightGradient(g64, x64, sizes, exact[2]);

  const sumOf = (terms: number, tile: number): number =>
    Math.min(terms, 256) + Math.ceil(terms / 256) + transformRoundings(tile);
  const tile = tileOf(sizes);
  expectWithin(y, exact[0], forwardMagnitudes(x, weight, bias, sizes), sumOf(c, tile));
  const [turned, back] = [turnedAndSwapped(weight, sizes), turnedSizes(sizes)];
  expectWithin(dx, exact[1], forwardMagnitudes(g, turned, null, back), sumOf(o, tileOf(back)));
  const [down, across] = [outH, outW].map((length) => Math.ceil(length / (tile + 1 - kernelH)));
  const terms = Math.min(n * down * across, 256) + n * down + threads + transformRoundings(tile);
  expectWithin(dw, exact[2], gradientMagnitudes(g, x, sizes), terms);
}

const upTo = (least: number, most: number): Arbitrary<number> => integer({ min: least, max: most });

/** Large enough for minimal filtering, in both directions. */
const layers = record({
  n: upTo(1, 3),
  c: upTo(8, 18),
  o: upTo(8, 18),
  h: upTo(5, 17),
  w: upTo(5, 19),
  kernel: constantFrom(3, 5),
  padH: upTo(0, 4),
  padW: upTo(0, 4),
});

describe.each(flavours)('minimal filtering, relaxed $relaxed', (flavour) => {
  const engine = new Engine({ flavour, capacity: CAPACITY });
  const two = startedEngine({ flavour, threads: 2, capacity: CAPACITY });
  const three = new ThreeThreads({ flavour, capacity: CAPACITY });

  test('is within its bound for any sizes, with large means too, in place or not', () => {
    let compared = 0;
    const holds = property(layers, constantFrom(0, 0, 100), boolean(), ({ n, ...layer }, mean, inPlace) => {
      pre(layer.padH < layer.kernel && layer.padW < layer.kernel);
      // More images for few channels: enough to do.
      const sizes = convSizes({ n: n + Math.ceil(1200 / (layer.c * layer.o)), ...layer });
      const inputs = inputsOf(sizes, mean);
      const results = compute(engine, sizes, inputs, inPlace ? insideOf(engine) : outside);
      if (results === null) return;
      compared++;
      expectBounds(sizes, inputs, results);
    });
    assert(holds, { numRuns: 20 });
    expect(compared).toBeGreaterThan(8);
  });

  test.each([
    { n: 5, c: 8, o: 8, h: 14, w: 14, kernel: 5, padH: 2, padW: 2 },
    { n: 9, c: 16, o: 24, h: 7, w: 31, kernel: 3, padH: 1, padW: 2 },
    { n: 3, c: 17, o: 33, h: 33, w: 15, kernel: 3, padH: 0, padW: 0 },
    { n: 2, c: 31, o: 9, h: 16, w: 17, kernel: 5, padH: 4, padW: 0 },
    { n: 1, c: 65, o: 63, h: 9, w: 8, kernel: 5, padH: 2, padW: 2 },
    { n: 40, c: 31, o: 33, h: 4, w: 5, kernel: 3, padH: 1, padW: 1 },
    { n: 90, c: 16, o: 17, h: 4, w: 4, kernel: 5, padH: 1, padW: 1 },
    { n: 7, c: 15, o: 16, h: 13, w: 33, kernel: 5, padH: 1, padW: 3 },
    { n: 20, c: 17, o: 31, h: 5, w: 7, kernel: 5, padH: 2, padW: 2 },
  ])('is within its bound on three threads: %j', (layer) => {
    const sizes = convSizes(layer);
    const inputs = inputsOf(sizes);
    const results = compute(three, sizes, inputs, insideOf(three));
    expect(results).not.toBeNull();
    expectBounds(sizes, inputs, results!, 3);
  });

  test('gives the same bits on one thread and on three, and in place; of sums over tiles, each time', () => {
    const sizes = convSizes({ n: 7, c: 17, o: 19, h: 13, w: 14, kernel: 5, padH: 2, padW: 1 });
    const inputs = inputsOf(sizes);
    const [one, inPlace] = [outside, insideOf(engine)].map((place) => compute(engine, sizes, inputs, place)!);
    const [shared, again] = [outside, insideOf(three)].map((place) => compute(three, sizes, inputs, place)!);
    expect(inPlace).toEqual(one);
    expect(again).toEqual(shared);
    expect([shared.y, shared.dx]).toEqual([one.y, one.dx]);
  });

  test('gives the same bits on two real threads', () => {
    const sizes = convSizes({ n: 9, c: 17, o: 19, h: 13, w: 14, kernel: 5, padH: 2, padW: 2 });
    const inputs = inputsOf(sizes);
    expect(two.threads).toBe(2);
    const [one, shared] = [engine, two].map((e) => compute(e, sizes, inputs, insideOf(e))!);
    expect([shared.y, shared.dx]).toEqual([one.y, one.dx]);
    expectBounds(sizes, inputs, shared, 2);
  });

  test.each([
    { n: 2, c: 257, o: 12, h: 9, w: 9, kernel: 3 },
    { n: 2, c: 12, o: 513, h: 9, w: 9, kernel: 3 },
    { n: 4, c: 257, o: 9, h: 7, w: 6, kernel: 5 },
  ])('sums blocks of 256 channels: %j', (layer) => {
    const sizes = convSizes({ ...layer, padH: 1, padW: 1 });
    const inputs = inputsOf(sizes);
    expectBounds(sizes, inputs, compute(engine, sizes, inputs)!);
  });

  test('keeps blank regions exactly at the bias', () => {
    const sizes = convSizes({ n: 2, c: 16, o: 16, h: 16, w: 16, kernel: 3, padH: 1, padW: 1 });
    const inputs = inputsOf(sizes);
    inputs.x.fill(0);
    const { y, dw } = compute(engine, sizes, inputs)!;
    expect(y).toEqual(Float32Array.from(y, (_, i) => inputs.bias[Math.floor(i / 256) % 16]));
    expect(dw).toEqual(new Float32Array(dw.length));
  });

  test.each([
    { kernel: 3, large: 'both' },
    { kernel: 3, large: 'x' },
    { kernel: 5, large: 'both' },
    { kernel: 5, large: 'x' },
    { kernel: 5, large: 'weight' },
  ])('tiles that a transform enlarges the most give finite results: %j', ({ kernel, large }) => {
    const tile = kernel + 3;
    const sizes = convSizes({ n: 16, c: 24, o: 24, h: tile, w: tile, kernel, padH: 0, padW: 0 });
    expect(tileOf(sizes)).toBe(tile);
    const { input, filter } = transformsOf(4, kernel);
    /** Numbers of one magnitude that have the signs of the row's coefficients. */
    const signed = (row: readonly number[], count: number, unit: number): Float32Array =>
      Float32Array.from({ length: count * row.length ** 2 }, (_, at) => {
        const [i, j] = [Math.floor(at / row.length) % row.length, at % row.length];
        return row[i] * row[j] < 0 ? -unit : unit;
      });
    for (let point = 0; point < tile; point++) {
      const y = outside(sizes.n * sizes.o * 16);
      let [x, weight] = [y, y];
      let exponent = large === 'both' ? 66 : 128;
      do {
        exponent -= 1 / 4;
        x = signed(input[point], sizes.n * sizes.c, 2 ** (large === 'weight' ? -60 : exponent));
        weight = signed(filter[point], sizes.o * sizes.c, 2 ** (large === 'x' ? -60 : exponent));
      } while (!winogradConv2d(engine, x, weight, null, sizes, y));
      const exact = new Float64Array(y.length);
      reference.conv2d(Float64Array.from(x), Float64Array.from(weight), null, sizes, exact);
      const magnitudes = forwardMagnitudes(x, weight, null, sizes);
      expectWithin(y, exact, magnitudes, sizes.c + 1 + transformRoundings(tile));
    }
  });

  const usual = convSizes({ n: 3, c: 16, o: 16, h: 15, w: 14, kernel: 5, padH: 2, padW: 2 });
  const usualOfEither = [usual, convSizes({ n: 3, c: 16, o: 17, h: 15, w: 14, kernel: 3, padH: 1, padW: 1 })];

  test.each([NaN, Infinity, -Infinity, 1e38])(
    'leaves inputs with %d to the direct kernel, wherever they are',
    (bad) => {
      for (const sizes of usualOfEither) {
        for (const which of ['x', 'weight', 'g'] as const) {
          const { length } = inputsOf(sizes)[which];
          for (const at of [0, 1, 13, 14, Math.floor(length / 2), length - 1]) {
            const inputs = inputsOf(sizes);
            inputs[which][at] = bad;
            expect(compute(engine, sizes, inputs)).toBeNull();
          }
        }
      }
    },
  );

  test('takes a bias that is not finite as the reference does', () => {
    const inputs = inputsOf(usual);
    inputs.bias.fill(Infinity);
    expect(new Set(compute(engine, usual, inputs)!.y)).toEqual(new Set([Infinity]));
  });

  test.each([1e-20, 1e-6, 1e6, 1e14])('is within its bound for numbers of the order of %d', (scale) => {
    for (const sizes of usualOfEither) {
      const inputs = inputsOf(sizes);
      for (const x of Object.values(inputs)) for (let i = 0; i < x.length; i++) x[i] *= scale;
      expectBounds(sizes, inputs, compute(engine, sizes, inputs)!);
    }
  });

  test.each<Partial<ConvSizes>>([
    { strideH: 2, outH: 8 },
    { dilationW: 2, outW: 10 },
    { padH: 5, outH: 21 },
    { kernelH: 3, outH: 17 },
    { n: 0 },
    { c: 7 },
    { o: 3 },
  ])('leaves to the direct kernel what it is not made for: %j', (change) => {
    const sizes = { ...usual, ...change };
    const { x, weight, bias, g } = inputsOf(sizes);
    const y = outside(g.length);
    expect(winogradConv2d(engine, x, weight, bias, sizes, y)).toBe(false);
    expect(winogradWeightGradient(engine, g, x, sizes, outside(weight.length))).toBe(false);
    expect(y).toEqual(outside(g.length));
  });

  test('leaves what does not fit into kernel memory', () => {
    const small = new Engine({ flavour, capacity: 65536 });
    expect(compute(small, usual, inputsOf(usual))).toBeNull();
  });
});
