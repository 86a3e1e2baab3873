import type { Moments } from '../linearAlgebra/moments.js';
import { addToDiagonal, sumOf } from '../linearAlgebra/symmetric.js';
import { likeliestShrinkage, type Deviations } from './likeliestShrinkage.js';
import { meanVariance, towardVariances, weightsOf, type Shrinkage, type Weights } from './shrinkage.js';

/** The covariance within all labels, as a packed triangle or its diagonal, and how it was made. */
export interface Pooled {
  readonly sigma: Float64Array;
  readonly weights: Weights;
}

/**
 * Σ = (W + κ·s·I)/(ν + κ) of the scatters of all labels around their own means, as a packed triangle; for 'diag' the
 * variances [D], shrunk toward their mean.
 * @param all the moments of all labels together
 * @param deviations makes those of examples, by which the shrinkage of a triangle is chosen where it is 'auto'
 */
export function pooledCovariance(
  labels: readonly Moments[],
  all: Moments,
  covariance: string,
  shrinkage: Shrinkage,
  deviations: () => Deviations,
): Pooled {
  const d = all.mean.length;
  const scatter = sumOf(labels.map((label) => label.scatter));
  const freedom = all.count - labels.length;
  const variance = meanVariance(scatter, freedom, all);
  const estimate = (): number =>
    covariance === 'diag'
      ? towardVariances(scatter, new Float64Array(d).fill(variance), freedom)
      : likeliestShrinkage(scatter, freedom, variance, deviations());
  const weights = weightsOf(freedom, shrinkage === 'auto' ? estimate() : shrinkage);
  const own = scatter.map((value) => weights.scatter * value);
  return { sigma: addToDiagonal(own, d, weights.target * variance), weights };
}
