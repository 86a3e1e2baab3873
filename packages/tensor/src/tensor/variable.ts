import { DTypeError, GradientError, ShapeError } from '../errors.js';
import type { Op } from '../ops/op.js';
import { print } from './print.js';
import { sameShape, show, sizeOf, type Shape } from '../shape.js';
import { allocate, type DType, type FloatArray, type Storage, type View } from '../storage.js';
import * as tape from '../tape.js';
import type { Tensor } from './tensor.js';

/** Numbers in nested arrays, as deep as there are dimensions. */
export type NestedArray = number | readonly NestedArray[];

/** What a tensor is: numbers with a shape, and how they were computed. What can be done with it: `Tensor`. */
export abstract class Variable implements tape.Traced {
  /** Sizes of the dimensions; [] for a scalar. */
  readonly shape: Shape;
  readonly storage: Storage;
  readonly node: tape.Node | null;
  #wantsGrad = false;

  /** Made by `tensor`, `zeros`, … and by operations; not called directly. */
  constructor(storage: Storage, shape: Shape, node: tape.Node | null = null) {
    this.storage = storage;
    this.shape = shape;
    this.node = node;
  }

  /**
   * The flat row-major numbers themselves. After writing to them, call `markChanged()`. Keep the tensor or a copy, not a
   * `subarray`: kernel memory of tensors that are gone is used again.
   */
  get data(): FloatArray {
    return this.storage.data;
  }

  get dtype(): DType {
    return this.storage.dtype;
  }

  /** The number of elements. */
  get size(): number {
    return sizeOf(this.shape);
  }

  /** The number of dimensions. */
  get ndim(): number {
    return this.shape.length;
  }

  /** Not computed from tensors that need a gradient. */
  get isLeaf(): boolean {
    return this.node === null;
  }

  /** Whether operations on it are recorded. */
  get requiresGrad(): boolean {
    return this.#wantsGrad || this.node !== null;
  }

  set requiresGrad(value: boolean) {
    if (this.node !== null) {
      throw new GradientError(
        `requiresGrad: only a leaf can be set: this tensor was computed by ${this.node.op.name}. Use detach().`,
      );
    }
    this.#wantsGrad = value;
  }

  /** The only number. @throws ShapeError unless there is exactly one. */
  item(): number {
    if (this.size !== 1) throw new ShapeError(`item: exactly one element: the shape is ${show(this.shape)}.`);
    return this.data[0];
  }

  /** The numbers in nested arrays; a number for a scalar. */
  toArray(): NestedArray {
    let next = 0;
    const read = (dim: number): NestedArray =>
      dim === this.ndim ? this.data[next++] : Array.from({ length: this.shape[dim] }, () => read(dim + 1));
    return read(0);
  }

  toString(): string {
    if (this.storage.isReleased) return `tensor(released with its scope, ${show(this.shape)})`;
    const grad = this.requiresGrad ? ', requiresGrad' : '';
    const dtype = this.dtype === 'float32' ? '' : `, ${this.dtype}`;
    return `tensor(${print(this.data, this.shape).replace(/\n(?=[^\n])/g, '\n       ')}, ${show(this.shape)}${dtype}${grad})`;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }

  /**
   * Adds the gradient of this tensor to `grad` of every leaf it depends on; releases what was saved.
   * @param gradient what flows in, of this tensor's shape; 1 for a tensor of one element
   * @throws GradientError when nothing requires a gradient, without `gradient` unless there is one element,
   *   on a second call, or when a saved value was changed in place
   */
  backward(gradient?: Variable): void {
    if (!this.requiresGrad) {
      throw new GradientError(
        'backward: nothing requires a gradient. Create a leaf with { requiresGrad: true }.',
      );
    }
    if (gradient === undefined && this.size !== 1) {
      throw new GradientError(
        `backward: a tensor of shape ${show(this.shape)} needs a gradient of that shape. Pass it, or call sum() or mean() first.`,
      );
    }
    if (gradient === undefined) {
      tape.backward(this, { data: allocate(this.dtype, 1).fill(1), shape: this.shape });
      return;
    }
    this.checkGradient('backward', gradient);
    tape.backward(this, { data: gradient.data, shape: this.shape });
  }

  /** Says that the numbers were written to, so that a stale saved value is noticed. */
  markChanged(): void {
    this.storage.version++;
  }

  /** @throws ShapeError, DTypeError unless `gradient` has the shape and the number format of this */
  protected checkGradient(op: string, gradient: Variable): void {
    if (!sameShape(gradient.shape, this.shape)) {
      throw new ShapeError(
        `${op}: the gradient must have the tensor's shape ${show(this.shape)}: it has ${show(gradient.shape)}.`,
      );
    }
    if (gradient.dtype !== this.dtype) {
      throw new DTypeError(`${op}: the gradient must be ${this.dtype}: it is ${gradient.dtype}.`);
    }
  }

  /** Adds to the gradient; the tape calls it. */
  abstract accumulateGrad(g: View): void;

  /** Applies an op to this and others, recording it for `backward()`. */
  protected abstract apply<A, E>(
    op: Op<A, E>,
    others?: readonly Tensor[],
    ...attributes: A extends void ? [] : [A]
  ): Tensor;
}

/** The numbers and the shape at this moment. */
export function viewOf({ data, shape }: Variable): View {
  return { data, shape };
}
