import type { FailedPivot, SolveSizes } from '../kernels.js';
import type { FloatArray } from '../../storage.js';

/** Row by row (Cholesky–Banachiewicz): Lᵢⱼ = (Aᵢⱼ − Σₖ Lᵢₖ Lⱼₖ) / Lⱼⱼ, Lᵢᵢ = √(Aᵢᵢ − Σₖ Lᵢₖ²). */
export function cholesky(a: FloatArray, batch: number, n: number, out: FloatArray): FailedPivot | null {
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
}

/** Substitution, a row of X at a time: xᵢ = (bᵢ − Σⱼ op(A)ᵢⱼ xⱼ) / op(A)ᵢᵢ over the rows already known. */
export function triangularSolve(a: FloatArray, b: FloatArray, sizes: SolveSizes, out: FloatArray): void {
  const { batch, n, m, upper, transpose, unitDiagonal } = sizes;
  const [stepI, stepJ] = transpose ? [1, n] : [n, 1];
  const downward = upper === transpose;
  const x = new Float64Array(n * m);
  for (let t = 0; t < batch; t++) {
    const startA = t * n * n;
    for (let r = 0; r < n; r++) {
      const i = downward ? r : n - 1 - r;
      for (let l = 0; l < m; l++) x[i * m + l] = b[(t * n + i) * m + l];
      for (let s = 0; s < r; s++) {
        const j = downward ? s : n - 1 - s;
        const factor = a[startA + i * stepI + j * stepJ];
        for (let l = 0; l < m; l++) x[i * m + l] -= factor * x[j * m + l];
      }
      if (unitDiagonal) continue;
      const pivot = a[startA + i * n + i];
      for (let l = 0; l < m; l++) x[i * m + l] /= pivot;
    }
    out.set(x, t * n * m);
  }
}
