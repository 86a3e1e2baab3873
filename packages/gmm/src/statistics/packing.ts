import type { CovarianceType } from '../mixture/covarianceTypes.js';
import { packed, triangleSize, unpacked } from '../linearAlgebra/symmetric.js';
import { eachRow, joined } from '../linearAlgebra/vectors.js';

/** The shape of packed scatters: of symmetric matrices [D, D] the lower triangle, D(D + 1)/2 numbers. */
export function packedShape(covariance: CovarianceType, components: number, features: number): number[] {
  if (covariance === 'full') return [components, triangleSize(features)];
  if (covariance === 'tied') return [triangleSize(features)];
  return covariance === 'diag' ? [components, features] : [components];
}

/** Symmetric matrices without their upper triangles; variances as they are. */
export function packScatters(
  scatters: Float64Array,
  covariance: CovarianceType,
  features: number,
): Float64Array {
  if (covariance === 'diag' || covariance === 'spherical') return scatters;
  return joined(eachRow(scatters, features ** 2).map((matrix) => packed(matrix, features)));
}

/** The inverse of `packScatters`. */
export function unpackScatters(
  triangles: Float64Array,
  covariance: CovarianceType,
  features: number,
): Float64Array {
  if (covariance === 'diag' || covariance === 'spherical') return triangles;
  const each = eachRow(triangles, triangleSize(features));
  return joined(each.map((triangle) => unpacked(triangle, features, 1)));
}
