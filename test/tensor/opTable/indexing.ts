import { IndexError, ShapeError, tensor } from '@gmml/tensor';
import { build, Grid, spread } from './grid.js';
import type { Row, Sample } from './row.js';
import { bad } from './rows.js';

/** Methods that pick by an index tensor, of any number format. */
export const indexingRows: Row[] = [
  {
    name: 'indexSelect',
    ops: ['indexSelect'],
    differentiable: true,
    samples: [
      selected([4, 3], 0, [2, 0, 2, 3]),
      selected([4, 3], 1, [1]),
      selected([2, 3, 4], 1, [2, 2, 0, 1, 2]),
      selected([2, 3, 4], -1, [3, 0]),
      selected([3], 0, [0, 0, 0]),
      selected([1], 0, [0]),
      selected([3, 2], 0, []),
      selected([3, 0], 0, [1, 1]),
    ],
    bad: [
      bad(
        'an index too large',
        (x) => x.indexSelect(0, tensor([0, 2])),
        IndexError,
        'indexSelect: indices must be integers from 0 to 1 (dimension 0 of [2, 3]): entry 1 is 2.',
      ),
      bad(
        'a negative index',
        (x) => x.indexSelect(1, [-1]),
        IndexError,
        'indexSelect: indices must be integers from 0 to 2 (dimension 1 of [2, 3]): entry 0 is -1.',
      ),
      bad(
        'a fraction',
        (x) => x.indexSelect(1, [0, 1.5]),
        IndexError,
        'indexSelect: indices must be integers from 0 to 2 (dimension 1 of [2, 3]): entry 1 is 1.5.',
      ),
      bad(
        'NaN',
        (x) => x.indexSelect(1, [NaN]),
        IndexError,
        'indexSelect: indices must be integers from 0 to 2 (dimension 1 of [2, 3]): entry 0 is NaN.',
      ),
      bad(
        'a matrix of indices',
        (x) => x.indexSelect(1, tensor([[0], [1]])),
        ShapeError,
        'indexSelect: the index must have one dimension: it is [2, 1].',
      ),
      bad(
        'a dimension that is not there',
        (x) => x.indexSelect(2, [0]),
        ShapeError,
        'indexSelect: dimension out of range: dim is 2 (allowed are -2 to 1).',
      ),
    ],
  },
  {
    name: 'gather',
    ops: ['gather'],
    differentiable: true,
    samples: [
      gathered([3, 4], 1, new Grid([3, 2], [0, 3, 1, 1, 2, 0])),
      gathered([3, 4], 0, new Grid([2, 4], [0, 2, 1, 0, 2, 2, 1, 0])),
      gathered([2, 3, 2], 1, new Grid([2, 4, 1], [0, 1, 2, 2, 1, 1, 1, 0])),
      gathered([2, 3, 2], -1, new Grid([1, 3, 2], [0, 1, 1, 1, 0, 0])),
      gathered([5], 0, new Grid([3], [4, 4, 0])),
      gathered([1], 0, new Grid([1], [0])),
      gathered([3, 4], 1, new Grid([3, 0], [])),
      gathered([0, 4], 1, new Grid([0, 2], [])),
    ],
    bad: [
      bad(
        'an index too large',
        (x) => x.gather(1, tensor([[0], [3]])),
        IndexError,
        'gather: indices must be integers from 0 to 2 (dimension 1 of [2, 3]): entry 1 is 3.',
      ),
      bad(
        'a fraction',
        (x) => x.gather(1, tensor([[0.5], [1]])),
        IndexError,
        'gather: indices must be integers from 0 to 2 (dimension 1 of [2, 3]): entry 0 is 0.5.',
      ),
      bad(
        'another number of dimensions',
        (x) => x.gather(1, tensor([0, 1])),
        ShapeError,
        'gather: the index must fit inside x but for dimension 1: x is [2, 3], the index is [2].',
      ),
      bad(
        'an index larger than x',
        (x) => x.gather(1, tensor([[0], [1], [2]])),
        ShapeError,
        'gather: the index must fit inside x but for dimension 1: x is [2, 3], the index is [3, 1].',
      ),
      bad(
        'a dimension that is not there',
        (x) => x.gather(2, tensor([[0], [1]])),
        ShapeError,
        'gather: dimension out of range: dim is 2 (allowed are -2 to 1).',
      ),
    ],
  },
];

function selected(shape: number[], dim: number, index: number[]): Sample {
  const along = dim < 0 ? dim + shape.length : dim;
  return {
    label: `[${shape}] along ${dim}: [${index}]`,
    inputs: [spread(shape)],
    call: (x) => x.indexSelect(dim, tensor(index, { dtype: 'float32' })),
    reference: (x) => build(shape.with(along, index.length), (i) => x.at(...i.with(along, index[i[along]]))),
  };
}

function gathered(shape: number[], dim: number, index: Grid): Sample {
  const along = dim < 0 ? dim + shape.length : dim;
  return {
    label: `[${shape}] along ${dim} by [${index.shape}]`,
    inputs: [spread(shape)],
    call: (x) => x.gather(dim, index.tensor('float32')),
    reference: (x) => build(index.shape, (i) => x.at(...i.with(along, index.at(...i)))),
  };
}
