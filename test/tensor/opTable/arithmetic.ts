import { ShapeError, type Tensor, where } from '@gmml/tensor';
import ops from 'ndarray-ops';
import { broadcast, broadcastAt, build, Grid, spread } from './grid.js';
import type { Row, Sample } from './row.js';

/** Pairs of shapes, equal and broadcasting in every way there is: missing, one, both sides, scalars, empty. */
const PAIRS: [number[], number[]][] = [
  [[], []],
  [[1], [1]],
  [[7], [7]],
  [
    [2, 3],
    [2, 3],
  ],
  [[2, 3], [3]],
  [[3], [2, 3]],
  [
    [2, 1],
    [1, 3],
  ],
  [[], [2, 2]],
  [[2, 2], []],
  [
    [4, 1, 3],
    [2, 1],
  ],
  [
    [2, 3, 4],
    [2, 1, 4],
  ],
  [
    [1, 1],
    [2, 3],
  ],
  [
    [2, 1, 3, 1],
    [4, 1, 2],
  ],
  [
    [0, 3],
    [1, 3],
  ],
  [[1], [0]],
  [[0], []],
  [[67], [67]],
];

/** Methods of two operands, a tensor and a tensor or number, and `where`. */
export const arithmeticRows: Row[] = [
  binary('add', (a, b) => a + b, { ndarrayOps: ops.add }),
  binary('sub', (a, b) => a - b, { ndarrayOps: ops.sub }),
  binary('mul', (a, b) => a * b, { ndarrayOps: ops.mul }),
  binary('div', (a, b) => a / b, { low: 0.3, high: 3, ndarrayOps: ops.div }),
  binary('pow', (a, b) => Math.exp(b * Math.log(a)), { low: 0.3, high: 3, ndarrayOps: ops.pow }),
  binary('maximum', (a, b) => (a > b ? a : b), { ndarrayOps: ops.max }),
  binary('minimum', (a, b) => (a < b ? a : b), { ndarrayOps: ops.min }),
  comparison('equal', (a, b) => a === b, ops.eq),
  comparison('notEqual', (a, b) => a !== b, ops.neq),
  comparison('greater', (a, b) => a > b, ops.gt),
  comparison('greaterEqual', (a, b) => a >= b, ops.geq),
  comparison('less', (a, b) => a < b, ops.lt),
  comparison('lessEqual', (a, b) => a <= b, ops.leq),
  {
    name: 'where',
    ops: ['where'],
    differentiable: true,
    samples: [
      whereSample([2, 3], [2, 3], [2, 3]),
      whereSample([3], [2, 3], [2, 1]),
      whereSample([2, 1], [], [3]),
      whereSample([2, 2, 1], [2], [1]),
      whereSample([], [3], [3]),
      whereSample([1], [0, 3], [1, 3]),
      whereSample([0], [1], [1]),
    ],
    bad: [
      {
        label: 'operands that do not broadcast',
        call: () => where(spread([2]).tensor(), spread([2]).tensor(), spread([2, 3]).tensor()),
        error: ShapeError,
        message: 'where: shapes do not broadcast: a is [2], b is [2, 3] (2 ≠ 3 at dimension 1).',
      },
      {
        label: 'a condition that does not broadcast',
        call: () => where(spread([4]).tensor(), spread([2, 3]).tensor(), spread([3]).tensor()),
        error: ShapeError,
        message:
          'where: shapes do not broadcast: the condition is [4], the values are [2, 3] (4 ≠ 3 at dimension 1).',
      },
    ],
  },
];

type BinaryName =
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'pow'
  | 'maximum'
  | 'minimum'
  | 'equal'
  | 'notEqual'
  | 'greater'
  | 'greaterEqual'
  | 'less'
  | 'lessEqual';

function binary(
  name: BinaryName,
  f: (a: number, b: number) => number,
  { low = -2, high = 2, ...rest }: Partial<Row> & { low?: number; high?: number },
): Row {
  const tensors = PAIRS.map(([shapeA, shapeB]) =>
    pairSample(name, f, spread(shapeA, low, high, 1), spread(shapeB, low, high, 2)),
  );
  const numbers = [1.5, 2].map((b) => numberSample(name, f, spread([2, 3], low, high), b));
  return {
    name,
    ops: [name],
    samples: [...tensors, ...numbers],
    bad: badPairs(name),
    differentiable: true,
    ...rest,
  };
}

function comparison(
  name: BinaryName,
  holds: (a: number, b: number) => boolean,
  ndarrayOps: Row['ndarrayOps'],
): Row {
  const f = (a: number, b: number): number => (holds(a, b) ? 1 : 0);
  const a = new Grid([2, 4], [1, 2, 3, NaN, Infinity, -Infinity, 0, NaN]);
  const b = new Grid([2, 4], [1, 3, 2, NaN, Infinity, Infinity, -0, 1]);
  const row = binary(name, f, { ndarrayOps, differentiable: false });
  return { ...row, samples: [pairSample(name, f, a, b), ...row.samples] };
}

function pairSample(name: BinaryName, f: (a: number, b: number) => number, a: Grid, b: Grid): Sample {
  return {
    label: `[${a.shape}] and [${b.shape}]`,
    inputs: [a, b],
    call: (x: Tensor, y: Tensor) => x[name](y),
    reference: (x, y) => build(broadcast(x.shape, y.shape), (i) => f(broadcastAt(x, i), broadcastAt(y, i))),
  };
}

function numberSample(name: BinaryName, f: (a: number, b: number) => number, a: Grid, b: number): Sample {
  return {
    label: `[${a.shape}] and ${b}`,
    inputs: [a],
    call: (x: Tensor) => x[name](b),
    reference: (x) => x.map((value) => f(value, b)),
  };
}

function badPairs(name: BinaryName): Row['bad'] {
  return [
    {
      label: 'sizes that differ',
      call: () => apply(name, [2, 3], [4]),
      error: ShapeError,
      message: `${name}: shapes do not broadcast: a is [2, 3], b is [4] (3 ≠ 4 at dimension 1).`,
    },
    {
      label: 'nothing and two',
      call: () => apply(name, [0, 3], [2, 3]),
      error: ShapeError,
      message: `${name}: shapes do not broadcast: a is [0, 3], b is [2, 3] (0 ≠ 2 at dimension 0).`,
    },
  ];
}

function apply(name: BinaryName, shapeA: number[], shapeB: number[]): Tensor {
  const [a, b] = [spread(shapeA).tensor(), spread(shapeB).tensor()];
  return a[name](b);
}

function whereSample(shapeC: number[], shapeA: number[], shapeB: number[]): Sample {
  const condition = spread(shapeC).map((value) => (value > 0 ? 1 : 0));
  return {
    label: `[${shapeC}] ? [${shapeA}] : [${shapeB}]`,
    inputs: [spread(shapeA, -2, 2, 1), spread(shapeB, -2, 2, 2)],
    call: (a: Tensor, b: Tensor) => where(condition.tensor('float32'), a, b),
    reference: (a, b) =>
      build(broadcast(shapeC, shapeA, shapeB), (i) => broadcastAt(broadcastAt(condition, i) ? a : b, i)),
  };
}
