// exp, log and what is made of them, against Math.* in float64: within 0.51 units in the last place of float32.
import { describe, expect, test } from 'vitest';
import { Generator } from '@gmml/tensor';
import type { UnaryFunction } from '../../../packages/tensor/src/kernels/kernels.js';
import * as elementwise from '../../../packages/tensor/src/kernels/wasm/elementwise/elementwise.js';
import { Engine } from '../../../packages/tensor/src/kernels/wasm/engine.js';
import { expectUnits } from './lastPlace.js';
import { flavours } from './engines.js';
import { expectSame } from './rounding.js';

/** Half a unit is the rounding; the rest what polynomials may add. */
const MOST_UNITS = 0.51;

const sizes = [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 65, 4095, 4096, 4097];

const logistic = (x: number): number => {
  if (x >= 0) return 1 / (1 + Math.exp(-x));
  const e = Math.exp(x);
  return e / (1 + e);
};

const functions: Record<string, (x: number) => number> = {
  exp: Math.exp,
  expm1: Math.expm1,
  log: Math.log,
  log1p: Math.log1p,
  tanh: Math.tanh,
  sigmoid: logistic,
  softplus: (x) => (x > 0 ? x + Math.log1p(Math.exp(-x)) : Math.log1p(Math.exp(x))),
  logSigmoid: (x) => (x < 0 ? x - Math.log1p(Math.exp(x)) : -Math.log1p(Math.exp(-x))),
};

/** What is no normal number of float64 counts as 0. */
const derivatives: Record<string, (x: number) => number> = {
  softplus: (x) => (x < -708 ? 0 : logistic(x)),
  logSigmoid: (x) => (x > 708 ? 0 : logistic(-x)),
};

/** Where functions begin, end, change sign, overflow, turn denormal and vanish. */
const marks = [
  0,
  1,
  -1,
  Math.SQRT2,
  Math.SQRT1_2,
  Math.LN2,
  -Math.LN2,
  17.5,
  88.72284,
  -87.33655,
  -103.97208,
];
const specials = [
  0,
  -0,
  Infinity,
  -Infinity,
  NaN,
  2 ** -149,
  -(2 ** -149),
  2 ** -126,
  -(2 ** -126),
  110,
  -110,
];

/** A million numbers: the specials, the marks' neighbours, half over all bit patterns, half over −110 … 110. */
function million(): Float32Array {
  const generator = new Generator(1);
  const count = 2 ** 20;
  const bits = new Uint32Array(count);
  const numbers = new Float32Array(bits.buffer);
  for (let i = 0; i < count / 2; i++) bits[i] = 8192 * i + Math.floor(8192 * generator.uniform());
  for (let i = count / 2; i < count; i++) numbers[i] = 220 * generator.uniform() - 110;
  numbers.set(specials);
  for (const [k, mark] of marks.entries()) {
    const start = specials.length + 200 * k;
    numbers.fill(mark, start, start + 200);
    for (let i = 0; i < 200; i++) bits[start + i] += i - 100;
  }
  return numbers;
}

const unary = (name: string): UnaryFunction => ({ name, f: () => NaN, df: () => NaN, saves: 'inputs' });

describe.each(flavours)('transcendental WASM kernels, relaxed $relaxed', (flavour) => {
  const engine = new Engine({ flavour, capacity: 2 ** 20 });
  const xs = million();

  const mapped = (name: string, x: Float32Array): Float32Array => {
    const out = new Float32Array(x.length).fill(7);
    expect(elementwise.map(engine, unary(name), x, out)).toBe(true);
    return out;
  };

  test.each(Object.entries(functions))('%s is within 0.51 units of a million exact numbers', (name, f) => {
    const actual = mapped(name, xs);
    expectUnits(actual, Float64Array.from(xs, f), MOST_UNITS);
  });

  test.each(Object.entries(functions))('%s of special numbers is as Math has it', (name, f) => {
    expect([...mapped(name, Float32Array.from(specials))]).toEqual(
      specials.map((x) => Math.fround(f(Math.fround(x)))),
    );
  });

  test.each(Object.keys(functions))('%s gives a number the same result wherever it stands', (name) => {
    const expected = mapped(name, xs.subarray(0, 4200));
    for (const size of sizes) {
      for (const from of [0, 1, 103]) {
        expectSame(mapped(name, xs.slice(from, from + size)), expected.slice(from, from + size));
      }
    }
  });

  test.each(Object.entries(derivatives))('the gradient of %s is within 0.51 units', (name, df) => {
    const generator = new Generator(2);
    const g = Float32Array.from(
      xs,
      () => generator.normal() * 2 ** Math.floor(200 * generator.uniform() - 100),
    );
    const actual = new Float32Array(xs.length).fill(7);
    expect(elementwise.mapBackward(engine, unary(name), xs, g, actual)).toBe(true);
    const exact = Float64Array.from(xs, (x, i) => (df(x) === 0 ? 0 : g[i] * df(x)));
    expectUnits(actual, exact, MOST_UNITS);
  });

  test('a gradient of infinity stops where the derivative is 0', () => {
    const x = Float32Array.from([-Infinity, -1e30, 1e30, Infinity, NaN, -100]);
    const g = new Float32Array(x.length).fill(Infinity);
    const out = new Float32Array(x.length);
    expect(elementwise.mapBackward(engine, unary('softplus'), x, g, out)).toBe(true);
    expect([...out]).toEqual([0, 0, Infinity, Infinity, NaN, Infinity]);
    expect(elementwise.mapBackward(engine, unary('logSigmoid'), x, g, out)).toBe(true);
    expect([...out]).toEqual([Infinity, Infinity, 0, 0, NaN, Infinity]);
  });

  test('tanh is odd, and x itself for tiny x', () => {
    const negated = xs.map((x) => -x);
    expectSame(
      mapped('tanh', negated),
      mapped('tanh', xs).map((y) => -y),
    );
    const tiny = xs.filter((x) => Math.abs(x) <= 2 ** -13);
    expect(tiny.length).toBeGreaterThan(1000);
    expectSame(mapped('tanh', tiny), tiny);
  });

  test('exp, log, log1p and expm1 of what has an exact result are exact', () => {
    expect([...mapped('exp', Float32Array.from([0, -0]))]).toEqual([1, 1]);
    expect([...mapped('log', Float32Array.from([1]))]).toEqual([0]);
    for (const name of ['log1p', 'expm1']) {
      const tiny = xs.filter((x) => Math.abs(x) <= 2 ** -26);
      expectSame(mapped(name, tiny), tiny);
    }
  });
});
