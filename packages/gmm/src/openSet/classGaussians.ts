import { NotPositiveDefiniteError } from '@gmml/tensor';
import { LOG_2PI, joined, rowAt } from '../linearAlgebra/vectors.js';
import { factorInPlace, logDeterminant } from '../linearAlgebra/cholesky.js';
import type { Moments } from '../linearAlgebra/moments.js';
import { blended, lowerOf, packed } from '../linearAlgebra/symmetric.js';
import { whitened } from '../linearAlgebra/whitening.js';
import { squaredDistance } from '../mixture/nearestCenters.js';
import type { NormalParameters } from './modelParameters.js';
import type { Pooled } from './pooledCovariance.js';
import {
  sharesOf,
  towardTarget,
  towardVariances,
  weightsOf,
  type Shares,
  type Shrinkage,
  type Weights,
} from './shrinkage.js';

/** Which covariance labels have: one each, one each without correlations, or one for all. */
export type OpenSetCovariance = 'full' | 'diag' | 'tied';

/** One normal distribution for each of K labels. */
export interface ClassGaussians {
  /** Degrees of freedom of the covariance of each label [K]. */
  readonly freedom: readonly number[];
  /** The distribution of each label [K]; labels of one covariance share its array. */
  normals(): readonly NormalParameters[];
  /**
   * log N(x; μ_k, Σ_k) of the rows x [n, D] → [n, K]. With `owners` [n], row i is an example of the label owners[i],
   * which has at least two, and is left out of every mean and covariance, the amounts of shrinkage fixed.
   */
  logDensities(x: Float64Array, owners?: Int32Array): Float64Array;
}

/**
 * Fits one normal distribution to each label's moments. 'tied' shrinks the pooled covariance toward the spherical
 * one, 'full' each label's toward the pooled one, 'diag' each label's variances toward the pooled ones, which are
 * shrunk toward their mean.
 * @param all the moments of all labels together
 * @param pooled the covariance within all labels, or its diagonal for 'diag'
 * @param least a label's own covariance is shrunk by no less
 * @throws NotPositiveDefiniteError naming the label
 */
export function fitGaussians(
  labels: readonly Moments[],
  all: Moments,
  covariance: OpenSetCovariance,
  pooled: Pooled,
  shrinkage: Shrinkage,
  names: readonly string[],
  least = 0,
): ClassGaussians {
  const d = all.mean.length;
  const { sigma: target } = pooled;
  if (covariance === 'tied') return tiedGaussians(labels, all, pooled);
  const weights = labels.map(({ count, scatter }) => {
    const freedom = count - 1;
    const estimated =
      covariance === 'diag'
        ? towardVariances(scatter, target, freedom)
        : towardTarget(scatter, target, d, freedom);
    return weightsOf(freedom, Math.max(least, shrinkage === 'auto' ? estimated : shrinkage));
  });
  return (covariance === 'diag' ? diagGaussians : fullGaussians)(labels, pooled, weights, names);
}

/** A covariance L Lᵀ, and the labels that have it. */
interface FactoredCovariance {
  readonly l: Float64Array;
  readonly logDet: number;
  /** Subtracted before anything is multiplied [D]. */
  readonly centre: Float64Array;
  readonly labels: readonly number[];
  readonly shares: Shares;
  /** L⁻¹(μ − centre) of all labels [K, D], if those of others are needed too. */
  readonly means: (ofAll: boolean) => Float64Array;
}

/** One covariance for all labels: rows are whitened once, and distances are plain ones from there. */
function tiedGaussians(labels: readonly Moments[], all: Moments, { sigma, weights }: Pooled): ClassGaussians {
  const l = factored(sigma, all.mean.length, 'the covariance of all labels');
  const logDet = logDeterminant(l, all.mean.length);
  const shares = { own: weights.scatter, other: weights.scatter };
  const means = whitened(meansOf(labels), all.mean, l);
  const covariance = { l, logDet, centre: all.mean, labels: [...labels.keys()], shares, means: () => means };
  return {
    freedom: labels.map(() => weights.freedom),
    normals() {
      const scale = packed(l, all.mean.length);
      return labels.map(({ mean }) => ({ mean, scale }));
    },
    logDensities: densitiesOf(labels, [covariance]),
  };
}

/** A covariance for each label. */
function fullGaussians(
  labels: readonly Moments[],
  { sigma: target, weights: ofTarget }: Pooled,
  weights: readonly Weights[],
  names: readonly string[],
): ClassGaussians {
  // Labels that are nothing but the target share its factor.
  let shared: Float64Array | null = null;
  const covariances = labels.map(({ mean: centre, scatter }, k): FactoredCovariance => {
    const own = weights[k];
    const d = centre.length;
    const isTarget = own.scatter === 0;
    const l =
      (isTarget ? shared : null) ??
      factored(blended(own.scatter, scatter, own.target, target), d, `the covariance of label '${names[k]}'`);
    if (isTarget) shared = l;
    const means = (ofAll: boolean): Float64Array =>
      ofAll ? whitened(meansOf(labels), centre, l) : new Float64Array(labels.length * d);
    return { l, logDet: logDeterminant(l, d), centre, labels: [k], shares: sharesOf(own, ofTarget), means };
  });
  return {
    freedom: labels.map(({ count }) => count - 1),
    normals: () => covariances.map(({ centre, l }) => ({ mean: centre, scale: packed(l, centre.length) })),
    logDensities: densitiesOf(labels, covariances),
  };
}

function densitiesOf(
  labels: readonly Moments[],
  covariances: readonly FactoredCovariance[],
): ClassGaussians['logDensities'] {
  return (x, owners) => {
    const d = labels[0].mean.length;
    const n = x.length / d;
    const out = new Float64Array(n * labels.length);
    for (const { l, logDet, centre, labels: served, shares, means: meansBy } of covariances) {
      const z = whitened(x, centre, l);
      const rows = { data: z, columns: d };
      const means = meansBy(owners !== undefined);
      for (let i = 0; i < n; i++) {
        for (const k of served) {
          out[i * labels.length + k] = owners
            ? densityWithout(rowAt(z, d, i), means, k, owners[i], labels, shares, logDet)
            : densityOf(squaredDistance(rows, i, means, k * d), logDet, d);
        }
      }
    }
    return out;
  };
}

/** Variances for each label. */
function diagGaussians(
  labels: readonly Moments[],
  { sigma: target, weights: ofTarget }: Pooled,
  weights: readonly Weights[],
  names: readonly string[],
): ClassGaussians {
  const each = labels.map(({ count, mean, scatter }, k) => {
    const variances = blended(weights[k].scatter, scatter, weights[k].target, target);
    const row = variances.findIndex((v) => !(v > 0 && v < Infinity));
    if (row >= 0) throw singular(`the covariance of label '${names[k]}'`, row);
    const logDet = variances.reduce((sum, v) => sum + Math.log(v), 0);
    return { reach: count / (count - 1), mean, shares: sharesOf(weights[k], ofTarget), variances, logDet };
  });
  /** The density of row i by label k without it, an example of the label `owner`. */
  const without = (x: Float64Array, i: number, k: number, owner: number): number => {
    const { mean, variances, shares } = each[k];
    const { reach, mean: ownMean } = each[owner];
    const d = mean.length;
    const [share, stretch] = k === owner ? [shares.own, reach] : [shares.other, 1];
    let [distance, logDet] = [0, 0];
    for (let j = 0; j < d; j++) {
      const removed = share * reach * (x[i * d + j] - ownMean[j]) ** 2;
      const variance = (variances[j] - removed) / (1 - share);
      distance += (stretch * (x[i * d + j] - mean[j])) ** 2 / variance;
      logDet += Math.log(variance);
    }
    return densityOf(distance, logDet, d);
  };
  return {
    freedom: labels.map(({ count }) => count - 1),
    normals: () => each.map(({ mean, variances }) => ({ mean, scale: variances.map(Math.sqrt) })),
    logDensities(x, owners) {
      const d = target.length;
      const n = x.length / d;
      const out = new Float64Array(n * each.length);
      for (const [k, { mean, variances, logDet }] of each.entries()) {
        for (let i = 0; i < n; i++) {
          let distance = 0;
          for (let j = 0; j < d; j++) distance += (x[i * d + j] - mean[j]) ** 2 / variances[j];
          out[i * each.length + k] = owners ? without(x, i, k, owners[i]) : densityOf(distance, logDet, d);
        }
      }
      return out;
    },
  };
}

/** The means of all labels [K, D]. */
export function meansOf(labels: readonly Moments[]): Float64Array {
  return joined(labels.map(({ mean }) => mean));
}

function factored(sigma: Float64Array, d: number, what: string): Float64Array {
  const l = lowerOf(sigma, d);
  const row = factorInPlace(l, d);
  if (row >= 0) throw singular(what, row);
  return l;
}

function singular(what: string, row: number): NotPositiveDefiniteError {
  return new NotPositiveDefiniteError(
    `OpenSetClassifier: ${what} must be positive definite: pivot ${row} is not positive. Use more shrinkage (the default is 'auto'), give more examples, or leave out features that are constant or sums of others.`,
    0,
    row,
  );
}

/**
 * log N(x) by label k without the example x, L⁻¹(x − centre) being given, by the inverse and the determinant of
 * Σ' = (Σ − h·g·d dᵀ)/(1 − h), g = n/(n − 1): with z = L⁻¹(x − μ_k) and u = L⁻¹d, d from the mean of its own label,
 * |L'⁻¹(x − μ)|² = (1 − h)·(|z|² + h g (u·z)²/(1 − h g|u|²)); x is g times as far from the mean of the others of its label.
 * (Sherman and Morrison, 1950.)
 * @param means L⁻¹(μ − centre) of all labels
 */
function densityWithout(
  row: Float64Array,
  means: Float64Array,
  k: number,
  owner: number,
  labels: readonly Moments[],
  shares: Shares,
  logDet: number,
): number {
  const d = row.length;
  const { count } = labels[owner];
  const g = count / (count - 1);
  const isOwn = k === owner;
  const h = isOwn ? shares.own : shares.other;
  let [distance, along, length] = [0, 0, 0];
  for (let j = 0; j < d; j++) {
    const z = row[j] - means[k * d + j];
    const u = row[j] - means[owner * d + j];
    distance += z * z;
    along += u * z;
    length += u * u;
  }
  const rest = 1 - h * g * length;
  const without = (isOwn ? g * g : 1) * (1 - h) * (distance + (h * g * along ** 2) / rest);
  return densityOf(without, logDet + Math.log(rest) - d * Math.log(1 - h), d);
}

/** Where distances overflow, or what is left without an example has no density: the logarithm of 0, never NaN. */
function densityOf(distance: number, logDet: number, d: number): number {
  const logDensity = -0.5 * (distance + logDet + d * LOG_2PI);
  return Number.isNaN(logDensity) ? -Infinity : logDensity;
}
