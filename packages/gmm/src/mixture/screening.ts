/**
 * The direction v [D] along which the component at `at` of the factors W [K, D, D] tells a sample at μ + δ from its own mean
 * μ: v = Wᵀ u with u = W δ / |W δ|, so that (vᵀ(x − μ))² ≤ |W (x − μ)|² for every x. Null where δ is 0.
 */
export function tellingDirection(
  factors: Float64Array,
  at: number,
  from: Float64Array,
  to: Float64Array,
): Float64Array | null {
  const d = from.length;
  const u = new Float64Array(d);
  let norm = 0;
  for (let i = 0; i < d; i++) {
    for (let j = 0; j <= i; j++) u[i] += factors[at + i * d + j] * (to[j] - from[j]);
    norm += u[i] * u[i];
  }
  if (!(norm > 0 && norm < Infinity)) return null;
  const v = new Float64Array(d);
  for (let i = 0; i < d; i++) {
    const share = u[i] / Math.sqrt(norm);
    for (let j = 0; j <= i; j++) v[j] += factors[at + i * d + j] * share;
  }
  return v;
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
