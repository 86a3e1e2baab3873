// Movement has no rounding: the bits must be the reference's. Sums along the last dimension are added in another order.
import { array, assert, boolean, constantFrom, integer, pre, property, record } from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Walk } from '../../../packages/tensor/src/kernels/kernels.js';
import { reference } from '../../../packages/tensor/src/kernels/reference/index.js';
import {
  addStrided,
  readStrided,
  writeStrided,
} from '../../../packages/tensor/src/kernels/wasm/movement/strided.js';
import { sizeOf, stridesOf, type Shape } from '../../../packages/tensor/src/shape.js';
import { enginesOf, Placement } from './engines.js';
import { exactNumbers, normals } from './numbers.js';
import { firstDifference } from './rounding.js';

const CAPACITY = 8 * 1024 * 1024;

const seed = integer({ min: 0, max: 1000 });

/** A dimension of the array that is walked over, part of which is visited, and how often all of it is repeated. */
const dimension = record({
  size: constantFrom(0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33),
  start: integer({ min: 0, max: 2 }),
  step: constantFrom(1, 1, 1, 2, 3),
  isBackward: constantFrom(false, false, false, true),
  repeats: constantFrom(0, 0, 0, 1, 2, 5),
  rank: integer({ min: 0, max: 9 }),
});
const dimensions = array(dimension, { maxLength: 4 });

interface Dimension {
  readonly size: number;
  readonly start: number;
  readonly step: number;
  readonly isBackward: boolean;
  readonly repeats: number;
  readonly rank: number;
}

/** A walk over an array of the dimensions' shape, in the order of their ranks. */
function walkOver(dims: readonly Dimension[]): { walk: Walk; base: Shape } {
  const base = dims.map(({ size }) => size);
  const strides = stridesOf(base);
  const loops: { size: number; stride: number; rank: number }[] = [];
  let offset = 0;
  for (const [i, { size, start, step, isBackward, repeats, rank }] of dims.entries()) {
    const visited = Math.max(0, Math.ceil((size - start) / step));
    const stride = strides[i] * step;
    if (repeats > 0) loops.push({ size: repeats, stride: 0, rank: (rank + 5) % 10 });
    loops.push({ size: visited, stride: isBackward ? -stride : stride, rank });
    offset += start * strides[i] + (isBackward ? (visited - 1) * stride : 0);
  }
  loops.sort((a, b) => a.rank - b.rank);
  const shape = loops.map(({ size }) => size);
  return {
    walk: { shape, strides: loops.map(({ stride }) => stride), offset: sizeOf(shape) === 0 ? 0 : offset },
    base,
  };
}

function permuted(base: Shape, order: readonly number[]): Walk {
  const strides = stridesOf(base);
  return { shape: order.map((dim) => base[dim]), strides: order.map((dim) => strides[dim]), offset: 0 };
}

/** The walk that sums an array of `shape` over dims into one that keeps them as 1. */
function summing(shape: Shape, dims: readonly number[]): { walk: Walk; base: Shape } {
  const base = shape.map((size, dim) => (dims.includes(dim) ? 1 : size));
  const strides = stridesOf(base).map((stride, dim) => (dims.includes(dim) ? 0 : stride));
  return { walk: { shape, strides, offset: 0 }, base };
}

const ROUTINES = { readStrided, writeStrided, addStrided };

describe.each(enginesOf(CAPACITY))('walks in WASM, $name', ({ engine }) => {
  /** The routine on arrays in kernel memory or outside, and the reference; `out` holds something at first. */
  const run = (
    routine: 'readStrided' | 'writeStrided' | 'addStrided',
    x: Float32Array,
    walk: Walk,
    before: Float32Array,
    isPlaced: boolean,
  ): { actual: Float32Array; expected: Float32Array; done: boolean } => {
    const placement = new Placement(engine);
    const [from, actual] = isPlaced
      ? [placement.floats(x), placement.floats(before)]
      : [x, Float32Array.from(before)];
    const expected = Float32Array.from(before);
    const done = ROUTINES[routine](engine, from, walk, actual);
    reference[routine](x, walk, expected);
    expect(firstDifference(from, x)).toBe(null);
    expect(placement.isIntact()).toBe(true);
    return { actual, expected, done };
  };

  const checkRead = (walk: Walk, x: Float32Array, isPlaced: boolean): void => {
    const before = new Float32Array(sizeOf(walk.shape)).fill(7);
    const { actual, expected, done } = run('readStrided', x, walk, before, isPlaced);
    expect(done || !isPlaced).toBe(true);
    expect(firstDifference(actual, done ? expected : before)).toBe(null);
  };

  const checkAdd = (walk: Walk, x: Float32Array, before: Float32Array, isPlaced: boolean): void => {
    const { actual, expected, done } = run('addStrided', x, walk, before, isPlaced);
    expect(done || !isPlaced).toBe(true);
    expect(firstDifference(actual, done ? expected : before)).toBe(null);
  };

  test('read what the reference reads: permuted, cut, repeated, backward', () => {
    const holds = property(dimensions, seed, boolean(), (dims, start, isPlaced) => {
      const { walk, base } = walkOver(dims);
      pre(sizeOf(walk.shape) <= 20_000 && sizeOf(base) <= 100_000);
      checkRead(walk, exactNumbers(sizeOf(base), start), isPlaced);
    });
    assert(holds, { numRuns: 400 });
  });

  test('write what the reference writes, where no two numbers meet', () => {
    const holds = property(dimensions, seed, boolean(), (dims, start, isPlaced) => {
      const { walk, base } = walkOver(dims);
      pre(sizeOf(walk.shape) <= 20_000 && sizeOf(base) <= 100_000);
      const before = exactNumbers(sizeOf(base), start + 6);
      const x = exactNumbers(sizeOf(walk.shape), start);
      const { actual, expected, done } = run('writeStrided', x, walk, before, isPlaced);
      const meet = walk.strides.some((stride, dim) => stride === 0 && walk.shape[dim] > 1);
      expect(done || meet || !isPlaced).toBe(true);
      expect(firstDifference(actual, done ? expected : before)).toBe(null);
    });
    assert(holds, { numRuns: 400 });
  });

  test('add where the reference adds, and sum where a stride is 0', () => {
    const holds = property(dimensions, seed, boolean(), (dims, start, isPlaced) => {
      const { walk, base } = walkOver(dims);
      pre(sizeOf(walk.shape) <= 20_000 && sizeOf(base) <= 100_000);
      const before = exactNumbers(sizeOf(base), start + 6);
      checkAdd(walk, exactNumbers(sizeOf(walk.shape), start), before, isPlaced);
    });
    assert(holds, { numRuns: 400 });
  });

  test.each<[string, Shape, number[]]>([
    ['matrices', [10, 129, 127], [0, 2, 1]],
    ['the last dimensions first', [64, 10, 128], [1, 2, 0]],
    ['channels last', [64, 16, 28, 28], [0, 2, 3, 1]],
    ['rows', [64, 33, 128], [1, 0, 2]],
    ['a large matrix', [777, 333], [1, 0]],
  ])('permute %s and add back', (_, base, order) => {
    const walk = permuted(base, order);
    const x = normals(sizeOf(base), 1);
    checkRead(walk, x, true);
    checkAdd(walk, x, normals(x.length, 2), true);
  });

  test('repeat numbers and rows', () => {
    checkRead({ shape: [64, 16, 28, 28], strides: [0, 1, 0, 0], offset: 0 }, normals(16, 1), true);
    checkRead({ shape: [2000, 127], strides: [0, 1], offset: 0 }, normals(127, 1), true);
  });

  test('read and write diagonals', () => {
    const walk = { shape: [10, 127], strides: [128 * 128, 129], offset: 1 };
    checkRead(walk, normals(10 * 128 * 128, 1), true);
    checkAdd(walk, normals(1270, 1), normals(10 * 128 * 128, 2), true);
  });

  test.each<[Shape, number[]]>([
    [
      [64, 16, 28, 28],
      [0, 2, 3],
    ],
    [
      [64, 32, 14, 14],
      [0, 2, 3],
    ],
    [
      [64, 16, 28, 28],
      [0, 1, 2, 3],
    ],
    [[640, 129], [1]],
    [[6401, 10], [1]],
    [[64, 16385], [0]],
    [[300, 13, 65], [1]],
    [
      [31, 17, 33, 7],
      [1, 3],
    ],
    [
      [31, 17, 33, 7],
      [0, 2],
    ],
    [[200_001], [0]],
  ])('sum %j over %j in float64', (shape, dims) => {
    const { walk, base } = summing(shape, dims);
    const x = normals(sizeOf(shape), 1);
    const before = normals(sizeOf(base), 2);
    const { actual, expected, done } = run('addStrided', x, walk, before, true);
    expect(done).toBe(true);
    const magnitudes = new Float64Array(before.length);
    reference.addStrided(Float64Array.from(x, Math.abs), walk, magnitudes);
    // Two float64 sums of the same numbers, each rounded to float32.
    const terms = sizeOf(shape) / sizeOf(base);
    const worst = actual.reduce((most, value, i) => {
      const bound = 2 ** -23 * Math.abs(expected[i]) + 2 * terms * 2 ** -53 * magnitudes[i];
      return Math.max(most, Math.abs(value - expected[i]) - bound);
    }, 0);
    expect(worst).toBe(0);
  });

  test('leave walks that meet themselves to the reference', () => {
    const out = new Float32Array(40).fill(1);
    const walk = { shape: [20, 20], strides: [1, 1], offset: 0 };
    expect(addStrided(engine, normals(400, 1), walk, out)).toBe(false);
    expect(addStrided(engine, normals(40, 1), { shape: [20, 2], strides: [1, 1], offset: 0 }, out)).toBe(
      false,
    );
    expect(out).toEqual(new Float32Array(40).fill(1));
  });

  test('leave to the reference a few numbers of a long array outside kernel memory', () => {
    const walk = { shape: [300], strides: [301], offset: 0 };
    const out = new Float32Array(300);
    expect(readStrided(engine, new Float32Array(90_000).fill(1), walk, out)).toBe(false);
    expect(out).toEqual(new Float32Array(300));
  });

  test('leave float64 and what does not fit to the reference', () => {
    const walk = permuted([20, 20], [1, 0]);
    expect(readStrided(engine, new Float64Array(400), walk, new Float64Array(400))).toBe(false);
    expect(addStrided(engine, new Float64Array(400), walk, new Float64Array(400))).toBe(false);
    const large = permuted([1200, 1200], [1, 0]);
    const x = new Float32Array(1_440_000);
    expect(readStrided(engine, x, large, new Float32Array(x.length))).toBe(false);
    expect(addStrided(engine, x, large, new Float32Array(x.length))).toBe(false);
  });
});
