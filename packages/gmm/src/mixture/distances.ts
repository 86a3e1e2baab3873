import { FEW_FEATURES, hasFastProducts, putColumns, squaredMahalanobis } from '../products.js';

/** Rows are taken four at a time: each number of W is then read once for four products. */
const LANES = 4;

/** So many rows of W are multiplied before the sums are held against their limits, three at a time. */
const STEP = 6;

/** Which squared distances are wanted: of the rows x[rows[i]] from `mean` at `meanAt`, for i < count. */
export interface DistanceTask {
  readonly x: Float64Array;
  readonly d: number;
  readonly rows: Int32Array;
  readonly count: number;
  readonly mean: Float64Array;
  readonly meanAt: number;
  /** Lower triangular W [D, D] with Wᵀ W = Σ⁻¹, zeros above the diagonal. */
  readonly whitening: Float64Array;
  readonly whiteningAt: number;
  /** W⁻¹, at the same place, where it is known. */
  readonly roots?: Float64Array;
}

/** So many rows pay for a product of the backend. */
const WORTH_PRODUCT = 64;

/**
 * out[i] = |W (x[rows[i]] − μ)|², the squared Mahalanobis distances. Where that is above limits[i] the result may be
 * any number above it: a sum of squares only grows, and the first rows of a triangle cost least.
 */
export function squaredDistances(task: DistanceTask, limits: Float64Array | null, out: Float64Array): void {
  const { d, rows, count } = task;
  const isWorth = d >= FEW_FEATURES && count >= WORTH_PRODUCT && hasFastProducts();
  if (task.roots && isWorth) return byProducts(task, task.roots, out);
  const z = new Float64Array(LANES * d);
  const starts = new Int32Array(LANES);
  const sums = new Float64Array(LANES);
  const bounds = new Float64Array(LANES).fill(Infinity);
  for (let i = 0; i < count; i += LANES) {
    const inside = Math.min(LANES, count - i);
    for (let lane = 0; lane < LANES; lane++) {
      // A block that is not full ends in copies of its last row.
      const member = i + Math.min(lane, inside - 1);
      starts[lane] = rows[member] * d;
      if (limits) bounds[lane] = limits[member];
    }
    squaredNorms(task, starts, bounds, z, sums);
    for (let lane = 0; lane < inside; lane++) out[i + lane] = sums[lane];
  }
}

/** The distances of all rows by solves with W⁻¹: faster on a backend with products than what limits save. */
function byProducts(
  { x, d, rows, count, mean, meanAt, whiteningAt }: DistanceTask,
  roots: Float64Array,
  out: Float64Array,
): void {
  const l = roots.subarray(whiteningAt, whiteningAt + d * d);
  const centre = mean.subarray(meanAt, meanAt + d);
  const write = (columns: Float64Array, width: number, first: number, n: number): void =>
    putColumns(x, rows.subarray(first, first + n), centre, columns, width);
  squaredMahalanobis(l, d, count, write, out);
}

/**
 * sums[lane] = |W z|² for z = x − μ of the four rows that start at `starts`, ending early once every sum is above its bound.
 * Centred columns are written to `z` [D, 4] as the triangle reaches them.
 */
function squaredNorms(
  { x, d, mean, meanAt, whitening: w, whiteningAt }: DistanceTask,
  starts: Int32Array,
  bounds: Float64Array,
  z: Float64Array,
  sums: Float64Array,
): void {
  const row0 = starts[0];
  const row1 = starts[1];
  const row2 = starts[2];
  const row3 = starts[3];
  let sum0 = 0;
  let sum1 = 0;
  let sum2 = 0;
  let sum3 = 0;
  for (let from = 0; from < d; from += STEP) {
    const to = Math.min(from + STEP, d);
    for (let j = from; j < to; j++) {
      const centre = mean[meanAt + j];
      const p = LANES * j;
      z[p] = x[row0 + j] - centre;
      z[p + 1] = x[row1 + j] - centre;
      z[p + 2] = x[row2 + j] - centre;
      z[p + 3] = x[row3 + j] - centre;
    }
    let i = from;
    for (; i + 3 <= to; i += 3) {
      let a0 = 0;
      let a1 = 0;
      let a2 = 0;
      let a3 = 0;
      let b0 = 0;
      let b1 = 0;
      let b2 = 0;
      let b3 = 0;
      let c0 = 0;
      let c1 = 0;
      let c2 = 0;
      let c3 = 0;
      const first = whiteningAt + i * d;
      const second = first + d;
      const third = second + d;
      for (let j = 0; j < i + 3; j++) {
        const wa = w[first + j];
        const wb = w[second + j];
        const wc = w[third + j];
        const p = LANES * j;
        const z0 = z[p];
        a0 += wa * z0;
        b0 += wb * z0;
        c0 += wc * z0;
        const z1 = z[p + 1];
        a1 += wa * z1;
        b1 += wb * z1;
        c1 += wc * z1;
        const z2 = z[p + 2];
        a2 += wa * z2;
        b2 += wb * z2;
        c2 += wc * z2;
        const z3 = z[p + 3];
        a3 += wa * z3;
        b3 += wb * z3;
        c3 += wc * z3;
      }
      sum0 += a0 * a0 + b0 * b0 + c0 * c0;
      sum1 += a1 * a1 + b1 * b1 + c1 * c1;
      sum2 += a2 * a2 + b2 * b2 + c2 * c2;
      sum3 += a3 * a3 + b3 * b3 + c3 * c3;
    }
    for (; i < to; i++) {
      let a0 = 0;
      let a1 = 0;
      let a2 = 0;
      let a3 = 0;
      const at = whiteningAt + i * d;
      for (let j = 0; j <= i; j++) {
        const p = LANES * j;
        a0 += w[at + j] * z[p];
        a1 += w[at + j] * z[p + 1];
        a2 += w[at + j] * z[p + 2];
        a3 += w[at + j] * z[p + 3];
      }
      sum0 += a0 * a0;
      sum1 += a1 * a1;
      sum2 += a2 * a2;
      sum3 += a3 * a3;
    }
    if (sum0 > bounds[0] && sum1 > bounds[1] && sum2 > bounds[2] && sum3 > bounds[3]) break;
  }
  sums[0] = sum0;
  sums[1] = sum1;
  sums[2] = sum2;
  sums[3] = sum3;
}

/** out[i] = Σⱼ ((x[rows[i], j] − μⱼ) · scaleⱼ)² for i < count. */
export function distancesFrom(
  x: Float64Array,
  d: number,
  rows: Int32Array,
  count: number,
  mean: Float64Array,
  meanAt: number,
  scale: Float64Array,
  scaleAt: number,
  out: Float64Array,
): void {
  const inFours = d - (d % 4);
  for (let i = 0; i < count; i++) {
    const row = rows[i] * d;
    // Four sums, because an addition waits for the one before.
    let a = 0;
    let b = 0;
    let c = 0;
    let e = 0;
    for (let j = 0; j < inFours; j += 4) {
      const x0 = (x[row + j] - mean[meanAt + j]) * scale[scaleAt + j];
      const x1 = (x[row + j + 1] - mean[meanAt + j + 1]) * scale[scaleAt + j + 1];
      const x2 = (x[row + j + 2] - mean[meanAt + j + 2]) * scale[scaleAt + j + 2];
      const x3 = (x[row + j + 3] - mean[meanAt + j + 3]) * scale[scaleAt + j + 3];
      a += x0 * x0;
      b += x1 * x1;
      c += x2 * x2;
      e += x3 * x3;
    }
    for (let j = inFours; j < d; j++) {
      const deviation = (x[row + j] - mean[meanAt + j]) * scale[scaleAt + j];
      a += deviation * deviation;
    }
    out[i] = a + b + c + e;
  }
}

/** W (x − c) for every row of x [N, D], W lower triangular [D, D]. */
export function whitened(x: Float64Array, d: number, centre: Float64Array, w: Float64Array): Float64Array {
  const out = new Float64Array(x.length);
  const rows = x.length / d;
  const z = new Float64Array(LANES * d);
  for (let n = 0; n < rows; n += LANES) {
    const inside = Math.min(LANES, rows - n);
    for (let lane = 0; lane < LANES; lane++) {
      const row = (n + Math.min(lane, inside - 1)) * d;
      for (let j = 0; j < d; j++) z[LANES * j + lane] = x[row + j] - centre[j];
    }
    for (let i = 0; i < d; i++) {
      let a0 = 0;
      let a1 = 0;
      let a2 = 0;
      let a3 = 0;
      for (let j = 0; j <= i; j++) {
        const factor = w[i * d + j];
        const p = LANES * j;
        a0 += factor * z[p];
        a1 += factor * z[p + 1];
        a2 += factor * z[p + 2];
        a3 += factor * z[p + 3];
      }
      const at = n * d + i;
      out[at] = a0;
      if (inside > 1) out[at + d] = a1;
      if (inside > 2) out[at + 2 * d] = a2;
      if (inside > 3) out[at + 3 * d] = a3;
    }
  }
  return out;
}
