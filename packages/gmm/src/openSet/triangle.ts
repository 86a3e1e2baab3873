// Symmetric and lower triangular matrices as packed rows: entry (i, j ≤ i) lies at i(i + 1)/2 + j. float64.

/** The number of entries of a packed triangle of `d` rows. */
export function triangleSize(d: number): number {
  return (d * (d + 1)) / 2;
}

/** Where row `i` starts, which is also the number of entries before it. */
export const rowStart = triangleSize;

/**
 * Replaces a symmetric matrix [D, D] by its Cholesky factor L, A = L Lᵀ, row by row (Cholesky–Banachiewicz).
 * @returns the first row whose pivot is not positive, or −1 when there is none
 */
export function factorInPlace(a: Float64Array, d: number): number {
  for (let i = 0; i < d; i++) {
    // What four rows have left of the diagonal is found together.
    const first = i - (i % 4);
    const inFours = first + 4 <= d;
    if (inFours && i === first) eliminateFour(a, i);
    const row = rowStart(i);
    for (let j = inFours ? first : 0; j < i; j++) {
      const other = rowStart(j);
      a[row + j] = (a[row + j] - dot(a, row, other, j)) / a[other + j];
    }
    const pivot = a[row + i] - dot(a, row, row, i);
    if (!(pivot > 0 && pivot < Infinity)) return i;
    a[row + i] = Math.sqrt(pivot);
  }
  return -1;
}

/** The first `i` entries of rows i to i + 3 of L. */
function eliminateFour(a: Float64Array, i: number): void {
  const [p, q, r, s] = [rowStart(i), rowStart(i + 1), rowStart(i + 2), rowStart(i + 3)];
  for (let j = 0, at = 0; j < i; j++) {
    let sumP = 0;
    let sumQ = 0;
    let sumR = 0;
    let sumS = 0;
    for (let k = 0; k < j; k++, at++) {
      const factor = a[at];
      sumP += factor * a[p + k];
      sumQ += factor * a[q + k];
      sumR += factor * a[r + k];
      sumS += factor * a[s + k];
    }
    const pivot = a[at++];
    a[p + j] = (a[p + j] - sumP) / pivot;
    a[q + j] = (a[q + j] - sumQ) / pivot;
    a[r + j] = (a[r + j] - sumR) / pivot;
    a[s + j] = (a[s + j] - sumS) / pivot;
  }
}

/** log |L Lᵀ|. */
export function logDeterminant(l: Float64Array, d: number): number {
  let sum = 0;
  for (let i = 0; i < d; i++) sum += Math.log(l[rowStart(i) + i]);
  return 2 * sum;
}

/**
 * Replaces each row x of [count, D] by L⁻¹ x. Four rows at a time share each entry of L; a row's sums run in
 * the same order whichever rows stand beside it, so that its result has the same bits.
 */
export function whitenRows(l: Float64Array, d: number, x: Float64Array, count: number): void {
  let first = 0;
  for (; first + 4 <= count; first += 4) whitenFour(l, d, x, first * d);
  for (; first < count; first++) whitenOne(l, d, x, first * d);
}

function whitenFour(l: Float64Array, d: number, x: Float64Array, a: number): void {
  const [b, c, e] = [a + d, a + 2 * d, a + 3 * d];
  for (let i = 0, row = 0; i < d; i++) {
    let [sumA, sumB, sumC, sumE] = [0, 0, 0, 0];
    for (let j = 0; j < i; j++, row++) {
      const factor = l[row];
      sumA += factor * x[a + j];
      sumB += factor * x[b + j];
      sumC += factor * x[c + j];
      sumE += factor * x[e + j];
    }
    const pivot = l[row++];
    x[a + i] = (x[a + i] - sumA) / pivot;
    x[b + i] = (x[b + i] - sumB) / pivot;
    x[c + i] = (x[c + i] - sumC) / pivot;
    x[e + i] = (x[e + i] - sumE) / pivot;
  }
}

function whitenOne(l: Float64Array, d: number, x: Float64Array, a: number): void {
  for (let i = 0, row = 0; i < d; i++) {
    let sum = 0;
    for (let j = 0; j < i; j++, row++) sum += l[row] * x[a + j];
    x[a + i] = (x[a + i] - sum) / l[row++];
  }
}

/** Σ aₚ₊ₖ·a_q₊ₖ for k < n, in four sums that the processor can keep going side by side. */
function dot(a: Float64Array, p: number, q: number, n: number): number {
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  let k = 0;
  for (; k + 4 <= n; k += 4) {
    s0 += a[p + k] * a[q + k];
    s1 += a[p + k + 1] * a[q + k + 1];
    s2 += a[p + k + 2] * a[q + k + 2];
    s3 += a[p + k + 3] * a[q + k + 3];
  }
  for (; k < n; k++) s0 += a[p + k] * a[q + k];
  return s0 + s1 + (s2 + s3);
}
