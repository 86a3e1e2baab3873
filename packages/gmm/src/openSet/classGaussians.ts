import { NotPositiveDefiniteError } from '@gmml/tensor';
import { type Moments } from './moments.js';
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
import { factorInPlace, logDeterminant, whitenRows } from './triangle.js';

const LOG_2PI = Math.log(2 * Math.PI);

/** Which covariance labels have: one each, one each without correlations, or one for all. */
export type OpenSetCovariance = 'full' | 'diag' | 'tied';

/** One normal distribution for each of K labels. */
export interface ClassGaussians {
  /** Degrees of freedom of the covariance of each label [K]. */
  readonly freedom: readonly number[];
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
  if (covariance === 'diag') return new DiagGaussians(labels, pooled, shrinkage, least, names);
  if (covariance === 'full') return new FullGaussians(labels, pooled, shrinkage, least, names);
  return new TiedGaussians(labels, all, pooled);
}

/** One covariance for all labels: rows are whitened once, and distances are plain ones from there. */
class TiedGaussians implements ClassGaussians {
  readonly freedom: readonly number[];
  private readonly counts: readonly number[];
  private readonly weights: Weights;
  private readonly factor: Float64Array;
  private readonly logDet: number;
  /** The mean of all examples, subtracted before anything is multiplied. */
  private readonly centre: Float64Array;
  /** L⁻¹(μ_k − centre) [K, D]. */
  private readonly whitened: Float64Array;

  constructor(labels: readonly Moments[], all: Moments, { sigma, weights }: Pooled) {
    const d = all.mean.length;
    this.freedom = labels.map(() => weights.freedom);
    this.counts = labels.map(({ count }) => count);
    this.weights = weights;
    this.factor = factored(sigma.slice(), d, 'the covariance of all labels');
    this.logDet = logDeterminant(this.factor, d);
    this.centre = all.mean;
    this.whitened = new Float64Array(labels.length * d);
    for (const [k, { mean }] of labels.entries()) this.whitened.set(away(mean, 0, all.mean), k * d);
    whitenRows(this.factor, d, this.whitened, labels.length);
  }

  logDensities(x: Float64Array, owners?: Int32Array): Float64Array {
    const { centre, counts, factor } = this;
    const d = centre.length;
    const n = x.length / d;
    const z = new Float64Array(x.length);
    for (let i = 0; i < n; i++) z.set(away(x, i * d, centre), i * d);
    whitenRows(factor, d, z, n);
    const out = new Float64Array(n * counts.length);
    for (let i = 0; i < n; i++) {
      if (owners) this.withoutRow(z, i, owners[i], out);
      else for (let k = 0; k < counts.length; k++) out[i * counts.length + k] = this.density(z, i, k);
    }
    return out;
  }

  private density(z: Float64Array, i: number, k: number): number {
    const d = this.centre.length;
    let distance = 0;
    for (let j = 0; j < d; j++) distance += (z[i * d + j] - this.whitened[k * d + j]) ** 2;
    return finiteOr(-0.5 * (distance + this.logDet + d * LOG_2PI));
  }

  /** The densities of row i without itself. */
  private withoutRow(z: Float64Array, i: number, owner: number, out: Float64Array): void {
    const { counts, whitened } = this;
    const d = this.centre.length;
    const u = z.slice(i * d, (i + 1) * d);
    for (let j = 0; j < d; j++) u[j] -= whitened[owner * d + j];
    const fromLabel = new Float64Array(d);
    const reach = counts[owner] / (counts[owner] - 1);
    for (let k = 0; k < counts.length; k++) {
      for (let j = 0; j < d; j++) fromLabel[j] = z[i * d + j] - whitened[k * d + j];
      const isOwn = k === owner;
      out[i * counts.length + k] = densityWithout(
        fromLabel,
        u,
        this.logDet,
        this.weights.scatter,
        reach,
        isOwn,
      );
    }
  }
}

/** A covariance for each label. */
class FullGaussians implements ClassGaussians {
  readonly freedom: readonly number[];
  private readonly labels: readonly {
    readonly count: number;
    readonly mean: Float64Array;
    readonly shares: Shares;
    readonly factor: Float64Array;
    readonly logDet: number;
  }[];

  constructor(
    labels: readonly Moments[],
    pooled: Pooled,
    shrinkage: Shrinkage,
    least: number,
    names: readonly string[],
  ) {
    const d = labels[0].mean.length;
    const target = pooled.sigma;
    // Labels that are nothing but the target share its factor.
    let shared: Float64Array | null = null;
    this.freedom = labels.map(({ count }) => count - 1);
    this.labels = labels.map(({ count, mean, scatter }, k) => {
      const amount = shrinkage === 'auto' ? towardTarget(scatter, target, d, count - 1) : shrinkage;
      const weights = weightsOf(count - 1, Math.max(least, amount));
      let factor = weights.scatter === 0 ? shared : null;
      factor ??= factored(
        target.map((t, at) => weights.scatter * scatter[at] + weights.target * t),
        d,
        `the covariance of label '${names[k]}'`,
      );
      if (weights.scatter === 0) shared = factor;
      const shares = sharesOf(weights, pooled.weights);
      return { count, mean, shares, factor, logDet: logDeterminant(factor, d) };
    });
  }

  logDensities(x: Float64Array, owners?: Int32Array): Float64Array {
    const { labels } = this;
    const d = labels[0].mean.length;
    const n = x.length / d;
    const z = new Float64Array(x.length);
    const out = new Float64Array(n * labels.length);
    for (const [k, { mean, factor, logDet }] of labels.entries()) {
      for (let i = 0; i < n; i++) z.set(away(x, i * d, mean), i * d);
      whitenRows(factor, d, z, n);
      const means = owners && this.whitenedMeans(k);
      for (let i = 0; i < n; i++) {
        const row = z.subarray(i * d, (i + 1) * d);
        out[i * labels.length + k] =
          owners && means
            ? this.withoutRow(row, k, owners[i], means)
            : finiteOr(-0.5 * (squaredLength(row) + logDet + d * LOG_2PI));
      }
    }
    return out;
  }

  /** L⁻¹(μ_c − μ_k) of all labels c by the factor of label k [K, D]. */
  private whitenedMeans(k: number): Float64Array {
    const { labels } = this;
    const { mean, factor } = labels[k];
    const d = mean.length;
    const means = new Float64Array(labels.length * d);
    for (const [c, label] of labels.entries()) means.set(away(label.mean, 0, mean), c * d);
    whitenRows(factor, d, means, labels.length);
    return means;
  }

  /** The density by label k of a row that is L⁻¹(x − μ_k) of an example of the label `owner`, without it. */
  private withoutRow(row: Float64Array, k: number, owner: number, means: Float64Array): number {
    const { shares, logDet } = this.labels[k];
    const { count } = this.labels[owner];
    const d = row.length;
    const u = row.map((value, j) => value - means[owner * d + j]);
    const isOwn = k === owner;
    return densityWithout(row, u, logDet, isOwn ? shares.own : shares.other, count / (count - 1), isOwn);
  }
}

/** Variances for each label. */
class DiagGaussians implements ClassGaussians {
  readonly freedom: readonly number[];
  private readonly labels: readonly {
    readonly count: number;
    readonly mean: Float64Array;
    readonly shares: Shares;
    readonly variances: Float64Array;
  }[];

  constructor(
    labels: readonly Moments[],
    pooled: Pooled,
    shrinkage: Shrinkage,
    least: number,
    names: readonly string[],
  ) {
    this.freedom = labels.map(({ count }) => count - 1);
    this.labels = labels.map(({ count, mean, scatter }, k) => {
      const amount = shrinkage === 'auto' ? towardVariances(scatter, pooled.sigma, count - 1) : shrinkage;
      const weights = weightsOf(count - 1, Math.max(least, amount));
      const variances = pooled.sigma.map((t, j) => weights.scatter * scatter[j] + weights.target * t);
      const row = variances.findIndex((v) => !(v > 0 && v < Infinity));
      if (row >= 0) throw singular(`the covariance of label '${names[k]}'`, row);
      return { count, mean, shares: sharesOf(weights, pooled.weights), variances };
    });
  }

  logDensities(x: Float64Array, owners?: Int32Array): Float64Array {
    const { labels } = this;
    const d = labels[0].mean.length;
    const n = x.length / d;
    const out = new Float64Array(n * labels.length);
    for (const [k, { mean, variances }] of labels.entries()) {
      const logDet = variances.reduce((sum, v) => sum + Math.log(v), 0);
      for (let i = 0; i < n; i++) {
        if (owners) {
          out[i * labels.length + k] = this.withoutRow(x, i, k, owners[i]);
          continue;
        }
        let distance = 0;
        for (let j = 0; j < d; j++) distance += (x[i * d + j] - mean[j]) ** 2 / variances[j];
        out[i * labels.length + k] = finiteOr(-0.5 * (distance + logDet + d * LOG_2PI));
      }
    }
    return out;
  }

  /** The density of row i by label k without it, an example of the label `owner`. */
  private withoutRow(x: Float64Array, i: number, k: number, owner: number): number {
    const { mean, variances, shares } = this.labels[k];
    const { count, mean: ownMean } = this.labels[owner];
    const d = mean.length;
    const reach = count / (count - 1);
    const [share, stretch] = k === owner ? [shares.own, reach] : [shares.other, 1];
    let [distance, logDet] = [0, 0];
    for (let j = 0; j < d; j++) {
      const removed = share * reach * (x[i * d + j] - ownMean[j]) ** 2;
      const variance = (variances[j] - removed) / (1 - share);
      distance += (stretch * (x[i * d + j] - mean[j])) ** 2 / variance;
      logDet += Math.log(variance);
    }
    return finiteOr(-0.5 * (distance + logDet + d * LOG_2PI));
  }
}

function factored(sigma: Float64Array, d: number, what: string): Float64Array {
  const row = factorInPlace(sigma, d);
  if (row >= 0) throw singular(what, row);
  return sigma;
}

function singular(what: string, row: number): NotPositiveDefiniteError {
  return new NotPositiveDefiniteError(
    `OpenSetClassifier: ${what} must be positive definite: pivot ${row} is not positive. Use more shrinkage (the default is 'auto'), give more examples, or leave out features that are constant or sums of others.`,
    0,
    row,
  );
}

/**
 * log N(x) by a label whose mean and covariance are without the example x, by the inverse and the determinant of
 * Σ' = (Σ − h·g·d dᵀ)/(1 − h), g = n/(n − 1): with z = L⁻¹(x − μ) and u = L⁻¹d, d from the mean of its own label,
 * |L'⁻¹(x − μ)|² = (1 − h)·(|z|² + h g (u·z)²/(1 − h g|u|²)). (Sherman and Morrison, 1950.)
 * @param isOwn whether the label is its own: x is g times as far from the mean of the others
 */
function densityWithout(
  z: Float64Array,
  u: Float64Array,
  logDet: number,
  h: number,
  g: number,
  isOwn: boolean,
): number {
  const d = z.length;
  let [distance, along, length] = [0, 0, 0];
  for (let j = 0; j < d; j++) {
    distance += z[j] * z[j];
    along += u[j] * z[j];
    length += u[j] * u[j];
  }
  const rest = 1 - h * g * length;
  const stretch = isOwn ? g * g : 1;
  const without = stretch * (1 - h) * (distance + (h * g * along ** 2) / rest);
  return finiteOr(-0.5 * (without + logDet + Math.log(rest) - d * Math.log(1 - h) + d * LOG_2PI));
}

function away(x: Float64Array, start: number, mean: Float64Array): Float64Array {
  return mean.map((m, j) => x[start + j] - m);
}

function squaredLength(x: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < x.length; j++) sum += x[j] * x[j];
  return sum;
}

/** Where distances overflow, or what is left without an example has no density: the logarithm of 0, never NaN. */
function finiteOr(logDensity: number): number {
  return Number.isNaN(logDensity) ? -Infinity : logDensity;
}
