// The error bound of minimal filtering, computed in float64 from its definition.
import type { ConvSizes } from '../../../packages/tensor/src/kernels/kernels.js';
import { tilingOf } from '../../../packages/tensor/src/kernels/wasm/conv/winogradTiling.js';
import {
  scaleRows,
  transformsOf,
  type Matrix,
} from '../../../packages/tensor/src/kernels/wasm/conv/winogradTransforms.js';
import { ROUNDING } from './rounding.js';

/** γₙ: what n roundings may add up to (Higham, "Accuracy and Stability of Numerical Algorithms", 2002, §3.1). */
export function gamma(n: number): number {
  return (n * ROUNDING) / (1 - n * ROUNDING);
}

/** Numbers along one side of the tiles that a convolution is cut into. */
export function tileOf(sizes: ConvSizes): number {
  return tilingOf(sizes, () => 1)!.tile;
}

/** Roundings of one number's transforms, of inputs, filters and outputs, with P points. */
export function transformRoundings(tile: number): number {
  return 14 + 2 * tile;
}

/** Aᵀ[Σ_c (|G||w||Gᵀ|) ⊙ (|Bᵀ||d||B|)]A for each output, plus the bias, all in magnitudes. */
export function forwardMagnitudes(
  x: Float32Array,
  weight: Float32Array,
  bias: Float32Array | null,
  sizes: ConvSizes,
): Float64Array {
  const { n, c, o, outH, outW, kernelH: taps } = sizes;
  const points = tileOf(sizes);
  const step = points + 1 - taps;
  const { input, filter, output, scale } = transformsOf(step, taps);
  const filters = Array.from({ length: o * c }, (_, at) =>
    twoSided(scaleRows(filter, scale), (k, l) => weight[(at * taps + k) * taps + l]),
  );
  const magnitudes = new Float64Array(n * o * outH * outW);
  for (let image = 0; image < n; image++) {
    for (let top = 0; top < outH; top += step) {
      for (let left = 0; left < outW; left += step) {
        const tiles = Array.from({ length: c }, (_, channel) =>
          twoSided(input, pixelsOf(x, image, channel, top, left, sizes)),
        );
        for (let to = 0; to < o; to++) {
          const sum = new Float64Array(points * points);
          for (const [channel, tile] of tiles.entries()) addProducts(sum, tile, filters[to * c + channel]);
          const result = twoSided(output, (i, j) => sum[i * points + j]);
          for (let u = 0; u < Math.min(step, outH - top); u++) {
            for (let v = 0; v < Math.min(step, outW - left); v++) {
              const at = ((image * o + to) * outH + top + u) * outW + left + v;
              magnitudes[at] = result[u * step + v] + Math.abs(bias?.[to] ?? 0);
            }
          }
        }
      }
    }
  }
  return magnitudes;
}

/** Aᵀ[Σ (|G||g||Gᵀ|) ⊙ (|Bᵀ||d||B|)]A for each weight, the sum over all tiles. */
export function gradientMagnitudes(g: Float32Array, x: Float32Array, sizes: ConvSizes): Float64Array {
  const { n, c, o, outH, outW, kernelH: taps } = sizes;
  const points = tileOf(sizes);
  const step = points + 1 - taps;
  const { input, filter, output, scale } = transformsOf(taps, step);
  const scaled = scaleRows(filter, scale);
  const sums = Array.from({ length: o * c }, () => new Float64Array(points * points));
  for (let image = 0; image < n; image++) {
    for (let top = 0; top < outH; top += step) {
      for (let left = 0; left < outW; left += step) {
        const tiles = Array.from({ length: c }, (_, channel) =>
          twoSided(input, pixelsOf(x, image, channel, top, left, sizes)),
        );
        for (let to = 0; to < o; to++) {
          const plane = (image * o + to) * outH;
          const gradient = twoSided(scaled, (u, v) =>
            top + u < outH && left + v < outW ? g[(plane + top + u) * outW + left + v] : 0,
          );
          for (const [channel, tile] of tiles.entries()) addProducts(sums[to * c + channel], tile, gradient);
        }
      }
    }
  }
  return Float64Array.from(sums.flatMap((sum) => [...twoSided(output, (i, j) => sum[i * points + j])]));
}

/** |T||m||Tᵀ| [rows, rows], for T [rows, columns]. */
function twoSided(matrix: Matrix, entry: (i: number, j: number) => number): Float64Array {
  const [rows, columns] = [matrix.length, matrix[0].length];
  const half = new Float64Array(rows * columns);
  const result = new Float64Array(rows * rows);
  for (let i = 0; i < columns; i++) {
    for (let j = 0; j < columns; j++) {
      const value = Math.abs(entry(i, j));
      for (let u = 0; u < rows; u++) half[u * columns + j] += Math.abs(matrix[u][i]) * value;
    }
  }
  for (let u = 0; u < rows; u++) {
    for (let v = 0; v < rows; v++) {
      for (let j = 0; j < columns; j++)
        result[u * rows + v] += half[u * columns + j] * Math.abs(matrix[v][j]);
    }
  }
  return result;
}

/** sum += a ⊙ b. */
function addProducts(sum: Float64Array, a: Float64Array, b: Float64Array): void {
  for (let i = 0; i < sum.length; i++) sum[i] += a[i] * b[i];
}

/** The numbers of the tile whose outputs begin in row `top` and column `left`, zeros beyond the image. */
function pixelsOf(
  x: Float32Array,
  image: number,
  channel: number,
  top: number,
  left: number,
  { c, h, w, padH, padW }: ConvSizes,
): (i: number, j: number) => number {
  return (i, j) => {
    const [row, column] = [top + i - padH, left + j - padW];
    if (row < 0 || row >= h || column < 0 || column >= w) return 0;
    return x[((image * c + channel) * h + row) * w + column];
  };
}
