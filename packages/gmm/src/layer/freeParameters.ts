// Free parameters of given covariances: the inverse of feasible.ts.

import { NotPositiveDefiniteError, tensor, type DType, type Shape, type Tensor } from '@gmml/tensor';
import { RIDGE_SHARE } from '../leaveOneOut.js';
import { factorInPlace } from '../linearAlgebra/cholesky.js';
import { addToDiagonal, meanOfDiagonal, lowerOf } from '../linearAlgebra/symmetric.js';
import { joined, summed } from '../linearAlgebra/vectors.js';
import {
  componentName,
  FULL_JITTER,
  GRAM_JITTER,
  SCALE_FLOOR,
  type CovType,
  type Parametrization,
} from './feasible.js';

/** So far above the floor a fitted factor's diagonal must be for softplus to be inverted. */
const LEAST_SCALE = 1.001 * SCALE_FLOOR;

/** Free parameters of unit covariances. */
export function identitySigma(
  components: Shape,
  d: number,
  covType: CovType,
  parametrization: Parametrization,
  dtype: DType,
): Tensor {
  const scale = new Float64Array(d).fill(1);
  return sigmaFromScale(scale, components, d, covType, parametrization).to(dtype);
}

/**
 * Free parameters of components [N, G] that all have the standard deviations `scale` [D] and no
 * correlation: the inverse of `choleskyComponents` or `gramComponents`. float64.
 */
export function sigmaFromScale(
  scale: Float64Array,
  components: Shape,
  d: number,
  covType: CovType,
  parametrization: Parametrization,
): Tensor {
  const diagonal = tensor(
    parametrization === 'gram'
      ? gramDiagonal(scale, covType)
      : scale.map((s) => inverseSoftplus(s - SCALE_FLOOR)),
  );
  const isVector = covType === 'diag' && parametrization === 'cholesky';
  return isVector
    ? diagonal.expand([...components, d]).clone()
    : diagonal
        .diagEmbed()
        .expand([...components, d, d])
        .clone();
}

/**
 * Free parameters of components [N, G] with the given covariances Σ, packed triangles or (for 'diag') variances [D]:
 * the inverse of `choleskyComponents`. To each 1e-6 of its mean variance is added, and a further 2e-6 where the
 * diagonal of a factor would otherwise be below the floor of 1e-3. float64.
 * @param firstClass the number of the first class in messages, which start with `op`
 * @throws NotPositiveDefiniteError naming the component
 */
export function sigmaFromCovariances(
  covariances: readonly Float64Array[],
  components: Shape,
  d: number,
  covType: CovType,
  op = 'GMML',
  firstClass = 0,
): Tensor {
  const factors = covariances.map((covariance, k) => {
    const factor =
      feasibleFactor(covariance, d, covType, 0) ??
      feasibleFactor(covariance, d, covType, 2 * SCALE_FLOOR ** 2);
    if (factor) return factor;
    const at = firstClass * components[1] + k;
    throw new NotPositiveDefiniteError(
      `${op}: the covariance of ${componentName(at, components[1])} is not positive definite. Use more shrinkage or give more rows.`,
      at,
      0,
    );
  });
  const shape = covType === 'diag' ? [...components, d] : [...components, d, d];
  return sigmaFromFactors(tensor(joined(factors), { shape }), covType);
}

/** Free parameters of factors [N, G, D, D], or (for 'diag') of standard deviations [N, G, D]. float64, above the floor. */
export function sigmaFromFactors(factors: Tensor, covType: CovType): Tensor {
  const isDiagonal = covType === 'diag';
  const diagonal = (isDiagonal ? factors : factors.diagonal()).sub(SCALE_FLOOR);
  diagonal.data.set(diagonal.data.map(inverseSoftplus));
  return isDiagonal ? diagonal : factors.mul(Math.sqrt(factors.shape[3])).diagonalScatter(diagonal);
}

/** The factor F of Σ with its ridges, less what 'full' adds itself; null when its diagonal is not above the floor. */
function feasibleFactor(
  covariance: Float64Array,
  d: number,
  covType: CovType,
  further: number,
): Float64Array | null {
  const ridge = RIDGE_SHARE * meanOfDiagonal(covariance, d) + further;
  if (covType === 'diag') {
    const scale = covariance.map((variance) => Math.sqrt(variance + ridge));
    return scale.every((s) => s > LEAST_SCALE) ? scale : null;
  }
  const mean = meanOfDiagonal(covariance, d) + ridge;
  // Σ = F Fᵀ + ε·tr(F Fᵀ)/D·I has the mean variance (1 + ε)·tr(F Fᵀ)/D.
  const jitter = covType === 'full' ? (FULL_JITTER * mean) / (1 + FULL_JITTER) : 0;
  const factor = lowerOf(addToDiagonal(covariance.slice(), d, ridge - jitter), d);
  if (factorInPlace(factor, d) >= 0) return null;
  for (let i = 0; i < d; i++) if (!(factor[i * (d + 1)] > LEAST_SCALE)) return null;
  return factor;
}

/** x with softplus(x) = y, for y > 0: y + log(1 − e⁻ʸ). */
function inverseSoftplus(y: number): number {
  return y + Math.log(-Math.expm1(-y));
}

/** The diagonal a of A with aᵢ² + 0.01·mean(a²) = tᵢ, t what 'gram' takes the diagonal of S for. */
function gramDiagonal(scale: Float64Array, covType: CovType): Float64Array {
  const target = covType === 'full' ? scale.map((s) => s * s) : scale;
  const mean = summed(target) / target.length;
  const added = (GRAM_JITTER * mean) / (1 + GRAM_JITTER);
  return target.map((t) => Math.sqrt(Math.max(t - added, 1e-6 * mean)));
}
