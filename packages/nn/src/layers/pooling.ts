import { maxPool2d } from '@gmml/tensor';
import type { Size2d, Tensor } from '@gmml/tensor';
import { checkPadding, toPair } from '@gmml/tensor/checks';
import { Module } from '../module.js';

/** Options of `MaxPool2d`. */
export interface MaxPool2dOptions {
  /** How far the window moves, at least 1. Default: the kernel size. */
  stride?: Size2d;
  /** −∞ added on every side, at most half the kernel. Default 0. */
  padding?: Size2d;
}

/**
 * The largest value in each window; where several are, the gradient goes to the first in row-major order.
 *
 * @throws ArgumentError for a size or option out of range
 * @example
 * new MaxPool2d(2).forward(zeros([8, 16, 28, 28])).shape; // [8, 16, 14, 14]
 */
export class MaxPool2d extends Module {
  readonly kernelSize: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];

  constructor(kernelSize: Size2d, { stride = kernelSize, padding = 0 }: MaxPool2dOptions = {}) {
    super();
    this.kernelSize = toPair('MaxPool2d', 'kernelSize', kernelSize, 1);
    this.stride = toPair('MaxPool2d', 'stride', stride, 1);
    this.padding = toPair('MaxPool2d', 'padding', padding, 0);
    checkPadding('MaxPool2d', this.padding, this.kernelSize);
  }

  /** x [N, C, H, W] → [N, C, H', W'] with H' = ⌊(H + 2·padding − kernelH) / stride⌋ + 1. @throws ShapeError */
  override forward(x: Tensor): Tensor {
    const { kernelSize, stride, padding } = this;
    return maxPool2d(x, { kernelSize, stride, padding });
  }
}
