import { cholesky, tensor, triangularSolve } from '@gmml/tensor';
import { describe, expect, test } from 'vitest';
import { valueAndGradient } from './gradient.js';

const INF = Infinity;

describe('cholesky', () => {
  test('reads the lower triangle only', () => {
    const l = cholesky(
      tensor(
        [
          [4, NaN],
          [2, 5],
        ],
        { dtype: 'float64' },
      ),
    );
    expect(l).toBeAllClose([
      [2, 0],
      [1, 2],
    ]);
  });

  test('gives the gradient among symmetric matrices, as torch does', () => {
    // L₂₁ = a₂₁/√a₁₁: −a₂₁/2a₁₁^(3/2) in a₁₁, and 1/√a₁₁ shared by a₂₁ and a₁₂.
    const { dx } = valueAndGradient(
      [
        [4, 2],
        [2, 5],
      ],
      (a) => cholesky(a).slice(0, 1).slice(1, 0, 1),
    );
    expect(dx).toBeAllClose([
      [-0.125, 0.25],
      [0.25, 0],
    ]);
  });

  test('is there in float32, with sums in float64', () => {
    expect(
      cholesky(
        tensor([
          [1, 1],
          [1, 1 + 2 ** -23],
        ]),
      ),
    ).toBeAllClose(
      [
        [1, 0],
        [1, Math.sqrt(2 ** -23)],
      ],
      { rtol: 1e-6 },
    );
  });

  test('names the matrix and the pivot of the failure', () => {
    const a = tensor(
      [
        [
          [1, 0],
          [0, 1],
        ],
        [
          [1, 0],
          [0, -1.2e-7],
        ],
      ],
      { dtype: 'float64' },
    );
    expect(() => a.cholesky()).toThrow(
      expect.objectContaining({ matrix: 1, pivot: 1, name: 'NotPositiveDefiniteError' }),
    );
    expect(() => a.cholesky()).toThrow(
      'cholesky: matrix 1 of 2 is not positive definite: pivot 1 is -1.2e-7. Add jitter to the diagonal, or use more samples per component.',
    );
  });
});

describe('triangularSolve', () => {
  const filled = tensor(
    [
      [2, NaN],
      [1, 4],
    ],
    { dtype: 'float64' },
  );

  test('reads the named triangle only', () => {
    const b = tensor([[2], [9]], { dtype: 'float64' });
    expect(triangularSolve(filled, b)).toBeAllClose([[1], [2]]);
    expect(triangularSolve(filled.t(), b, { upper: true, transpose: true })).toBeAllClose([[1], [2]]);
  });

  test('does not read a unit diagonal', () => {
    const l = tensor(
      [
        [NaN, 7],
        [3, NaN],
      ],
      { dtype: 'float64' },
    );
    expect(triangularSolve(l, tensor([[1], [5]], { dtype: 'float64' }), { unitDiagonal: true })).toBeAllClose(
      [[1], [2]],
    );
  });

  test('has no gradient in what it does not read', () => {
    const l = tensor(
      [
        [2, 7],
        [1, 4],
      ],
      { dtype: 'float64', requiresGrad: true },
    );
    triangularSolve(l, tensor([[2], [9]], { dtype: 'float64' }))
      .sum()
      .backward();
    expect(l.grad).toBeAllClose([
      [-0.375, 0],
      [-0.25, -0.5],
    ]);
  });

  test('of a singular matrix is infinite, as the division is', () => {
    expect(triangularSolve(tensor([[0]]), tensor([[1]]))).toBeAllClose([[INF]]);
  });
});
