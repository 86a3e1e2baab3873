import type { Kernels } from '../kernels.js';
import type { FloatArray } from '../../storage.js';

/** One product at a time, in float64. */
export const matmul: Kernels['matmul'] = (a, b, sizes, out) => {
  const { batch, m, k, n, transposeA, transposeB, strideA, strideB, lower } = sizes;
  const product = new Float64Array(m * n);
  const [rowA, columnA] = transposeA ? [1, m] : [k, 1];
  const [rowB, columnB] = transposeB ? [1, k] : [n, 1];
  for (let t = 0; t < batch; t++) {
    const left = { data: a, start: t * strideA, row: rowA, column: columnA };
    const right = { data: b, start: t * strideB, row: rowB, column: columnB };
    if (t > 0) product.fill(0);
    addProduct(left, right, m, k, n, product, lower);
    out.set(product, t * m * n);
  }
};

/** A matrix inside an array: element [i, j] lies at start + i·row + j·column. */
export interface Matrix {
  readonly data: FloatArray;
  readonly start: number;
  readonly row: number;
  readonly column: number;
}

/** Rows or columns that lie beside each other in a panel. */
export const LANES = 4;

/** Terms whose products are added before the next are read: a panel of them stays in the first cache. */
const DEPTH = 256;

/**
 * out [m, n] += a [m, k] b [k, n], of which `lower` needs no more than the lower triangle. The rows of a and the columns
 * of b are laid out in panels of four, and four by two sums at a time run over them.
 */
export function addProduct(
  a: Matrix,
  b: Matrix,
  m: number,
  k: number,
  n: number,
  out: Float64Array,
  lower = false,
): void {
  if (m < LANES && b.column === 1) return addRows(a, b, m, k, n, out);
  const depths = Math.min(k, DEPTH);
  const left = new Float64Array(Math.ceil(m / LANES) * LANES * depths);
  const right = new Float64Array(Math.ceil(n / LANES) * LANES * depths);
  const sums = new Float64Array(2 * LANES);
  for (let from = 0; from < k; from += DEPTH) {
    const depth = Math.min(DEPTH, k - from);
    pack(a.data, a.start + from * a.column, a.row, a.column, m, depth, left);
    pack(b.data, b.start + from * b.row, b.column, b.row, n, depth, right);
    for (let i = 0; i < m; i += LANES) {
      const columns = lower ? Math.min(n, i + LANES) : n;
      const rows = Math.min(LANES, m - i);
      for (let j = 0; j < columns; j += 2) {
        const half = j % LANES;
        tile(left, i * depth, right, (j - half) * depth + half, depth, sums);
        const isWhole = j + 1 < n;
        for (let r = 0, at = i * n + j; r < rows; r++, at += n) {
          out[at] += sums[2 * r];
          if (isWhole) out[at + 1] += sums[2 * r + 1];
        }
      }
    }
  }
}

/** `count` lanes of `depth` numbers as panels: four lanes' numbers side by side. What is missing in the last is 0. */
export function pack(
  data: FloatArray,
  start: number,
  lane: number,
  step: number,
  count: number,
  depth: number,
  out: Float64Array,
): void {
  for (let first = 0; first < count; first += LANES) {
    const lanes = Math.min(LANES, count - first);
    if (lanes < LANES) out.fill(0, first * depth, (first + LANES) * depth);
    for (let j = 0; j < depth; j++) {
      const from = start + first * lane + j * step;
      const to = first * depth + j * LANES;
      for (let i = 0; i < lanes; i++) out[to + i] = data[from + i * lane];
    }
  }
}

/** sums[2·r + s] = Σⱼ left[p + 4·j + r]·right[q + 4·j + s] over `depth` j, for four r and two s. */
export function tile(
  left: Float64Array,
  p: number,
  right: Float64Array,
  q: number,
  depth: number,
  sums: Float64Array,
): void {
  let a0 = 0;
  let a1 = 0;
  let a2 = 0;
  let a3 = 0;
  let b0 = 0;
  let b1 = 0;
  let b2 = 0;
  let b3 = 0;
  let [at, beside] = [p, q];
  for (let j = 0; j < depth; j++) {
    const u = right[beside];
    const v = right[beside + 1];
    const z0 = left[at];
    const z1 = left[at + 1];
    const z2 = left[at + 2];
    const z3 = left[at + 3];
    a0 += z0 * u;
    a1 += z1 * u;
    a2 += z2 * u;
    a3 += z3 * u;
    b0 += z0 * v;
    b1 += z1 * v;
    b2 += z2 * v;
    b3 += z3 * v;
    at += LANES;
    beside += LANES;
  }
  sums[0] = a0;
  sums[1] = b0;
  sums[2] = a1;
  sums[3] = b1;
  sums[4] = a2;
  sums[5] = b2;
  sums[6] = a3;
  sums[7] = b3;
}

/** For few rows: row i of the product is Σⱼ a[i, j] · row j of b, whose numbers are neighbours, four rows of b at a time. */
function addRows(a: Matrix, b: Matrix, m: number, k: number, n: number, out: Float64Array): void {
  const { data, start, row, column } = a;
  const rows = b.data;
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
      const r0 = b.start + j * b.row;
      const r1 = r0 + b.row;
      const r2 = r1 + b.row;
      const r3 = r2 + b.row;
      for (let l = 0; l < n; l++) {
        out[sums + l] += f0 * rows[r0 + l] + f1 * rows[r1 + l] + f2 * rows[r2 + l] + f3 * rows[r3 + l];
      }
    }
    for (let j = inFours; j < k; j++) {
      const factor = data[left + j * column];
      const right = b.start + j * b.row;
      for (let l = 0; l < n; l++) out[sums + l] += factor * rows[right + l];
    }
  }
}
