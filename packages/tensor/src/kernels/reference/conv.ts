import type { ConvSizes, Kernels } from '../kernels.js';
import type { FloatArray } from '../../storage.js';
import { addProduct, type Matrix } from './matmul.js';

/**
 * Convolution as a matrix product, image by image: the patches under the kernel are laid out as
 * columns, P output positions by K = C·KH·KW taps, zeros over the padding.
 * (Chellapilla, Puri and Simard, "High performance convolutional neural networks", 2006.)
 */
export const conv2d: Kernels['conv2d'] = (x, weight, bias, sizes, out) => {
  const { n, o, positions, taps } = countsOf(sizes);
  const patches = new Float64Array(taps * positions);
  const product = new Float64Array(o * positions);
  const weights = { data: weight, start: 0, row: taps, column: 1 };
  for (let image = 0; image < n; image++) {
    unfold(x, image, sizes, patches, positions, 1);
    for (let to = 0; to < o; to++) {
      product.fill(bias === null ? 0 : bias[to], to * positions, (to + 1) * positions);
    }
    addProduct(weights, matrixOf(patches, 0, positions), o, taps, positions, product);
    out.set(product, image * o * positions);
  }
};

/** Per image: the gradient of the patches, weightᵀ [K, O] · g [O, P], added back to where they were read. */
export const conv2dInputGradient: Kernels['conv2dInputGradient'] = (g, weight, sizes, out) => {
  const { n, o, positions, taps, pixels } = countsOf(sizes);
  const patches = new Float64Array(taps * positions);
  const gradient = new Float64Array(pixels);
  const turned = { data: weight, start: 0, row: 1, column: taps };
  for (let image = 0; image < n; image++) {
    patches.fill(0);
    addProduct(turned, matrixOf(g, image * o * positions, positions), taps, o, positions, patches);
    gradient.fill(0);
    forEachTap(sizes, (pixel, tap, position) => {
      gradient[pixel] += patches[tap * positions + position];
    });
    out.set(gradient, image * pixels);
  }
};

/** Summed over images: g [O, P] · patches [P, K]. */
export const conv2dWeightGradient: Kernels['conv2dWeightGradient'] = (g, x, sizes, out) => {
  const { n, o, positions, taps } = countsOf(sizes);
  const patches = new Float64Array(taps * positions);
  const sums = new Float64Array(o * taps);
  for (let image = 0; image < n; image++) {
    unfold(x, image, sizes, patches, 1, taps);
    const left = { data: g, start: image * o * positions, row: positions, column: 1 };
    addProduct(left, matrixOf(patches, 0, taps), o, positions, taps, sums);
  }
  out.set(sums);
};

/** The row-major matrix of so many columns at `start`. */
function matrixOf(data: FloatArray, start: number, columns: number): Matrix {
  return { data, start, row: columns, column: 1 };
}

function countsOf(sizes: ConvSizes): {
  n: number;
  o: number;
  positions: number;
  taps: number;
  pixels: number;
} {
  const { n, c, h, w, o, kernelH, kernelW, outH, outW } = sizes;
  return { n, o, positions: outH * outW, taps: c * kernelH * kernelW, pixels: c * h * w };
}

/** Writes the patches of an image, element (tap, position) at tap·tapStep + position·positionStep. */
function unfold(
  x: FloatArray,
  image: number,
  sizes: ConvSizes,
  patches: Float64Array,
  tapStep: number,
  positionStep: number,
): void {
  const start = image * sizes.c * sizes.h * sizes.w;
  patches.fill(0);
  forEachTap(sizes, (pixel, tap, position) => {
    patches[tap * tapStep + position * positionStep] = x[start + pixel];
  });
}

/** Every pixel that a tap of the kernel meets at an output position; what lies in the padding is left out. */
function forEachTap(sizes: ConvSizes, visit: (pixel: number, tap: number, position: number) => void): void {
  const { c, h, w, kernelH, kernelW, strideH, strideW, outH, outW } = sizes;
  let tap = 0;
  for (let channel = 0; channel < c; channel++) {
    for (let kh = 0; kh < kernelH; kh++) {
      for (let kw = 0; kw < kernelW; kw++, tap++) {
        const top = kh * sizes.dilationH - sizes.padH;
        const left = kw * sizes.dilationW - sizes.padW;
        for (let i = 0; i < outH; i++) {
          const row = i * strideH + top;
          if (row < 0 || row >= h) continue;
          const start = (channel * h + row) * w;
          for (let j = 0; j < outW; j++) {
            const column = j * strideW + left;
            if (column >= 0 && column < w) visit(start + column, tap, i * outW + j);
          }
        }
      }
    }
  }
}
