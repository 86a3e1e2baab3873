import { ShapeError, type Tensor } from '@gmml/tensor';
import { broadcast, build, entryAt, Grid, spread, swapped, total } from './grid.js';
import type { Row, Sample } from './row.js';

/** The matrix product: every pairing of vectors, matrices and batches, transposed or not. */
export const matmulRow: Row = {
  name: 'matmul',
  ops: ['matmul'],
  differentiable: true,
  samples: [
    product([2, 3], [3, 4]),
    product([1, 1], [1, 1]),
    product([5, 17], [17, 9]),
    product([3, 2], [3, 4], { transposeA: true }),
    product([2, 3], [4, 3], { transposeB: true }),
    product([3, 2], [4, 3], { transposeA: true, transposeB: true }),
    product([5, 2, 3], [5, 3, 4]),
    product([4, 3], [3, 4], { lower: true }),
    product([3, 5], [3, 4], { transposeA: true, lower: true }),
    product([2, 3, 2], [2, 5], { lower: true }),
    product([3], [3, 4], { lower: true }),
    product([5, 2, 3], [3, 4]),
    product([5, 2, 3], [4, 3], { transposeB: true }),
    product([5, 3, 2], [3, 4], { transposeA: true }),
    product([2, 3], [5, 3, 4]),
    product([2, 1, 2, 3], [4, 3, 2]),
    product([4, 2, 3], [2, 1, 3, 2]),
    product([2, 1, 3, 2], [1, 4, 4, 3], { transposeA: true, transposeB: true }),
    product([1, 2, 3], [5, 3, 2]),
    product([3], [3]),
    product([3], [3, 4]),
    product([2, 3], [3]),
    product([3], [2, 3, 4]),
    product([2, 4, 3], [3]),
    product([0, 3], [3, 4]),
    product([2, 0], [0, 4]),
    product([2, 3], [3, 0]),
    product([0, 2, 3], [3, 4]),
    product([0, 2, 3], [1, 3, 4]),
  ],
  bad: [
    refused('inner sizes', [2, 3], [4, 5], 'matmul: inner sizes differ: a is [2, 3], b is [4, 5] (3 ≠ 4).'),
    refused(
      'inner sizes of a batch',
      [2, 3, 4],
      [5, 6],
      'matmul: inner sizes differ: a is [2, 3, 4], b is [5, 6] (4 ≠ 5).',
    ),
    refused(
      'inner sizes of a vector',
      [3],
      [4, 5],
      'matmul: inner sizes differ: a is [3], b is [4, 5] (3 ≠ 4).',
    ),
    refused(
      'inner sizes of a vector on the right',
      [2, 3],
      [4],
      'matmul: inner sizes differ: a is [2, 3], b is [4] (3 ≠ 4).',
    ),
    refused(
      'leading sizes',
      [2, 3, 4],
      [5, 4, 6],
      'matmul: leading dimensions do not broadcast: a is [2, 3, 4], b is [5, 4, 6] (2 ≠ 5).',
    ),
    refused('a scalar', [], [2, 3], 'matmul: at least one dimension each: a is [], b is [2, 3].'),
    {
      label: 'inner sizes, transposed',
      call: () =>
        spread([2, 3])
          .tensor()
          .matmul(spread([3, 4]).tensor(), { transposeA: true }),
      error: ShapeError,
      message: 'matmul: inner sizes differ: a is [2, 3] transposed, b is [3, 4] (2 ≠ 3).',
    },
  ],
};

interface Flags {
  transposeA?: boolean;
  transposeB?: boolean;
  lower?: boolean;
}

/** `Σₖ aᵢₖ bₖⱼ`; a vector is a row on the left, a column on the right, and then left out. */
function product(shapeA: number[], shapeB: number[], flags: Flags = {}): Sample {
  const { transposeA = false, transposeB = false, lower = false } = flags;
  const reference = (a: Grid, b: Grid): Grid => {
    const x = a.shape.length === 1 ? new Grid([1, ...a.shape], a.values) : transposeA ? swapped(a) : a;
    const y = b.shape.length === 1 ? new Grid([...b.shape, 1], b.values) : transposeB ? swapped(b) : b;
    const lead = broadcast(x.shape.slice(0, -2), y.shape.slice(0, -2));
    const [m, n] = [x.shape[x.shape.length - 2], y.shape[y.shape.length - 1]];
    const full = build([...lead, m, n], (index) => {
      const [i, j] = index.slice(-2);
      const batch = index.slice(0, -2);
      if (lower && j > i) return 0;
      return total(y.shape[y.shape.length - 2], (k) => entryAt(x, batch, i, k) * entryAt(y, batch, k, j));
    });
    return new Grid(
      [...lead, ...(a.shape.length === 1 ? [] : [m]), ...(b.shape.length === 1 ? [] : [n])],
      full.values,
    );
  };
  return {
    label: `[${shapeA}]${transposeA ? 'ᵀ' : ''} [${shapeB}]${transposeB ? 'ᵀ' : ''}${lower ? ', lower' : ''}`,
    inputs: [spread(shapeA, -2, 2, 1), spread(shapeB, -2, 2, 2)],
    call: (a: Tensor, b: Tensor) => a.matmul(b, flags),
    reference,
  };
}

function refused(label: string, shapeA: number[], shapeB: number[], message: string): Row['bad'][number] {
  return {
    label,
    call: () => spread(shapeA).tensor().matmul(spread(shapeB).tensor()),
    error: ShapeError,
    message,
  };
}
