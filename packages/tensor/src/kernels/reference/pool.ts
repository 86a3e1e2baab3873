import type { WindowSizes } from '../kernels.js';
import type { FloatArray } from '../../storage.js';
import { addBlocks } from './strided.js';

export function maxPool2d(x: FloatArray, sizes: WindowSizes, out: FloatArray, positions: Int32Array): void {
  const { w } = sizes;
  forEachWindow(sizes, (at, plane, top, bottom, left, right) => {
    let best = plane + top * w + left;
    for (let i = top; i < bottom; i++) {
      for (let j = left; j < right; j++) {
        const here = plane + i * w + j;
        if (x[here] > x[best] || Number.isNaN(x[here])) best = here;
      }
    }
    out[at] = x[best];
    positions[at] = best;
  });
}

export function maxPool2dBackward(
  g: FloatArray,
  positions: Int32Array,
  _: WindowSizes,
  out: FloatArray,
): void {
  out.fill(0);
  addBlocks(g, positions, 1, out);
}

export function avgPool2d(x: FloatArray, sizes: WindowSizes, out: FloatArray): void {
  const { w } = sizes;
  forEachWindow(sizes, (at, plane, top, bottom, left, right, area) => {
    let sum = 0;
    for (let i = top; i < bottom; i++) for (let j = left; j < right; j++) sum += x[plane + i * w + j];
    out[at] = sum / area;
  });
}

export function avgPool2dBackward(g: FloatArray, sizes: WindowSizes, out: FloatArray): void {
  const { w } = sizes;
  out.fill(0);
  forEachWindow(sizes, (at, plane, top, bottom, left, right, area) => {
    const share = g[at] / area;
    for (let i = top; i < bottom; i++) for (let j = left; j < right; j++) out[plane + i * w + j] += share;
  });
}

/** Each output with the part of its window that lies inside the image, and the window's whole area. */
function forEachWindow(
  sizes: WindowSizes,
  visit: (
    at: number,
    plane: number,
    top: number,
    bottom: number,
    left: number,
    right: number,
    area: number,
  ) => void,
): void {
  const { n, c, h, w, kernelH, kernelW, outH, outW } = sizes;
  const area = kernelH * kernelW;
  let at = 0;
  for (let plane = 0; plane < n * c; plane++) {
    for (let i = 0; i < outH; i++) {
      const top = i * sizes.strideH - sizes.padH;
      for (let j = 0; j < outW; j++) {
        const left = j * sizes.strideW - sizes.padW;
        const bottom = Math.min(h, top + kernelH);
        const right = Math.min(w, left + kernelW);
        visit(at++, plane * h * w, Math.max(0, top), bottom, Math.max(0, left), right, area);
      }
    }
  }
}
