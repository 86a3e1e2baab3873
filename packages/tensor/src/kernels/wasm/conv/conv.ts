import type { ConvSizes } from '../../kernels.js';
import { isFloat32 } from '../arrays.js';
import { convolveDirectly, correlateDirectly, hasDirectKernel } from './convDirect.js';
import { winogradConv2d } from './winograd.js';
import { winogradWeightGradient } from './winogradGradient.js';
import type { Kernel } from '../kernel.js';

/**
 * Cross-correlation with zero padding plus bias: by minimal filtering where that is faster (its error bound is there),
 * otherwise directly. False, and nothing written, for float64 and what there is no kernel for.
 */
export const conv2d: Kernel<'conv2d'> = (engine, x, weight, bias, sizes, out) => {
  if (!isFloat32(x) || !isFloat32(weight) || !isFloat32(out) || (bias && !isFloat32(bias))) return false;
  if (!hasDirectKernel(engine, sizes, x.length + out.length)) return false;
  if (!winogradConv2d(engine, x, weight, bias, sizes, out))
    convolveDirectly(engine, x, weight, bias, sizes, out);
  return true;
};

/**
 * The gradient in the input: where the stride is 1 a convolution of g with the kernel turned by 180°, channels
 * swapped. False for float64 and what there is no kernel for, and nothing written; also for weights that are not
 * finite, and then an output in kernel memory may have been written to.
 */
export const conv2dInputGradient: Kernel<'conv2dInputGradient'> = (engine, g, weight, sizes, out) => {
  const turned = turnedSizes(sizes);
  if (turned === null || !isFloat32(g) || !isFloat32(weight) || !isFloat32(out)) return false;
  if (!hasDirectKernel(engine, turned, g.length + out.length)) return false;
  if (winogradConv2d(engine, g, weight, null, turned, out, true)) return true;
  // The zeros around g meet weights, which the gradient does not contain: 0·∞ would be NaN.
  if (!weight.every((value) => Number.isFinite(value))) return false;
  convolveDirectly(engine, g, turnedWeights(weight, sizes), null, turned, out);
  return true;
};

/**
 * The gradient in the weight: by minimal filtering where that is faster, otherwise directly.
 * False, and nothing written, for float64 and what there is no kernel for.
 */
export const conv2dWeightGradient: Kernel<'conv2dWeightGradient'> = (engine, g, x, sizes, out) => {
  if (!isFloat32(g) || !isFloat32(x) || !isFloat32(out)) return false;
  if (!hasDirectKernel(engine, sizes, g.length + x.length)) return false;
  if (!winogradWeightGradient(engine, g, x, sizes, out)) correlateDirectly(engine, g, x, sizes, out);
  return true;
};

/**
 * The sizes of the convolution that gives the gradient in the input. There is one at stride 1, or null:
 * also where it would need a negative padding.
 */
function turnedSizes(sizes: ConvSizes): ConvSizes | null {
  const { c, o, h, w, strideH, strideW, outH, outW } = sizes;
  const padH = sizes.dilationH * (sizes.kernelH - 1) - sizes.padH;
  const padW = sizes.dilationW * (sizes.kernelW - 1) - sizes.padW;
  if (strideH !== 1 || strideW !== 1 || padH < 0 || padW < 0) return null;
  return { ...sizes, c: o, o: c, h: outH, w: outW, outH: h, outW: w, padH, padW };
}

/** Weights [O, C, KH, KW] as [C, O, KH, KW], turned by 180°. */
function turnedWeights(weight: Float32Array, { c, o, kernelH, kernelW }: ConvSizes): Float32Array {
  const taps = kernelH * kernelW;
  const turned = new Float32Array(weight.length);
  for (let to = 0; to < o; to++) {
    for (let from = 0; from < c; from++) {
      for (let t = 0; t < taps; t++) {
        turned[(from * o + to) * taps + t] = weight[(to * c + from) * taps + taps - 1 - t];
      }
    }
  }
  return turned;
}
