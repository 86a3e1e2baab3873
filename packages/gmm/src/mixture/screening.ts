import { solveUpper } from '../linearAlgebra/cholesky.js';
import { squaredNorm } from '../linearAlgebra/vectors.js';
import { whitened } from '../linearAlgebra/whitening.js';

/**
 * The direction v [D] along which a component with the factor L, Σ = L Lᵀ, tells a sample at μ + δ from its own mean
 * μ: v = L⁻ᵀ u with u = L⁻¹ δ / |L⁻¹ δ|, so that (vᵀ(x − μ))² ≤ |L⁻¹ (x − μ)|² for every x. Null where δ is 0.
 */
export function tellingDirection(l: Float64Array, from: Float64Array, to: Float64Array): Float64Array | null {
  const u = whitened(to, from, l);
  const norm = squaredNorm(u);
  if (!(norm > 0 && norm < Infinity)) return null;
  return solveUpper(
    l,
    u.map((value) => value / Math.sqrt(norm)),
  );
}

/** (vᵀ(x − μ))² of the row of x that starts at `row`. */
export function squaredProjection(x: Float64Array, row: number, mean: Float64Array, v: Float64Array): number {
  const d = v.length;
  const inFours = d - (d % 4);
  let a = 0;
  let b = 0;
  let c = 0;
  let e = 0;
  for (let j = 0; j < inFours; j += 4) {
    a += v[j] * (x[row + j] - mean[j]);
    b += v[j + 1] * (x[row + j + 1] - mean[j + 1]);
    c += v[j + 2] * (x[row + j + 2] - mean[j + 2]);
    e += v[j + 3] * (x[row + j + 3] - mean[j + 3]);
  }
  for (let j = inFours; j < d; j++) a += v[j] * (x[row + j] - mean[j]);
  return (a + b + c + e) ** 2;
}
