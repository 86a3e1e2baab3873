import { ArgumentError, cat, ShapeError, type Shape, stack } from '@gmml/tensor';
import { build, range, spread, total } from './grid.js';
import type { Row, Sample } from './row.js';
import { bad, moved, row } from './rows.js';

/** Methods and functions that take parts out of tensors or put them together. */
export const partRows: Row[] = [
  row('slice', ['slice'], {
    samples: [
      sliced([5, 3], 0, [1, 4], [1, 2, 3]),
      sliced([5, 3], 0, [2], [2, 3, 4]),
      sliced([5, 3], 0, [-2], [3, 4]),
      sliced([5, 3], 0, [0, -1], [0, 1, 2, 3]),
      sliced([5, 3], 0, [0, 5, 2], [0, 2, 4]),
      sliced([3, 5], 1, [1, 9, 3], [1, 4]),
      sliced([2, 3, 4], -1, [-100, 100], [0, 1, 2, 3]),
      sliced([2, 3, 4], 1, [1, 2], [1]),
      sliced([5], 0, [3, 1], []),
      sliced([1], 0, [0, 1], [0]),
      sliced([5], 0, [7], []),
      sliced([0, 3], 0, [0, 2], []),
      sliced([0, 3], 1, [1], [1, 2]),
    ],
    bad: [
      bad(
        'a dimension that is not there',
        (x) => x.slice(2, 0),
        ShapeError,
        'slice: dimension out of range: dim is 2 (allowed are -2 to 1).',
      ),
      bad(
        'a step backwards',
        (x) => x.slice(0, 0, 2, -1),
        ArgumentError,
        'slice: start and end must be integers and step at least 1: they are 0, 2, -1.',
      ),
      bad(
        'no step',
        (x) => x.slice(0, 0, 2, 0),
        ArgumentError,
        'slice: start and end must be integers and step at least 1: they are 0, 2, 0.',
      ),
      bad(
        'a fraction',
        (x) => x.slice(0, 0.5),
        ArgumentError,
        'slice: start and end must be integers and step at least 1: they are 0.5, 2, 1.',
      ),
    ],
  }),
  row('cat', ['cat'], {
    samples: [
      joined(
        [
          [2, 3],
          [1, 3],
          [4, 3],
        ],
        0,
      ),
      joined(
        [
          [2, 3],
          [2, 1],
        ],
        1,
      ),
      joined(
        [
          [2, 2, 3],
          [2, 5, 3],
        ],
        -2,
      ),
      joined([[3]], 0),
      joined([[1], [1]], 0),
      joined(
        [
          [0, 3],
          [2, 3],
        ],
        0,
      ),
      joined(
        [
          [2, 0],
          [2, 0],
        ],
        1,
      ),
      joined(
        [
          [0, 3],
          [0, 2],
        ],
        1,
      ),
    ],
    bad: [
      bad(
        'other sizes that differ',
        (x) => cat([x, spread([2, 4]).tensor()]),
        ShapeError,
        'cat: all but dimension 0 must agree: tensor 0 is [2, 3], tensor 1 is [2, 4].',
      ),
      bad(
        'other numbers of dimensions',
        (x) => cat([x, spread([3]).tensor()]),
        ShapeError,
        'cat: all but dimension 0 must agree: tensor 0 is [2, 3], tensor 1 is [3].',
      ),
      bad(
        'a dimension that is not there',
        (x) => cat([x], 2),
        ShapeError,
        'cat: dimension out of range: dim is 2 (allowed are -2 to 1).',
      ),
      bad('no tensors', () => cat([]), ArgumentError, 'cat: at least one tensor: the list is empty.'),
    ],
  }),
  row('stack', [], {
    samples: [
      stacked([2, 3], 3, 0),
      stacked([2, 3], 2, 1),
      stacked([2, 3], 2, -1),
      stacked([], 3, 0),
      stacked([4], 1, 0),
      stacked([0, 2], 2, 1),
    ],
    bad: [
      bad(
        'shapes that differ',
        (x) => stack([x, spread([2, 4]).tensor()]),
        ShapeError,
        'stack: shapes must agree: tensor 0 is [2, 3], tensor 1 is [2, 4].',
      ),
      bad(
        'a dimension that is not there',
        (x) => stack([x], 3),
        ShapeError,
        'stack: dimension out of range: dim is 3 (allowed are -3 to 2).',
      ),
      bad('no tensors', () => stack([]), ArgumentError, 'stack: at least one tensor: the list is empty.'),
    ],
  }),
];

/** `places` are the entries along dim that the arguments of slice select. */
function sliced(shape: Shape, dim: number, [start, end, step]: number[], places: number[]): Sample {
  const along = dim < 0 ? dim + shape.length : dim;
  const sample = moved(
    shape,
    shape.with(along, places.length),
    (x) => x.slice(dim, start, end, step),
    (index) => index.with(along, places[index[along]]),
  );
  return { ...sample, label: `[${shape}] along ${dim}: ${start}, ${end}, ${step}` };
}

function joined(shapes: number[][], dim: number): Sample {
  const along = dim < 0 ? dim + shapes[0].length : dim;
  return {
    label: `${shapes.map((shape) => `[${shape}]`).join(' ')} along ${dim}`,
    inputs: shapes.map((shape, i) => spread(shape, -2, 2, i)),
    call: (...tensors) => cat(tensors, dim),
    reference: (...grids) =>
      build(
        shapes[0].with(
          along,
          total(shapes.length, (i) => shapes[i][along]),
        ),
        (index) => {
          let place = index[along];
          let i = 0;
          while (place >= shapes[i][along]) place -= shapes[i++][along];
          return grids[i].at(...index.with(along, place));
        },
      ),
  };
}

function stacked(shape: number[], count: number, dim: number): Sample {
  const along = dim < 0 ? dim + shape.length + 1 : dim;
  return {
    label: `${count} of [${shape}] along ${dim}`,
    inputs: range(count).map((i) => spread(shape, -2, 2, i)),
    call: (...tensors) => stack(tensors, dim),
    reference: (...grids) =>
      build(shape.toSpliced(along, 0, count), (index) =>
        grids[index[along]].at(...index.toSpliced(along, 1)),
      ),
  };
}
