import { ArgumentError } from '@gmml/tensor';
import { LOG_2PI, indices, rowAt, summed } from '../linearAlgebra/vectors.js';
import { factorInPlace, logDeterminant, solveLower, solveUpper } from '../linearAlgebra/cholesky.js';
import { squaredDistances } from '../linearAlgebra/whitening.js';
import { COVARIANCE_FORMS, type CovarianceType } from './covarianceTypes.js';
import { guarded, meansOf, totalsOf, type Observations } from './em.js';
import type { Parameters } from './model.js';
import type { Matrix } from './rows.js';

/** Rows that have the same coordinates. */
interface Pattern {
  readonly rows: Int32Array;
  /** Coordinates that are there, and those that are NaN. */
  readonly observed: Int32Array;
  readonly missing: Int32Array;
}

/** Whether there is a NaN. */
export function hasGaps({ data }: Matrix): boolean {
  return data.some((value) => Number.isNaN(value));
}

/**
 * Samples with NaN for what is not known. The density of a sample is that of its observed coordinates, log N(x_o; μ_o, Σ_oo);
 * an M-step takes E[x_m | x_o] = μ_m + Σ_mo Σ_oo⁻¹ (x_o − μ_o) for the others and adds their conditional covariance
 * Σ_mm − Σ_mo Σ_oo⁻¹ Σ_om. (Ghahramani and Jordan, "Supervised learning from incomplete data via an EM approach", 1994.)
 * @throws ArgumentError for a feature that no sample has
 */
export function dataWithGaps(
  op: string,
  x: Matrix,
  sampleWeight: Float64Array,
  covariance: CovarianceType,
): Observations {
  const patterns = patternsOf(x);
  const filled = filledByMeans(op, x, sampleWeight);
  return {
    rows: x.rows,
    features: x.columns,
    sampleWeight,
    totalWeight: summed(sampleWeight),
    filled,
    jointLogDensities: (parameters) => marginalLogDensities(x, parameters, covariance, patterns),
    moments(shares, from) {
      const components = shares.length / x.rows;
      const counts = guarded(totalsOf(shares, components));
      const expected = (k: number): Matrix =>
        from ? conditionalMeans(x, from, covariance, patterns, k) : filled;
      const means = new Float64Array(components * x.columns);
      const size = covariance === 'full' ? x.columns ** 2 : x.columns;
      const covariances = new Float64Array(components * size);
      for (let k = 0; k < components; k++) {
        const own = shares.filter((_, at) => at % components === k);
        const count = rowAt(counts, 1, k);
        const completed = expected(k);
        const mean = meansOf(completed, own, count);
        means.set(mean, k * x.columns);
        covariances.set(COVARIANCE_FORMS[covariance].estimate(completed, own, count, mean), k * size);
        if (from) addConditionals(covariances, k, own, counts[k], x.columns, from, covariance, patterns);
      }
      return { counts, means, covariances };
    },
  };
}

/** log π_k + log N(x_o; μ_k,o, Σ_k,oo) [N, K]; a sample without any coordinate has density 1. */
export function marginalLogDensities(
  x: Matrix,
  parameters: Parameters,
  covariance: CovarianceType,
  patterns: readonly Pattern[] = patternsOf(x),
): Float64Array {
  const { weights, means } = parameters;
  const { columns } = x;
  const components = weights.length;
  const joint = new Float64Array(x.rows * components);
  for (const { rows, observed } of patterns) {
    const d = observed.length;
    const known = gathered(x, rows, observed);
    const all = indices(rows.length);
    const distances = new Float64Array(rows.length);
    for (let k = 0; k < components; k++) {
      const mean = Float64Array.from(observed, (j) => means[k * columns + j]);
      const l = factorOf(parameters, covariance, columns, k, observed);
      squaredDistances(known, all, mean, l, distances);
      const atMean = Math.log(weights[k]) - 0.5 * (d * LOG_2PI + logDeterminant(l, d));
      for (const [i, n] of rows.entries()) joint[n * components + k] = atMean - 0.5 * distances[i];
    }
  }
  return joint;
}

/** x with E[x_m | x_o] under component k in the place of every NaN. */
function conditionalMeans(
  x: Matrix,
  parameters: Parameters,
  covariance: CovarianceType,
  patterns: readonly Pattern[],
  k: number,
): Matrix {
  const { columns } = x;
  const data = x.data.slice();
  const mean = rowAt(parameters.means, columns, k);
  for (const { rows, observed, missing } of patterns) {
    if (missing.length === 0) continue;
    const slopes = slopesOf(parameters, covariance, columns, k, observed, missing);
    for (const n of rows) {
      for (const [m, j] of missing.entries()) {
        let value = mean[j];
        for (const [o, i] of observed.entries()) {
          value += slopes[m * observed.length + o] * (x.data[n * columns + i] - mean[i]);
        }
        data[n * columns + j] = value;
      }
    }
  }
  return { data, rows: x.rows, columns };
}

/** Adds Σₙ rₙ (Σ_mm − Σ_mo Σ_oo⁻¹ Σ_om) / N_k for the missing coordinates of each sample. */
function addConditionals(
  out: Float64Array,
  k: number,
  shares: Float64Array,
  count: number,
  d: number,
  parameters: Parameters,
  covariance: CovarianceType,
  patterns: readonly Pattern[],
): void {
  const { covariances } = parameters;
  for (const { rows, observed, missing } of patterns) {
    const share = rows.reduce((sum, n) => sum + shares[n], 0) / count;
    if (share === 0) continue;
    if (covariance === 'diag') {
      for (const j of missing) out[k * d + j] += share * covariances[k * d + j];
      continue;
    }
    const slopes = slopesOf(parameters, covariance, d, k, observed, missing);
    for (const [m, j] of missing.entries()) {
      for (const l of missing) {
        let value = covariances[(k * d + j) * d + l];
        for (const [o, i] of observed.entries()) {
          value -= slopes[m * observed.length + o] * covariances[(k * d + i) * d + l];
        }
        out[(k * d + j) * d + l] += share * value;
      }
    }
  }
}

/** Σ_mo Σ_oo⁻¹ [missing, observed] of component k. */
function slopesOf(
  parameters: Parameters,
  covariance: CovarianceType,
  columns: number,
  k: number,
  observed: Int32Array,
  missing: Int32Array,
): Float64Array {
  const d = observed.length;
  const slopes = new Float64Array(missing.length * d);
  if (covariance === 'diag') return slopes;
  const l = factorOf(parameters, covariance, columns, k, observed);
  for (const [m, j] of missing.entries()) {
    const row = (k * columns + j) * columns;
    const z = Float64Array.from(observed, (i) => parameters.covariances[row + i]);
    slopes.set(solveUpper(l, solveLower(l, z)), m * d);
  }
  return slopes;
}

/** L [o, o] with L Lᵀ = Σ_oo of component k: a principal submatrix of Σ is positive definite as Σ is. */
function factorOf(
  { covariances }: Parameters,
  covariance: CovarianceType,
  columns: number,
  k: number,
  observed: Int32Array,
): Float64Array {
  const d = observed.length;
  const part = new Float64Array(d * d);
  for (const [a, i] of observed.entries()) {
    if (covariance === 'diag') part[a * (d + 1)] = covariances[k * columns + i];
    else {
      for (const [b, j] of observed.entries()) part[a * d + b] = covariances[(k * columns + i) * columns + j];
    }
  }
  factorInPlace(part, d);
  return part;
}

function patternsOf({ data, rows, columns }: Matrix): Pattern[] {
  const groups = new Map<string, number[]>();
  for (let n = 0; n < rows; n++) {
    const row = rowAt(data, columns, n);
    const key = Array.from(row, (value) => (Number.isNaN(value) ? '0' : '1')).join('');
    const group = groups.get(key);
    if (group) group.push(n);
    else groups.set(key, [n]);
  }
  const all = [...Array(columns).keys()];
  return [...groups].map(([key, own]) => ({
    rows: Int32Array.from(own),
    observed: Int32Array.from(all.filter((j) => key[j] === '1')),
    missing: Int32Array.from(all.filter((j) => key[j] === '0')),
  }));
}

function gathered({ data, columns }: Matrix, rows: Int32Array, chosen: Int32Array): Float64Array {
  const out = new Float64Array(rows.length * chosen.length);
  let next = 0;
  for (const n of rows) for (const j of chosen) out[next++] = data[n * columns + j];
  return out;
}

/** x with the mean of its column in the place of every NaN. */
function filledByMeans(op: string, { data, rows, columns }: Matrix, sampleWeight: Float64Array): Matrix {
  const means = Float64Array.from({ length: columns }, (_, j) => {
    let [sum, total] = [0, 0];
    for (let n = 0; n < rows; n++) {
      const value = data[n * columns + j];
      if (Number.isNaN(value)) continue;
      sum += sampleWeight[n] * value;
      total += sampleWeight[n];
    }
    return sum / total;
  });
  const empty = means.findIndex((mean) => Number.isNaN(mean));
  if (empty >= 0) {
    throw new ArgumentError(
      `${op}: every feature needs a value in a sample that has a weight: feature ${empty} has none. Leave the feature out.`,
    );
  }
  const filled = data.map((value, at) => (Number.isNaN(value) ? means[at % columns] : value));
  return { data: filled, rows, columns };
}
