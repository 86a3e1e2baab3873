import { conv2d } from '@gmml/tensor';
import type { Size2d, Tensor } from '@gmml/tensor';
import { checkIntegers, toPair } from '@gmml/tensor/checks';
import { kaimingUniform, uniform } from '../init.js';
import type { InitOptions } from '../init.js';
import { Module, Parameter } from '../module.js';

/** Options of `Conv2d`. */
export interface Conv2dOptions extends InitOptions {
  /** How far the kernel moves, at least 1. Default 1. */
  stride?: Size2d;
  /** Zeros added on every side, at least 0. Default 0. */
  padding?: Size2d;
  /** The distance between the kernel's points, at least 1. Default 1. */
  dilation?: Size2d;
  /** Add a trained offset to every output channel. Default true. */
  bias?: boolean;
}

/**
 * A convolution over images (a cross-correlation, as in PyTorch).
 *
 * `weight` is [outChannels, inChannels, kernelH, kernelW] from {@link kaimingUniform}, `bias` [outChannels]
 * from U(−1/√fanIn, 1/√fanIn) with fanIn = inChannels·kernelH·kernelW, or null.
 *
 * @throws ArgumentError for a size or option out of range
 * @example
 * new Conv2d(1, 16, 5, { padding: 2 }).forward(zeros([8, 1, 28, 28])).shape; // [8, 16, 28, 28]
 */
export class Conv2d extends Module {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernelSize: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
  readonly dilation: readonly [number, number];
  readonly weight: Parameter;
  readonly bias: Parameter | null;

  constructor(inChannels: number, outChannels: number, kernelSize: Size2d, options: Conv2dOptions = {}) {
    super();
    const { stride = 1, padding = 0, dilation = 1, bias = true, ...init } = options;
    checkIntegers('Conv2d', { inChannels, outChannels }, 1);
    this.inChannels = inChannels;
    this.outChannels = outChannels;
    this.kernelSize = toPair('Conv2d', 'kernelSize', kernelSize, 1);
    this.stride = toPair('Conv2d', 'stride', stride, 1);
    this.padding = toPair('Conv2d', 'padding', padding, 0);
    this.dilation = toPair('Conv2d', 'dilation', dilation, 1);

    const fanIn = inChannels * this.kernelSize[0] * this.kernelSize[1];
    this.weight = new Parameter(kaimingUniform([outChannels, inChannels, ...this.kernelSize], init));
    this.bias = bias ? new Parameter(uniform([outChannels], 1 / Math.sqrt(fanIn), init)) : null;
  }

  /**
   * x [N, inChannels, H, W] → [N, outChannels, H', W'] with
   * H' = ⌊(H + 2·padding − dilation·(kernelH − 1) − 1) / stride⌋ + 1.
   *
   * @throws ShapeError when the channels differ or the kernel does not fit into the padded image
   */
  override forward(x: Tensor): Tensor {
    const { stride, padding, dilation } = this;
    return conv2d(x, this.weight, { bias: this.bias ?? undefined, stride, padding, dilation });
  }
}
