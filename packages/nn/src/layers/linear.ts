import { ShapeError } from '@gmml/tensor';
import type { Tensor } from '@gmml/tensor';
import { checkIntegers, show } from '@gmml/tensor/checks';
import { kaimingUniform, uniform } from '../init.js';
import type { InitOptions } from '../init.js';
import { Module, Parameter } from '../module.js';

/** Options of `Linear`. */
export interface LinearOptions extends InitOptions {
  /** Add a trained offset. Default true. */
  bias?: boolean;
}

/**
 * An affine map of the last dimension: y = x Wᵀ + b.
 *
 * `weight` is [outFeatures, inFeatures] from {@link kaimingUniform}, `bias` [outFeatures] from
 * U(−1/√inFeatures, 1/√inFeatures), or null.
 *
 * @throws ArgumentError unless both sizes are integers of at least 1
 * @example
 * new Linear(3, 2).forward(ones([5, 3])).shape; // [5, 2]
 */
export class Linear extends Module {
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly weight: Parameter;
  readonly bias: Parameter | null;

  constructor(inFeatures: number, outFeatures: number, { bias = true, ...init }: LinearOptions = {}) {
    super();
    checkIntegers('Linear', { inFeatures, outFeatures }, 1);
    this.inFeatures = inFeatures;
    this.outFeatures = outFeatures;
    this.weight = new Parameter(kaimingUniform([outFeatures, inFeatures], init));
    this.bias = bias ? new Parameter(uniform([outFeatures], 1 / Math.sqrt(inFeatures), init)) : null;
  }

  /** x [..., inFeatures] → [..., outFeatures]. @throws ShapeError when the last dimension differs */
  override forward(x: Tensor): Tensor {
    if (x.shape?.at(-1) !== this.inFeatures) {
      throw new ShapeError(
        `Linear: the last dimension of x must be inFeatures = ${this.inFeatures}: x is ${show(x.shape)}.`,
      );
    }
    const product = x.matmul(this.weight, { transposeB: true });
    return this.bias === null ? product : product.add(this.bias);
  }
}
