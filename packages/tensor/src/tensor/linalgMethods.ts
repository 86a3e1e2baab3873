import { ShapeError } from '../errors.js';
import * as linalg from '../ops/linalg.js';
import { checkProduct, matmul } from '../ops/matmul.js';
import type { Op } from '../ops/op.js';
import { broadcastLeading, sameShape, show, sizeOf } from '../shape.js';
import { ReductionMethods } from './reductionMethods.js';
import type { Tensor } from './tensor.js';

/** How operands are read, and whether half of the product will do. */
export interface MatmulOptions {
  /** Reads the left operand with its last two dimensions swapped. Default false. */
  readonly transposeA?: boolean;
  /** Reads the right operand so. Default false. */
  readonly transposeB?: boolean;
  /** Only the lower triangle of each product is computed, in about half of the time; zeros above. Default false. */
  readonly lower?: boolean;
}

/** How a triangular system is read. */
export interface SolveOptions {
  /** The matrix is upper triangular as stored; default lower. */
  readonly upper?: boolean;
  /** Solves with the transposed matrix. Default false. */
  readonly transpose?: boolean;
  /** Takes the diagonal as ones, without reading it. Default false. */
  readonly unitDiagonal?: boolean;
  /** Solves op(A) X = B (default), or X op(A) = B when false. */
  readonly left?: boolean;
}

/** Linear algebra over the last two dimensions. */
export abstract class LinalgMethods extends ReductionMethods {
  /** [..., M, K] · [..., K, N] → [..., M, N], leading dimensions broadcast. A vector on the left is taken as a row, on the right as a column, and left out of the result, as in torch. */
  matmul(
    other: Tensor,
    { transposeA = false, transposeB = false, lower = false }: MatmulOptions = {},
  ): Tensor {
    checkProduct(this.shape, other.shape, { transposeA, transposeB });
    if (this.ndim === 1)
      return this.unsqueeze(0)
        .matmul(other, { transposeB, lower })
        .squeeze(other.ndim === 1 ? 0 : -2);
    if (other.ndim === 1) return this.matmul(other.unsqueeze(1), { transposeA, lower }).squeeze(-1);
    if (this.ndim > 2 && other.ndim === 2 && !transposeA && !lower) {
      // One product with the shared matrix instead of a batch of them.
      const rows = this.reshape([sizeOf(this.shape.slice(0, -1)), this.shape[this.ndim - 1]]);
      const product = rows.matmul(other, { transposeB });
      return product.reshape([...this.shape.slice(0, -1), product.shape[1]]);
    }
    return this.apply(matmul, [other], { transposeA, transposeB, lower });
  }
  /** The lower triangular L with A = L Lᵀ [..., D, D], of the lower triangle of A. @throws NotPositiveDefiniteError, NotFiniteError */
  cholesky(): Tensor {
    return this.apply(linalg.cholesky);
  }
  /** X of op(this) X = b for triangular `this` [..., D, D] and b [..., D, M] → [..., D, M], leading dimensions broadcast; the other triangle is not read, and a 0 on the diagonal is divided by. See `SolveOptions`. */
  triangularSolve(
    b: Tensor,
    { upper = false, transpose = false, unitDiagonal = false, left = true }: SolveOptions = {},
  ): Tensor {
    const size = this.shape[this.ndim - 1];
    if (!left && (b.ndim < 2 || b.shape[b.ndim - 1] !== size)) {
      throw new ShapeError(
        `triangularSolve: b must be [..., M, D] to a [..., D, D]: a is ${show(this.shape)}, b is ${show(b.shape)}.`,
      );
    }
    if (!left) return this.triangularSolve(b.t(), { upper, transpose: !transpose, unitDiagonal }).t();
    return this.#applyBatched(linalg.triangularSolve, b, { upper, transpose, unitDiagonal });
  }
  /** |this⁻¹ b|² of each column b, `this` lower triangular: [..., D, M] → [..., M]. Leading dimensions broadcast. */
  squaredMahalanobis(b: Tensor): Tensor {
    return this.#applyBatched(linalg.squaredMahalanobis, b);
  }
  /** log |A| [...] of symmetric positive definite A: 2 Σ log Lᵢᵢ. Derivative: A⁻¹. @throws as `cholesky` */
  logDet(): Tensor {
    return this.cholesky().diagonal().log().sum(-1).mul(2);
  }

  /** Applies an op to this and b, their leading dimensions broadcast. */
  #applyBatched<A, E>(op: Op<A, E>, b: Tensor, ...attributes: A extends void ? [] : [A]): Tensor {
    const lead = broadcastLeading(op.name, this.shape, b.shape);
    if (!sameShape(lead, this.shape.slice(0, -2))) {
      return this.expand([...lead, ...this.shape.slice(-2)]).#applyBatched(op, b, ...attributes);
    }
    const expanded = sameShape(lead, b.shape.slice(0, -2)) ? b : b.expand([...lead, ...b.shape.slice(-2)]);
    return this.apply(op, [expanded], ...attributes);
  }
}
