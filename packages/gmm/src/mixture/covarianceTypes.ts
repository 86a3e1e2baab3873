import { indices, rowAt, summed } from '../linearAlgebra/vectors.js';
import { factorInPlace, inverseOf, logDeterminant } from '../linearAlgebra/cholesky.js';
import { addScatter } from '../linearAlgebra/scatter.js';
import { triangleSize, unpacked } from '../linearAlgebra/symmetric.js';
import { scaledDistances, squaredDistances, whitened } from '../linearAlgebra/whitening.js';
import type { Matrix } from './rows.js';

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

/** What densities are computed from. */
export interface Whitening {
  /** Of matrices their Cholesky factors L, Σ = L Lᵀ; of variances 1/σ. */
  readonly factors: Float64Array;
  /** −½ log |Σ_k| [K]. */
  readonly logDeterminants: Float64Array;
}

/** out[i] = (x[rows[i]] − μ_k)ᵀ Σ_k⁻¹ (x[rows[i]] − μ_k); see `squaredDistances` for the limits. */
export type Distances = (k: number, rows: Int32Array, limits: Float64Array | null, out: Float64Array) => void;

/** A covariance type. Flat arrays are row-major in the shape that `shape` gives. */
export interface CovarianceForm {
  shape(sizes: Sizes): number[];
  /** Positions of the numbers that lie on a diagonal. */
  diagonal(sizes: Sizes): Int32Array;
  /** Σₙ r_nk (xₙ − μ_k)(xₙ − μ_k)ᵀ / N_k, restricted to the type; `shares` is r [N, K], `counts` N_k [K]. */
  estimate(x: Matrix, shares: Float64Array, counts: Float64Array, means: Float64Array): Float64Array;
  /** The factors of covariances, or the first covariance that is not positive definite. */
  whiten(covariances: Float64Array, sizes: Sizes): Whitening | Failure;
  /** Σ⁻¹ of covariances, or covariances of precisions. */
  inverse(matrices: Float64Array, sizes: Sizes): Float64Array | Failure;
  distances(x: Matrix, means: Float64Array, factors: Float64Array): Distances;
  /** out [D] += Σ_k^½ z, for standard normal z [D]. */
  addNoise(factors: Float64Array, k: number, z: Float64Array, out: Float64Array): void;
}

/** How many numbers of the covariances are free. */
export function freeParameters(form: CovarianceForm, sizes: Sizes): number {
  return (form.shape(sizes).reduce((product, n) => product * n, 1) + form.diagonal(sizes).length) / 2;
}

const matrices = {
  whiten(covariances: Float64Array, { components, features: d }: Sizes): Whitening | Failure {
    const factors = factorsOf(covariances, d);
    if ('pivot' in factors) return factors;
    const each = Float64Array.from({ length: components }, (_, k) => {
      return -0.5 * logDeterminant(matrixAt(factors, d, k), d);
    });
    return { factors, logDeterminants: each };
  },
  inverse(values: Float64Array, { features: d }: Sizes): Float64Array | Failure {
    const factors = factorsOf(values, d);
    if ('pivot' in factors) return factors;
    for (let at = 0; at < factors.length; at += d * d) {
      factors.set(inverseOf(factors.subarray(at, at + d * d), d), at);
    }
    return factors;
  },
  addNoise(factors: Float64Array, k: number, z: Float64Array, out: Float64Array): void {
    const d = z.length;
    const l = matrixAt(factors, d, k);
    for (let i = 0; i < d; i++) for (let j = 0; j <= i; j++) out[i] += l[i * d + j] * z[j];
  },
};

const variances = {
  whiten(values: Float64Array, { components, features }: Sizes): Whitening | Failure {
    const each = values.length / components;
    const failed = values.findIndex((variance) => !(variance > 0 && variance < Infinity));
    if (failed >= 0) return { component: Math.floor(failed / each), pivot: failed % each };
    const factors = values.map((variance) => 1 / Math.sqrt(variance));
    const logDeterminants = new Float64Array(components);
    for (const [at, factor] of factors.entries()) {
      logDeterminants[Math.floor(at / each)] += (features / each) * Math.log(factor);
    }
    return { factors, logDeterminants };
  },
  inverse: (values: Float64Array) => values.map((value) => 1 / value),
};

const full: CovarianceForm = {
  ...matrices,
  shape: ({ components, features }) => [components, features, features],
  diagonal: ({ components, features }) => diagonalOf(components, features),
  estimate(x, shares, counts, means) {
    const d = x.columns;
    const components = counts.length;
    const out = new Float64Array(components * d * d);
    for (let k = 0; k < components; k++) {
      const sums = new Float64Array(triangleSize(d));
      addScatter(sums, x.data, rowAt(means, d, k), { values: shares, offset: k, stride: components });
      out.set(unpacked(sums, d, 1 / counts[k]), k * d * d);
    }
    return out;
  },
  distances:
    ({ data, columns: d }, means, factors) =>
    (k, rows, limits, out) =>
      squaredDistances(data, rows, rowAt(means, d, k), matrixAt(factors, d, k), out, limits),
};

const tied: CovarianceForm = {
  ...matrices,
  shape: ({ features }) => [features, features],
  diagonal: ({ features }) => diagonalOf(1, features),
  estimate(x, shares, counts, means) {
    // With R = Σ_k r_k and m = Σ_k r_k μ_k / R of a row, Σ_k r_k (x − μ_k)(x − μ_k)ᵀ =
    // R (x − m)(x − m)ᵀ + Σ_{k<l} r_k r_l / R (μ_k − μ_l)(μ_k − μ_l)ᵀ: nothing cancels, and each row is multiplied once.
    const d = x.columns;
    const { deviations, totals, overlaps } = deviationsFromBlend(x, shares, means, counts.length);
    const sums = new Float64Array(triangleSize(d));
    addScatter(sums, deviations, new Float64Array(d), { values: totals, offset: 0, stride: 1 });
    for (let k = 1; k < counts.length; k++) {
      const values = rowAt(overlaps, counts.length, k);
      addScatter(sums, means.subarray(0, k * d), rowAt(means, d, k), { values, offset: 0, stride: 1 });
    }
    return unpacked(sums, d, 1 / summed(counts));
  },
  distances({ data, columns: d }, means, factors) {
    // Rows and means are whitened once, around the middle of the means: the distances are then Euclidean.
    const middle = new Float64Array(d);
    for (const [at, mean] of means.entries()) middle[at % d] += (mean * d) / means.length;
    const y = whitened(data, middle, factors);
    const centres = whitened(means, middle, factors);
    const ones = new Float64Array(d).fill(1);
    return (k, rows, _, out) => scaledDistances(y, rows, rowAt(centres, d, k), ones, out);
  },
};

const diag: CovarianceForm = {
  ...variances,
  shape: ({ components, features }) => [components, features],
  diagonal: ({ components, features }) => indices(components * features),
  estimate({ data, rows, columns: d }, shares, counts, means) {
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
  distances:
    ({ data, columns: d }, means, factors) =>
    (k, rows, _, out) =>
      scaledDistances(data, rows, rowAt(means, d, k), rowAt(factors, d, k), out),
  addNoise(factors, k, z, out) {
    for (const [j, value] of z.entries()) out[j] += value / factors[k * z.length + j];
  },
};

const spherical: CovarianceForm = {
  ...variances,
  shape: ({ components }) => [components],
  diagonal: ({ components }) => indices(components),
  estimate(x, shares, counts, means) {
    const d = x.columns;
    const each = diag.estimate(x, shares, counts, means);
    return counts.map((_, k) => summed(rowAt(each, d, k)) / d);
  },
  distances:
    ({ data, columns: d }, means, factors) =>
    (k, rows, _, out) => {
      const scale = new Float64Array(d).fill(factors[k]);
      scaledDistances(data, rows, rowAt(means, d, k), scale, out);
    },
  addNoise(factors, k, z, out) {
    for (const [j, value] of z.entries()) out[j] += value / factors[k];
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
function deviationsFromBlend(
  { data, rows, columns: d }: Matrix,
  shares: Float64Array,
  means: Float64Array,
  components: number,
): { deviations: Float64Array; totals: Float64Array; overlaps: Float64Array } {
  const deviations = data.slice();
  const totals = new Float64Array(rows);
  const overlaps = new Float64Array(components * components);
  for (let n = 0; n < rows; n++) {
    const own = rowAt(shares, components, n);
    const total = summed(own);
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

function diagonalOf(count: number, d: number): Int32Array {
  return indices(count * d).map((i) => Math.floor(i / d) * d * d + (i % d) * (d + 1));
}

/** Matrix k of values [K, D, D], or the one there is. */
function matrixAt(values: Float64Array, d: number, k: number): Float64Array {
  return values.length === d * d ? values : rowAt(values, d * d, k);
}

/** The Cholesky factors of matrices [D, D]. */
function factorsOf(values: Float64Array, d: number): Float64Array | Failure {
  const factors = values.slice();
  for (let component = 0; component * d * d < values.length; component++) {
    const pivot = factorInPlace(rowAt(factors, d * d, component), d);
    if (pivot >= 0) return { component, pivot };
  }
  return factors;
}
