import {
  cholesky,
  logDet,
  NotFiniteError,
  NotPositiveDefiniteError,
  ShapeError,
  type Tensor,
  tensor,
} from '@gmml/tensor';
import { build, type Grid, range, spread, total } from './grid.js';
import type { Row, Sample } from './row.js';

/** The Cholesky factor over the last two dimensions, and what is made of it. */
export const choleskyRows: Row[] = [
  {
    name: 'cholesky',
    ops: ['cholesky'],
    differentiable: true,
    samples: [
      [1, 1],
      [2, 2],
      [5, 5],
      [3, 2, 2],
      [2, 2, 3, 3],
      [0, 0],
      [0, 3, 3],
    ].map((shape): Sample => ({
      label: `[${shape}]`,
      inputs: [positiveDefinite(shape)],
      call: (a) => cholesky(symmetrize(a)),
      reference: (a) => eachMatrix(a, choleskyBySchurComplements),
    })),
    bad: [
      {
        label: 'not square',
        call: () => cholesky(spread([2, 3]).tensor()),
        error: ShapeError,
        message: 'cholesky: a must be square, [..., D, D]: it is [2, 3].',
      },
      {
        label: 'a vector',
        call: () => cholesky(spread([3]).tensor()),
        error: ShapeError,
        message: 'cholesky: a must be square, [..., D, D]: it is [3].',
      },
      {
        label: 'an indefinite matrix of a batch',
        call: () =>
          cholesky(
            tensor(
              [
                [
                  [1, 0],
                  [0, 1],
                ],
                [
                  [4, 2],
                  [2, -0.5],
                ],
              ],
              { dtype: 'float64' },
            ),
          ),
        error: NotPositiveDefiniteError,
        message:
          'cholesky: matrix 1 of 2 is not positive definite: pivot 1 is -1.5. Add jitter to the diagonal, or use more samples per component.',
      },
      {
        label: 'a singular matrix',
        call: () =>
          cholesky(
            tensor([
              [1, 1],
              [1, 1],
            ]),
          ),
        error: NotPositiveDefiniteError,
        message:
          'cholesky: matrix 0 of 1 is not positive definite: pivot 1 is 0. Add jitter to the diagonal, or use more samples per component.',
      },
      {
        label: 'NaN',
        call: () =>
          cholesky(
            tensor([
              [1, 0],
              [NaN, 1],
            ]),
          ),
        error: NotFiniteError,
        message: 'cholesky: the numbers must be finite: entry [1, 0] of matrix 0 of 1 is NaN.',
      },
      {
        label: 'an infinity',
        call: () => cholesky(tensor([[[1]], [[Infinity]]])),
        error: NotFiniteError,
        message: 'cholesky: the numbers must be finite: entry [0, 0] of matrix 1 of 2 is Infinity.',
      },
    ],
  },
  {
    name: 'logDet',
    ops: [],
    differentiable: true,
    samples: [
      [1, 1],
      [2, 2],
      [4, 4],
      [3, 2, 2],
      [0, 0],
      [0, 3, 3],
    ].map((shape): Sample => ({
      label: `[${shape}]`,
      inputs: [positiveDefinite(shape)],
      call: (a) => logDet(symmetrize(a)),
      reference: (a) =>
        build(shape.slice(0, -2), (lead) =>
          Math.log(determinant(build(shape.slice(-2), ([i, j]) => a.at(...lead, i, j)))),
        ),
    })),
    bad: [
      {
        label: 'not square',
        call: () => logDet(spread([2, 3]).tensor()),
        error: ShapeError,
        message: 'cholesky: a must be square, [..., D, D]: it is [2, 3].',
      },
      {
        label: 'an indefinite matrix',
        call: () =>
          logDet(
            tensor([
              [1, 2],
              [2, 1],
            ]),
          ),
        error: NotPositiveDefiniteError,
        message:
          'cholesky: matrix 0 of 1 is not positive definite: pivot 1 is -3. Add jitter to the diagonal, or use more samples per component.',
      },
    ],
  },
];

/** `M Mᵀ + ½I` with M spread over (−1, 1). */
function positiveDefinite(shape: number[]): Grid {
  const m = spread(shape, -1, 1);
  return build(shape, (index) => {
    const [i, j] = index.slice(-2);
    const lead = index.slice(0, -2);
    return (
      total(shape[shape.length - 1], (k) => m.at(...lead, i, k) * m.at(...lead, j, k)) + (i === j ? 0.5 : 0)
    );
  });
}

/** Finite differences move one entry of a pair: only through this is the gradient that of a symmetric matrix. */
function symmetrize(a: Tensor): Tensor {
  return a.add(a.t()).mul(0.5);
}

function eachMatrix(a: Grid, f: (matrix: Grid) => Grid): Grid {
  const batch = new Map<string, Grid>();
  return build(a.shape, (index) => {
    const lead = index.slice(0, -2);
    const key = lead.join();
    if (!batch.has(key)) batch.set(key, f(build(a.shape.slice(-2), ([i, j]) => a.at(...lead, i, j))));
    return batch.get(key)!.at(...index.slice(-2));
  });
}

/** Column by column: the first column of L is that of A over the root of the pivot; then A less its outer product. */
function choleskyBySchurComplements(a: Grid): Grid {
  const n = a.shape[0];
  let rest = a;
  const columns = range(n).map((k) => {
    const column = range(n).map((i) => (i < k ? 0 : rest.at(i, k) / Math.sqrt(rest.at(k, k))));
    const before = rest;
    rest = build([n, n], ([i, j]) => before.at(i, j) - column[i] * column[j]);
    return column;
  });
  return build([n, n], ([i, j]) => columns[j][i]);
}

/** Laplace's expansion along the first row. */
function determinant(a: Grid): number {
  const n = a.shape[0];
  if (n === 0) return 1;
  const minor = (j: number): Grid => build([n - 1, n - 1], ([r, c]) => a.at(r + 1, c < j ? c : c + 1));
  return total(n, (j) => (j % 2 === 0 ? 1 : -1) * a.at(0, j) * determinant(minor(j)));
}
