import { FEW_FEATURES, gram, PRODUCT_ROWS } from '../products.js';

/** Sums Σₙ rₙ (xₙ − μ)(xₙ − μ)ᵀ over any number of rows, of which those with rₙ = 0 cost nothing. */
export class Scatter {
  readonly #d: number;
  /** Lower triangle [D, D]. */
  readonly #sums: Float64Array;

  constructor(d: number) {
    this.#d = d;
    this.#sums = new Float64Array(d * d);
  }

  /** Adds the rows of x [N, D] around the mean at `meanAt`, with shares[n · stride + offset] for rₙ. */
  add(
    x: Float64Array,
    shares: Float64Array,
    offset: number,
    stride: number,
    mean: Float64Array,
    meanAt: number,
  ): void {
    const d = this.#d;
    const sums = this.#sums;
    const rows = x.length / d;
    if (d < FEW_FEATURES) {
      for (let n = 0; n < rows; n++) {
        const share = shares[n * stride + offset];
        if (share !== 0) addRow(x, n * d, share, mean, meanAt, d, sums);
      }
      return;
    }
    const chosen = new Int32Array(rows);
    const roots = new Float64Array(rows);
    let count = 0;
    for (let n = 0; n < rows; n++) {
      const share = shares[n * stride + offset];
      if (share === 0) continue;
      chosen[count] = n;
      roots[count++] = Math.sqrt(share);
    }
    const centre = mean.subarray(meanAt, meanAt + d);
    for (let first = 0; first < count; first += PRODUCT_ROWS) {
      const end = Math.min(count, first + PRODUCT_ROWS);
      const block = chosen.subarray(first, end);
      gram(
        block.length,
        d,
        (target) => putDeviations(x, block, roots.subarray(first, end), centre, target),
        (product) => addTo(sums, product),
      );
    }
  }

  /** Writes the symmetric sum [D, D] times `factor` at `at` of `out` and starts again from 0. */
  take(factor: number, out: Float64Array, at: number): void {
    const d = this.#d;
    const sums = this.#sums;
    for (let i = 0; i < d; i++) {
      for (let j = 0; j <= i; j++) {
        const value = sums[i * d + j] * factor;
        out[at + i * d + j] = value;
        out[at + j * d + i] = value;
      }
    }
    sums.fill(0);
  }
}

/** target[i] = roots[i]·(x[rows[i]] − centre), row-major. */
function putDeviations(
  x: Float64Array,
  rows: Int32Array,
  roots: Float64Array,
  centre: Float64Array,
  target: Float64Array,
): void {
  const d = centre.length;
  for (let i = 0, to = 0; i < rows.length; i++, to += d) {
    const root = roots[i];
    const from = rows[i] * d;
    for (let j = 0; j < d; j++) target[to + j] = root * (x[from + j] - centre[j]);
  }
}

function addTo(sums: Float64Array, part: Float64Array): void {
  for (let at = 0; at < sums.length; at++) sums[at] += part[at];
}

/** sums += share·(x − μ)(x − μ)ᵀ, lower triangle. */
function addRow(
  x: Float64Array,
  row: number,
  share: number,
  mean: Float64Array,
  meanAt: number,
  d: number,
  sums: Float64Array,
): void {
  for (let i = 0; i < d; i++) {
    const factor = share * (x[row + i] - mean[meanAt + i]);
    for (let j = 0; j <= i; j++) sums[i * d + j] += factor * (x[row + j] - mean[meanAt + j]);
  }
}
