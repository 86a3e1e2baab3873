import { eachRow, rowAt, squaredNorm, summed } from '../linearAlgebra/vectors.js';
import { sumOf } from '../linearAlgebra/symmetric.js';
import { COVARIANCE_FORMS, type CovarianceType } from './covarianceTypes.js';
import type { MixtureMoments, Settings, Shrinkage } from './model.js';
import type { Matrix } from './rows.js';

/** (1 − amount) Σ + amount · target for each covariance; `amounts` has one for each. */
export function shrunk(
  moments: MixtureMoments,
  covariance: CovarianceType,
  toward: Shrinkage['toward'],
  amounts: Float64Array,
): Float64Array {
  const { covariances } = moments;
  const target = targetOf(moments, covariance, toward);
  const each = covariances.length / amounts.length;
  return covariances.map((value, at) => {
    const amount = amounts[Math.floor(at / each)];
    return (1 - amount) * value + amount * target[at];
  });
}

/** The amount of each covariance, where it is the same for all; null without shrinkage. */
export function fixedAmounts(
  moments: MixtureMoments,
  { shrinkage, covariance }: Settings,
): Float64Array | null {
  return shrinkage && new Float64Array(matricesOf(moments, covariance)).fill(shrinkage.amount as number);
}

/**
 * The amount of each covariance: the fixed one, or β² / δ² with δ² = ‖S − T‖² the distance from the target and
 * β² = Σ wₙ² ‖zₙ zₙᵀ − S‖² that which sampling adds to it, wₙ = rₙ/N_k and z centred, at most 1.
 * (Ledoit and Wolf, "A well-conditioned estimator for large-dimensional covariance matrices", 2004, lemma 3.4, with
 * weighted samples and any target.)
 */
export function shrinkageAmounts(
  x: Matrix,
  shares: Float64Array,
  moments: MixtureMoments,
  settings: Settings,
): Float64Array | null {
  const { shrinkage, covariance } = settings;
  if (shrinkage?.amount !== 'ledoitWolf') return fixedAmounts(moments, settings);
  const { covariances } = moments;
  const matrices = matricesOf(moments, covariance);
  const target = targetOf(moments, covariance, shrinkage.toward);
  const distances = new Float64Array(matrices);
  const each = covariances.length / matrices;
  for (let at = 0; at < covariances.length; at++) {
    distances[Math.floor(at / each)] += (covariances[at] - target[at]) ** 2;
  }
  const errors = samplingErrors(x, shares, moments, covariance);
  return distances.map((distance, m) => (distance > 0 ? Math.min(1, errors[m] / distance) : 0));
}

/** The target of each covariance, in the shape of the covariances. */
function targetOf(
  moments: MixtureMoments,
  covariance: CovarianceType,
  toward: Shrinkage['toward'],
): Float64Array {
  const { counts, means, covariances } = moments;
  const matrices = matricesOf(moments, covariance);
  const each = covariances.length / matrices;
  const target = new Float64Array(covariances.length);
  if (toward === 'tied') {
    const total = summed(counts);
    const pooled = sumOf(
      eachRow(covariances, each),
      counts.map((count) => count / total),
    );
    return target.map((_, at) => pooled[at % each]);
  }
  const sizes = { components: counts.length, features: means.length / counts.length };
  const diagonal = COVARIANCE_FORMS[covariance].diagonal(sizes);
  const entries = diagonal.length / matrices;
  for (let m = 0; m < matrices; m++) {
    const own = rowAt(diagonal, entries, m);
    const mean = own.reduce((sum, at) => sum + covariances[at] / entries, 0);
    for (const at of own) target[at] = mean;
  }
  return target;
}

/** How many covariances there are. */
function matricesOf({ counts }: MixtureMoments, covariance: CovarianceType): number {
  return covariance === 'tied' ? 1 : counts.length;
}

/** β² of each covariance. */
function samplingErrors(
  x: Matrix,
  shares: Float64Array,
  { counts, means, covariances }: MixtureMoments,
  covariance: CovarianceType,
): Float64Array {
  const { data, rows, columns: d } = x;
  const components = counts.length;
  const isTied = covariance === 'tied';
  const total = summed(counts);
  const errors = new Float64Array(isTied ? 1 : components);
  const each = covariances.length / errors.length;
  const z = new Float64Array(d);
  for (let k = 0; k < components; k++) {
    const m = isTied ? 0 : k;
    const s = rowAt(covariances, each, m);
    const error = covariance === 'full' || isTied ? matrixError(s, d) : varianceError(s);
    for (let n = 0; n < rows; n++) {
      const share = shares[n * components + k] / (isTied ? total : counts[k]);
      if (share === 0) continue;
      for (let j = 0; j < d; j++) z[j] = data[n * d + j] - means[k * d + j];
      errors[m] += share * share * error(z);
    }
  }
  return errors;
}

/** z ↦ ‖z zᵀ − S‖² = |z|⁴ − 2 zᵀ S z + ‖S‖². */
function matrixError(s: Float64Array, d: number): (z: Float64Array) => number {
  const norm = squaredNorm(s);
  return (z) => {
    let [squared, form] = [0, 0];
    for (let i = 0; i < d; i++) {
      let row = 0;
      for (let j = 0; j < d; j++) row += s[i * d + j] * z[j];
      form += row * z[i];
      squared += z[i] * z[i];
    }
    return squared * squared - 2 * form + norm;
  };
}

/** z ↦ Σ (zⱼ² − sⱼ)², or (mean zⱼ² − s)² where there is one variance. */
function varianceError(s: Float64Array): (z: Float64Array) => number {
  if (s.length === 1) {
    return (z) => (squaredNorm(z) / z.length - s[0]) ** 2;
  }
  return (z) => z.reduce((sum, value, j) => sum + (value * value - s[j]) ** 2, 0);
}
