import { dot } from './vectors.js';

/**
 * Replaces the lower triangle of a symmetric matrix [D, D] by its Cholesky factor L, A = L Lᵀ, row by row
 * (Cholesky–Banachiewicz). A pivot within rounding of 0, at most D·ε·Aᵢᵢ, is no pivot.
 * @returns −1, or the first row whose pivot failed
 */
export function factorInPlace(a: Float64Array, d: number): number {
  for (let i = 0; i < d; i++) {
    // What four rows have left of the diagonal is found together.
    const first = i - (i % 4);
    const inFours = first + 4 <= d;
    if (inFours && i === first) eliminateFour(a, d, i);
    const row = i * d;
    for (let j = inFours ? first : 0; j < i; j++) {
      a[row + j] = (a[row + j] - dot(a, row, a, j * d, j)) / a[j * d + j];
    }
    const pivot = a[row + i] - dot(a, row, a, row, i);
    if (!(pivot > d * Number.EPSILON * a[row + i] && pivot < Infinity)) return i;
    a[row + i] = Math.sqrt(pivot);
  }
  return -1;
}

/** log |L Lᵀ|. */
export function logDeterminant(l: Float64Array, d: number): number {
  let sum = 0;
  for (let i = 0; i < d; i++) sum += Math.log(l[i * (d + 1)]);
  return 2 * sum;
}

/** Replaces x [D] by L⁻¹ x. */
export function solveLower(l: Float64Array, x: Float64Array): Float64Array {
  const d = x.length;
  for (let i = 0; i < d; i++) {
    x[i] = (x[i] - dot(l, i * d, x, 0, i)) / l[i * (d + 1)];
  }
  return x;
}

/** Replaces x [D] by L⁻ᵀ x. */
export function solveUpper(l: Float64Array, x: Float64Array): Float64Array {
  const d = x.length;
  for (let i = d - 1; i >= 0; i--) {
    x[i] /= l[i * (d + 1)];
    for (let j = 0; j < i; j++) x[j] -= l[i * d + j] * x[i];
  }
  return x;
}

/** (L Lᵀ)⁻¹, exactly symmetric. */
export function inverseOf(l: Float64Array, d: number): Float64Array {
  const out = new Float64Array(d * d);
  for (let i = 0; i < d; i++) {
    const unit = new Float64Array(d);
    unit[i] = 1;
    solveUpper(l, solveLower(l, unit));
    for (let j = 0; j <= i; j++) out[i * d + j] = out[j * d + i] = unit[j];
  }
  return out;
}

/** The first `i` entries of rows i to i + 3 of L. */
function eliminateFour(a: Float64Array, d: number, i: number): void {
  const p = i * d;
  const [q, r, s] = [p + d, p + 2 * d, p + 3 * d];
  for (let j = 0; j < i; j++) {
    const row = j * d;
    let sumP = 0;
    let sumQ = 0;
    let sumR = 0;
    let sumS = 0;
    for (let k = 0; k < j; k++) {
      const factor = a[row + k];
      sumP += factor * a[p + k];
      sumQ += factor * a[q + k];
      sumR += factor * a[r + k];
      sumS += factor * a[s + k];
    }
    const pivot = a[row + j];
    a[p + j] = (a[p + j] - sumP) / pivot;
    a[q + j] = (a[q + j] - sumQ) / pivot;
    a[r + j] = (a[r + j] - sumR) / pivot;
    a[s + j] = (a[s + j] - sumS) / pivot;
  }
}
