import { ones, ShapeError, zeros } from '@gmml/tensor';
import type { DType, Shape, Tensor } from '@gmml/tensor';
import { checkInteger, checkNumber, show } from '@gmml/tensor/checks';
import { Module, Parameter } from '../module.js';

/** Options of `LayerNorm`. */
export interface LayerNormOptions {
  /** Added to the variance, at least 0. Default 1e-5. */
  eps?: number;
  /** Train a scale and an offset for every element. Default true. */
  elementwiseAffine?: boolean;
  /** Default 'float32'. */
  dtype?: DType;
}

/**
 * Normalises the last dimensions: y = (x − mean) / √(variance + eps)·weight + bias, mean and (biased) variance
 * over the dimensions of `normalizedShape`.
 *
 * `weight` (ones) and `bias` (zeros) have the shape `normalizedShape`; both are null without elementwiseAffine.
 *
 * @throws ArgumentError for a size or option out of range
 * @see Ba, Kiros and Hinton 2016
 */
export class LayerNorm extends Module {
  readonly normalizedShape: Shape;
  readonly eps: number;
  readonly weight: Parameter | null;
  readonly bias: Parameter | null;

  constructor(normalizedShape: number | Shape, options: LayerNormOptions = {}) {
    super();
    const { eps = 1e-5, elementwiseAffine = true, dtype = 'float32' } = options;
    const shape = typeof normalizedShape === 'number' ? [normalizedShape] : [...normalizedShape];
    checkInteger('LayerNorm', 'the number of normalised dimensions', shape.length, 1);
    for (const size of shape) checkInteger('LayerNorm', 'normalizedShape', size, 1);
    checkNumber('LayerNorm', 'eps', eps, { from: 0 });
    this.normalizedShape = shape;
    this.eps = eps;
    this.weight = elementwiseAffine ? new Parameter(ones(shape, { dtype })) : null;
    this.bias = elementwiseAffine ? new Parameter(zeros(shape, { dtype })) : null;
  }

  /** x [..., ...normalizedShape] → the same shape. @throws ShapeError when the last dimensions differ */
  override forward(x: Tensor): Tensor {
    const skip = x.ndim - this.normalizedShape.length;
    if (skip < 0 || !this.normalizedShape.every((size, i) => size === x.shape[skip + i])) {
      throw new ShapeError(
        `LayerNorm: the last dimensions of x must be ${show(this.normalizedShape)}: ` +
          `x is ${show(x.shape)}.`,
      );
    }
    const dims = this.normalizedShape.map((_, i) => skip + i);
    const centred = x.sub(x.mean(dims, { keepDim: true }));
    const variance = centred.square().mean(dims, { keepDim: true });
    const normalised = centred.div(variance.add(this.eps).sqrt());
    return this.weight === null || this.bias === null
      ? normalised
      : normalised.mul(this.weight).add(this.bias);
  }
}
