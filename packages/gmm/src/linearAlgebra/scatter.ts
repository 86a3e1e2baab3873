import { FEW_FEATURES, gram, PRODUCT_ROWS } from './products.js';

/** The shares rₙ = values[n · stride + offset] of rows; those of 0 cost nothing. */
export interface Shares {
  readonly values: Float64Array;
  readonly offset: number;
  readonly stride: number;
}

/** sums += Σₙ rₙ (xₙ − μ)(xₙ − μ)ᵀ over the rows of x [N, D], a packed triangle or its diagonal; without shares rₙ = 1. */
export function addScatter(sums: Float64Array, x: Float64Array, mean: Float64Array, shares?: Shares): void {
  const d = mean.length;
  const rows = x.length / d;
  const isDiagonal = sums.length === d;
  const isPlain = d < FEW_FEATURES || isDiagonal;
  const chosen = new Int32Array(isPlain ? 0 : rows);
  const roots = new Float64Array(isPlain ? 0 : rows);
  let count = 0;
  for (let n = 0; n < rows; n++) {
    const share = shares ? shares.values[n * shares.stride + shares.offset] : 1;
    if (share === 0) continue;
    if (isPlain) {
      const row = n * d;
      for (let i = 0, at = 0; i < d; i++) {
        const factor = share * (x[row + i] - mean[i]);
        for (let j = isDiagonal ? i : 0; j <= i; j++, at++) sums[at] += factor * (x[row + j] - mean[j]);
      }
    } else {
      chosen[count] = n;
      roots[count++] = Math.sqrt(share);
    }
  }
  for (let first = 0; first < count; first += PRODUCT_ROWS) {
    const end = Math.min(count, first + PRODUCT_ROWS);
    gram(
      end - first,
      d,
      (target) => putDeviations(x, chosen.subarray(first, end), roots.subarray(first, end), mean, target),
      (product) => addTriangle(sums, product, d),
    );
  }
}

/** target[i] = roots[i]·(x[rows[i]] − μ), row-major. */
function putDeviations(
  x: Float64Array,
  rows: Int32Array,
  roots: Float64Array,
  mean: Float64Array,
  target: Float64Array,
): void {
  const d = mean.length;
  for (let i = 0, to = 0; i < rows.length; i++, to += d) {
    const root = roots[i];
    const from = rows[i] * d;
    for (let j = 0; j < d; j++) target[to + j] = root * (x[from + j] - mean[j]);
  }
}

function addTriangle(sums: Float64Array, product: Float64Array, d: number): void {
  for (let i = 0, at = 0; i < d; i++) for (let j = 0; j <= i; j++, at++) sums[at] += product[i * d + j];
}
