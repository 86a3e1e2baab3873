// Extrema, sums and variances: the reference's numbers, or within one unit in the last place of them.
import { assert, pre, property } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { reference } from '../../../packages/tensor/src/kernels/reference/index.js';
import { Engine } from '../../../packages/tensor/src/kernels/wasm/engine.js';
import * as reduce from '../../../packages/tensor/src/kernels/wasm/reduce/reduce.js';
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
  ties,
  type Run,
} from './rows.js';
import { flavours } from './engines.js';
import { expectSame } from './rounding.js';

const signs = [1, -1] as const;

/** Correctly rounded everywhere but for what the order of a float64 sum changes. */
const FLOAT64 = 2 ** -50;

/** 0 and −0 are one here. */
function expectEqual(actual: Float32Array, expected: Float32Array): void {
  expect([...actual].map((y) => y + 0)).toEqual([...expected].map((y) => y + 0));
}

function checkExtrema(engine: Engine, x: Float32Array, rows: Rows): void {
  const { all, rows: count } = countsOf(rows);
  for (const sign of signs) {
    const [actual, expected] = [fresh(count), new Float32Array(count)];
    expect(reduce.extremum(engine, sign, x, rows, actual)).toBe(true);
    reference.extremum(sign, x, rows, expected);
    expectEqual(actual, expected);

    const [at, expectedAt] = [fresh(count), new Float32Array(count)];
    expect(reduce.argExtremum(engine, sign, x, rows, at)).toBe(true);
    reference.argExtremum(sign, x, rows, expectedAt);
    expectSame(at, expectedAt);

    const g = numbers(count, 9, true);
    const [gradient, expectedGradient] = [fresh(all), new Float32Array(all)];
    expect(reduce.extremumBackward(engine, x, expected, g, rows, gradient)).toBe(true);
    reference.extremumBackward(x, expected, g, rows, expectedGradient);
    expectSame(gradient, expectedGradient);
  }
}

function checkSums(engine: Engine, x: Float32Array, rows: Rows): void {
  const { all, rows: count } = countsOf(rows);
  const magnitude = rowSums(x, rows, Math.abs);
  const wide = Float64Array.from(x);
  const g = numbers(count, 9);
  for (const correction of [0, 1, 3]) {
    const [actual, exact] = [fresh(count), new Float64Array(count)];
    expect(reduce.variance(engine, x, rows, correction, actual)).toBe(true);
    reference.variance(wide, rows, correction, exact);
    expectUnits(actual, exact, 0.51);

    const [gradient, exactGradient] = [fresh(all), new Float64Array(all)];
    expect(reduce.varianceBackward(engine, x, g, rows, correction, gradient)).toBe(true);
    reference.varianceBackward(wide, Float64Array.from(g), rows, correction, exactGradient);
    // The mean's rounding, as it enters the gradient.
    const factor = FLOAT64 / Math.max(0, rows.length - correction) / rows.length;
    const allowed = (i: number): number => {
      const row = rowOf(i, rows);
      const error = Math.abs(2 * g[row]) * factor * magnitude[row];
      return Number.isFinite(error) ? error : 0;
    };
    expectUnits(gradient, exactGradient, 0.51, allowed);
  }
}

function checkRows(engine: Engine, rows: Rows, seed: number): void {
  const { all } = countsOf(rows);
  checkExtrema(engine, numbers(all, seed, true), rows);
  checkExtrema(engine, numbers(all, seed), rows);
  checkExtrema(engine, ties(all, seed), rows);
  checkSums(engine, numbers(all, seed), rows);
  checkSums(
    engine,
    numbers(all, seed).map((x) => 9999 + x / 100),
    rows,
  );
}

describe.each(flavours)('reducing WASM kernels, relaxed $relaxed', (flavour) => {
  const engine = new Engine({ flavour, capacity: 2 ** 22 });

  test.each(layouts)('reduce [$outer, $length, $inner] as the reference', (rows) => {
    checkRows(engine, rows, rows.length);
    const x = numbers(countsOf(rows).all, rows.length);
    for (const [k, special] of [NaN, Infinity, -Infinity].entries()) x[(k * 7) % x.length] = special;
    checkSums(engine, x, rows);
  });

  test('reduce any layout as the reference', () => {
    const holds = property(anyRows, ({ seed, ...rows }) => {
      pre(hasKernel(rows));
      checkRows(engine, rows, seed);
    });
    assert(holds, { numRuns: 60 });
  });

  test('reduce rows of one number, of nothing but infinity, and of nothing but NaN', () => {
    for (const rows of layouts) {
      const { all } = countsOf(rows);
      for (const value of [2.5, -0, Infinity, -Infinity, NaN]) {
        checkExtrema(engine, new Float32Array(all).fill(value), rows);
        checkSums(engine, new Float32Array(all).fill(value), rows);
      }
    }
  });

  test('count more ties than float32 has integers', () => {
    const length = 2 ** 24 + 2;
    const own = new Engine({ flavour, capacity: 2 ** 28 });
    own.scratch((allocate) => {
      const [x, out] = [allocate(length), allocate(length)].map((at) => own.floats.subarray(at, at + length));
      const g = Float32Array.of(length);
      expect(
        reduce.extremumBackward(own, x, Float32Array.of(0), g, { outer: 1, length, inner: 1 }, out),
      ).toBe(true);
      expect([out[0], out[length - 1], out.every((share) => share === 1)]).toEqual([1, 1, true]);
    });
  });

  const runs: [string, Run, 'all' | 'rows'][] = [
    ['extremum', (e, x, rows, out) => reduce.extremum(e, 1, x, rows, out), 'rows'],
    ['argExtremum', (e, x, rows, out) => reduce.argExtremum(e, -1, x, rows, out), 'rows'],
    ['variance', (e, x, rows, out) => reduce.variance(e, x, rows, 1, out), 'rows'],
    [
      'varianceBackward',
      (e, x, rows, out) => reduce.varianceBackward(e, x, x.slice(0, countsOf(rows).rows), rows, 1, out),
      'all',
    ],
    [
      'extremumBackward',
      (e, x, rows, out) => {
        const y = x.slice(0, countsOf(rows).rows);
        return reduce.extremumBackward(e, x, y, y, rows, out);
      },
      'all',
    ],
  ];

  test.each(runs)('%s gives the same on three threads, bit for bit', (_, run, size) => {
    expectSameOnThreads(flavour, run, size, (count) => ties(count, 3));
  });

  test.each(runs)('%s works in place in kernel memory, and writes nothing else', (_, run, size) => {
    for (const rows of layouts) expectInPlace(flavour, run, rows, size);
  });

  test.each(runs)('%s refuses what it has no kernel for, and then writes nothing', (_, run) => {
    expectRefusals(flavour, run);
  });
});
