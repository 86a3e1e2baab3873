// What the tests of reductions share: layouts, numbers, and engines that share work as threads may.
import { constantFrom, integer, record, type Arbitrary } from 'fast-check';
import { expect } from 'vitest';
import { Generator } from '@gmml/tensor';
import type { Flavour } from '../../../packages/tensor/src/kernels/wasm/assembler/assembler.js';
import { Engine } from '../../../packages/tensor/src/kernels/wasm/engine.js';
import type { Rows } from '../../../packages/tensor/src/shape.js';
import { ThreeThreads } from './engines.js';
import { expectSame } from './rounding.js';

/** An output as it was before: full of sevens. */
export const fresh = (length: number): Float32Array => new Float32Array(length).fill(7);

const layout = (outer: number, length: number, inner: number): Rows => ({ outer, length, inner });

/** One of each layout and its edges; those with nothing in them, and those that have no kernel, come last. */
export const layouts: Rows[] = [
  ...[32, 33, 34, 35, 36, 63, 65, 257, 1000].map((length) => layout(3, length, 1)),
  layout(1, 5000, 1),
  ...[1, 2, 3, 4, 5, 7, 8, 9, 10, 15, 16, 17, 31].map((length) => layout(9, length, 1)),
  ...[4, 5, 6, 7, 8].map((outer) => layout(outer, 10, 1)),
  ...[2, 3].map((inner) => layout(6, 11, inner)),
  ...[4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 33, 63, 65].map((inner) => layout(2, 9, inner)),
  layout(1, 300, 10),
  layout(3, 1, 7),
];

/** Layouts that have no kernel. */
const refused: Rows[] = [layout(0, 3, 4), layout(3, 0, 4), layout(3, 4, 0), layout(1, 9, 2), layout(3, 9, 1)];

/** Layouts that three threads share: rows of one, columns of one, and rows that are gathered. */
const large: Rows[] = [
  layout(1001, 101, 1),
  layout(20003, 5, 1),
  layout(10001, 5, 3),
  layout(31, 100, 41),
  layout(1, 100, 1003),
  layout(2, 50, 1003),
];

const sizes = constantFrom(1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 65);

/** Any layout of sizes around the width of vectors, with a seed for its numbers. */
export const anyRows: Arbitrary<{ outer: number; length: number; inner: number; seed: number }> = record({
  outer: sizes,
  length: sizes,
  inner: sizes,
  seed: integer({ min: 0, max: 1000 }),
});

/** Whether rows along, across or gathered fit the layout. */
export function hasKernel({ outer, length, inner }: Rows): boolean {
  return inner >= 4 || outer >= 4 || (inner === 1 && length >= 32);
}

/** How many numbers and how many rows a layout has. */
export function countsOf({ outer, length, inner }: Rows): { all: number; rows: number } {
  return { all: outer * length * inner, rows: outer * inner };
}

/** Normal numbers; with `special`, some that are none, and others of any magnitude. */
export function numbers(count: number, seed: number, special = false): Float32Array {
  const generator = new Generator(seed);
  const pool = [0, 0, 1, -1, Infinity, -Infinity, NaN, 2 ** -149, 2 ** 127, -(2 ** 127)];
  return Float32Array.from({ length: count }, () => {
    const pick = special ? Math.floor(generator.uniform() * 80) : 80;
    if (pick < 10) return pool[pick];
    return pick < 14
      ? generator.normal() * 2 ** Math.floor(generator.uniform() * 250 - 130)
      : 3 * generator.normal();
  });
}

/** Rows of small integers, with many ties. */
export function ties(count: number, seed: number): Float32Array {
  const generator = new Generator(seed);
  return Float32Array.from({ length: count }, () => Math.floor(3 * generator.uniform()));
}

/** For each row of x the sum of what `f` makes of its numbers. */
export function rowSums(
  x: Float32Array,
  { outer, length, inner }: Rows,
  f: (x: number) => number,
): Float64Array {
  return Float64Array.from({ length: outer * inner }, (_, row) => {
    const start = Math.floor(row / inner) * length * inner + (row % inner);
    let sum = 0;
    for (let i = 0; i < length; i++) sum += f(x[start + i * inner]);
    return sum;
  });
}

/** The row that the i-th number of a layout belongs to. */
export function rowOf(i: number, { length, inner }: Rows): number {
  return Math.floor(i / (length * inner)) * inner + (i % inner);
}

/** A kernel on the numbers of a layout. */
export type Run = (engine: Engine, x: Float32Array, rows: Rows, out: Float32Array) => boolean;

/** The same bits on one thread and on three, for each of the layouts that are large enough to share. */
export function expectSameOnThreads(
  flavour: Flavour,
  run: Run,
  size: 'all' | 'rows',
  draw: (count: number) => Float32Array,
): void {
  const capacity = 2 ** 24;
  const [one, three] = [new Engine({ flavour, capacity }), new ThreeThreads({ flavour, capacity })];
  for (const rows of large) {
    const count = countsOf(rows);
    const x = draw(count.all);
    const [alone, shared] = [fresh(count[size]), fresh(count[size])];
    expect(run(one, x, rows, alone)).toBe(true);
    expect(run(three, x, rows, shared)).toBe(true);
    expect(three.parts).toBe(3);
    expectSame(shared, alone);
  }
}

/** The same from and to kernel memory, at addresses that are no multiple of a vector, with nothing written around. */
export function expectInPlace(flavour: Flavour, run: Run, rows: Rows, size: 'all' | 'rows'): void {
  const engine = new Engine({ flavour, capacity: 2 ** 19 });
  const count = countsOf(rows);
  const x = numbers(count.all, 4);
  const expected = new Float32Array(count[size]).fill(7);
  run(engine, x, rows, expected);
  engine.scratch((allocate) => {
    const { floats } = engine;
    const place = (length: number): Float32Array => {
      const start = allocate(length + 8) + 1;
      floats.fill(7, start - 1, start + length + 7);
      return floats.subarray(start, start + length);
    };
    const [from, to] = [place(count.all), place(count[size])];
    from.set(x);
    expect(run(engine, from, rows, to)).toBe(true);
    expectSame(to, expected);
    const start = to.byteOffset / 4;
    const after = start + to.length;
    expect([floats[start - 1], ...floats.subarray(after, after + 7)]).toEqual(
      Array.from({ length: 8 }, () => 7),
    );
    expectSame(from, x);
  });
}

/** Layouts without a kernel, too little memory, and float64. */
export function expectRefusals(flavour: Flavour, run: Run): void {
  const out = new Float32Array(4000);
  const engine = new Engine({ flavour, capacity: 2 ** 16 });
  for (const rows of refused) expect(run(engine, numbers(countsOf(rows).all, 1), rows, out)).toBe(false);
  const rows = { outer: 10, length: 40, inner: 1 };
  const x = numbers(400, 1);
  expect(run(engine, x, rows, new Float32Array(400))).toBe(true);
  engine.scratch((allocate) => {
    allocate(16000);
    expect(run(engine, x, rows, out)).toBe(false);
  });
  expect(run(engine, Float64Array.from(x) as unknown as Float32Array, rows, out)).toBe(false);
  expectSame(out, new Float32Array(4000));
}
