// Products of many rows, by the selected backend.
import { backendReport, noGrad, scope, tensor, zeros } from '@gmml/tensor';

/** Rows that are multiplied at once: with 128 features 512 kB, which the second cache holds. */
export const PRODUCT_ROWS = 512;

/** With fewer features than this, products by plain loops take less time than the call. */
export const FEW_FEATURES = 12;

/** Whether a solve of many columns takes less time than plain loops, which stop where a limit is passed. */
export function hasFastProducts(): boolean {
  return backendReport().backend !== 'reference';
}

/** Columns of a solve come in multiples of this, so that a kernel serves many numbers of rows. */
const SOLVE_UNIT = 64;

/** Columns that are solved at once. */
const SOLVE_ROWS = 256;

/**
 * Σ c cᵀ of `count` rows c [D] that `write` puts into a fresh row-major array of zeros: `use` gets the lower triangle
 * [D, D], which is gone afterwards.
 */
export function gram(
  count: number,
  d: number,
  write: (rows: Float64Array) => void,
  use: (product: Float64Array) => void,
): void {
  noGrad(() =>
    scope(() => {
      const rows = zeros([count, d], { dtype: 'float64' });
      write(rows.data as Float64Array);
      use(rows.matmul(rows, { transposeA: true, lower: true }).data as Float64Array);
    }),
  );
}

/** Gets columns `first` to `first` + `n`, as the first ones of an array z [D, width] that is gone afterwards. */
export type UseColumns = (z: Float64Array, width: number, first: number, n: number) => void;

/** L⁻¹ (x − c) of the given rows of x, L [D, D] lower triangular, as columns. */
export function solveBlocks(
  x: Float64Array,
  rows: Int32Array,
  centre: Float64Array,
  l: Float64Array,
  use: UseColumns,
): void {
  const d = centre.length;
  noGrad(() =>
    scope(() => {
      const factor = tensor(l, { shape: [d, d] });
      for (let first = 0; first < rows.length; first += SOLVE_ROWS) {
        const n = Math.min(SOLVE_ROWS, rows.length - first);
        const width = Math.ceil(n / SOLVE_UNIT) * SOLVE_UNIT;
        scope(() => {
          const columns = zeros([d, width], { dtype: 'float64' });
          putColumns(x, rows, first, n, centre, columns.data as Float64Array, width);
          use(factor.triangularSolve(columns).data as Float64Array, width, first, n);
        });
      }
    }),
  );
}

/** columns[j, i] = x[rows[first + i], j] − centre[j] for i < n and columns [D, width]: a few features at a time, whose lines stay in the cache. */
export function putColumns(
  x: Float64Array,
  rows: Int32Array,
  first: number,
  n: number,
  centre: Float64Array,
  columns: Float64Array,
  width: number,
): void {
  const d = centre.length;
  const whole = d - (d % 8);
  for (let j = 0; j < whole; j += 8) {
    const to = j * width;
    for (let i = 0; i < n; i++) {
      const at = rows[first + i] * d + j;
      columns[to + i] = x[at] - centre[j];
      columns[to + width + i] = x[at + 1] - centre[j + 1];
      columns[to + 2 * width + i] = x[at + 2] - centre[j + 2];
      columns[to + 3 * width + i] = x[at + 3] - centre[j + 3];
      columns[to + 4 * width + i] = x[at + 4] - centre[j + 4];
      columns[to + 5 * width + i] = x[at + 5] - centre[j + 5];
      columns[to + 6 * width + i] = x[at + 6] - centre[j + 6];
      columns[to + 7 * width + i] = x[at + 7] - centre[j + 7];
    }
  }
  for (let j = whole; j < d; j++) {
    for (let i = 0; i < n; i++) columns[j * width + i] = x[rows[first + i] * d + j] - centre[j];
  }
}

/** Σₙ shares[n, k] x[n] [K, D] for shares [N, K] and rows x [N, D]. */
export function weightedSums(shares: Float64Array, x: Float64Array, rows: number, d: number): Float64Array {
  return noGrad(() => {
    const sums = scope(() =>
      tensor(shares, { shape: [rows, shares.length / rows] }).matmul(tensor(x, { shape: [rows, d] }), {
        transposeA: true,
      }),
    );
    return sums.data as Float64Array;
  });
}

/** out[at + n] = Σᵢ z[i, n]² of the first `count` columns. */
export function addSquares(
  z: Float64Array,
  width: number,
  count: number,
  out: Float64Array,
  at: number,
): void {
  out.fill(0, at, at + count);
  const four = z.length - ((z.length / width) % 4) * width;
  for (let row = 0; row < four; row += 4 * width) {
    for (let n = 0; n < count; n++) {
      const z0 = z[row + n];
      const z1 = z[row + width + n];
      const z2 = z[row + 2 * width + n];
      const z3 = z[row + 3 * width + n];
      out[at + n] += z0 * z0 + z1 * z1 + (z2 * z2 + z3 * z3);
    }
  }
  for (let row = four; row < z.length; row += width) {
    for (let n = 0; n < count; n++) out[at + n] += z[row + n] * z[row + n];
  }
}
