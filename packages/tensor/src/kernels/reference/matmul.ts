import type { MatmulSizes } from '../kernels.js';
import type { FloatArray } from '../../storage.js';

/** One product at a time, in float64. */
export function matmul(a: FloatArray, b: FloatArray, sizes: MatmulSizes, out: FloatArray): void {
  const { batch, m, k, n, transposeA, transposeB, strideA, strideB } = sizes;
  const product = new Float64Array(m * n);
  let right: FloatArray = b;
  for (let t = 0; t < batch; t++) {
    // A right matrix that the whole batch shares is turned once.
    if (transposeB && (t === 0 || strideB !== 0)) right = transposed(b, t * strideB, n, k);
    const left = { data: a, start: t * strideA, row: transposeA ? 1 : k, column: transposeA ? m : 1 };
    product.fill(0);
    addProduct(left, right, transposeB ? 0 : t * strideB, m, k, n, product);
    out.set(product, t * m * n);
  }
}

/** A matrix inside an array: element [i, j] lies at start + i·row + j·column. */
export interface Matrix {
  readonly data: FloatArray;
  readonly start: number;
  readonly row: number;
  readonly column: number;
}

/**
 * out [m, n] += a [m, k] b [k, n], both right-hand matrices row-major: row i of the product is
 * Σⱼ a[i, j] · row j of b. Four rows of b at a time, so that each sum is read and written a quarter as often.
 */
export function addProduct(
  a: Matrix,
  b: FloatArray,
  startB: number,
  m: number,
  k: number,
  n: number,
  out: Float64Array,
): void {
  const { data, start, row, column } = a;
  const inFours = k - (k % 4);
  for (let i = 0; i < m; i++) {
    const sums = i * n;
    const left = start + i * row;
    for (let j = 0; j < inFours; j += 4) {
      const from = left + j * column;
      const f0 = data[from];
      const f1 = data[from + column];
      const f2 = data[from + 2 * column];
      const f3 = data[from + 3 * column];
      const r0 = startB + j * n;
      const r1 = r0 + n;
      const r2 = r1 + n;
      const r3 = r2 + n;
      for (let l = 0; l < n; l++) {
        out[sums + l] += f0 * b[r0 + l] + f1 * b[r1 + l] + f2 * b[r2 + l] + f3 * b[r3 + l];
      }
    }
    for (let j = inFours; j < k; j++) {
      const factor = data[left + j * column];
      const right = startB + j * n;
      for (let l = 0; l < n; l++) out[sums + l] += factor * b[right + l];
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
