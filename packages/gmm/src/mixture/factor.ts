/**
 * The Cholesky factor of the symmetric A [D, D] at `at` of `a`, whose lower triangle is read: L is lower triangular
 * with L Lᵀ = A. Written to `out`, zeros above the diagonal. A pivot within rounding of 0, at most
 * D·ε·Aⱼⱼ, is no pivot.
 * @returns −1, or the row of the pivot that failed
 */
export function cholesky(a: Float64Array, at: number, d: number, out: Float64Array, outAt: number): number {
  for (let i = 0; i < d; i++) {
    const row = outAt + i * d;
    for (let j = 0; j <= i; j++) {
      const other = outAt + j * d;
      let sum = a[at + i * d + j];
      for (let l = 0; l < j; l++) sum -= out[row + l] * out[other + l];
      if (i !== j) {
        out[row + j] = sum / out[other + j];
        continue;
      }
      if (!(sum > d * Number.EPSILON * a[at + i * d + i]) || sum === Infinity) return i;
      out[row + i] = Math.sqrt(sum);
    }
    out.fill(0, row + i + 1, row + d);
  }
  return -1;
}

/** L⁻¹ of a lower triangular L [D, D] at `at`, in its place. */
export function invertLower(l: Float64Array, at: number, d: number): void {
  const row = new Float64Array(d);
  for (let i = 0; i < d; i++) {
    const start = at + i * d;
    row.fill(0, 0, i);
    // Row i of the inverse: −(Lᵢ₀ … Lᵢ,ᵢ₋₁) (rows above) / Lᵢᵢ.
    for (let j = 0; j < i; j++) {
      const factor = l[start + j];
      const above = at + j * d;
      for (let c = 0; c <= j; c++) row[c] += factor * l[above + c];
    }
    const pivot = l[start + i];
    for (let c = 0; c < i; c++) l[start + c] = -row[c] / pivot;
    l[start + i] = 1 / pivot;
  }
}

/**
 * The lower triangular W [D, D] with Wᵀ W = Λ, for a symmetric positive definite Λ at `at`: the Cholesky factor of Λ
 * with rows and columns in reverse order, turned back.
 * @returns −1, or the row of the pivot that failed
 */
export function whiteningOfPrecision(
  precision: Float64Array,
  at: number,
  d: number,
  out: Float64Array,
  outAt: number,
): number {
  const reversed = precision.slice(at, at + d * d).toReversed();
  const factor = new Float64Array(d * d);
  const failed = cholesky(reversed, 0, d, factor, 0);
  if (failed >= 0) return d - 1 - failed;
  // Λ = U Uᵀ with U = J M J upper triangular, M the factor; W = Uᵀ.
  for (let i = 0; i < d; i++) {
    for (let j = 0; j < d; j++) out[outAt + i * d + j] = factor[(d - 1 - j) * d + (d - 1 - i)];
  }
  return -1;
}

/** out [D, D] = A Aᵀ, or Aᵀ A where `transposed`, of the lower triangular A at `at`. */
export function square(
  a: Float64Array,
  at: number,
  d: number,
  out: Float64Array,
  outAt: number,
  transposed = false,
): void {
  const [along, across] = transposed ? [d, 1] : [1, d];
  for (let i = 0; i < d; i++) {
    for (let j = 0; j <= i; j++) {
      const [from, to] = transposed ? [i, d] : [0, j + 1];
      let sum = 0;
      for (let l = from; l < to; l++) sum += a[at + i * across + l * along] * a[at + j * across + l * along];
      out[outAt + i * d + j] = sum;
      out[outAt + j * d + i] = sum;
    }
  }
}

/** Σᵢ log Aᵢᵢ of the matrix [D, D] at `at`. */
export function logDiagonal(a: Float64Array, at: number, d: number): number {
  let sum = 0;
  for (let i = 0; i < d; i++) sum += Math.log(a[at + i * (d + 1)]);
  return sum;
}
