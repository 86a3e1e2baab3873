import { cholesky, invertLower, logDiagonal, square, whiteningOfPrecision } from './factor.js';
import { distancesFrom, squaredDistances, whitened } from './distances.js';
import type { Matrix } from './rows.js';
import { Scatter } from './scatter.js';

/** How covariances are restricted: one of each component, one of all, independent coordinates, or one variance. */
export type CovarianceType = 'full' | 'tied' | 'diag' | 'spherical';

/** Components K and features D of a mixture. */
export interface Sizes {
  readonly components: number;
  readonly features: number;
}

/** Where a factorisation failed: in which covariance, at which feature. */
export interface Failure {
  readonly component: number;
  readonly pivot: number;
}

/** What densities are computed from: W with Wᵀ W = Σ⁻¹ and log |W| of each component [K]. */
export interface Whitening {
  readonly factors: Float64Array;
  /** The matrices W⁻¹ where there are some: the Cholesky factors of Σ. */
  readonly roots?: Float64Array;
  readonly logDeterminants: Float64Array;
}

/** out[i] = (x[rows[i]] − μ_k)ᵀ Σ_k⁻¹ (x[rows[i]] − μ_k) for i < count; see `squaredDistances` for the limits. */
export type Distances = (
  k: number,
  rows: Int32Array,
  count: number,
  limits: Float64Array | null,
  out: Float64Array,
) => void;

/** A covariance type. Flat arrays are row-major in the shape that `shape` gives. */
export interface CovarianceForm {
  shape(sizes: Sizes): number[];
  /** How many numbers of the covariances are free. */
  freeParameters(sizes: Sizes): number;
  /** Positions of the numbers that lie on a diagonal. */
  diagonal(sizes: Sizes): Int32Array;
  /** Σₙ r_nk (xₙ − μ_k)(xₙ − μ_k)ᵀ / N_k, restricted to the type; `shares` is r [N, K], `counts` N_k [K]. */
  estimate(x: Matrix, shares: Float64Array, counts: Float64Array, means: Float64Array): Float64Array;
  /** The factors of covariances, and the first covariance that is not positive definite. */
  whiten(covariances: Float64Array, sizes: Sizes): Whitening | Failure;
  /** The factors and covariances of precisions Σ⁻¹. */
  invert(precisions: Float64Array, sizes: Sizes): (Whitening & { covariances: Float64Array }) | Failure;
  /** Σ⁻¹ from the factors. */
  precisions(factors: Float64Array, sizes: Sizes): Float64Array;
  distances(x: Matrix, means: Float64Array, whitening: Pick<Whitening, 'factors' | 'roots'>): Distances;
  /** out [D] += Σ_k^½ z, for standard normal z [D]. */
  addNoise(covariances: Float64Array, sizes: Sizes, k: number, z: Float64Array, out: Float64Array): void;
}

const full: CovarianceForm = {
  shape: ({ components, features }) => [components, features, features],
  freeParameters: ({ components, features }) => (components * features * (features + 1)) / 2,
  diagonal: ({ components, features }) => diagonalOf(components, features),
  estimate(x, shares, counts, means) {
    const d = x.columns;
    const components = counts.length;
    const out = new Float64Array(components * d * d);
    const scatter = new Scatter(d);
    for (let k = 0; k < components; k++) {
      scatter.add(x.data, shares, k, components, means, k * d);
      scatter.take(1 / counts[k], out, k * d * d);
    }
    return out;
  },
  whiten: (covariances, { components, features }) => whitenMatrices(covariances, components, features),
  invert: (precisions, { components, features }) => invertMatrices(precisions, components, features),
  precisions: (factors, { components, features }) => squares(factors, components, features, true),
  distances:
    (x, mean, { factors: whitening, roots }) =>
    (k, rows, count, limits, out) => {
      const d = x.columns;
      const component = { mean, meanAt: k * d, whitening, whiteningAt: k * d * d, roots };
      squaredDistances({ x: x.data, d, rows, count, ...component }, limits, out);
    },
  addNoise(covariances, { features }, k, z, out) {
    addFactored(covariances, k * features * features, features, z, out);
  },
};

const tied: CovarianceForm = {
  shape: ({ features }) => [features, features],
  freeParameters: ({ features }) => (features * (features + 1)) / 2,
  diagonal: ({ features }) => diagonalOf(1, features),
  estimate(x, shares, counts, means) {
    // With R = Σ_k r_k and m = Σ_k r_k μ_k / R of a row, Σ_k r_k (x − μ_k)(x − μ_k)ᵀ =
    // R (x − m)(x − m)ᵀ + Σ_{k<l} r_k r_l / R (μ_k − μ_l)(μ_k − μ_l)ᵀ: nothing cancels, and each row is multiplied once.
    const d = x.columns;
    const out = new Float64Array(d * d);
    const { deviations, totals, overlaps } = blended(x, shares, means, counts.length);
    const origin = new Float64Array(d);
    const scatter = new Scatter(d);
    scatter.add(deviations, totals, 0, 1, origin, 0);
    for (let k = 1; k < counts.length; k++) {
      const own = means.subarray(0, k * d);
      scatter.add(own, overlaps.subarray(k * counts.length), 0, 1, means, k * d);
    }
    scatter.take(1 / sum(counts), out, 0);
    return out;
  },
  whiten(covariances, { components, features }) {
    const found = whitenMatrices(covariances, 1, features);
    return 'pivot' in found ? found : { ...found, logDeterminants: repeated(found, components) };
  },
  invert(precisions, { components, features }) {
    const found = invertMatrices(precisions, 1, features);
    return 'pivot' in found ? found : { ...found, logDeterminants: repeated(found, components) };
  },
  precisions: (factors, { features }) => squares(factors, 1, features, true),
  distances(x, means, { factors }) {
    // Rows and means are whitened once, around the middle of the means: the distances are then Euclidean.
    const d = x.columns;
    const middle = centreOf(means, d);
    const y = whitened(x.data, d, middle, factors);
    const centres = whitened(means, d, middle, factors);
    const ones = new Float64Array(d).fill(1);
    return (k, rows, count, _, out) => distancesFrom(y, d, rows, count, centres, k * d, ones, 0, out);
  },
  addNoise(covariances, { features }, _, z, out) {
    addFactored(covariances, 0, features, z, out);
  },
};

const diag: CovarianceForm = {
  shape: ({ components, features }) => [components, features],
  freeParameters: ({ components, features }) => components * features,
  diagonal: ({ components, features }) => Int32Array.from({ length: components * features }, (_, i) => i),
  estimate(x, shares, counts, means) {
    const { data, rows, columns: d } = x;
    const components = counts.length;
    const out = new Float64Array(components * d);
    for (let n = 0; n < rows; n++) {
      for (let k = 0; k < components; k++) {
        const share = shares[n * components + k];
        if (share === 0) continue;
        const at = k * d;
        for (let j = 0; j < d; j++) {
          const deviation = data[n * d + j] - means[at + j];
          out[at + j] += share * deviation * deviation;
        }
      }
    }
    return out.map((total, at) => total / counts[Math.floor(at / d)]);
  },
  whiten: (variances, { components, features }) => whitenVariances(variances, components, features, 1),
  invert: (precisions, { components, features }) => invertVariances(precisions, components, features, 1),
  precisions: (factors) => factors.map((factor) => factor * factor),
  distances:
    (x, means, { factors }) =>
    (k, rows, count, _, out) => {
      const d = x.columns;
      distancesFrom(x.data, d, rows, count, means, k * d, factors, k * d, out);
    },
  addNoise(variances, { features }, k, z, out) {
    for (let j = 0; j < features; j++) out[j] += Math.sqrt(variances[k * features + j]) * z[j];
  },
};

const spherical: CovarianceForm = {
  shape: ({ components }) => [components],
  freeParameters: ({ components }) => components,
  diagonal: ({ components }) => Int32Array.from({ length: components }, (_, i) => i),
  estimate(x, shares, counts, means) {
    const d = x.columns;
    const variances = diag.estimate(x, shares, counts, means);
    return counts.map((_, k) => sum(variances.subarray(k * d, (k + 1) * d)) / d);
  },
  whiten: (variances, { components, features }) => whitenVariances(variances, components, 1, features),
  invert: (precisions, { components, features }) => invertVariances(precisions, components, 1, features),
  precisions: (factors) => factors.map((factor) => factor * factor),
  distances:
    (x, means, { factors }) =>
    (k, rows, count, _, out) => {
      const d = x.columns;
      const scale = new Float64Array(d).fill(factors[k]);
      distancesFrom(x.data, d, rows, count, means, k * d, scale, 0, out);
    },
  addNoise(variances, { features }, k, z, out) {
    for (let j = 0; j < features; j++) out[j] += Math.sqrt(variances[k]) * z[j];
  },
};

/** The four covariance types. */
export const COVARIANCE_FORMS: Readonly<Record<CovarianceType, CovarianceForm>> = {
  full,
  tied,
  diag,
  spherical,
};

/** x − m [N, D] and R [N] of each row, and Σₙ r_nk r_nl / R_n [K, K] for l < k. */
function blended(
  { data, rows, columns: d }: Matrix,
  shares: Float64Array,
  means: Float64Array,
  components: number,
): { deviations: Float64Array; totals: Float64Array; overlaps: Float64Array } {
  const deviations = data.slice();
  const totals = new Float64Array(rows);
  const overlaps = new Float64Array(components * components);
  for (let n = 0; n < rows; n++) {
    const own = shares.subarray(n * components, (n + 1) * components);
    const total = sum(own);
    totals[n] = total;
    if (total === 0) continue;
    for (let k = 0; k < components; k++) {
      const part = own[k] / total;
      if (part === 0) continue;
      for (let j = 0; j < d; j++) deviations[n * d + j] -= part * means[k * d + j];
      for (let l = 0; l < k; l++) overlaps[k * components + l] += part * own[l];
    }
  }
  return { deviations, totals, overlaps };
}

function diagonalOf(matrices: number, d: number): Int32Array {
  return Int32Array.from({ length: matrices * d }, (_, i) => Math.floor(i / d) * d * d + (i % d) * (d + 1));
}

function whitenMatrices(covariances: Float64Array, matrices: number, d: number): Whitening | Failure {
  const factors = new Float64Array(matrices * d * d);
  const logDeterminants = new Float64Array(matrices);
  for (let k = 0; k < matrices; k++) {
    const at = k * d * d;
    const pivot = cholesky(covariances, at, d, factors, at);
    if (pivot >= 0) return { component: k, pivot };
  }
  const roots = factors.slice();
  for (let k = 0; k < matrices; k++) {
    invertLower(factors, k * d * d, d);
    logDeterminants[k] = logDiagonal(factors, k * d * d, d);
  }
  return { factors, roots, logDeterminants };
}

function invertMatrices(
  precisions: Float64Array,
  matrices: number,
  d: number,
): (Whitening & { covariances: Float64Array }) | Failure {
  const factors = new Float64Array(matrices * d * d);
  const logDeterminants = new Float64Array(matrices);
  for (let k = 0; k < matrices; k++) {
    const at = k * d * d;
    const pivot = whiteningOfPrecision(precisions, at, d, factors, at);
    if (pivot >= 0) return { component: k, pivot };
    logDeterminants[k] = logDiagonal(factors, at, d);
  }
  const roots = factors.slice();
  for (let k = 0; k < matrices; k++) invertLower(roots, k * d * d, d);
  return { factors, roots, logDeterminants, covariances: squares(roots, matrices, d, false) };
}

/** A Aᵀ of each lower triangle, or Aᵀ A. */
function squares(factors: Float64Array, matrices: number, d: number, transposed: boolean): Float64Array {
  const out = new Float64Array(factors.length);
  for (let k = 0; k < matrices; k++) square(factors, k * d * d, d, out, k * d * d, transposed);
  return out;
}

/** `perComponent` variances of each component, each of them standing for `times` features. */
function whitenVariances(
  variances: Float64Array,
  components: number,
  perComponent: number,
  times: number,
): Whitening | Failure {
  const failed = variances.findIndex((variance) => !(variance > 0 && variance < Infinity));
  if (failed >= 0) return { component: Math.floor(failed / perComponent), pivot: failed % perComponent };
  const factors = variances.map((variance) => 1 / Math.sqrt(variance));
  const logDeterminants = new Float64Array(components);
  for (let at = 0; at < factors.length; at++) {
    logDeterminants[Math.floor(at / perComponent)] += times * Math.log(factors[at]);
  }
  return { factors, logDeterminants };
}

function invertVariances(
  precisions: Float64Array,
  components: number,
  perComponent: number,
  times: number,
): (Whitening & { covariances: Float64Array }) | Failure {
  const covariances = precisions.map((precision) => 1 / precision);
  const found = whitenVariances(covariances, components, perComponent, times);
  return 'pivot' in found ? found : { ...found, covariances };
}

function repeated({ logDeterminants }: Whitening, components: number): Float64Array {
  return new Float64Array(components).fill(logDeterminants[0]);
}

function centreOf(means: Float64Array, d: number): Float64Array {
  const centre = new Float64Array(d);
  const components = means.length / d;
  for (let at = 0; at < means.length; at++) centre[at % d] += means[at] / components;
  return centre;
}

function addFactored(
  covariances: Float64Array,
  at: number,
  d: number,
  z: Float64Array,
  out: Float64Array,
): void {
  const l = new Float64Array(d * d);
  cholesky(covariances, at, d, l, 0);
  for (let i = 0; i < d; i++) for (let j = 0; j <= i; j++) out[i] += l[i * d + j] * z[j];
}

function sum(values: Float64Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
