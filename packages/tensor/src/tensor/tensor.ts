import { ArgumentError, GradientError, ShapeError } from '../errors.js';
import * as elementwise from '../ops/elementwise.js';
import type { Op } from '../ops/op.js';
import { sameShape, show, sizeOf, type Shape } from '../shape.js';
import { allocate, checkDType, Storage, type DType, type FloatArray, type View } from '../storage.js';
import * as tape from '../tape.js';
import type { Operand } from './elementwiseMethods.js';
import { LinalgMethods } from './linalgMethods.js';

/**
 * A multi-dimensional array of float32 or float64 numbers that remembers how it was computed, so that
 * `backward()` can differentiate it. Operations are methods named as in torch; the derivative of each stands
 * where it is defined, in `ops/`.
 *
 * What holds for all of them: dimensions may be negative, counted from the last. Two operands broadcast: shapes are
 * aligned at the last dimension, where sizes are equal or one of them is 1. A reduction takes one dimension, several or
 * (by default) all, which leave the shape, or stay as 1 with `keepDim`. Comparisons and positions are numbers of
 * the operand's format, without a gradient.
 *
 * @throws ShapeError where shapes do not fit or a dimension is out of range; DTypeError where float32 meets float64;
 *   ScopeError when the scope that a tensor belongs to has ended: each before anything is computed
 *
 * @example
 * const x = tensor([1, 2, 3], { requiresGrad: true });
 * x.square().sum().backward();
 * x.grad!.toArray(); // [2, 4, 6]
 */
export class Tensor extends LinalgMethods {
  #gradient: Tensor | null = null;
  /** Whether somebody may keep the gradient: then its numbers are left alone when it is forgotten. */
  #gradientWasRead = false;
  /** A forgotten gradient, to be overwritten by the next. */
  #spareGradient: Tensor | null = null;

  /** The gradient that `backward()` adds up in a leaf; null before. Setting it throws a ShapeError or a DTypeError where it does not fit. */
  get grad(): Tensor | null {
    this.#gradientWasRead = true;
    return this.#gradient;
  }

  set grad(gradient: Tensor | null) {
    if (gradient !== null) this.checkGradient('grad', gradient);
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
    return this.apply(elementwise.to, [], { dtype: checkDType('to', dtype) });
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

  protected override apply<A, E>(
    op: Op<A, E>,
    others: readonly Tensor[] = [],
    ...attributes: A extends void ? [] : [A]
  ): Tensor {
    return apply(op, [this, ...others], ...attributes);
  }

  protected override applyWith(op: Op, other: Operand): Tensor {
    if (other instanceof Tensor) return this.apply(op, [other]);
    if (typeof other !== 'number') {
      throw new ArgumentError(
        `${op.name}: the other operand must be a tensor or a number: it is ${String(other)}.`,
      );
    }
    return this.apply(op, [new Tensor(new Storage(allocate(this.dtype, 1).fill(other)), [])]);
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

/** A tensor around an existing array, without copying it. */
export function tensorFromStorage(data: FloatArray, shape: Shape): Tensor {
  if (sizeOf(shape) !== data.length) {
    throw new ShapeError(`tensor: ${show(shape)} needs ${sizeOf(shape)} numbers: there are ${data.length}.`);
  }
  return new Tensor(new Storage(data), shape);
}

/** A copy in persistent memory. */
function persisted(data: FloatArray): Storage {
  const storage = new Storage(data);
  storage.persist();
  return storage;
}
