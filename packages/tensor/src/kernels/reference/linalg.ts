import type { Kernels } from '../kernels.js';
import { LANES, pack, tile } from './matmul.js';

/** Row by row (Cholesky–Banachiewicz): Lᵢⱼ = (Aᵢⱼ − Σₖ Lᵢₖ Lⱼₖ) / Lⱼⱼ, Lᵢᵢ = √(Aᵢᵢ − Σₖ Lᵢₖ²). */
export const cholesky: Kernels['cholesky'] = (a, batch, n, out) => {
  const l = new Float64Array(n * n);
  for (let matrix = 0; matrix < batch; matrix++) {
    const start = matrix * n * n;
    for (let i = 0; i < n; i++) {
      for (let j = 0; j <= i; j++) {
        let rest = a[start + i * n + j];
        for (let k = 0; k < j; k++) rest -= l[i * n + k] * l[j * n + k];
        if (i !== j) l[i * n + j] = rest / l[j * n + j];
        else if (rest > 0) l[i * n + i] = Math.sqrt(rest);
        else return { matrix, row: i, pivot: rest };
      }
    }
    out.set(l, start);
  }
  return null;
};

/**
 * Substitution: xᵢ = (bᵢ − Σⱼ op(A)ᵢⱼ xⱼ) / op(A)ᵢᵢ over the rows already known, for four rows and four columns of X at a time,
 * which lie in panels in the order in which they are found.
 */
export const triangularSolve: Kernels['triangularSolve'] = (a, b, sizes, out) => {
  const { batch, n, m, upper, transpose, unitDiagonal } = sizes;
  const downward = upper === transpose;
  const sign = downward ? 1 : -1;
  const [row, column] = transpose ? [sign, sign * n] : [sign * n, sign];
  const rowOfX = (i: number): number => (downward ? i : n - 1 - i) * m;
  const factors = new Float64Array(Math.ceil(n / LANES) * LANES * n);
  const x = new Float64Array(n * LANES);
  const sums = new Float64Array(2 * LANES);
  for (let t = 0; t < batch; t++) {
    const first = (downward ? t : t + 1) * n * n - (downward ? 0 : 1);
    pack(a, first, row, column, n, n, factors);
    for (let l = 0; l < m; l += LANES) {
      const width = Math.min(LANES, m - l);
      for (let i = 0; i < n; i += LANES) {
        const rows = Math.min(LANES, n - i);
        for (let s = 0; s < width; s += 2) {
          tile(factors, i * n, x, s, i, sums);
          for (let r = 0; r < rows; r++) {
            const from = t * n * m + rowOfX(i + r) + l + s;
            x[(i + r) * LANES + s] = b[from] - sums[2 * r];
            x[(i + r) * LANES + s + 1] = s + 1 < width ? b[from + 1] - sums[2 * r + 1] : 0;
          }
        }
        solveRows(factors, i * n + i * LANES, x, i * LANES, rows, unitDiagonal);
      }
      for (let i = 0; i < n; i++) {
        const to = t * n * m + rowOfX(i) + l;
        for (let s = 0; s < width; s++) out[to + s] = x[i * LANES + s];
      }
    }
  }
};

/** Solves up to four rows of a panel of X, at `at`, with the triangle that begins at `corner`. */
function solveRows(
  factors: Float64Array,
  corner: number,
  x: Float64Array,
  at: number,
  rows: number,
  unitDiagonal: boolean,
): void {
  for (let r = 0; r < rows; r++) {
    for (let s = 0; s < LANES; s++) {
      let value = x[at + r * LANES + s];
      for (let j = 0; j < r; j++) value -= factors[corner + j * LANES + r] * x[at + j * LANES + s];
      x[at + r * LANES + s] = unitDiagonal ? value : value / factors[corner + r * LANES + r];
    }
  }
}
