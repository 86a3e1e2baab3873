import { ArgumentError, ShapeError, type Tensor } from '@gmml/tensor';
import { build, type Grid, indices, range, spread } from './grid.js';
import type { Row, Sample } from './row.js';

type Dims = number | number[] | undefined;

/** Shape, dims, keepDim: one and several dims, neighbours and not, from the end, none, all. */
const CASES: [number[], Dims, boolean][] = [
  [[2, 3, 4], undefined, false],
  [[2, 3, 4], undefined, true],
  [[2, 3, 4], 0, false],
  [[2, 3, 4], 1, false],
  [[2, 3, 4], 1, true],
  [[2, 3, 4], -1, false],
  [[2, 3, 4], [0, 2], false],
  [[2, 3, 4], [2, 0], true],
  [[2, 3, 4], [1, 2], false],
  [[2, 3, 4], [-3, 1], true],
  [[2, 3, 2, 2], [1, 3], false],
  [[7], 0, false],
  [[2, 5], 0, true],
];

const ONES: [number[], Dims, boolean][] = [
  [[], undefined, false],
  [[1], 0, false],
  [[1, 1, 3], [0, 1], false],
  [[2, 3], [], false],
];

/** Methods that bring many numbers to one, along some dimensions or all, and the normalisations along one. */
export const reduceRows: Row[] = [
  reduction('sum', sum),
  reduction('mean', mean, { noEmpty: 'the mean of nothing is NaN: tested apart' }),
  reduction('max', (values) => values.toSorted((a, b) => b - a)[0], {
    bad: badEmpty('max'),
    noEmpty: 'there is no largest of nothing',
  }),
  reduction('min', (values) => values.toSorted((a, b) => a - b)[0], {
    bad: badEmpty('min'),
    noEmpty: 'there is no smallest of nothing',
  }),
  reduction('logSumExp', (values) => Math.log(sum(values.map((x) => Math.exp(x))))),
  {
    name: 'variance',
    ops: ['variance'],
    differentiable: true,
    noEmpty: 'the variance of nothing is NaN: tested apart',
    samples: CASES.flatMap(([shape, dims, keepDim]) =>
      [0, 1].map((correction) => ({
        label: `${labelOf(shape, dims, keepDim)}, correction ${correction}`,
        inputs: [spread(shape)],
        call: (x: Tensor) => x.variance(dims, { correction, keepDim }),
        reference: (x: Grid) =>
          reduce(x, dims, keepDim, (values) => {
            const center = mean(values);
            return sum(values.map((value) => (value - center) ** 2)) / (values.length - correction);
          }),
      })),
    ),
    bad: [
      ...badDims('variance'),
      {
        label: 'a negative correction',
        call: () => spread([3]).tensor().variance(0, { correction: -1 }),
        error: ArgumentError,
        message: 'variance: correction must be a finite number of at least 0: it is -1.',
      },
    ],
  },
  argReduction('argmax', (values) => values.indexOf(values.toSorted((a, b) => b - a)[0])),
  argReduction('argmin', (values) => values.indexOf(values.toSorted((a, b) => a - b)[0])),
  normalization('softmax', (x, all) => Math.exp(x) / sum(all.map((value) => Math.exp(value)))),
  normalization('logSoftmax', (x, all) => x - Math.log(sum(all.map((value) => Math.exp(value))))),
];

type ReductionName = 'sum' | 'mean' | 'max' | 'min' | 'logSumExp';

function reduction(name: ReductionName, f: (values: number[]) => number, rest: Partial<Row> = {}): Row {
  const empty: [number[], Dims, boolean][] = [
    [[2, 0], 0, false],
    [[0, 3], 1, true],
    [[2, 0, 3], [0, 2], false],
  ];
  const emptied: [number[], Dims, boolean][] = [
    [[2, 0], 1, false],
    [[0], undefined, false],
    [[0, 3], 0, true],
  ];
  const total = name === 'sum' || name === 'logSumExp';
  const cases = [...CASES, ...ONES, ...empty, ...(total ? emptied : [])];
  const samples = cases.map(([shape, dims, keepDim]): Sample => {
    const x = spread(shape);
    const y = reduce(x, dims, keepDim, f);
    return {
      label: labelOf(shape, dims, keepDim),
      inputs: [x],
      call: (t) => t[name](dims, { keepDim }),
      reference: (g) => reduce(g, dims, keepDim, f),
      infinite: y.values.some((value) => !Number.isFinite(value)),
    };
  });
  const { bad = [], ...others } = rest;
  return {
    name,
    ops: name === 'mean' ? [] : [name],
    differentiable: true,
    samples,
    bad: [...badDims(name), ...bad],
    ...others,
  };
}

function argReduction(name: 'argmax' | 'argmin', f: (values: number[]) => number): Row {
  const cases: [number[], number | undefined][] = [
    [[2, 3, 4], 0],
    [[2, 3, 4], 1],
    [[2, 3, 4], -1],
    [[2, 3], undefined],
    [[7], 0],
    [[1], 0],
    [[0, 3], 1],
  ];
  const samples = cases.map(([shape, dim]): Sample => ({
    label: labelOf(shape, dim, false),
    inputs: [spread(shape)],
    call: (x) => x[name](dim),
    reference: (x) => reduce(x, dim, false, f),
  }));
  return {
    name,
    ops: [name],
    differentiable: false,
    samples,
    bad: [
      {
        label: 'a dimension that is not there',
        call: () => spread([2, 3]).tensor()[name](2),
        error: ShapeError,
        message: `${name}: dimension out of range: dim is 2 (allowed are -2 to 1).`,
      },
      {
        label: 'nothing to choose from',
        call: () => spread([2, 0]).tensor()[name](1),
        error: ShapeError,
        message: `${name}: nothing to choose from: the shape is [2, 0], the dims [1].`,
      },
    ],
  };
}

function normalization(name: 'softmax' | 'logSoftmax', f: (x: number, all: number[]) => number): Row {
  const cases: [number[], number][] = [
    [[2, 3, 4], 0],
    [[2, 3, 4], 1],
    [[2, 3, 4], -1],
    [[5], 0],
    [[3, 1], 1],
    [[1], 0],
    [[2, 0, 3], 1],
    [[2, 0, 3], 2],
  ];
  const samples = cases.map(([shape, dim]): Sample => ({
    label: labelOf(shape, dim, false),
    inputs: [spread(shape)],
    call: (x) => x[name](dim),
    reference: (x) => {
      const along = dim < 0 ? dim + shape.length : dim;
      return build(x.shape, (index) => {
        const all = range(shape[along]).map((i) => x.at(...index.with(along, i)));
        return f(x.at(...index), all);
      });
    },
  }));
  return {
    name,
    ops: [name],
    differentiable: true,
    samples,
    bad: [
      {
        label: 'a dimension that is not there',
        call: () => spread([2, 3]).tensor()[name](2),
        error: ShapeError,
        message: `${name}: dimension out of range: dim is 2 (allowed are -2 to 1).`,
      },
      {
        label: 'a scalar',
        call: () => spread([]).tensor()[name](0),
        error: ShapeError,
        message: `${name}: dimension out of range: dim is 0 (a scalar has none).`,
      },
    ],
  };
}

/** Collects, for each index of the result, the entries of x that fall on it, and brings them to one by f. */
export function reduce(x: Grid, dims: Dims, keepDim: boolean, f: (values: number[]) => number): Grid {
  const named = [dims ?? range(x.shape.length)].flat();
  const gone = new Set(named.map((dim) => (dim < 0 ? dim + x.shape.length : dim)));
  const reduced = x.shape.map((n, dim) => (gone.has(dim) ? 1 : n));
  const kept = range(x.shape.length).filter((dim) => keepDim || !gone.has(dim));
  const values = indices(reduced).map((place) => {
    const met = indices(x.shape).filter((index) =>
      index.every((i, dim) => gone.has(dim) || i === place[dim]),
    );
    return f(met.map((index) => x.at(...index)));
  });
  let next = 0;
  return build(
    kept.map((dim) => reduced[dim]),
    () => values[next++],
  );
}

function sum(values: number[]): number {
  return values.reduce((a, b) => a + b, 0);
}

function mean(values: number[]): number {
  return sum(values) / values.length;
}

function labelOf(shape: number[], dims: Dims, keepDim: boolean): string {
  return `[${shape}] over ${dims === undefined ? 'all' : `[${dims}]`}${keepDim ? ', kept' : ''}`;
}

function badDims(name: ReductionName | 'variance'): Row['bad'] {
  return [
    {
      label: 'a dimension that is not there',
      call: () => spread([2, 3]).tensor()[name](2),
      error: ShapeError,
      message: `${name}: dimension out of range: dim is 2 (allowed are -2 to 1).`,
    },
    {
      label: 'a fraction',
      call: () => spread([2, 3]).tensor()[name](0.5),
      error: ShapeError,
      message: `${name}: dimension out of range: dim is 0.5 (allowed are -2 to 1).`,
    },
    {
      label: 'a dimension named twice',
      call: () => spread([2, 3]).tensor()[name]([1, -1]),
      error: ShapeError,
      message: `${name}: a dimension is named twice: dims are [1, -1].`,
    },
  ];
}

function badEmpty(name: 'max' | 'min'): Row['bad'] {
  return [
    {
      label: 'nothing to choose from',
      call: () => spread([2, 0]).tensor()[name](1),
      error: ShapeError,
      message: `${name}: nothing to choose from: the shape is [2, 0], the dims [1].`,
    },
  ];
}
