import { kernels } from '../kernels/backend.js';
import type { BinaryFunction } from '../kernels/kernels.js';
import { broadcastShapes, broadcastStrides } from '../shape.js';
import { emptyView, zerosView, type View } from '../storage.js';
import { negated } from './elementwise.js';
import type { Op } from './op.js';
import { expandTo, sumTo } from './views.js';

/** a + b. Derivatives: 1, 1. */
export const add = additive('add', 1);

/** a − b. Derivatives: 1, −1. */
export const sub = additive('sub', -1);

/** a·b. Derivatives: b, a. */
export const mul = binary({ name: 'mul', f: (a, b) => a * b, da: (_, b) => b, db: (a) => a });

/** a/b. Derivatives: 1/b, −a/b². */
export const div = binary({ name: 'div', f: (a, b) => a / b, da: (_, b) => 1 / b, db: (a, b) => -a / b / b });

/** aᵇ. Derivatives: b·aᵇ⁻¹ (0 where b = 0) and aᵇ·log a (0 where a = 0 and b ≥ 0), as in torch. */
export const pow = binary({
  name: 'pow',
  f: power,
  da: (a, b) => (b === 0 ? 0 : b * power(a, b - 1)),
  db: (a, b) => (a === 0 && b >= 0 ? 0 : power(a, b) * Math.log(a)),
});

/** The larger; NaN wins. Derivative: 1 for the larger, ½ each in a tie. */
export const maximum = binary({
  name: 'maximum',
  f: Math.max,
  da: (a, b) => (a > b ? 1 : a === b ? 0.5 : 0),
  db: (a, b) => (b > a ? 1 : a === b ? 0.5 : 0),
});

/** The smaller; NaN wins. Derivative: 1 for the smaller, ½ each in a tie. */
export const minimum = binary({
  name: 'minimum',
  f: Math.min,
  da: (a, b) => (a < b ? 1 : a === b ? 0.5 : 0),
  db: (a, b) => (b < a ? 1 : a === b ? 0.5 : 0),
});

/** 1 where a = b, else 0. No derivative, nor have the other comparisons. */
export const equal = comparison('equal', (a, b) => a === b);
/** 1 where a ≠ b, else 0. */
export const notEqual = comparison('notEqual', (a, b) => a !== b);
/** 1 where a > b, else 0. */
export const greater = comparison('greater', (a, b) => a > b);
/** 1 where a ≥ b, else 0. */
export const greaterEqual = comparison('greaterEqual', (a, b) => a >= b);
/** 1 where a < b, else 0. */
export const less = comparison('less', (a, b) => a < b);
/** 1 where a ≤ b, else 0. */
export const lessEqual = comparison('lessEqual', (a, b) => a <= b);

/** condition ≠ 0 ? a : b, all three broadcast. Derivatives: 1 where taken, else 0. */
export const where: Op<{ condition: View }> = {
  name: 'where',
  shape([a, b], { condition }) {
    const values = broadcastShapes('where', a.shape, b.shape);
    return broadcastShapes('where', condition.shape, values, ['the condition is', 'the values are']);
  },
  forward([a, b], out, { condition }) {
    const [c, x, y] = [condition, a, b].map((view) => expandTo(view, out.shape).data);
    kernels().select(c, x, y, out.data);
  },
  backward(g, { attributes, shapes }) {
    const c = expandTo(attributes.condition, g.shape).data;
    const zeros = zerosView(g, g.shape);
    const [taken, left] = [emptyView(g, g.shape), emptyView(g, g.shape)];
    kernels().select(c, g.data, zeros.data, taken.data);
    kernels().select(c, zeros.data, g.data, left.data);
    return [sumTo(taken, shapes[0]), sumTo(left, shapes[1])];
  },
};

/** Adds two views of one shape. */
export function addViews(a: View, b: View): View {
  const out = emptyView(a, a.shape);
  add.forward([a, b], out);
  return out;
}

/** a ± b, which backward can do without its inputs. */
function additive(name: 'add' | 'sub', sign: 1 | -1): Op {
  const fn = { name, f: sign === 1 ? (a: number, b: number) => a + b : (a: number, b: number) => a - b };
  return {
    name,
    shape: ([a, b]) => broadcastShapes(name, a.shape, b.shape),
    forward: ([a, b], out) => zip(fn, a, b, out),
    backward(g, { shapes: [a, b], needs }) {
      const dy = needs[1] ? sumTo(g, b) : null;
      return [needs[0] ? sumTo(g, a) : null, dy && sign === -1 ? negated(dy) : dy];
    },
  };
}

function binary(fn: BinaryFunction): Op {
  return {
    name: fn.name,
    saves: 'inputs',
    shape: ([a, b]) => broadcastShapes(fn.name, a.shape, b.shape),
    forward: ([a, b], out) => zip(fn, a, b, out),
    backward: (g, { inputs: [a, b], needs }) => [
      needs[0] ? partial(fn, 'da', a, b, g, a) : null,
      needs[1] ? partial(fn, 'db', a, b, g, b) : null,
    ],
  };
}

/** The gradient in one operand, summed over the dimensions along which it was broadcast. */
function partial(fn: BinaryFunction, wrt: 'da' | 'db', a: View, b: View, g: View, operand: View): View {
  const out = emptyView(g, g.shape);
  const stridesA = broadcastStrides(a.shape, g.shape);
  const stridesB = broadcastStrides(b.shape, g.shape);
  kernels().zipBackward(fn, wrt, a.data, stridesA, b.data, stridesB, g.data, out.data, g.shape);
  return sumTo(out, operand.shape);
}

function comparison(name: string, holds: (a: number, b: number) => boolean): Op {
  const fn = { name, f: (a: number, b: number) => (holds(a, b) ? 1 : 0) };
  return {
    name,
    shape: ([a, b]) => broadcastShapes(name, a.shape, b.shape),
    forward: ([a, b], out) => zip(fn, a, b, out),
  };
}

function zip(fn: Pick<BinaryFunction, 'name' | 'f'>, a: View, b: View, out: View): void {
  const stridesA = broadcastStrides(a.shape, out.shape);
  const stridesB = broadcastStrides(b.shape, out.shape);
  kernels().zip(fn, a.data, stridesA, b.data, stridesB, out.data, out.shape);
}

/** As IEEE 754's pow: 1 to any power and −1 to an infinite one are 1, which JavaScript's is not. */
function power(a: number, b: number): number {
  if (a === 1 || (a === -1 && (b === Infinity || b === -Infinity))) return 1;
  return a ** b;
}
