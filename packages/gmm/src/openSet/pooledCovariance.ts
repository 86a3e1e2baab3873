import { likeliestShrinkage, type Deviations } from './likeliestShrinkage.js';
import type { Moments } from './moments.js';
import { meanVariance, towardVariances, weightsOf, type Shrinkage, type Weights } from './shrinkage.js';
import { rowStart } from './triangle.js';

/** The covariance within all labels, as a packed triangle or its diagonal, and how it was made. */
export interface Pooled {
  readonly sigma: Float64Array;
  readonly weights: Weights;
}

/**
 * Σ = (W + κ·s·I)/(ν + κ) of the scatters of all labels around their own means, as a packed triangle.
 * @param all the moments of all labels together
 * @param deviations of examples, by which shrinkage 'auto' is chosen
 */
export function pooledCovariance(
  labels: readonly Moments[],
  all: Moments,
  shrinkage: Shrinkage,
  deviations: Deviations,
): Pooled {
  const d = all.mean.length;
  const sigma = pooledScatter(labels);
  const freedom = all.count - labels.length;
  const variance = meanVariance(sigma, freedom, all);
  const amount = shrinkage === 'auto' ? likeliestShrinkage(sigma, freedom, variance, deviations) : shrinkage;
  const weights = weightsOf(freedom, amount);
  for (let at = 0; at < sigma.length; at++) sigma[at] *= weights.scatter;
  for (let i = 0; i < d; i++) sigma[rowStart(i) + i] += weights.target * variance;
  return { sigma, weights };
}

/** The variances within labels [D], shrunk toward their mean. */
export function pooledVariances(labels: readonly Moments[], all: Moments, shrinkage: Shrinkage): Pooled {
  const scatter = pooledScatter(labels);
  const freedom = all.count - labels.length;
  const target = new Float64Array(scatter.length).fill(meanVariance(scatter, freedom, all));
  const amount = shrinkage === 'auto' ? towardVariances(scatter, target, freedom) : shrinkage;
  const weights = weightsOf(freedom, amount);
  return { sigma: target.map((t, j) => weights.scatter * scatter[j] + weights.target * t), weights };
}

function pooledScatter(labels: readonly Moments[]): Float64Array {
  const sum = new Float64Array(labels[0].scatter.length);
  for (const { scatter } of labels) for (let at = 0; at < sum.length; at++) sum[at] += scatter[at];
  return sum;
}
