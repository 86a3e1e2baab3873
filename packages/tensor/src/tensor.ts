import { ArgumentError, DTypeError, GradientError, ShapeError } from './errors.js';
import * as arithmetic from './ops/arithmetic.js';
import * as elementwise from './ops/elementwise.js';
import * as indexing from './ops/indexing.js';
import * as linalg from './ops/linalg.js';
import { checkProduct, matmul } from './ops/matmul.js';
import * as movement from './ops/movement.js';
import type { Op } from './ops/op.js';
import * as reduce from './ops/reduce.js';
import {
  broadcastLeading,
  normalizeDim,
  normalizeDims,
  sameShape,
  show,
  sizeOf,
  type Dims,
  type Shape,
} from './shape.js';
import { allocate, Storage, type DType, type FloatArray, type View } from './storage.js';
import * as tape from './tape.js';
import { Variable } from './variable.js';

/** A tensor, or a number that takes the other operand's number format. */
export type Operand = Tensor | number;

/** Indices along a dimension: integers in a tensor of any number format, or in an array. */
export type Indices = Tensor | readonly number[];

/** Whether reduced dimensions stay, as 1. */
export interface KeepDim {
  readonly keepDim?: boolean;
}

/** Whether operands are read with their last two dimensions swapped. */
export interface MatmulOptions {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  /** Only the lower triangle of each product is computed, in about half of the time; zeros above. Default false. */
  readonly lower?: boolean;
}

/** How a triangular system is read. */
export interface SolveOptions {
  /** The matrix is upper triangular as stored; default lower. */
  readonly upper?: boolean;
  /** Solves with the transposed matrix. */
  readonly transpose?: boolean;
  /** Takes the diagonal as ones, without reading it. */
  readonly unitDiagonal?: boolean;
  /** Solves op(A) X = B (default), or X op(A) = B when false. */
  readonly left?: boolean;
}

/**
 * A multi-dimensional array of float32 or float64 numbers that remembers how it was computed, so that
 * `backward()` can differentiate it. Operations are methods named as in torch; each is documented
 * with its derivative where it is defined, in `ops/`. Dimensions may be negative, from the last.
 *
 * @example
 * const x = tensor([1, 2, 3], { requiresGrad: true });
 * x.square().sum().backward();
 * x.grad!.toArray(); // [2, 4, 6]
 */
export class Tensor extends Variable {
  #gradient: Tensor | null = null;
  /** Whether somebody may keep the gradient: then its numbers are left alone when it is forgotten. */
  #gradientWasRead = false;
  /** A forgotten gradient, to be overwritten by the next. */
  #spareGradient: Tensor | null = null;

  /** The gradient that `backward()` adds up in a leaf; null before. */
  get grad(): Tensor | null {
    this.#gradientWasRead = true;
    return this.#gradient;
  }

  set grad(gradient: Tensor | null) {
    this.#gradient = gradient;
    this.#gradientWasRead = gradient !== null;
    this.#spareGradient = null;
  }

  /** `grad` for a moment, as optimizers read it: after `zeroGrad()` its numbers may be overwritten. */
  peekGrad(): Tensor | null {
    return this.#gradient;
  }

  /** Adds to `grad`; the tape calls it. */
  override accumulateGrad(g: View): void {
    if (this.#gradient !== null) {
      this.#gradient.copyFrom(this.#gradient.detach().add(new Tensor(new Storage(g.data), g.shape)));
      return;
    }
    this.#gradient = this.#spareGradient?.copyFrom(g.data) ?? new Tensor(persisted(g.data), this.shape);
    this.#gradientWasRead = false;
    this.#spareGradient = null;
  }

  /** Forgets the gradient. */
  zeroGrad(): void {
    if (this.#gradient !== null) this.#spareGradient = this.#gradientWasRead ? null : this.#gradient;
    this.#gradient = null;
  }

  /** The same numbers (shared), as a leaf that needs no gradient. */
  detach(): Tensor {
    return new Tensor(this.storage, this.shape);
  }

  /** A copy, through which gradients flow. */
  clone(): Tensor {
    return this.to(this.dtype);
  }

  /** A copy in another number format, through which gradients flow. */
  to(dtype: DType): Tensor {
    return apply(elementwise.to, [this], { dtype: checkDType('to', dtype) });
  }

  /**
   * Overwrites the numbers of a leaf in place, converting the number format.
   * @throws ShapeError when the shape (of an array: the length) differs; GradientError unless it is a leaf
   */
  copyFrom(source: Tensor | ArrayLike<number>): this {
    if (this.node !== null) {
      throw new GradientError(
        `copyFrom: only a leaf can be overwritten: this tensor was computed by ${this.node.op.name}.`,
      );
    }
    const fits = source instanceof Tensor ? sameShape(source.shape, this.shape) : source.length === this.size;
    if (!fits) {
      const given = source instanceof Tensor ? show(source.shape) : `${source.length} numbers`;
      throw new ShapeError(`copyFrom: the source must fit ${show(this.shape)}: it is ${given}.`);
    }
    this.data.set(source instanceof Tensor ? source.data : source);
    this.markChanged();
    return this;
  }

  // Arithmetic and comparisons, broadcasting

  /** this + other. */
  add(other: Operand): Tensor {
    return apply(arithmetic.add, [this, this.#lift('add', other)]);
  }
  /** this − other. */
  sub(other: Operand): Tensor {
    return apply(arithmetic.sub, [this, this.#lift('sub', other)]);
  }
  /** this · other, entry by entry. */
  mul(other: Operand): Tensor {
    return apply(arithmetic.mul, [this, this.#lift('mul', other)]);
  }
  /** this / other, entry by entry. */
  div(other: Operand): Tensor {
    return apply(arithmetic.div, [this, this.#lift('div', other)]);
  }
  /** this to the power of other. */
  pow(other: Operand): Tensor {
    return apply(arithmetic.pow, [this, this.#lift('pow', other)]);
  }
  /** The larger of the two; NaN wins. */
  maximum(other: Operand): Tensor {
    return apply(arithmetic.maximum, [this, this.#lift('maximum', other)]);
  }
  /** The smaller of the two; NaN wins. */
  minimum(other: Operand): Tensor {
    return apply(arithmetic.minimum, [this, this.#lift('minimum', other)]);
  }
  /** 1 where this = other, else 0; no gradient, as of all comparisons. */
  equal(other: Operand): Tensor {
    return apply(arithmetic.equal, [this, this.#lift('equal', other)]);
  }
  /** 1 where this ≠ other, else 0. */
  notEqual(other: Operand): Tensor {
    return apply(arithmetic.notEqual, [this, this.#lift('notEqual', other)]);
  }
  /** 1 where this > other, else 0. */
  greater(other: Operand): Tensor {
    return apply(arithmetic.greater, [this, this.#lift('greater', other)]);
  }
  /** 1 where this ≥ other, else 0. */
  greaterEqual(other: Operand): Tensor {
    return apply(arithmetic.greaterEqual, [this, this.#lift('greaterEqual', other)]);
  }
  /** 1 where this < other, else 0. */
  less(other: Operand): Tensor {
    return apply(arithmetic.less, [this, this.#lift('less', other)]);
  }
  /** 1 where this ≤ other, else 0. */
  lessEqual(other: Operand): Tensor {
    return apply(arithmetic.lessEqual, [this, this.#lift('lessEqual', other)]);
  }

  // Elementwise functions

  /** −x. */
  neg(): Tensor {
    return apply(elementwise.neg, [this]);
  }
  /** eˣ. */
  exp(): Tensor {
    return apply(elementwise.exp, [this]);
  }
  /** The natural logarithm. */
  log(): Tensor {
    return apply(elementwise.log, [this]);
  }
  /** log(1 + x), accurate for small x. */
  log1p(): Tensor {
    return apply(elementwise.log1p, [this]);
  }
  /** eˣ − 1, accurate for small x. */
  expm1(): Tensor {
    return apply(elementwise.expm1, [this]);
  }
  /** √x. */
  sqrt(): Tensor {
    return apply(elementwise.sqrt, [this]);
  }
  /** x². */
  square(): Tensor {
    return apply(elementwise.square, [this]);
  }
  /** 1/x. */
  reciprocal(): Tensor {
    return apply(elementwise.reciprocal, [this]);
  }
  /** sin x. */
  sin(): Tensor {
    return apply(elementwise.sin, [this]);
  }
  /** cos x. */
  cos(): Tensor {
    return apply(elementwise.cos, [this]);
  }
  /** |x|. */
  abs(): Tensor {
    return apply(elementwise.abs, [this]);
  }
  /** max(x, 0). */
  relu(): Tensor {
    return apply(elementwise.relu, [this]);
  }
  /** tanh x. */
  tanh(): Tensor {
    return apply(elementwise.tanh, [this]);
  }
  /** 1/(1 + e⁻ˣ). */
  sigmoid(): Tensor {
    return apply(elementwise.sigmoid, [this]);
  }
  /** log(1 + eˣ), which neither end overflows. */
  softplus(): Tensor {
    return apply(elementwise.softplus, [this]);
  }
  /** −log(1 + e⁻ˣ). */
  logSigmoid(): Tensor {
    return apply(elementwise.logSigmoid, [this]);
  }
  /** 1 where x is NaN, else 0; no gradient. */
  isNaN(): Tensor {
    return apply(elementwise.isNaN, [this]);
  }
  /** 1 where x is finite, else 0; no gradient. */
  isFinite(): Tensor {
    return apply(elementwise.isFinite, [this]);
  }
  /** Into [min, max], either of which may be left out. @throws ArgumentError when min > max */
  clamp(min = -Infinity, max = Infinity): Tensor {
    if (!(min <= max)) throw new ArgumentError(`clamp: min must be at most max: they are ${min} and ${max}.`);
    return apply(elementwise.clamp, [this], { min, max });
  }

  // Reductions over one dimension, several, or (by default) all

  /** Σ x, summed in float64 on the reference. */
  sum(dim?: Dims, options?: KeepDim): Tensor {
    return apply(reduce.sum, [this], this.#reduction('sum', dim, options));
  }
  /** Σ x / n. */
  mean(dim?: Dims, options?: KeepDim): Tensor {
    const { dims } = this.#reduction('mean', dim);
    return this.sum(dim, options).div(sizeOf(dims.map((d) => this.shape[d])));
  }
  /** The largest; NaN wins. A tie shares the gradient equally. */
  max(dim?: Dims, options?: KeepDim): Tensor {
    return apply(reduce.max, [this], this.#reduction('max', dim, options));
  }
  /** The smallest; NaN wins. A tie shares the gradient equally. */
  min(dim?: Dims, options?: KeepDim): Tensor {
    return apply(reduce.min, [this], this.#reduction('min', dim, options));
  }
  /** The correction (default 1: unbiased) is subtracted from the number of elements. */
  variance(dim?: Dims, { correction = 1, ...options }: KeepDim & { correction?: number } = {}): Tensor {
    return apply(reduce.variance, [this], { correction, ...this.#reduction('variance', dim, options) });
  }
  /** log Σ eˣ, shifted so that nothing overflows; −∞ of nothing but −∞, with gradient 0. */
  logSumExp(dim?: Dims, options?: KeepDim): Tensor {
    return apply(reduce.logSumExp, [this], this.#reduction('logSumExp', dim, options));
  }
  /** The position of the largest along dim; without dim, in the flat tensor. */
  argmax(dim?: number, options?: KeepDim): Tensor {
    return position(reduce.argmax, this, dim, options);
  }
  /** The position of the smallest along dim; without dim, in the flat tensor. */
  argmin(dim?: number, options?: KeepDim): Tensor {
    return position(reduce.argmin, this, dim, options);
  }
  /** eˣ/Σ eˣ along dim. */
  softmax(dim: number): Tensor {
    return apply(reduce.softmax, [this], { dim: this.#dim('softmax', dim) });
  }
  /** x − log Σ eˣ along dim. */
  logSoftmax(dim: number): Tensor {
    return apply(reduce.logSoftmax, [this], { dim: this.#dim('logSoftmax', dim) });
  }

  // Movement

  /** One size may be −1: what is left over. */
  reshape(shape: Shape): Tensor {
    return apply(movement.reshape, [this], { shape });
  }
  /** Joins the dimensions from startDim to endDim, both included. */
  flatten(startDim = 0, endDim = -1): Tensor {
    if (this.ndim === 0) return this.reshape([1]);
    const [start, end] = [this.#dim('flatten', startDim), this.#dim('flatten', endDim)];
    if (start > end)
      throw new ShapeError(`flatten: startDim must not come after endDim: ${startDim}, ${endDim}.`);
    const joined = sizeOf(this.shape.slice(start, end + 1));
    return this.reshape([...this.shape.slice(0, start), joined, ...this.shape.slice(end + 1)]);
  }
  /** Swaps two dimensions. */
  transpose(dim0: number, dim1: number): Tensor {
    const [a, b] = [this.#dim('transpose', dim0), this.#dim('transpose', dim1)];
    return this.permute([...this.shape.keys()].with(a, b).with(b, a));
  }
  /** Swaps the last two dimensions. */
  t(): Tensor {
    if (this.ndim < 2) throw new ShapeError(`t: at least two dimensions: the shape is ${show(this.shape)}.`);
    return this.transpose(-2, -1);
  }
  /** Dimension i of the result is dimension dims[i] of this. */
  permute(dims: readonly number[]): Tensor {
    return apply(movement.permute, [this], { dims: dims.map((d) => this.#dim('permute', d)) });
  }
  /** Repeated along dimensions of size 1, and new ones in front; −1 keeps a size. */
  expand(shape: Shape): Tensor {
    return apply(movement.expand, [this], { shape });
  }
  /** A new dimension of size 1 before `dim`. */
  unsqueeze(dim: number): Tensor {
    const at = normalizeDim('unsqueeze', dim, this.ndim + 1);
    return this.reshape(this.shape.toSpliced(at, 0, 1));
  }
  /** Without dimension `dim` if it is 1; without any dimension of 1 by default. */
  squeeze(dim?: number): Tensor {
    const at = dim === undefined ? null : this.#dim('squeeze', dim);
    return this.reshape(this.shape.filter((n, i) => n !== 1 || (at !== null && i !== at)));
  }
  /** Entries start to end (excluded) of `dim`; negative ones count from the end, beyond it is cut. */
  slice(dim: number, start: number, end = Infinity, step = 1): Tensor {
    const at = this.#dim('slice', dim);
    const n = this.shape[at];
    const clip = (i: number): number => Math.max(0, Math.min(n, i < 0 ? i + n : i));
    return apply(movement.slice, [this], { dim: at, start: clip(start), end: clip(end), step });
  }
  /** out[i, j, k] = x[i, index[i, j, k], k] for dim 1, and so on. */
  gather(dim: number, index: Tensor): Tensor {
    return apply(indexing.gather, [this], { dim: this.#dim('gather', dim), index: viewOf(index) });
  }
  /** Entries index[0], index[1], … along dim. */
  indexSelect(dim: number, index: Indices): Tensor {
    const view =
      index instanceof Tensor ? viewOf(index) : { data: Float64Array.from(index), shape: [index.length] };
    return apply(indexing.indexSelect, [this], { dim: this.#dim('indexSelect', dim), index: view });
  }
  /** What lies on and below diagonal k of each matrix; 0 elsewhere. */
  tril(k = 0): Tensor {
    return apply(movement.tril, [this], { k });
  }
  /** What lies on and above diagonal k of each matrix; 0 elsewhere. */
  triu(k = 0): Tensor {
    return apply(movement.triu, [this], { k });
  }
  /** The offset-th diagonal of each matrix in the last two dimensions. */
  diagonal(offset = 0): Tensor {
    return apply(movement.diagonal, [this], { offset });
  }
  /** Square matrices with the last dimension on their offset-th diagonal, 0 elsewhere. */
  diagEmbed(offset = 0): Tensor {
    return apply(movement.diagEmbed, [this], { offset });
  }
  /** A copy with `diagonal` [..., length] in the place of each matrix's offset-th diagonal. */
  diagonalScatter(diagonal: Tensor, offset = 0): Tensor {
    return apply(movement.diagonalScatter, [this, diagonal], { offset });
  }
  /** The sum of each matrix's diagonal. */
  trace(): Tensor {
    return this.diagonal().sum(-1);
  }

  // Linear algebra over the last two dimensions

  /** A vector on the left is taken as a row, on the right as a column, and left out of the result, as in torch. */
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
      const product = apply(matmul, [rows, other], { transposeA, transposeB, lower });
      return product.reshape([...this.shape.slice(0, -1), product.shape[1]]);
    }
    return apply(matmul, [this, other], { transposeA, transposeB, lower });
  }
  /** The lower triangular L with A = L Lᵀ [..., D, D], of the lower triangle of A. @throws NotPositiveDefiniteError, NotFiniteError */
  cholesky(): Tensor {
    return apply(linalg.cholesky, [this]);
  }
  /** X of op(this) X = b; see `SolveOptions`. Leading dimensions broadcast. */
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
    return apply(linalg.triangularSolve, batched('triangularSolve', this, b), {
      upper,
      transpose,
      unitDiagonal,
    });
  }
  /** |this⁻¹ b|² of each column b, `this` lower triangular: [..., D, M] → [..., M]. Leading dimensions broadcast. */
  squaredMahalanobis(b: Tensor): Tensor {
    return apply(linalg.squaredMahalanobis, batched('squaredMahalanobis', this, b));
  }
  /** log |A| of symmetric positive definite A: 2 Σ log Lᵢᵢ. Derivative: A⁻¹. */
  logDet(): Tensor {
    return this.cholesky().diagonal().log().sum(-1).mul(2);
  }

  #dim(op: string, dim: number): number {
    return normalizeDim(op, dim, this.ndim);
  }

  #reduction(op: string, dim: Dims, { keepDim = false }: KeepDim = {}): reduce.Reduction {
    return { dims: normalizeDims(op, dim, this.ndim), keepDim };
  }

  #lift(op: string, other: Operand): Tensor {
    if (other instanceof Tensor) return other;
    if (typeof other !== 'number') {
      throw new ArgumentError(
        `${op}: the other operand must be a tensor or a number: it is ${String(other)}.`,
      );
    }
    return new Tensor(new Storage(allocate(this.dtype, 1).fill(other)), []);
  }
}

/** Applies an op to tensors, recording it for `backward()`. */
export function apply<A, E>(
  op: Op<A, E>,
  inputs: readonly Tensor[],
  ...[attributes]: A extends void ? [] : [A]
): Tensor {
  const { storage, shape, node } = tape.apply(op, inputs, attributes as A);
  return new Tensor(storage, shape, node);
}

/** Matrices with their leading dimensions broadcast. */
function batched(op: string, ...matrices: [Tensor, Tensor]): Tensor[] {
  const lead = broadcastLeading(op, matrices[0].shape, matrices[1].shape);
  return matrices.map((x) =>
    sameShape(lead, x.shape.slice(0, -2)) ? x : x.expand([...lead, ...x.shape.slice(-2)]),
  );
}

/** A copy in persistent memory. */
function persisted(data: FloatArray): Storage {
  const storage = new Storage(data);
  storage.persist();
  return storage;
}

/** A tensor around an existing array, without copying it. */
export function tensorFromStorage(data: FloatArray, shape: Shape): Tensor {
  if (sizeOf(shape) !== data.length) {
    throw new ShapeError(`tensor: ${show(shape)} needs ${sizeOf(shape)} numbers: there are ${data.length}.`);
  }
  return new Tensor(new Storage(data), shape);
}

/** @throws DTypeError for anything but 'float32' and 'float64' */
export function checkDType(op: string, dtype: DType): DType {
  if (dtype !== 'float32' && dtype !== 'float64') {
    throw new DTypeError(
      `${op}: the number format must be 'float32' or 'float64': it is '${String(dtype)}'.`,
    );
  }
  return dtype;
}

export function viewOf(x: Tensor): View {
  return { data: x.data, shape: x.shape };
}

/** Where the extremum stands along dim; without dim, in the flat tensor. */
function position(
  op: typeof reduce.argmax,
  x: Tensor,
  dim?: number,
  { keepDim = false }: KeepDim = {},
): Tensor {
  if (dim !== undefined) return apply(op, [x], { dim: normalizeDim(op.name, dim, x.ndim), keepDim });
  return position(op, x.flatten(), 0).reshape(keepDim ? x.shape.map(() => 1) : []);
}
