// A triangle is copied: the bits must be the reference's, whatever lay in the output before.
import { assert, boolean, constantFrom, integer, property, record } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { reference } from '../../../packages/tensor/src/kernels/reference/index.js';
import { triangle } from '../../../packages/tensor/src/kernels/wasm/movement/triangle.js';
import { enginesOf, Placement } from './engines.js';
import { exactNumbers } from './numbers.js';
import { firstDifference } from './rounding.js';

const CAPACITY = 4 * 1024 * 1024;
const size = constantFrom(1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 65);

describe.each(enginesOf(CAPACITY))('triangle in WASM, $name', ({ engine }) => {
  const check = (
    matrices: number,
    rows: number,
    columns: number,
    k: number,
    upper: boolean,
    isPlaced = true,
  ): void => {
    const x = exactNumbers(matrices * rows * columns, 1);
    const before = new Float32Array(x.length).fill(7);
    const placement = new Placement(engine);
    const [from, actual] = isPlaced
      ? [placement.floats(x), placement.floats(before)]
      : [x, Float32Array.from(before)];
    expect(triangle(engine, from, rows, columns, k, upper, actual)).toBe(true);
    reference.triangle(x, rows, columns, k, upper, before);
    expect(firstDifference(actual, before)).toBe(null);
    expect(placement.isIntact()).toBe(true);
  };

  test('is the reference for any sizes and diagonals', () => {
    const samples = record({
      matrices: integer({ min: 0, max: 3 }),
      rows: size,
      columns: size,
      k: integer({ min: -70, max: 70 }),
      upper: boolean(),
      isPlaced: boolean(),
    });
    const holds = property(samples, ({ matrices, rows, columns, k, upper, isPlaced }) => {
      check(matrices, rows, columns, k, upper, isPlaced);
    });
    assert(holds, { numRuns: 300 });
  });

  test.each([
    [10, 128, 128],
    [1, 501, 503],
    [100, 3, 801],
    [60_000, 2, 2],
  ])('of %d matrices [%d, %d]', (matrices, rows, columns) => {
    for (const upper of [false, true]) for (const k of [-1, 0, 1]) check(matrices, rows, columns, k, upper);
  });

  test.each([Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 2 ** 31, -(2 ** 31)])('diagonal %d', (k) => {
    for (const upper of [false, true]) check(2, 5, 9, k, upper);
  });

  test('leaves float64 and what does not fit to the reference', () => {
    const wide = new Float64Array(400);
    expect(triangle(engine, wide, 20, 20, 0, false, new Float64Array(400))).toBe(false);
    const x = new Float32Array(1000 * 1000);
    expect(triangle(engine, x, 1000, 1000, 0, false, new Float32Array(x.length))).toBe(false);
  });
});
