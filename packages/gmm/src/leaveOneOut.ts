import { BLOCK_ROWS, type Moments } from './openSet/moments.js';
import { factorInPlace, logDeterminant, rowStart, whitenRows } from './openSet/triangle.js';

/** What 'auto' chooses from, the least first. */
const SHRINKAGE_GRID: readonly number[] = [0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1];

/** Rows of a group whose densities are looked at: so many at even distances. */
const MOST_ROWS = 256;

/** Added to the diagonal, as a share of the mean variance. */
export const RIDGE_SHARE = 1e-6;

/** Rows [n, D] with their moments. */
export interface Group {
  readonly moments: Moments;
  readonly rows: Float64Array;
}

/** The target T = scatter/count of shrinkage. */
export interface Pooled {
  readonly scatter: Float64Array;
  readonly count: number;
  /** Whether the rows that are left out are among those it was made of. */
  readonly hasRows: boolean;
}

/** (1 − ρ)·S + ρ·T. */
export function shrunkToward(s: Float64Array, target: Float64Array, amount: number): Float64Array {
  return s.map((value, at) => (1 - amount) * value + amount * target[at]);
}

/** The mean entry on the diagonal of a packed triangle, or of a diagonal [D]. */
export function meanOfDiagonal(values: Float64Array, d: number): number {
  let sum = 0;
  for (let i = 0; i < d; i++) sum += values.length === d ? values[i] : values[rowStart(i) + i];
  return sum / d;
}

/**
 * The ρ of the grid with the largest mean of log N(x; μ₋ₓ, Σ₋ₓ(ρ)) over rows x, each left out of its own mean and
 * of both covariances; at a tie the least. With n rows in the group, N in the target, δ = x − m and W the scatters,
 * Σ₋ₓ = A − c δ δᵀ with A = (1 − ρ)·W_k/(n − 1) + ρ·W/(N − 1) + ridge and
 * c = n/(n − 1)·((1 − ρ)/(n − 1) + ρ/(N − 1)): one factor of A for all rows, and a rank-one downdate for each.
 * Groups of one row tell nothing; without others the answer is 1.
 * (Hoffbeck and Landgrebe, "Covariance matrix estimation and classification with limited training data", 1996.)
 */
export function chooseShrinkage(groups: readonly Group[], pooled: Pooled): number {
  const telling = groups.filter(({ moments }) => moments.count > 1);
  let [best, most] = [1, -Infinity];
  if (telling.length === 0) return best;
  for (const amount of SHRINKAGE_GRID) {
    let [sum, rows] = [0, 0];
    for (const { moments, rows: all } of telling) {
      const { count, mean, scatter } = moments;
      const others = pooled.hasRows ? pooled.count - 1 : pooled.count;
      const a = scatter.map(
        (value, at) => ((1 - amount) * value) / (count - 1) + (amount * pooled.scatter[at]) / others,
      );
      addRidge(a, mean.length);
      const reach = count / (count - 1);
      const c = reach * ((1 - amount) / (count - 1) + (pooled.hasRows ? amount / others : 0));
      const away = deviations(all, mean);
      sum +=
        a.length === mean.length ? diagonalSum(a, away, c, reach) : matrixSum(a, mean.length, away, c, reach);
      rows += away.length / mean.length;
    }
    if (sum / rows > most) [best, most] = [amount, sum / rows];
  }
  return best;
}

function addRidge(a: Float64Array, d: number): void {
  const ridge = RIDGE_SHARE * meanOfDiagonal(a, d);
  for (let i = 0; i < d; i++) a[a.length === d ? i : rowStart(i) + i] += ridge;
}

/** At most MOST_ROWS rows less the mean. */
function deviations(rows: Float64Array, mean: Float64Array): Float64Array {
  const d = mean.length;
  const count = rows.length / d;
  const used = Math.min(count, MOST_ROWS);
  const out = new Float64Array(used * d);
  for (let n = 0; n < used; n++) {
    const row = Math.floor((n * count) / used);
    for (let j = 0; j < d; j++) out[n * d + j] = rows[row * d + j] - mean[j];
  }
  return out;
}

/** Σ log N less what all ρ have in common. Uses up `a` and `away`. */
function matrixSum(a: Float64Array, d: number, away: Float64Array, c: number, reach: number): number {
  if (factorInPlace(a, d) >= 0) return -Infinity;
  const logDet = logDeterminant(a, d);
  const count = away.length / d;
  for (let first = 0; first < count; first += BLOCK_ROWS) {
    const rows = Math.min(BLOCK_ROWS, count - first);
    whitenRows(a, d, away.subarray(first * d, (first + rows) * d), rows);
  }
  let sum = 0;
  for (let n = 0; n < count; n++) {
    let squared = 0;
    for (let j = n * d; j < (n + 1) * d; j++) squared += away[j] ** 2;
    const rest = 1 - c * squared;
    if (!(rest > 0)) return -Infinity;
    sum -= 0.5 * (logDet + Math.log(rest) + (reach ** 2 * squared) / rest);
  }
  return sum;
}

function diagonalSum(a: Float64Array, away: Float64Array, c: number, reach: number): number {
  const d = a.length;
  let sum = 0;
  for (let at = 0; at < away.length; at++) {
    const square = away[at] ** 2;
    const variance = a[at % d] - c * square;
    if (!(variance > 0)) return -Infinity;
    sum -= 0.5 * (Math.log(variance) + (reach ** 2 * square) / variance);
  }
  return sum;
}
