import { ArgumentError, type Tensor } from '@gmml/tensor';
import ops from 'ndarray-ops';
import { Grid, spread } from './grid.js';
import type { Row, Sample } from './row.js';

/** The shapes every elementwise function is tried on: a scalar, one entry, odd lengths, nothing. */
const SHAPES = [[], [1], [7], [2, 3], [3, 1, 4], [2, 0, 3], [67]];

/** Methods of one tensor that act on each number alone. */
export const elementwiseRows: Row[] = [
  unary('neg', (x) => -x, { ndarrayOps: ops.neg }),
  unary('exp', (x) => Math.exp(x), { ndarrayOps: ops.exp }),
  unary('log', (x) => Math.log(x), { low: 0.1, high: 5, ndarrayOps: ops.log }),
  unary('log1p', (x) => Math.log(1 + x), { low: -0.8, high: 5 }),
  unary('expm1', (x) => Math.exp(x) - 1, {}),
  unary('sqrt', (x) => x ** 0.5, { low: 0.1, high: 5, ndarrayOps: ops.sqrt }),
  unary('square', (x) => x * x, { ndarrayOps: (out, x) => ops.mul(out, x, x) }),
  unary('reciprocal', (x) => 1 / x, { low: 0.3, high: 4, ndarrayOps: ops.recip }),
  unary('sin', (x) => Math.sin(x), { low: -7, high: 7, ndarrayOps: ops.sin }),
  unary('cos', (x) => Math.cos(x), { low: -7, high: 7, ndarrayOps: ops.cos }),
  unary('abs', (x) => (x < 0 ? -x : x), { ndarrayOps: ops.abs }),
  unary('relu', (x) => (x > 0 ? x : 0), { ndarrayOps: (out, x) => ops.maxs(out, x, 0) }),
  unary('tanh', (x) => (Math.exp(2 * x) - 1) / (Math.exp(2 * x) + 1), {}),
  unary('sigmoid', (x) => 1 / (1 + Math.exp(-x)), { low: -6, high: 6 }),
  unary('softplus', (x) => Math.log(1 + Math.exp(x)), { low: -6, high: 6 }),
  unary('logSigmoid', (x) => Math.log(1 / (1 + Math.exp(-x))), { low: -6, high: 6 }),
  {
    name: 'clamp',
    ops: ['clamp'],
    differentiable: true,
    samples: [
      ...clampSamples(-1, 1),
      ...clampSamples(-0.5, undefined),
      ...clampSamples(undefined, 0.25),
      ...clampSamples(1, 1),
    ],
    bad: [
      {
        label: 'bounds in the wrong order',
        call: () => spread([2]).tensor().clamp(2, 1),
        error: ArgumentError,
        message: 'clamp: min must be at most max: they are 2 and 1.',
      },
    ],
  },
  predicate('isNaN', (x) => (x !== x ? 1 : 0)),
  predicate('isFinite', (x) => (x - x === 0 ? 1 : 0)),
];

type UnaryName =
  | 'neg'
  | 'exp'
  | 'log'
  | 'log1p'
  | 'expm1'
  | 'sqrt'
  | 'square'
  | 'reciprocal'
  | 'sin'
  | 'cos'
  | 'abs'
  | 'relu'
  | 'tanh'
  | 'sigmoid'
  | 'softplus'
  | 'logSigmoid'
  | 'isNaN'
  | 'isFinite';

function unary(
  name: UnaryName,
  f: (x: number) => number,
  { low = -2, high = 2, ...rest }: Partial<Row> & { low?: number; high?: number },
): Row {
  const samples = SHAPES.map((shape) => unarySample(name, f, spread(shape, low, high)));
  return { name, ops: [name], samples, bad: [], differentiable: true, ...rest };
}

function predicate(name: UnaryName, f: (x: number) => number): Row {
  const odd = new Grid([2, 4], [0, NaN, -1, Infinity, -Infinity, 1e30, NaN, -0]);
  return {
    ...unary(name, f, { differentiable: false }),
    samples: [odd, spread([3]), spread([1]), spread([0])].map((x) => unarySample(name, f, x)),
  };
}

function unarySample(name: UnaryName, f: (x: number) => number, x: Grid): Sample {
  return { label: `[${x.shape}]`, inputs: [x], call: (t: Tensor) => t[name](), reference: (g) => g.map(f) };
}

function clampSamples(min: number | undefined, max: number | undefined): Sample[] {
  const f = (x: number): number => {
    if (min !== undefined && x < min) return min;
    return max !== undefined && x > max ? max : x;
  };
  return SHAPES.map((shape) => ({
    label: `[${shape}] to ${min} … ${max}`,
    inputs: [spread(shape)],
    call: (x: Tensor) => x.clamp(min, max),
    reference: (x: Grid) => x.map(f),
  }));
}
