import { kernels } from '../kernels/backend.js';
import type { UnaryFunction } from '../kernels/kernels.js';
import { allocate, emptyView, type DType, type View } from '../storage.js';
import type { Op } from './op.js';

/** −x. Derivative: −1. */
export const neg = unary({ name: 'neg', f: (x) => -x, df: () => -1, saves: 'output' });

/** eˣ. Derivative: eˣ. */
export const exp = unary({ name: 'exp', f: Math.exp, df: (y) => y, saves: 'output' });

/** The natural logarithm. Derivative: 1/x. */
export const log = unary({ name: 'log', f: Math.log, df: (x) => 1 / x, saves: 'inputs' });

/** log(1 + x), accurate for small x. Derivative: 1/(1 + x). */
export const log1p = unary({ name: 'log1p', f: Math.log1p, df: (x) => 1 / (1 + x), saves: 'inputs' });

/** eˣ − 1, accurate for small x. Derivative: eˣ. */
export const expm1 = unary({ name: 'expm1', f: Math.expm1, df: (y) => y + 1, saves: 'output' });

/** √x. Derivative: 1/(2√x). */
export const sqrt = unary({ name: 'sqrt', f: Math.sqrt, df: (y) => 0.5 / y, saves: 'output' });

/** x². Derivative: 2x. */
export const square = unary({ name: 'square', f: (x) => x * x, df: (x) => 2 * x, saves: 'inputs' });

/** 1/x. Derivative: −1/x². */
export const reciprocal = unary({ name: 'reciprocal', f: (x) => 1 / x, df: (y) => -y * y, saves: 'output' });

/** sin x. Derivative: cos x. */
export const sin = unary({ name: 'sin', f: Math.sin, df: Math.cos, saves: 'inputs' });

/** cos x. Derivative: −sin x. */
export const cos = unary({ name: 'cos', f: Math.cos, df: (x) => -Math.sin(x), saves: 'inputs' });

/** |x|. Derivative: the sign of x, 0 at 0. */
export const abs = unary({ name: 'abs', f: Math.abs, df: Math.sign, saves: 'inputs' });

/** max(x, 0). Derivative: 1 where x > 0, else 0. */
export const relu = unary({
  name: 'relu',
  f: (x) => (x <= 0 ? 0 : x),
  df: (y) => (y > 0 ? 1 : 0),
  saves: 'output',
});

/** tanh x. Derivative: 1 − tanh² x. */
export const tanh = unary({ name: 'tanh', f: Math.tanh, df: (y) => 1 - y * y, saves: 'output' });

/** 1/(1 + e⁻ˣ). Derivative: σ(1 − σ). */
export const sigmoid = unary({ name: 'sigmoid', f: logistic, df: (y) => y * (1 - y), saves: 'output' });

/** log(1 + eˣ), written so that neither end overflows. Derivative: 1/(1 + e⁻ˣ). */
export const softplus = unary({
  name: 'softplus',
  f: (x) => (x > 0 ? x + Math.log1p(Math.exp(-x)) : Math.log1p(Math.exp(x))),
  df: logistic,
  saves: 'inputs',
});

/** −log(1 + e⁻ˣ). Derivative: 1/(1 + eˣ). */
export const logSigmoid = unary({
  name: 'logSigmoid',
  f: (x) => (x < 0 ? x - Math.log1p(Math.exp(x)) : -Math.log1p(Math.exp(-x))),
  df: (x) => logistic(-x),
  saves: 'inputs',
});

/** x brought into [min, max]. Derivative: 1 where min ≤ x ≤ max (bounds included, as in torch), else 0. */
export const clamp: Op<{ min: number; max: number }> = unaryWith('clamp', 'inputs', ({ min, max }) => ({
  name: 'clamp',
  parameters: [min, max],
  f: (x) => Math.min(Math.max(x, min), max),
  df: (x) => (x >= min && x <= max ? 1 : 0),
  saves: 'inputs',
}));

/** 1 where x is NaN, else 0. No derivative. */
export const isNaN = predicate('isNaN', Number.isNaN);

/** 1 where x is neither NaN nor infinite, else 0. No derivative. */
export const isFinite = predicate('isFinite', Number.isFinite);

/** The same numbers in another number format, rounded to nearest; a copy in the same one. Derivative: 1. */
export const to: Op<{ dtype: DType }> = {
  name: 'to',
  shape: ([x]) => x.shape,
  dtype: ({ dtype }) => dtype,
  forward: ([x], out) => out.data.set(x.data),
  backward(g, { inputDType }) {
    const out = { data: allocate(inputDType, g.data.length), shape: g.shape };
    out.data.set(g.data);
    return [out];
  },
};

/** −x of a view. */
export function negated(x: View): View {
  const out = emptyView(x, x.shape);
  neg.forward([x], out);
  return out;
}

function unary(fn: UnaryFunction): Op {
  return unaryWith(fn.name, fn.saves, () => fn);
}

function unaryWith<A>(
  name: string,
  saves: UnaryFunction['saves'],
  functionOf: (attributes: A) => UnaryFunction,
): Op<A> {
  return {
    name,
    saves,
    shape: ([x]) => x.shape,
    forward: ([x], out, attributes) => kernels().map(functionOf(attributes), x.data, out.data),
    backward(g, { inputs, output, attributes }) {
      const out = emptyView(g, g.shape);
      const saved = saves === 'inputs' ? inputs[0] : output;
      kernels().mapBackward(functionOf(attributes), saved.data, g.data, out.data);
      return [out];
    },
  };
}

function predicate(name: string, holds: (x: number) => boolean): Op {
  const fn: UnaryFunction = { name, f: (x) => (holds(x) ? 1 : 0), df: () => 0, saves: 'inputs' };
  return {
    name,
    shape: ([x]) => x.shape,
    forward: ([x], out) => kernels().map(fn, x.data, out.data),
  };
}

function logistic(x: number): number {
  if (x >= 0) return 1 / (1 + Math.exp(-x));
  const e = Math.exp(x);
  return e / (1 + e);
}
