import type { ConvSizes } from '../kernels.js';
import type { FloatArray } from '../../storage.js';
import { up } from './arrays.js';

/** Output channels that lie beside each other in packed weights and gradients. */
const LANES = 8;

/** An image with zeros around it, in numbers: the length of a row, of a channel, and of all. */
export interface Padded {
  readonly width: number;
  readonly plane: number;
  readonly size: number;
}

/** The padded image as a convolution reads it. */
export function paddedSizes({ c, h, w, padH, padW }: ConvSizes): Padded {
  const width = w + 2 * padW;
  const plane = width * (h + 2 * padH);
  return { width, plane, size: c * plane };
}

/** Copies one image [C, H, W] into the middle of its padded place, whose border stays as it is. */
export function padInto(
  x: Float32Array,
  start: number,
  { c, h, w, padH, padW }: ConvSizes,
  padded: Padded,
  floats: Float32Array,
  target: number,
): void {
  let from = start;
  for (let channel = 0; channel < c; channel++) {
    for (let row = 0; row < h; row++) {
      const to = target + channel * padded.plane + (row + padH) * padded.width + padW;
      for (let i = 0; i < w; i++) floats[to + i] = x[from + i];
      from += w;
    }
  }
}

/** Weights [O, C, KH, KW] as [O/8, C, KH, KW, 8], zeros for channels beyond O. */
export function packWeights(
  weight: Float32Array,
  sizes: ConvSizes,
  floats: Float32Array,
  target: number,
): void {
  const { c, o, kernelH, kernelW } = sizes;
  const taps = c * kernelH * kernelW;
  floats.fill(0, target, target + up(o, LANES) * taps);
  for (let to = 0; to < o; to++) {
    const panel = target + Math.floor(to / LANES) * taps * LANES + (to % LANES);
    for (let t = 0; t < taps; t++) floats[panel + t * LANES] = weight[to * taps + t];
  }
}

/** The gradient of one image [O, P] as [P, O], rows a multiple of 8 long. */
export function packGradient(
  g: Float32Array,
  start: number,
  { o, outH, outW }: ConvSizes,
  floats: Float32Array,
  target: number,
): void {
  const positions = outH * outW;
  const stride = up(o, LANES);
  for (let to = 0; to < o; to++) {
    const from = start + to * positions;
    for (let p = 0; p < positions; p++) floats[target + p * stride + to] = g[from + p];
  }
}

/** The inverse of `packWeights`. */
export function unpackPanels(floats: Float32Array, start: number, sizes: ConvSizes, out: FloatArray): void {
  const { c, o, kernelH, kernelW } = sizes;
  const taps = c * kernelH * kernelW;
  for (let to = 0; to < o; to++) {
    const panel = start + Math.floor(to / LANES) * taps * LANES + (to % LANES);
    for (let t = 0; t < taps; t++) out[to * taps + t] = floats[panel + t * LANES];
  }
}
