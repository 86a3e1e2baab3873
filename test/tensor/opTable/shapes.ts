import { ShapeError, type Shape, type Tensor } from '@gmml/tensor';
import { broadcastAt, build, Grid, spread } from './grid.js';
import type { Row, Sample } from './row.js';
import { bad, moved, row } from './rows.js';

/** Methods that give all the numbers another shape or order. */
export const shapeRows: Row[] = [
  row('reshape', ['reshape'], {
    samples: [
      reshaped([2, 3], [3, 2], (x) => x.reshape([3, 2])),
      reshaped([2, 3, 4], [4, 6], (x) => x.reshape([4, -1])),
      reshaped([6], [6], (x) => x.reshape([-1])),
      reshaped([1], [], (x) => x.reshape([])),
      reshaped([], [1, 1], (x) => x.reshape([1, 1])),
      reshaped([0, 3], [3, 0, 2], (x) => x.reshape([3, 0, 2])),
      reshaped([0, 3], [0], (x) => x.reshape([-1])),
    ],
    bad: [
      bad(
        'another size',
        (x) => x.reshape([4]),
        ShapeError,
        'reshape: the number of elements must stay the same: [2, 3] has 6, [4] asks for 4.',
      ),
      bad(
        'no whole number left',
        (x) => x.reshape([4, -1]),
        ShapeError,
        'reshape: the number of elements must stay the same: [2, 3] has 6, [4, -1] asks for a multiple of 4.',
      ),
      bad(
        'two holes',
        (x) => x.reshape([-1, -1]),
        ShapeError,
        'reshape: at most one size may be -1: the shape asked for is [-1, -1].',
      ),
      bad(
        'a negative size',
        (x) => x.reshape([-2, 3]),
        ShapeError,
        'reshape: sizes must be non-negative integers: the shape is [-2, 3].',
      ),
      bad(
        'a fraction',
        (x) => x.reshape([1.5, 4]),
        ShapeError,
        'reshape: sizes must be non-negative integers: the shape is [1.5, 4].',
      ),
      bad(
        'a hole beside nothing',
        () => spread([0]).tensor().reshape([0, -1]),
        ShapeError,
        'reshape: -1 is ambiguous beside a size of 0: the shape asked for is [0, -1].',
      ),
    ],
  }),
  row('flatten', [], {
    samples: [
      reshaped([2, 3, 4], [24], (x) => x.flatten()),
      reshaped([2, 3, 4], [2, 12], (x) => x.flatten(1)),
      reshaped([2, 3, 4], [6, 4], (x) => x.flatten(0, 1)),
      reshaped([2, 3, 4, 1], [2, 12, 1], (x) => x.flatten(-3, -2)),
      reshaped([2, 3], [2, 3], (x) => x.flatten(1, 1)),
      reshaped([], [1], (x) => x.flatten()),
      reshaped([2, 0, 3], [2, 0], (x) => x.flatten(1)),
    ],
    bad: [
      bad(
        'dims in the wrong order',
        (x) => x.flatten(1, 0),
        ShapeError,
        'flatten: startDim must not come after endDim: 1, 0.',
      ),
      bad(
        'a dimension that is not there',
        (x) => x.flatten(2),
        ShapeError,
        'flatten: dimension out of range: dim is 2 (allowed are -2 to 1).',
      ),
    ],
  }),
  row('unsqueeze', [], {
    samples: [
      reshaped([2, 3], [1, 2, 3], (x) => x.unsqueeze(0)),
      reshaped([2, 3], [2, 1, 3], (x) => x.unsqueeze(1)),
      reshaped([2, 3], [2, 3, 1], (x) => x.unsqueeze(-1)),
      reshaped([], [1], (x) => x.unsqueeze(0)),
      reshaped([0], [1, 0], (x) => x.unsqueeze(-2)),
    ],
    bad: [
      bad(
        'a dimension too far',
        (x) => x.unsqueeze(3),
        ShapeError,
        'unsqueeze: dimension out of range: dim is 3 (allowed are -3 to 2).',
      ),
    ],
  }),
  row('squeeze', [], {
    samples: [
      reshaped([1, 2, 1, 3], [2, 3], (x) => x.squeeze()),
      reshaped([1, 2, 1], [2, 1], (x) => x.squeeze(0)),
      reshaped([1, 2, 1], [1, 2], (x) => x.squeeze(-1)),
      reshaped([1, 2, 1], [1, 2, 1], (x) => x.squeeze(1)),
      reshaped([1, 1], [], (x) => x.squeeze()),
      reshaped([1, 0], [0], (x) => x.squeeze()),
    ],
    bad: [
      bad(
        'a dimension that is not there',
        (x) => x.squeeze(2),
        ShapeError,
        'squeeze: dimension out of range: dim is 2 (allowed are -2 to 1).',
      ),
    ],
  }),
  row('permute', ['permute'], {
    samples: [
      permuted([2, 3, 4], [2, 0, 1]),
      permuted([2, 3, 4], [0, -1, 1]),
      permuted([3, 2], [1, 0]),
      permuted([2, 1, 3, 2], [3, 2, 1, 0]),
      permuted([], []),
      permuted([2, 0, 3], [1, 2, 0]),
    ],
    bad: [
      bad(
        'a dimension missing',
        (x) => x.permute([0]),
        ShapeError,
        'permute: dims must name each dimension once: dims are [0], the shape is [2, 3].',
      ),
      bad(
        'a dimension twice',
        (x) => x.permute([0, 0]),
        ShapeError,
        'permute: dims must name each dimension once: dims are [0, 0], the shape is [2, 3].',
      ),
      bad(
        'a dimension that is not there',
        (x) => x.permute([0, 2]),
        ShapeError,
        'permute: dimension out of range: dim is 2 (allowed are -2 to 1).',
      ),
    ],
  }),
  row('transpose', [], {
    samples: [
      moved(
        [2, 3, 4],
        [4, 3, 2],
        (x) => x.transpose(0, 2),
        ([i, j, k]) => [k, j, i],
      ),
      moved(
        [2, 3, 4],
        [2, 4, 3],
        (x) => x.transpose(-1, 1),
        ([i, j, k]) => [i, k, j],
      ),
      moved(
        [2, 3],
        [2, 3],
        (x) => x.transpose(1, 1),
        (index) => index,
      ),
      moved(
        [1, 1],
        [1, 1],
        (x) => x.transpose(0, 1),
        (index) => index,
      ),
      moved(
        [0, 2],
        [2, 0],
        (x) => x.transpose(0, 1),
        ([i, j]) => [j, i],
      ),
    ],
    bad: [
      bad(
        'a dimension that is not there',
        (x) => x.transpose(0, 2),
        ShapeError,
        'transpose: dimension out of range: dim is 2 (allowed are -2 to 1).',
      ),
    ],
  }),
  row('t', [], {
    samples: [
      moved(
        [2, 3],
        [3, 2],
        (x) => x.t(),
        ([i, j]) => [j, i],
      ),
      moved(
        [1, 1],
        [1, 1],
        (x) => x.t(),
        (index) => index,
      ),
      moved(
        [2, 3, 4],
        [2, 4, 3],
        (x) => x.t(),
        ([b, i, j]) => [b, j, i],
      ),
      moved(
        [2, 0],
        [0, 2],
        (x) => x.t(),
        ([i, j]) => [j, i],
      ),
    ],
    bad: [
      {
        label: 'a vector',
        call: () => spread([3]).tensor().t(),
        error: ShapeError,
        message: 't: at least two dimensions: the shape is [3].',
      },
    ],
  }),
  row('expand', ['expand'], {
    samples: [
      expanded([3, 1], [3, 4]),
      expanded([3], [2, 3]),
      expanded([1, 3, 1], [2, 3, 2]),
      expanded([], [2, 2]),
      expanded([3, 1], [-1, 4], [3, 4]),
      expanded([1, 2], [0, 2]),
      expanded([0], [2, 0]),
    ],
    bad: [
      bad(
        'a size that is not 1',
        (x) => x.expand([4, 3]),
        ShapeError,
        'expand: only sizes of 1 can be repeated: [2, 3] to [4, 3].',
      ),
      bad(
        'fewer dimensions',
        (x) => x.expand([3]),
        ShapeError,
        'expand: only sizes of 1 can be repeated: [2, 3] to [3].',
      ),
      bad(
        'a fraction',
        () => spread([1]).tensor().expand([1.5]),
        ShapeError,
        'expand: sizes must be non-negative integers: the shape is [1.5].',
      ),
    ],
  }),
  row('clone', ['to'], {
    samples: [[2, 3], [], [1], [0, 2]].map((shape) =>
      moved(
        shape,
        shape,
        (x) => x.clone(),
        (index) => index,
      ),
    ),
    bad: [],
  }),
];

function reshaped(shape: Shape, to: Shape, call: (x: Tensor) => Tensor): Sample {
  return {
    label: `[${shape}] to [${to}]`,
    inputs: [spread(shape)],
    call,
    reference: (x) => new Grid(to, x.values),
  };
}

function permuted(shape: Shape, dims: number[]): Sample {
  const order = dims.map((dim) => (dim < 0 ? dim + shape.length : dim));
  const to = order.map((dim) => shape[dim]);
  return moved(
    shape,
    to,
    (x) => x.permute(dims),
    (index) => shape.map((_, dim) => index[order.indexOf(dim)]),
  );
}

function expanded(shape: Shape, asked: Shape, to: Shape = asked): Sample {
  return {
    label: `[${shape}] to [${asked}]`,
    inputs: [spread(shape)],
    call: (x) => x.expand(asked),
    reference: (x) => build(to, (index) => broadcastAt(x, index)),
  };
}
