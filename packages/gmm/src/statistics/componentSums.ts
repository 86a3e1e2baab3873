import { summed } from '../linearAlgebra/vectors.js';
import { COVARIANCE_FORMS, type CovarianceType } from '../mixture/covarianceTypes.js';
import { guarded, meansOf, totalsOf } from '../mixture/em.js';
import type { MixtureMoments } from '../mixture/model.js';
import type { Matrix } from '../mixture/rows.js';
import { addBetween } from '../mixture/streaming.js';

/** Sums of weighted samples, K components of D features; nothing is divided by counts, so that they add up. */
export interface ComponentSums {
  readonly covariance: CovarianceType;
  /** N_k = Σₙ r_nk [K]. */
  readonly counts: Float64Array;
  /** Σₙ r_nk xₙ / N_k [K, D], 0 where N_k is. */
  readonly means: Float64Array;
  /** Σₙ r_nk (xₙ − m_k)(xₙ − m_k)ᵀ, or what the covariance type keeps of it, in the shape of the covariances. */
  readonly scatters: Float64Array;
}

/** The sums of no samples. */
export function noSums(covariance: CovarianceType, components: number, features: number): ComponentSums {
  const [first, ...others] = COVARIANCE_FORMS[covariance].shape({ components, features });
  return {
    covariance,
    counts: new Float64Array(components),
    means: new Float64Array(components * features),
    scatters: new Float64Array(others.reduce((product, size) => product * size, first)),
  };
}

/** The sums of rows x [N, D] with shares r [N, K]. */
export function sumsOf(x: Matrix, shares: Float64Array, covariance: CovarianceType): ComponentSums {
  const components = shares.length / x.rows;
  const counts = totalsOf(shares, components);
  // Where nothing is counted, all sums are 0, whatever they are divided by.
  const divisors = counts.map((count) => count || 1);
  const means = meansOf(x, shares, divisors);
  // 'tied' divides by the sum of what it gets.
  const undivided = new Float64Array(components).fill(covariance === 'tied' ? 1 / components : 1);
  const scatters = COVARIANCE_FORMS[covariance].estimate(x, shares, undivided, means);
  return { covariance, counts, means, scatters };
}

/**
 * The sums of the samples of both, exactly: with δ = m_b − m_a of a component, N = N_a + N_b,
 * m = m_a + δ·N_b/N and S = S_a + S_b + δ δᵀ·N_a N_b/N.
 * (Chan, Golub and LeVeque, "Algorithms for computing the sample variance", 1983, eq. 2.1, with weights.)
 */
export function mergeSums(a: ComponentSums, b: ComponentSums): ComponentSums {
  const { covariance } = a;
  const components = a.counts.length;
  const d = a.means.length / components;
  const counts = a.counts.map((count, k) => count + b.counts[k]);
  const means = a.means.slice();
  const scatters = a.scatters.map((value, at) => value + b.scatters[at]);
  const each = covariance === 'tied' ? 0 : scatters.length / components;
  const apart = new Float64Array(d);
  for (let k = 0; k < components; k++) {
    const share = counts[k] > 0 ? b.counts[k] / counts[k] : 0;
    for (let j = 0; j < d; j++) {
      apart[j] = b.means[k * d + j] - a.means[k * d + j];
      means[k * d + j] += share * apart[j];
    }
    addBetween(scatters, k * each, covariance, apart, a.counts[k] * share);
  }
  return { covariance, counts, means, scatters };
}

/** N_k + 10 ε, and means and covariances divided by that, as an M-step has them. */
export function momentsOfSums({ covariance, counts, means, scatters }: ComponentSums): MixtureMoments {
  const components = counts.length;
  const d = means.length / components;
  const divisors = guarded(counts);
  const total = summed(divisors);
  const covariances = scatters.slice();
  const each = covariance === 'tied' ? 0 : scatters.length / components;
  const moved = means.map((mean, at) => mean * (counts[Math.floor(at / d)] / divisors[Math.floor(at / d)]));
  const apart = new Float64Array(d);
  for (let k = 0; k < components; k++) {
    for (let j = 0; j < d; j++) apart[j] = means[k * d + j] - moved[k * d + j];
    addBetween(covariances, k * each, covariance, apart, counts[k]);
  }
  for (let at = 0; at < covariances.length; at++) {
    covariances[at] /= each === 0 ? total : divisors[Math.floor(at / each)];
  }
  return { counts: divisors, means: moved, covariances };
}
