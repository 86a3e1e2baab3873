import { ArgumentError, ShapeError } from '@gmml/tensor';
import { build, range, spread, total } from './grid.js';
import type { Row, Sample } from './row.js';
import { bad, moved, row } from './rows.js';

/** Methods for diagonals and triangles of the last two dimensions. */
export const diagonalRows: Row[] = [
  triangle('tril', (i, j, k) => j <= i + k),
  triangle('triu', (i, j, k) => j >= i + k),
  row('diagonal', ['diagonal'], {
    samples: [
      diagonals([3, 3], 0),
      diagonals([2, 4], 1),
      diagonals([4, 2], -2),
      diagonals([2, 3, 3], -1),
      diagonals([2, 3], 5),
      diagonals([1, 1], 0),
      diagonals([0, 3], 0),
      diagonals([2, 0, 0], 0),
    ],
    bad: [
      bad(
        'a fraction',
        (x) => x.diagonal(0.5),
        ArgumentError,
        "diagonal: the diagonal's offset must be an integer: it is 0.5.",
      ),
      bad(
        'a vector',
        () => spread([3]).tensor().diagonal(),
        ShapeError,
        'diagonal: at least two dimensions: the shape is [3].',
      ),
    ],
  }),
  row('diagEmbed', ['diagEmbed'], {
    samples: [
      embedded([3], 0),
      embedded([2, 3], 0),
      embedded([2], 1),
      embedded([2, 2], -2),
      embedded([1], 0),
      embedded([2, 0], 0),
      embedded([0, 2], 0),
    ],
    bad: [
      bad(
        'a fraction',
        (x) => x.diagEmbed(0.5),
        ArgumentError,
        "diagEmbed: the diagonal's offset must be an integer: it is 0.5.",
      ),
      bad(
        'a scalar',
        () => spread([]).tensor().diagEmbed(),
        ShapeError,
        'diagEmbed: at least one dimension: x is a scalar, [].',
      ),
    ],
  }),
  row('diagonalScatter', ['diagonalScatter'], {
    samples: [
      scattered([3, 3], 0),
      scattered([2, 4], 1),
      scattered([4, 2], -2),
      scattered([2, 3, 3], -1),
      scattered([2, 3], 5),
      scattered([1, 1], 0),
      scattered([2, 0, 0], 0),
    ],
    bad: [
      bad(
        'a fraction',
        (x) => x.diagonalScatter(spread([2]).tensor(), 0.5),
        ArgumentError,
        "diagonalScatter: the diagonal's offset must be an integer: it is 0.5.",
      ),
      bad(
        'a diagonal that does not fit',
        (x) => x.diagonalScatter(spread([3]).tensor()),
        ShapeError,
        'diagonalScatter: the diagonal must be [2]: it is [3].',
      ),
      bad(
        'a vector',
        () => spread([3]).tensor().diagonalScatter(spread([]).tensor()),
        ShapeError,
        'diagonalScatter: at least two dimensions: the shape is [3].',
      ),
    ],
  }),
  row('trace', [], {
    samples: [
      [3, 3],
      [2, 4],
      [2, 3, 3],
      [1, 1],
      [0, 0],
      [2, 0, 3],
    ].map((shape): Sample => ({
      label: `[${shape}]`,
      inputs: [spread(shape)],
      call: (x) => x.trace(),
      reference: (x) =>
        build(shape.slice(0, -2), (lead) => total(Math.min(...shape.slice(-2)), (i) => x.at(...lead, i, i))),
    })),
    bad: [
      bad(
        'a vector',
        () => spread([3]).tensor().trace(),
        ShapeError,
        'diagonal: at least two dimensions: the shape is [3].',
      ),
    ],
  }),
];

function triangle(name: 'tril' | 'triu', kept: (i: number, j: number, k: number) => boolean): Row {
  const cases: [number[], number][] = [
    [[3, 3], 0],
    [[4, 3], 1],
    [[3, 4], -1],
    [[2, 3, 3], 0],
    [[3, 3], 5],
    [[3, 3], -5],
    [[1, 1], 0],
    [[0, 0], 0],
    [[2, 0, 3], 1],
  ];
  return row(name, [name], {
    samples: cases.map(([shape, k]): Sample => ({
      label: `[${shape}], k = ${k}`,
      inputs: [spread(shape)],
      call: (x) => x[name](k),
      reference: (x) =>
        build(shape, (index) =>
          kept(index[shape.length - 2], index[shape.length - 1], k) ? x.at(...index) : 0,
        ),
    })),
    bad: [
      bad(
        'a fraction',
        (x) => x[name](0.5),
        ArgumentError,
        `${name}: the diagonal's offset must be an integer: it is 0.5.`,
      ),
      bad(
        'a vector',
        () => spread([3]).tensor()[name](),
        ShapeError,
        `${name}: at least two dimensions: the shape is [3].`,
      ),
    ],
  });
}

function diagonals(shape: number[], offset: number): Sample {
  const [rows, columns] = shape.slice(-2);
  const onIt = range(rows).filter((i) => i + offset >= 0 && i + offset < columns);
  const to = [...shape.slice(0, -2), onIt.length];
  const sample = moved(
    shape,
    to,
    (x) => x.diagonal(offset),
    (index) => {
      const i = onIt[index[index.length - 1]];
      return [...index.slice(0, -1), i, i + offset];
    },
  );
  return { ...sample, label: `[${shape}], offset ${offset}` };
}

function scattered(shape: number[], offset: number): Sample {
  const { label, reference } = diagonals(shape, offset);
  const onIt = reference(spread(shape)).shape;
  return {
    label,
    inputs: [spread(shape), spread(onIt, 3, 5)],
    call: (x, diagonal) => x.diagonalScatter(diagonal, offset),
    reference: (x, diagonal) =>
      build(shape, (index) => {
        const [i, j] = index.slice(-2);
        const lead = index.slice(0, -2);
        return j - i === offset ? diagonal.at(...lead, Math.min(i, j)) : x.at(...index);
      }),
  };
}

function embedded(shape: number[], offset: number): Sample {
  const n = shape[shape.length - 1] + Math.abs(offset);
  return {
    label: `[${shape}], offset ${offset}`,
    inputs: [spread(shape)],
    call: (x) => x.diagEmbed(offset),
    reference: (x) =>
      build([...shape.slice(0, -1), n, n], (index) => {
        const [i, j] = index.slice(-2);
        return j - i === offset ? x.at(...index.slice(0, -2), Math.min(i, j)) : 0;
      }),
  };
}
