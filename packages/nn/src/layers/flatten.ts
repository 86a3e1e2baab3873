import type { Tensor } from '@gmml/tensor';
import { Module } from '../module.js';

/**
 * Joins the dimensions startDim to endDim into one. By default all but the first: [N, C, H, W] → [N, C·H·W].
 *
 * @example
 * new Flatten().forward(zeros([8, 32, 7, 7])).shape; // [8, 1568]
 */
export class Flatten extends Module {
  readonly startDim: number;
  readonly endDim: number;

  constructor(startDim = 1, endDim = -1) {
    super();
    this.startDim = startDim;
    this.endDim = endDim;
  }

  /** @throws ShapeError when x has no such dimensions */
  override forward(x: Tensor): Tensor {
    return x.flatten(this.startDim, this.endDim);
  }
}
