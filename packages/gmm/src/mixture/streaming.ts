import { blended } from '../linearAlgebra/symmetric.js';
import { rowAt, summed } from '../linearAlgebra/vectors.js';
import type { CovarianceType } from './covarianceTypes.js';
import { eStep, weighted, weightedMean, type Observations } from './em.js';
import type { Fitted } from './fitted.js';
import type { MixtureMoments, Parameters, Settings } from './model.js';
import { parametersOf } from './parameters.js';
import { fixedAmounts } from './shrinkage.js';

/** A step of streaming EM, η = (B/(B + samples so far))^decay, on a batch of the weight B. Shrinkage is by a fixed amount. */
export function streamed(
  former: Fitted | null,
  parameters: Parameters,
  batch: Observations,
  decay: number,
  settings: Settings,
): Fitted {
  const { responsibilities, logLikelihoods } = eStep(batch, parameters, null, settings.op);
  // A batch need not have covariances of its own: parameters are made of the merged moments alone.
  const found = batch.moments(weighted(responsibilities, batch), parameters);
  const before = former?.moments;
  const seen = (before ? former.seen : 0) + batch.totalWeight;
  const step = (batch.totalWeight / seen) ** decay;
  const moments = before ? mergedMoments(before, found, step, settings.covariance) : found;
  // Merged counts are shares of all samples, and so is then what the prior adds to them.
  const weightConcentration = 1 + (settings.weightConcentration - 1) / (before ? seen : 1);
  const amounts = fixedAmounts(moments, settings);
  return {
    parameters: parametersOf(moments, { ...settings, weightConcentration }, amounts),
    moments,
    features: batch.features,
    converged: false,
    iterations: (former?.iterations ?? 0) + 1,
    lowerBounds: [...(former?.lowerBounds ?? []), weightedMean(logLikelihoods, batch)],
    seen,
  };
}

/**
 * (1 − η) of one set of moments and η of another, counts as shares of their sums. Covariances are about the merged means:
 * what the means are apart adds its part, so that merging with η = N₂/(N₁ + N₂) gives the moments of all samples.
 */
function mergedMoments(
  before: MixtureMoments,
  batch: MixtureMoments,
  step: number,
  covariance: CovarianceType,
): MixtureMoments {
  const components = before.counts.length;
  const d = before.means.length / components;
  const [old, added] = [scaled(before.counts, 1 - step), scaled(batch.counts, step)];
  const counts = old.map((count, k) => count + added[k]);
  const means = new Float64Array(before.means.length);
  const isTied = covariance === 'tied';
  const each = before.covariances.length / (isTied ? 1 : components);
  // Those of components are set below.
  const covariances = blended(1 - step, before.covariances, step, batch.covariances);
  const apart = new Float64Array(d);
  for (let k = 0; k < components; k++) {
    const share = counts[k] > 0 ? added[k] / counts[k] : 0;
    for (let j = 0; j < d; j++) {
      apart[j] = batch.means[k * d + j] - before.means[k * d + j];
      means[k * d + j] = before.means[k * d + j] + share * apart[j];
    }
    const at = isTied ? 0 : k * each;
    const between = share * (1 - share);
    if (!isTied) {
      const [a, b] = [before, batch].map((part) => rowAt(part.covariances, each, k));
      covariances.set(blended(1 - share, a, share, b), at);
    }
    addBetween(covariances, at, covariance, apart, isTied ? counts[k] * between : between);
  }
  return { counts, means, covariances };
}

/** Adds factor · z zᵀ, or what the covariance type keeps of it. */
export function addBetween(
  out: Float64Array,
  at: number,
  covariance: CovarianceType,
  z: Float64Array,
  factor: number,
): void {
  const d = z.length;
  if (covariance === 'diag') {
    for (let j = 0; j < d; j++) out[at + j] += factor * z[j] * z[j];
  } else if (covariance === 'spherical') {
    for (let j = 0; j < d; j++) out[at] += (factor * z[j] * z[j]) / d;
  } else {
    for (let i = 0; i < d; i++) {
      for (let j = 0; j < d; j++) out[at + i * d + j] += factor * z[i] * z[j];
    }
  }
}

/** The counts as shares of their sum, times `factor`. */
function scaled(counts: Float64Array, factor: number): Float64Array {
  const total = summed(counts);
  return counts.map((count) => (factor * count) / total);
}
