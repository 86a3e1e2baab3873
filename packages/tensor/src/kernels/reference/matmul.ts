import type { MatmulSizes } from '../kernels.js';
import type { FloatArray } from '../../storage.js';

/** Row by row: row i of the product is Σⱼ a[i, j] · row j of b, summed in float64. */
export function matmul(a: FloatArray, b: FloatArray, sizes: MatmulSizes, out: FloatArray): void {
  const { batch, m, k, n, transposeA, transposeB, strideA, strideB } = sizes;
  const [stepI, stepJ] = transposeA ? [1, m] : [k, 1];
  const sums = new Float64Array(n);
  let packed: FloatArray = b;
  let packedFrom = -1;
  for (let t = 0; t < batch; t++) {
    const startA = t * strideA;
    let startB = t * strideB;
    if (transposeB) {
      if (packedFrom !== startB) packed = transposed(b, startB, n, k);
      packedFrom = startB;
      startB = 0;
    }
    for (let i = 0; i < m; i++) {
      sums.fill(0);
      for (let j = 0; j < k; j++) {
        const factor = a[startA + i * stepI + j * stepJ];
        const row = startB + j * n;
        for (let l = 0; l < n; l++) sums[l] += factor * packed[row + l];
      }
      out.set(sums, (t * m + i) * n);
    }
  }
}

/** The [rows, columns] matrix at `start` as [columns, rows]. */
function transposed(x: FloatArray, start: number, rows: number, columns: number): FloatArray {
  const out = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) out[j * rows + i] = x[start + i * columns + j];
  }
  return out;
}
