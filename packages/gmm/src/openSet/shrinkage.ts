// How far a covariance is moved toward a simpler one, its target T: Σ = (1 − ρ)·S + ρ·T with S = W/ν, W the centred
// scatter and ν its degrees of freedom. Kept as the number κ = ν·ρ/(1 − ρ) of observations that the target is worth,
// Σ = (W + κ·T)/(ν + κ); an estimated κ is at least 1. At fixed κ and T, leaving an example out changes Σ by a rank-one
// matrix and a scale.

import type { Moments } from '../linearAlgebra/moments.js';
import { meanOfDiagonal, rowStart } from '../linearAlgebra/symmetric.js';
import { squaredNorm } from '../linearAlgebra/vectors.js';

/** The amount ρ from 0 to 1, or 'auto': estimated from the examples. */
export type Shrinkage = number | 'auto';

/** A covariance as scatter and target are weighted in it. */
export interface Weights {
  /** ν, the degrees of freedom of the scatter. */
  readonly freedom: number;
  /** κ, the observations that the target is worth; Infinity when there is nothing but the target. */
  readonly worth: number;
  /** Of the scatter: 1/(ν + κ). */
  readonly scatter: number;
  /** Of the target: κ/(ν + κ). */
  readonly target: number;
}

/** The weights at shrinkage ρ; without degrees of freedom the target is all there is. */
export function weightsOf(freedom: number, amount: number): Weights {
  if (freedom <= 0 || amount >= 1) return { freedom, worth: Infinity, scatter: 0, target: 1 };
  const worth = (freedom * amount) / (1 - amount);
  return { freedom, worth, scatter: 1 / (freedom + worth), target: worth / (freedom + worth) };
}

/**
 * How leaving out one example, d from the mean of its own n examples, changes a covariance:
 * Σ' = (Σ − h·n/(n − 1)·d dᵀ)/(1 − h).
 */
export interface Shares {
  /** h where it is an example of the label itself. */
  readonly own: number;
  /** h where it is another label's, and only in the target. */
  readonly other: number;
}

/**
 * The shares of a label's covariance whose target is a covariance of all labels, itself so weighted. What stays fixed
 * beside the latter's κ and target is the number of observations κ of the label as a share of those of all labels.
 */
export function sharesOf({ worth, scatter }: Weights, pooled: Weights): Shares {
  if (scatter === 0) return { own: pooled.scatter, other: pooled.scatter };
  const ofTarget = worth * pooled.scatter;
  return { own: (1 + ofTarget) * scatter, other: ofTarget * scatter };
}

/**
 * ρ toward any target: the expected squared error of S over the squared distance of S from T, in units of the
 * target's standard deviations; the former is (tr(Σ²) + tr²(Σ))/ν for normal data, with unbiased estimates of both.
 * (Ledoit and Wolf, "A well-conditioned estimator for large-dimensional covariance matrices", 2004, with the target
 * given and the error known.)
 * @param scatter W and @param target T as packed triangles
 */
export function towardTarget(
  scatter: Float64Array,
  target: Float64Array,
  d: number,
  freedom: number,
): number {
  if (freedom <= 1) return 1;
  const unit = (i: number): number => freedom * target[rowStart(i) + i];
  const { trace, square } = traces(scatter, d, unit);
  const tr2 = ((square - trace ** 2 / freedom) * freedom ** 2) / ((freedom + 2) * (freedom - 1));
  const variance = (Math.max(0, tr2) + Math.max(0, trace ** 2 - (2 * tr2) / freedom)) / freedom;
  let distance = 0;
  for (let i = 0, at = 0; i < d; i++) {
    const tii = target[rowStart(i) + i];
    for (let j = 0; j <= i; j++, at++) {
      const away = (scatter[at] / freedom - target[at]) ** 2 / (tii * target[rowStart(j) + j]);
      distance += i === j ? away : 2 * away;
    }
  }
  return share(variance, distance, freedom);
}

/** The same for variances alone: `scatter` and `target` [D]. */
export function towardVariances(scatter: Float64Array, target: Float64Array, freedom: number): number {
  if (freedom <= 1) return 1;
  let [error, distance] = [0, 0];
  for (let i = 0; i < scatter.length; i++) {
    const ratio = scatter[i] / freedom / target[i];
    error += (2 * ratio ** 2) / (freedom + 2);
    distance += (ratio - 1) ** 2;
  }
  return share(error, distance, freedom);
}

/**
 * The mean variance of the features within labels; where examples do not tell (one a label, or all of them equal)
 * that of all examples together, then the mean square of their mean, then 1.
 */
export function meanVariance(scatter: Float64Array, freedom: number, all: Moments): number {
  const d = all.mean.length;
  const square = squaredNorm(all.mean) / d;
  const within = meanOfDiagonal(scatter, d) / Math.max(1, freedom);
  const total = meanOfDiagonal(all.scatter, d) / Math.max(1, all.count - 1);
  // What is smaller than the rounding of the features is none.
  const least = (Number.EPSILON ** 2 * square) / 4;
  return [within, total, square].find((variance) => variance > least) ?? 1;
}

/** tr(S) and tr(S²) of the symmetric Sᵢⱼ = Wᵢⱼ/√(unitᵢ unitⱼ). */
function traces(
  scatter: Float64Array,
  d: number,
  unit: (i: number) => number,
): { trace: number; square: number } {
  const units = Float64Array.from({ length: d }, (_, i) => unit(i));
  let [trace, square] = [0, 0];
  for (let i = 0, at = 0; i < d; i++) {
    let off = 0;
    for (let j = 0; j < i; j++, at++) off += scatter[at] ** 2 / units[j];
    const own = scatter[at++] / units[i];
    trace += own;
    square += own ** 2 + (2 * off) / units[i];
  }
  return { trace, square };
}

/** At least one observation's worth of the target, without which constant features would have no variance. */
function share(numerator: number, denominator: number, freedom: number): number {
  const amount = denominator > 0 && numerator < denominator ? numerator / denominator : 1;
  return Math.max(amount, 1 / (freedom + 1));
}
