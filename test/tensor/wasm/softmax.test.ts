// Softmax and logSumExp against the reference in float64: within 0.51 units in the last place, and what the rounding
// of float64 sums and the errors of exponentials add where numbers cancel.
import { assert, pre, property } from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Kernels } from '../../../packages/tensor/src/kernels/kernels.js';
import { reference } from '../../../packages/tensor/src/kernels/reference/index.js';
import { Engine } from '../../../packages/tensor/src/kernels/wasm/engine.js';
import * as softmax from '../../../packages/tensor/src/kernels/wasm/reduce/softmax.js';
import type { Rows } from '../../../packages/tensor/src/shape.js';
import { expectUnits } from './lastPlace.js';
import {
  anyRows,
  countsOf,
  expectInPlace,
  expectRefusals,
  expectSameOnThreads,
  fresh,
  hasKernel,
  layouts,
  numbers,
  rowOf,
  rowSums,
  type Run,
} from './rows.js';
import { flavours } from './engines.js';

/** What an exponential, or a sum of them, may be off in relation to itself. */
const EXPONENTIAL = 2 ** -31;
/** What a number of a float64 sum may be off in relation to its terms. */
const FLOAT64 = 2 ** -52;

/** What is less may count as 0: no number of float32 by an exponential that is no normal number of float64. */
const TINY = 2 ** -800;

const finite = (x: number): number => (Number.isFinite(x) ? x : 0);

function checkForward(engine: Engine, x: Float32Array, rows: Rows): void {
  const { all, rows: count } = countsOf(rows);
  const wide = Float64Array.from(x);
  for (const name of ['softmax', 'logSoftmax'] as const) {
    const run = name === 'softmax' ? softmax.softmax : softmax.logSoftmax;
    const [actual, exact] = [fresh(all), new Float64Array(all)];
    expect(run(engine, x, rows, actual)).toBe(true);
    reference[name](wide, rows, exact);
    expectUnits(actual, exact, 0.51);
  }
  const [actual, exact] = [fresh(count), new Float64Array(count)];
  expect(softmax.logSumExp(engine, x, rows, actual)).toBe(true);
  reference.logSumExp(wide, rows, exact);
  expectUnits(actual, exact, 0.5, () => EXPONENTIAL * (1 + Math.log(rows.length)));
}

function checkBackward(engine: Engine, x: Float32Array, g: Float32Array, rows: Rows): void {
  const { all, rows: count } = countsOf(rows);
  const y = {
    softmax: new Float32Array(all),
    logSoftmax: new Float32Array(all),
    logSumExp: new Float32Array(count),
  };
  reference.softmax(x, rows, y.softmax);
  reference.logSoftmax(x, rows, y.logSoftmax);
  reference.logSumExp(x, rows, y.logSumExp);
  const [wide, wideG] = [Float64Array.from(x), Float64Array.from(g)];
  const [actual, exact] = [fresh(all), new Float64Array(all)];

  expect(softmax.softmaxBackward(engine, y.softmax, g, rows, actual)).toBe(true);
  reference.softmaxBackward(Float64Array.from(y.softmax), wideG, rows, exact);
  const products = rowSums(
    g.map((value, i) => value * y.softmax[i]),
    rows,
    Math.abs,
  );
  expectUnits(actual, exact, 0.51, (i) =>
    finite(FLOAT64 * rows.length * y.softmax[i] * (products[rowOf(i, rows)] + Math.abs(g[i]))),
  );

  expect(softmax.logSoftmaxBackward(engine, y.logSoftmax, g, rows, actual)).toBe(true);
  reference.logSoftmaxBackward(Float64Array.from(y.logSoftmax), wideG, rows, exact);
  const [sums, magnitudes] = [rowSums(g, rows, (value) => value), rowSums(g, rows, Math.abs)];
  expectUnits(actual, exact, 0.51, (i) => {
    const row = rowOf(i, rows);
    const error = EXPONENTIAL * Math.abs(sums[row]) + FLOAT64 * rows.length * magnitudes[row];
    return finite(Math.exp(y.logSoftmax[i]) * error);
  });

  const gRows = g.slice(0, count);
  expect(softmax.logSumExpBackward(engine, x, y.logSumExp, gRows, rows, actual)).toBe(true);
  exact.fill(0);
  reference.logSumExpBackward(wide, Float64Array.from(y.logSumExp), Float64Array.from(gRows), rows, exact);
  expectUnits(actual, exact, 0.51, (i) => (Math.abs(exact[i]) < TINY ? TINY : 0));
}

function checkRows(engine: Engine, x: Float32Array, rows: Rows, seed: number): void {
  checkForward(engine, x, rows);
  checkBackward(engine, x, numbers(x.length, seed), rows);
}

/** Rows, columns and all else the same, apart from a few numbers. */
function withSpecials(x: Float32Array, specials: readonly number[]): Float32Array {
  const out = Float32Array.from(x);
  for (const [k, special] of specials.entries()) out[(17 * k + 1) % out.length] = special;
  return out;
}

const runs: [keyof Kernels, Run, 'all' | 'rows'][] = [
  ['logSumExp', (e, x, rows, out) => softmax.logSumExp(e, x, rows, out), 'rows'],
  ['softmax', (e, x, rows, out) => softmax.softmax(e, x, rows, out), 'all'],
  ['logSoftmax', (e, x, rows, out) => softmax.logSoftmax(e, x, rows, out), 'all'],
  ['softmaxBackward', (e, x, rows, out) => softmax.softmaxBackward(e, x, x.toReversed(), rows, out), 'all'],
  [
    'logSoftmaxBackward',
    (e, x, rows, out) => softmax.logSoftmaxBackward(e, x, x.toReversed(), rows, out),
    'all',
  ],
  [
    'logSumExpBackward',
    (e, x, rows, out) => {
      const y = x.slice(0, countsOf(rows).rows);
      return softmax.logSumExpBackward(e, x, y, y, rows, out);
    },
    'all',
  ],
];

describe.each(flavours)('softmax WASM kernels, relaxed $relaxed', (flavour) => {
  const engine = new Engine({ flavour, capacity: 2 ** 22 });

  test.each(layouts)('normalise [$outer, $length, $inner] as the reference', (rows) => {
    const x = numbers(countsOf(rows).all, rows.length);
    checkRows(engine, x, rows, 1);
    for (const size of [2 ** -140, 30, 300, 1e4, 1e30])
      checkRows(
        engine,
        x.map((value) => size * value),
        rows,
        2,
      );
    checkRows(
      engine,
      x.map((value) => 1e5 + value),
      rows,
      3,
    );
  });

  test('normalise any layout as the reference', () => {
    const holds = property(anyRows, ({ seed, ...rows }) => {
      pre(hasKernel(rows));
      checkRows(engine, numbers(countsOf(rows).all, seed), rows, seed);
    });
    assert(holds, { numRuns: 60 });
  });

  test.each([
    { specials: [-Infinity, -Infinity, -Infinity] },
    { specials: [Infinity] },
    { specials: [Infinity, Infinity, -Infinity, Infinity] },
    { specials: [NaN] },
    { specials: [NaN, Infinity, -Infinity, 3e38, -3e38] },
  ])('normalise rows with $specials as the reference', ({ specials }) => {
    for (const rows of layouts)
      checkRows(engine, withSpecials(numbers(countsOf(rows).all, 5), specials), rows, 4);
  });

  test('normalise rows of nothing but one number as the reference', () => {
    for (const rows of layouts) {
      for (const value of [0, 3, 3e38, -3e38, 2 ** -149, Infinity, -Infinity, NaN]) {
        checkRows(engine, fresh(countsOf(rows).all).fill(value), rows, 5);
      }
    }
  });

  test('give back infinite gradients and NaN as the reference', () => {
    for (const rows of layouts) {
      const x = numbers(countsOf(rows).all, 6).map((value, i) => (i % 3 === 1 ? -Infinity : value));
      checkBackward(engine, x, numbers(x.length, 7, true), rows);
      for (const special of [Infinity, -Infinity, NaN, 0]) {
        checkBackward(engine, x, fresh(x.length).fill(special), rows);
      }
    }
  });

  test('have no gradient where the sum is 0', () => {
    const rows = { outer: 5, length: 40, inner: 1 };
    const [x, out] = [fresh(200).fill(-Infinity), fresh(200)];
    const [y, g] = [fresh(5).fill(-Infinity), Float32Array.of(1, NaN, Infinity, -Infinity, 0)];
    expect(softmax.logSumExpBackward(engine, x, y, g, rows, out)).toBe(true);
    expect(out).toEqual(new Float32Array(200));
  });

  test.each(runs)('%s gives the same on three threads, bit for bit', (_, run, size) => {
    expectSameOnThreads(flavour, run, size, (count) => numbers(count, 3));
  });

  test.each(runs)('%s works in place in kernel memory, and writes nothing else', (_, run, size) => {
    for (const rows of layouts) expectInPlace(flavour, run, rows, size);
  });

  test.each(runs)('%s refuses what it has no kernel for, and then writes nothing', (_, run) => {
    expectRefusals(flavour, run);
  });
});
