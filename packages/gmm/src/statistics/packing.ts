import type { CovarianceType } from '../mixture/covarianceTypes.js';
import { triangleSize } from '../linearAlgebra/symmetric.js';

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
  const size = features * features;
  const matrices = scatters.length / size;
  const packed = new Float64Array(matrices * triangleSize(features));
  let next = 0;
  for (let at = 0; at < scatters.length; at += size) {
    for (let i = 0; i < features; i++) {
      for (let j = 0; j <= i; j++) packed[next++] = scatters[at + i * features + j];
    }
  }
  return packed;
}

/** The inverse of `packScatters`. */
export function unpackScatters(
  packed: Float64Array,
  covariance: CovarianceType,
  features: number,
): Float64Array {
  if (covariance === 'diag' || covariance === 'spherical') return packed;
  const size = features * features;
  const matrices = packed.length / triangleSize(features);
  const scatters = new Float64Array(matrices * size);
  let next = 0;
  for (let at = 0; at < scatters.length; at += size) {
    for (let i = 0; i < features; i++) {
      for (let j = 0; j <= i; j++, next++) {
        scatters[at + i * features + j] = packed[next];
        scatters[at + j * features + i] = packed[next];
      }
    }
  }
  return scatters;
}
