// Elementwise kernels: the reference's numbers, bit for bit.
import { assert, constantFrom, integer, property, record } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Generator } from '@gmml/tensor';
import type { BinaryFunction, UnaryFunction } from '../../../packages/tensor/src/kernels/kernels.js';
import { reference } from '../../../packages/tensor/src/kernels/reference/index.js';
import {
  mapFormula,
  zipFormula,
} from '../../../packages/tensor/src/kernels/wasm/elementwise/elementwiseFormulas.js';
import { createWasmKernels } from '../../../packages/tensor/src/kernels/wasm/index.js';
import * as arithmeticOps from '../../../packages/tensor/src/ops/arithmetic.js';
import * as elementwiseOps from '../../../packages/tensor/src/ops/elementwise.js';
import { allOps } from '../../../packages/tensor/src/ops/index.js';
import * as elementwise from '../../../packages/tensor/src/kernels/wasm/elementwise/elementwise.js';
import { Engine } from '../../../packages/tensor/src/kernels/wasm/engine.js';
import { startedEngine } from './startedEngine.js';
import { broadcastShapes, broadcastStrides, sizeOf } from '../../../packages/tensor/src/shape.js';
import { flavours } from './engines.js';
import { expectSame } from './rounding.js';

/** Around the width of a vector and the length of a piece. */
const sizes = [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 65, 1000, 4095, 4096, 4097, 9001];

const specials = [0, -0, 1, -1, 0.5, 2, Infinity, -Infinity, NaN];
const edges = [
  2 ** -149,
  -(2 ** -149),
  2 ** -126,
  -3 * 2 ** -148,
  2 ** 127,
  -(2 ** 127),
  3.4028234663852886e38,
];
const pool = [...specials, ...edges];

/** Everything that float32 has: special numbers, and others of any magnitude. */
function numbers(count: number, seed: number): Float32Array {
  const generator = new Generator(seed);
  return Float32Array.from({ length: count }, () => {
    const kind = Math.floor(generator.uniform() * 4);
    if (kind === 0) return pool[Math.floor(generator.uniform() * pool.length)];
    if (kind === 1) return generator.normal() * 2 ** Math.floor(generator.uniform() * 290 - 150);
    return generator.normal();
  });
}

const clamp = (min: number, max: number): UnaryFunction => ({
  name: 'clamp',
  parameters: [min, max],
  f: (x) => Math.min(Math.max(x, min), max),
  df: (x) => (x >= min && x <= max ? 1 : 0),
  saves: 'inputs',
});

const bounds = [0, -0, 0.1, -0.1, 1, 1e-60, -1e-60, 1e39, -1e39, Infinity, -Infinity, NaN, 16777217];

const none = (): never => {
  throw new Error('has no use here');
};

const unary = (name: string, f: (x: number) => number, df: (saved: number) => number): UnaryFunction => ({
  name,
  f,
  df,
  saves: 'inputs',
});

const forward: UnaryFunction[] = [
  unary('neg', (x) => -x, none),
  unary('abs', Math.abs, none),
  unary('sqrt', Math.sqrt, none),
  unary('square', (x) => x * x, none),
  unary('reciprocal', (x) => 1 / x, none),
  unary('relu', (x) => (x <= 0 ? 0 : x), none),
  unary('isNaN', (x) => (Number.isNaN(x) ? 1 : 0), none),
  unary('isFinite', (x) => (Number.isFinite(x) ? 1 : 0), none),
  ...bounds.flatMap((min) => bounds.map((max) => clamp(min, max))),
];

const backward: UnaryFunction[] = [
  unary('neg', none, () => -1),
  unary('exp', none, (y) => y),
  unary('expm1', none, (y) => y + 1),
  unary('log', none, (x) => 1 / x),
  unary('log1p', none, (x) => 1 / (1 + x)),
  unary('sqrt', none, (y) => 0.5 / y),
  unary('square', none, (x) => 2 * x),
  unary('reciprocal', none, (y) => -y * y),
  unary('tanh', none, (y) => 1 - y * y),
  unary('sigmoid', none, (y) => y * (1 - y)),
  unary('relu', none, (y) => (y > 0 ? 1 : 0)),
  unary('abs', none, Math.sign),
  ...bounds.flatMap((min) => bounds.map((max) => clamp(min, max))),
];

const binary = (
  name: string,
  f: (a: number, b: number) => number,
  da: (a: number, b: number) => number = none,
  db: (a: number, b: number) => number = none,
): BinaryFunction => ({ name, f, da, db });

const differentiable: BinaryFunction[] = [
  binary(
    'mul',
    (a, b) => a * b,
    (_, b) => b,
    (a) => a,
  ),
  binary(
    'div',
    (a, b) => a / b,
    (_, b) => 1 / b,
    (a, b) => -a / b / b,
  ),
  binary(
    'maximum',
    Math.max,
    (a, b) => (a > b ? 1 : a === b ? 0.5 : 0),
    (a, b) => (b > a ? 1 : a === b ? 0.5 : 0),
  ),
  binary(
    'minimum',
    Math.min,
    (a, b) => (a < b ? 1 : a === b ? 0.5 : 0),
    (a, b) => (b < a ? 1 : a === b ? 0.5 : 0),
  ),
];

const binaries: BinaryFunction[] = [
  ...differentiable,
  binary('add', (a, b) => a + b),
  binary('sub', (a, b) => a - b),
  binary('average', (a, b) => (a + b) / 2),
  binary('equal', (a, b) => (a === b ? 1 : 0)),
  binary('notEqual', (a, b) => (a === b ? 0 : 1)),
  binary('greater', (a, b) => (a > b ? 1 : 0)),
  binary('greaterEqual', (a, b) => (a >= b ? 1 : 0)),
  binary('less', (a, b) => (a < b ? 1 : 0)),
  binary('lessEqual', (a, b) => (a <= b ? 1 : 0)),
];

/** Shapes that broadcast in rows: equal, one number, along leading, trailing, middle and mixed dimensions. */
const broadcasts: [number[], number[]][] = [
  [[], []],
  [[5], []],
  [[], [7]],
  [
    [2, 3, 4],
    [2, 3, 4],
  ],
  [[33, 5], [5]],
  [
    [33, 1],
    [33, 17],
  ],
  [
    [6, 1],
    [1, 9],
  ],
  [[900, 10], [10]],
  [[3, 5000], [5000]],
  [
    [2, 1],
    [2, 5000],
  ],
  [
    [3, 16, 5, 7],
    [16, 1, 1],
  ],
  [
    [3, 6, 1, 1],
    [3, 6, 5, 7],
  ],
  [
    [4, 1, 33],
    [1, 9, 33],
  ],
  [
    [2, 1, 17, 16],
    [2, 3, 1, 16],
  ],
  [
    [0, 3],
    [1, 3],
  ],
  [
    [3, 1],
    [3, 0],
  ],
];

test('the functions without a kernel are named', () => {
  const unaries = Object.keys(elementwiseOps).filter(
    (name) => allOps[name] && !['to', 'clamp'].includes(name),
  );
  const withoutKernel = [
    ...unaries.filter((name) => mapFormula(name) === undefined),
    ...Object.keys(arithmeticOps).filter(
      (name) => allOps[name] && name !== 'where' && zipFormula(name) === undefined,
    ),
  ];
  expect(createWasmKernels().functionsOnReference.toSorted()).toEqual(withoutKernel.toSorted());
});

describe.each(flavours)('elementwise WASM kernels, relaxed $relaxed', (flavour) => {
  const engine = startedEngine({ flavour, capacity: 2 ** 20 });

  /** Both operands broadcast, in every function and both derivatives. */
  const checkZip = (shapeA: number[], shapeB: number[], seed: number): void => {
    const shape = broadcastShapes('test', shapeA, shapeB);
    const [a, b] = [numbers(sizeOf(shapeA), seed), numbers(sizeOf(shapeB), seed + 1)];
    const g = numbers(sizeOf(shape), seed + 2);
    const [sa, sb] = [broadcastStrides(shapeA, shape), broadcastStrides(shapeB, shape)];
    for (const fn of binaries) {
      const [actual, expected] = [new Float32Array(g.length), new Float32Array(g.length)];
      expect(elementwise.zip(engine, fn, a, sa, b, sb, actual, shape)).toBe(true);
      reference.zip(fn, a, sa, b, sb, expected, shape);
      expectSame(actual, expected, fn.name);
    }
    for (const fn of differentiable) {
      for (const wrt of ['da', 'db'] as const) {
        const [actual, expected] = [new Float32Array(g.length), new Float32Array(g.length)];
        expect(elementwise.zipBackward(engine, fn, wrt, a, sa, b, sb, g, actual, shape)).toBe(true);
        reference.zipBackward(fn, wrt, a, sa, b, sb, g, expected, shape);
        expectSame(actual, expected, `${fn.name} ${wrt}`);
      }
    }
  };

  test.each(sizes)('map %d numbers as the reference', (size) => {
    const x = numbers(size, size);
    for (const fn of forward) {
      const [actual, expected] = [new Float32Array(size), new Float32Array(size)];
      expect(elementwise.map(engine, fn, x, actual)).toBe(true);
      reference.map(fn, x, expected);
      expectSame(actual, expected, `${fn.name} ${fn.parameters}`);
    }
  });

  test.each(sizes)('map %d gradients back as the reference', (size) => {
    const [saved, g] = [numbers(size, size), numbers(size, size + 1)];
    for (const fn of backward) {
      const [actual, expected] = [new Float32Array(size), new Float32Array(size)];
      expect(elementwise.mapBackward(engine, fn, saved, g, actual)).toBe(true);
      reference.mapBackward(fn, saved, g, expected);
      expectSame(actual, expected, `${fn.name} ${fn.parameters}`);
    }
  });

  test('compute every special number with every other', () => {
    const a = Float32Array.from(pool.flatMap((x) => pool.map(() => x)));
    const b = Float32Array.from(pool.flatMap(() => pool));
    for (const fn of binaries) {
      const [actual, expected] = [new Float32Array(a.length), new Float32Array(a.length)];
      expect(elementwise.zip(engine, fn, a, [1], b, [1], actual, [a.length])).toBe(true);
      reference.zip(fn, a, [1], b, [1], expected, [a.length]);
      expectSame(actual, expected, fn.name);
    }
    for (const fn of backward) {
      const [actual, expected] = [new Float32Array(a.length), new Float32Array(a.length)];
      expect(elementwise.mapBackward(engine, fn, a, b, actual)).toBe(true);
      reference.mapBackward(fn, a, b, expected);
      expectSame(actual, expected, `${fn.name} ${fn.parameters}`);
    }
  });

  test.each(sizes)('select from %d numbers as the reference', (size) => {
    const [condition, a, b] = [1, 2, 3].map((seed) => numbers(size, size + seed));
    const [actual, expected] = [new Float32Array(size), new Float32Array(size)];
    expect(elementwise.select(engine, condition, a, b, actual)).toBe(true);
    reference.select(condition, a, b, expected);
    expectSame(actual, expected);
  });

  test.each(broadcasts)('zip %j with %j as the reference', (a, b) => {
    checkZip(a, b, 1);
    checkZip(b, a, 2);
  });

  test('zip rows of any size as the reference', () => {
    const size = constantFrom(...sizes.filter((n) => n > 0 && n < 100));
    const kind = constantFrom('equal', 'number', 'row', 'column');
    const samples = record({ rows: size, columns: size, kind, seed: integer({ min: 0, max: 1000 }) });
    const holds = property(samples, ({ rows, columns, kind: how, seed }) => {
      const other = { equal: [rows, columns], number: [1, 1], row: [1, columns], column: [rows, 1] }[how];
      checkZip([rows, columns], other, seed);
    });
    assert(holds, { numRuns: 50 });
  });

  test('stop the gradient where the derivative is 0, even an infinite one', () => {
    const out = new Float32Array(5);
    const g = new Float32Array([Infinity, -Infinity, NaN, Infinity, Infinity]);
    const fn = unary('relu', none, (y) => (y > 0 ? 1 : 0));
    expect(elementwise.mapBackward(engine, fn, new Float32Array([0, 0, 0, -1, 2]), g, out)).toBe(true);
    expect([...out]).toEqual([0, 0, 0, 0, Infinity]);
  });

  test('work in place in kernel memory, and only there', () => {
    const own = new Engine({ flavour, capacity: 2 ** 20 });
    own.scratch((allocate) => {
      const [from, to] = [allocate(12), allocate(12)];
      own.floats.fill(7, from, to + 12);
      own.floats.set([-1, 2, -3, 4, -5, 6], from + 1);
      const [x, out] = [own.floats.subarray(from + 1, from + 7), own.floats.subarray(to + 1, to + 7)];
      expect(elementwise.map(own, unary('abs', Math.abs, none), x, out)).toBe(true);
      expect([...own.floats.subarray(to, to + 12)]).toEqual([7, 1, 2, 3, 4, 5, 6, 7, 7, 7, 7, 7]);
    });
  });

  test('refuse what they have no kernel for, and then write nothing', () => {
    const x = numbers(10, 1);
    const out = new Float32Array(10);
    const relu = unary('relu', (y) => (y <= 0 ? 0 : y), none);
    const add = binary('add', (a, b) => a + b);
    const doubles = new Float64Array(10);
    const full = new Engine({ flavour, capacity: 2 ** 16 });
    const refused = [
      elementwise.map(engine, unary('sin', Math.sin, none), x, out),
      elementwise.map(engine, unary('constructor', Math.sin, none), x, out),
      elementwise.map(engine, relu, doubles, out),
      elementwise.map(engine, relu, doubles, new Float64Array(10)),
      full.scratch((allocate) => {
        allocate(10000);
        return elementwise.map(full, relu, x, out);
      }),
      elementwise.mapBackward(engine, unary('sin', Math.sin, Math.cos), x, x, out),
      elementwise.zip(engine, binary('pow', Math.pow), x, [1], x, [1], out, [10]),
      elementwise.zip(engine, add, x, [1, 5], x, [5, 1], out, [5, 2]),
      elementwise.zip(engine, add, x, [5, 1], x, [2, 1], out, [2, 5]),
      elementwise.zipBackward(engine, add, 'da', x, [1], x, [1], x, out, [10]),
      elementwise.select(engine, doubles, x, x, out),
    ];
    expect(refused).toEqual(refused.map(() => false));
    expect(out).toEqual(new Float32Array(10));
  });
});
