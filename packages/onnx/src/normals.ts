// Normal distributions as nodes: log N(x; μ, L Lᵀ) = −½|L⁻¹(x − μ)|² − Σ log Lᵢᵢ − ½ D log 2π. The mean is subtracted first,
// L⁻¹ is made in float64, and what remains is a sum of squares, which no rounding makes negative.

import { joined, LOG_2PI } from '@gmml/gmm/linearAlgebra';
import type { NormalParameters } from '@gmml/gmm/parameters';
import type { Place } from './place.js';
import { diagonalOf, whitened, whiteningOf } from './triangle.js';

/** −½|L⁻¹(x − μ)|² of x [N, D] → [N, K], for means that are a value [K, D] and the factor L or the deviations of each. */
export function halfDistances(
  at: Place,
  x: string,
  means: string,
  scales: readonly Float64Array[],
  d: number,
): string {
  if (scales[0].length === d) {
    const centred = at.node('Sub', [at.unsqueeze(x, 1), means], 'centred');
    const inverse = joined(scales).map((scale) => 1 / scale);
    const inverseScale = at.floats('inverseScale', inverse, [scales.length, d]);
    return halfSquares(at, at.node('Mul', [centred, inverseScale], 'whitened'));
  }
  // [K, N, D], so that there is one matrix product for each distribution.
  const centred = at.node('Sub', [x, at.unsqueeze(means, 1)], 'centred');
  const matrices = joined(scales.map((scale) => whiteningOf(scale, d)));
  const half = halfSquares(
    at,
    at.node('MatMul', [centred, whitening(at, matrices, [scales.length, d, d])], 'whitened'),
  );
  return at.node('Transpose', [half], 'ofEach', { perm: [1, 0] });
}

/** log N(x) of x [N, D] → [N, K]. Distributions that share a covariance whiten x once. */
export function logDensities(at: Place, x: string, normals: readonly NormalParameters[], d: number): string {
  const scales = normals.map(({ scale }) => scale);
  const isShared =
    normals.length > 1 && scales.every((scale) => scale === scales[0]) && scales[0].length !== d;
  const half = isShared
    ? sharedDistances(at, x, normals, d)
    : halfDistances(at, x, meansOf(at, normals, d), scales, d);
  const offsets = Float64Array.from(scales, (scale) => -logNormalizer(scale, d));
  return at.plus(half, 'offsets', offsets, 'The negated log normalizers.');
}

/** Σ log Lᵢᵢ + ½ D log 2π. */
export function logNormalizer(scale: Float64Array, d: number): number {
  return diagonalOf(scale, d).reduce((sum, value) => sum + Math.log(value), (d / 2) * LOG_2PI);
}

/** L⁻¹(x − m) of x [N, D] → [N, D]. */
export function whiten(at: Place, x: string, { mean, scale }: NormalParameters): string {
  const d = mean.length;
  const centred = at.node('Sub', [x, at.floats('mean', mean, [d])], 'centred');
  if (scale.length === d) {
    const inverseScale = at.floats(
      'inverseScale',
      scale.map((value) => 1 / value),
      [d],
    );
    return at.node('Mul', [centred, inverseScale], 'whitened');
  }
  return at.node('MatMul', [centred, whitening(at, whiteningOf(scale, d), [d, d])], 'whitened');
}

function meansOf(at: Place, normals: readonly NormalParameters[], d: number): string {
  return at.floats('mean', joined(normals.map(({ mean }) => mean)), [normals.length, d]);
}

/** By the distance of L⁻¹(x − m) from L⁻¹(μ − m), with m the mean of the means. */
function sharedDistances(at: Place, x: string, normals: readonly NormalParameters[], d: number): string {
  const { scale } = normals[0];
  const mean = new Float64Array(d).map(
    (_, j) => normals.reduce((sum, normal) => sum + normal.mean[j], 0) / normals.length,
  );
  const places = normals.map((normal) =>
    whitened(
      scale,
      normal.mean.map((value, j) => value - mean[j]),
    ),
  );
  const z = at.unsqueeze(whiten(at, x, { mean, scale }), 1);
  const means = at.floats('whitenedMeans', joined(places), [normals.length, d]);
  return halfSquares(at, at.node('Sub', [z, means], 'fromMeans'));
}

/** −½ Σ z² over the last of three dimensions. */
function halfSquares(at: Place, z: string): string {
  const squares = at.node('Mul', [z, z], 'squares');
  return at.node('Mul', [at.sum(squares, 2), at.number(-0.5)], 'halfDistances');
}

function whitening(at: Place, matrices: Float64Array, shape: readonly number[]): string {
  return at.floats(
    'whitening',
    matrices,
    shape,
    'The transposed inverse of the Cholesky factor: rows x − mean are multiplied by it.',
  );
}
