import type { Kernels, WindowSizes } from '../kernels.js';
import { addBlocks } from './strided.js';

export const maxPool2d: Kernels['maxPool2d'] = (x, sizes, out, positions) => {
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
};

export const maxPool2dBackward: Kernels['maxPool2dBackward'] = (g, positions, _, out) => {
  out.fill(0);
  addBlocks(g, positions, 1, out);
};

export const avgPool2d: Kernels['avgPool2d'] = (x, sizes, out) => {
  const { w } = sizes;
  forEachWindow(sizes, (at, plane, top, bottom, left, right, area) => {
    let sum = 0;
    for (let i = top; i < bottom; i++) for (let j = left; j < right; j++) sum += x[plane + i * w + j];
    out[at] = sum / area;
  });
};

export const avgPool2dBackward: Kernels['avgPool2dBackward'] = (g, sizes, out) => {
  const { w } = sizes;
  out.fill(0);
  forEachWindow(sizes, (at, plane, top, bottom, left, right, area) => {
    const share = g[at] / area;
    for (let i = top; i < bottom; i++) for (let j = left; j < right; j++) out[plane + i * w + j] += share;
  });
};

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
