import { ArgumentError } from '../errors.js';
import * as arithmetic from '../ops/arithmetic.js';
import * as elementwise from '../ops/elementwise.js';
import type { Op } from '../ops/op.js';
import { MovementMethods } from './movementMethods.js';
import type { Tensor } from './tensor.js';

/** A tensor, or a number that takes the other operand's number format. */
export type Operand = Tensor | number;

/** Arithmetic and comparisons, which broadcast, and functions of each entry. */
export abstract class ElementwiseMethods extends MovementMethods {
  /** this + other, as all of the following up to `lessEqual` with broadcasting. */
  add(other: Operand): Tensor {
    return this.applyWith(arithmetic.add, other);
  }
  /** this − other. */
  sub(other: Operand): Tensor {
    return this.applyWith(arithmetic.sub, other);
  }
  /** this · other, entry by entry. */
  mul(other: Operand): Tensor {
    return this.applyWith(arithmetic.mul, other);
  }
  /** this / other, entry by entry. */
  div(other: Operand): Tensor {
    return this.applyWith(arithmetic.div, other);
  }
  /** this to the power of other, entry by entry; 0 to the power of 0 is 1. */
  pow(other: Operand): Tensor {
    return this.applyWith(arithmetic.pow, other);
  }
  /** The larger of the two; NaN wins. */
  maximum(other: Operand): Tensor {
    return this.applyWith(arithmetic.maximum, other);
  }
  /** The smaller of the two; NaN wins. */
  minimum(other: Operand): Tensor {
    return this.applyWith(arithmetic.minimum, other);
  }
  /** 1 where this = other, else 0; no gradient, as of all comparisons. */
  equal(other: Operand): Tensor {
    return this.applyWith(arithmetic.equal, other);
  }
  /** 1 where this ≠ other, else 0. */
  notEqual(other: Operand): Tensor {
    return this.applyWith(arithmetic.notEqual, other);
  }
  /** 1 where this > other, else 0. */
  greater(other: Operand): Tensor {
    return this.applyWith(arithmetic.greater, other);
  }
  /** 1 where this ≥ other, else 0. */
  greaterEqual(other: Operand): Tensor {
    return this.applyWith(arithmetic.greaterEqual, other);
  }
  /** 1 where this < other, else 0. */
  less(other: Operand): Tensor {
    return this.applyWith(arithmetic.less, other);
  }
  /** 1 where this ≤ other, else 0. */
  lessEqual(other: Operand): Tensor {
    return this.applyWith(arithmetic.lessEqual, other);
  }

  /** −x. */
  neg(): Tensor {
    return this.apply(elementwise.neg);
  }
  /** eˣ. */
  exp(): Tensor {
    return this.apply(elementwise.exp);
  }
  /** The natural logarithm of each entry: −∞ of 0, NaN of a negative number. */
  log(): Tensor {
    return this.apply(elementwise.log);
  }
  /** log(1 + x), accurate for small x. */
  log1p(): Tensor {
    return this.apply(elementwise.log1p);
  }
  /** eˣ − 1, accurate for small x. */
  expm1(): Tensor {
    return this.apply(elementwise.expm1);
  }
  /** √x; NaN of a negative number. Its derivative at 0 is infinite. */
  sqrt(): Tensor {
    return this.apply(elementwise.sqrt);
  }
  /** x². */
  square(): Tensor {
    return this.apply(elementwise.square);
  }
  /** 1/x. */
  reciprocal(): Tensor {
    return this.apply(elementwise.reciprocal);
  }
  /** sin x. */
  sin(): Tensor {
    return this.apply(elementwise.sin);
  }
  /** cos x. */
  cos(): Tensor {
    return this.apply(elementwise.cos);
  }
  /** |x|; derivative 0 at 0. */
  abs(): Tensor {
    return this.apply(elementwise.abs);
  }
  /** max(x, 0); derivative 0 at 0. */
  relu(): Tensor {
    return this.apply(elementwise.relu);
  }
  /** tanh x. */
  tanh(): Tensor {
    return this.apply(elementwise.tanh);
  }
  /** 1/(1 + e⁻ˣ). */
  sigmoid(): Tensor {
    return this.apply(elementwise.sigmoid);
  }
  /** log(1 + eˣ), which neither end overflows. */
  softplus(): Tensor {
    return this.apply(elementwise.softplus);
  }
  /** −log(1 + e⁻ˣ). */
  logSigmoid(): Tensor {
    return this.apply(elementwise.logSigmoid);
  }
  /** 1 where x is NaN, else 0; no gradient. */
  isNaN(): Tensor {
    return this.apply(elementwise.isNaN);
  }
  /** 1 where x is finite, else 0; no gradient. */
  isFinite(): Tensor {
    return this.apply(elementwise.isFinite);
  }
  /** Into [min, max], each by default infinite; derivative 1 in it, its bounds included. @throws ArgumentError unless min ≤ max */
  clamp(min = -Infinity, max = Infinity): Tensor {
    if (!(min <= max)) throw new ArgumentError(`clamp: min must be at most max: they are ${min} and ${max}.`);
    return this.apply(elementwise.clamp, [], { min, max });
  }

  /** Applies an op to this and a tensor or a number. */
  protected abstract applyWith(op: Op, other: Operand): Tensor;
}
