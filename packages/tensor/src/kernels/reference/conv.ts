import type { ConvSizes, WindowSizes } from '../kernels.js';
import type { FloatArray } from '../../storage.js';

/**
 * Forward, per image and output channel: the plane of sums starts at the bias, and each tap of the
 * kernel adds its weight times the input plane, shifted; taps over the padding are skipped.
 */
export function conv2d(
  x: FloatArray,
  weight: FloatArray,
  bias: FloatArray | null,
  sizes: ConvSizes,
  out: FloatArray,
): void {
  const { n, c, o, h, w, strideW, outW } = sizes;
  const planeOut = sizes.outH * outW;
  const sums = new Float64Array(planeOut);
  const taps = tapsOf(sizes);
  for (let image = 0; image < n; image++) {
    for (let to = 0; to < o; to++) {
      sums.fill(bias === null ? 0 : bias[to]);
      for (let from = 0; from < c; from++) {
        const plane = (image * c + from) * h * w;
        const kernel = (to * c + from) * taps.length;
        for (let t = 0; t < taps.length; t++) {
          const { rows, firstColumn, columns, shift } = taps[t];
          const factor = weight[kernel + t];
          for (const { outRow, row } of rows) {
            const start = outRow * outW;
            const source = plane + row * w + shift;
            for (let i = firstColumn; i < columns; i++) sums[start + i] += factor * x[source + i * strideW];
          }
        }
      }
      out.set(sums, (image * o + to) * planeOut);
    }
  }
}

/** The adjoint in x: each tap sends its weight times the output gradient back to where it read. */
export function conv2dInputGradient(
  g: FloatArray,
  weight: FloatArray,
  sizes: ConvSizes,
  out: FloatArray,
): void {
  const { n, c, o, h, w, strideW, outW } = sizes;
  const planeOut = sizes.outH * outW;
  const sums = new Float64Array(h * w);
  const taps = tapsOf(sizes);
  for (let image = 0; image < n; image++) {
    for (let from = 0; from < c; from++) {
      sums.fill(0);
      for (let to = 0; to < o; to++) {
        const plane = (image * o + to) * planeOut;
        const kernel = (to * c + from) * taps.length;
        for (let t = 0; t < taps.length; t++) {
          const { rows, firstColumn, columns, shift } = taps[t];
          const factor = weight[kernel + t];
          for (const { outRow, row } of rows) {
            const start = plane + outRow * outW;
            const target = row * w + shift;
            for (let i = firstColumn; i < columns; i++) sums[target + i * strideW] += factor * g[start + i];
          }
        }
      }
      out.set(sums, (image * c + from) * h * w);
    }
  }
}

/** The adjoint in the weight: each tap sums output gradient times the input it read, over all images. */
export function conv2dWeightGradient(g: FloatArray, x: FloatArray, sizes: ConvSizes, out: FloatArray): void {
  const { n, c, o, h, w, strideW, outW } = sizes;
  const planeOut = sizes.outH * outW;
  const taps = tapsOf(sizes);
  const sums = new Float64Array(taps.length);
  for (let to = 0; to < o; to++) {
    for (let from = 0; from < c; from++) {
      sums.fill(0);
      for (let image = 0; image < n; image++) {
        const plane = (image * c + from) * h * w;
        const planeG = (image * o + to) * planeOut;
        for (let t = 0; t < taps.length; t++) {
          const { rows, firstColumn, columns, shift } = taps[t];
          let sum = 0;
          for (const { outRow, row } of rows) {
            const start = planeG + outRow * outW;
            const source = plane + row * w + shift;
            for (let i = firstColumn; i < columns; i++) sum += g[start + i] * x[source + i * strideW];
          }
          sums[t] += sum;
        }
      }
      out.set(sums, (to * c + from) * taps.length);
    }
  }
}

/** One tap of a kernel: the output rows it reaches and the row each reads, and the columns likewise. */
interface Tap {
  readonly rows: readonly { readonly outRow: number; readonly row: number }[];
  readonly firstColumn: number;
  /** One past the last output column. */
  readonly columns: number;
  /** Output column i reads input column i·stride + shift. */
  readonly shift: number;
}

function tapsOf(sizes: WindowSizes): Tap[] {
  const taps: Tap[] = [];
  for (let kh = 0; kh < sizes.kernelH; kh++) {
    const top = kh * sizes.dilationH - sizes.padH;
    const rows = [];
    for (let outRow = 0; outRow < sizes.outH; outRow++) {
      const row = outRow * sizes.strideH + top;
      if (row >= 0 && row < sizes.h) rows.push({ outRow, row });
    }
    for (let kw = 0; kw < sizes.kernelW; kw++) {
      const shift = kw * sizes.dilationW - sizes.padW;
      const firstColumn = Math.max(0, Math.ceil(-shift / sizes.strideW));
      const columns = Math.min(sizes.outW, Math.floor((sizes.w - 1 - shift) / sizes.strideW) + 1);
      taps.push({ rows, firstColumn, columns, shift });
    }
  }
  return taps;
}
