// Optimizer kernels: the reference's parameters and states, bit for bit, step after step.
import { assert, boolean, constantFrom, property, record } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Generator } from '@gmml/tensor';
import { reference } from '../../../packages/tensor/src/kernels/reference/index.js';
import { Engine } from '../../../packages/tensor/src/kernels/wasm/engine.js';
import * as optimizer from '../../../packages/tensor/src/kernels/wasm/optimizer.js';
import { startedEngine } from './startedEngine.js';
import { flavours } from './engines.js';

/** Around the width of a vector and the length of a piece. */
const size = constantFrom(0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 65, 4095, 4096, 4097, 8200);
const weightDecay = constantFrom(0, 0.01);

const STEPS = 20;

/** Mostly of order 1, some tiny, huge, zero, infinite or NaN. */
function numbers(count: number, seed: number): Float32Array {
  const generator = new Generator(seed);
  const rare = [0, -0, 1e-30, -1e-42, 1e25, -3e38, Infinity, NaN];
  return Float32Array.from({ length: count }, () => {
    const pick = Math.floor(generator.uniform() * 200);
    return pick < rare.length ? rare[pick] : generator.normal();
  });
}

/** Steps two copies of [parameter, two states] side by side; every number has to be the same after every step. */
function expectSameSteps(
  count: number,
  ours: (arrays: Float32Array[], gradient: Float32Array, step: number) => boolean,
  theirs: (arrays: Float32Array[], gradient: Float32Array, step: number) => void,
): void {
  const make = (): Float32Array[] => [numbers(count, 1), new Float32Array(count), new Float32Array(count)];
  const [actual, expected] = [make(), make()];
  for (let step = 1; step <= STEPS; step++) {
    const gradient = numbers(count, 1 + step);
    const before = Float32Array.from(gradient);
    expect(ours(actual, gradient, step)).toBe(true);
    theirs(expected, gradient, step);
    const different = actual.flatMap((x, k) =>
      [...x].flatMap((value, i) => (Object.is(value, expected[k][i]) ? [] : [{ step, k, i }])),
    );
    expect(different).toEqual([]);
    expect(gradient).toEqual(before);
  }
}

describe.each(flavours)('optimizer WASM kernels, relaxed $relaxed', (flavour) => {
  const engine = startedEngine({ flavour, capacity: 2 ** 20 });

  test('step as the reference with Adadelta', () => {
    const samples = record({ size, weightDecay, lr: constantFrom(1, 0.3), eps: constantFrom(1e-6, 0) });
    const holds = property(samples, ({ size: count, ...options }) => {
      const update = { ...options, rho: 0.9 };
      expectSameSteps(
        count,
        ([p, s, d], g) => optimizer.adadelta(engine, p, g, s, d, update),
        ([p, s, d], g) => reference.adadelta(p, g, s, d, update),
      );
    });
    assert(holds, { numRuns: 20 });
  });

  test('step as the reference with SGD', () => {
    const flags = { weightDecay, nesterov: boolean(), dampening: constantFrom(0, 0.1), buffered: boolean() };
    const holds = property(record({ size, ...flags }), ({ size: count, buffered, ...options }) => {
      const momentum = buffered ? 0.9 : 0;
      const update = (step: number) => ({ lr: 0.1, momentum, ...options, firstStep: step === 1 });
      expectSameSteps(
        count,
        ([p, m], g, step) => optimizer.sgd(engine, p, g, buffered ? m : null, update(step)),
        ([p, m], g, step) => reference.sgd(p, g, buffered ? m : null, update(step)),
      );
    });
    assert(holds, { numRuns: 20 });
  });

  test('step as the reference with Adam and AdamW', () => {
    const samples = record({ size, weightDecay, decoupled: boolean() });
    const holds = property(samples, ({ size: count, ...options }) => {
      const update = { lr: 0.01, beta1: 0.9, beta2: 0.999, eps: 1e-8, ...options };
      expectSameSteps(
        count,
        ([p, m, v], g, step) => optimizer.adam(engine, p, g, m, v, { ...update, step }),
        ([p, m, v], g, step) => reference.adam(p, g, m, v, { ...update, step }),
      );
    });
    assert(holds, { numRuns: 20 });
  });

  test('change arrays in kernel memory where they lie, and nothing around them', () => {
    const own = new Engine({ flavour, capacity: 2 ** 20 });
    const update = { lr: 1, rho: 0.9, eps: 1e-6, weightDecay: 0 };
    const [p, g, s, d] = [3, 4, 5, 6].map((seed) => numbers(6, seed).map(Math.abs));
    own.scratch((allocate) => {
      const start = allocate(40);
      const all = own.floats.subarray(start, start + 40);
      all.fill(7);
      const inside = [p, g, s, d].map((x, k) => all.subarray(9 * k + 1, 9 * k + 1 + x.length));
      inside.forEach((x, k) => x.set([p, g, s, d][k]));
      expect(optimizer.adadelta(own, inside[0], inside[1], inside[2], inside[3], update)).toBe(true);
      reference.adadelta(p, g, s, d, update);
      const around = [7, 7, 7];
      expect([...all]).toEqual(
        [7, ...p, ...around, ...g, ...around, ...s, ...around, ...d, ...around, 7, 7, 7].slice(0, 40),
      );
    });
  });

  test('refuse float64, and more than there is memory for, and then write nothing', () => {
    const update = { lr: 1, rho: 0.9, eps: 1e-6, weightDecay: 0 };
    const [p, g, s, d] = [1, 2, 3, 4].map((seed) => numbers(10, seed));
    const before = [p, s, d].map((x) => Float32Array.from(x));
    expect(optimizer.adadelta(engine, p, Float64Array.from(g), s, d, update)).toBe(false);
    expect(optimizer.adadelta(new Engine({ flavour, capacity: 2 ** 16 }), p, g, s, d, update)).toBe(false);
    expect([p, s, d]).toEqual(before);
  });
});
