import { indices } from './linearAlgebra/vectors.js';
import { factorInPlace, logDeterminant } from './linearAlgebra/cholesky.js';
import type { Moments } from './linearAlgebra/moments.js';
import { addToDiagonal, blended, meanOfDiagonal, lowerOf } from './linearAlgebra/symmetric.js';
import { squaredDistances } from './linearAlgebra/whitening.js';

/** What 'auto' chooses from, the least first. */
export const SHRINKAGE_GRID: readonly number[] = [0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1];

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
export interface ShrinkageTarget {
  readonly scatter: Float64Array;
  readonly count: number;
  /** Whether the rows that are left out are among those it was made of. */
  readonly hasRows: boolean;
}

/**
 * The ρ of the grid with the largest mean of log N(x; μ₋ₓ, Σ₋ₓ(ρ)) over rows x, each left out of its own mean and
 * of both covariances; at a tie the least; the first maximum, where there are several. With n rows in the group, N in the target, δ = x − m and W the scatters,
 * Σ₋ₓ = A − c δ δᵀ with A = (1 − ρ)·W_k/(n − 1) + ρ·W/(N − 1) + ridge and
 * c = n/(n − 1)·((1 − ρ)/(n − 1) + ρ/(N − 1)): one factor of A for all rows, and a rank-one downdate for each.
 * Groups of one row tell nothing; without others the answer is 1.
 * (Hoffbeck and Landgrebe, "Covariance matrix estimation and classification with limited training data", 1996.)
 */
export function chooseShrinkage(groups: readonly Group[], pooled: ShrinkageTarget): number {
  const telling = groups.filter(({ moments }) => moments.count > 1);
  if (telling.length === 0) return 1;
  const away = telling.map(({ moments, rows }) => deviations(rows, moments.mean));
  const logDensity = (at: number): number => meanLogDensity(SHRINKAGE_GRID[at], telling, away, pooled);
  // Uphill from the least; where there is no density yet, on to where there is one.
  let best = 0;
  let most = logDensity(best);
  while (best + 1 < SHRINKAGE_GRID.length) {
    const next = logDensity(best + 1);
    if (most > -Infinity && next <= most) break;
    best++;
    most = next;
  }
  return most > -Infinity ? SHRINKAGE_GRID[best] : 1;
}

/**
 * The mean of log N(x; μ₋ₓ, Σ₋ₓ(ρ)) less what all ρ have in common; −∞ where a covariance is none.
 * @param away the `deviations` of each group, of more than one row
 */
export function meanLogDensity(
  amount: number,
  groups: readonly Group[],
  away: readonly Float64Array[],
  pooled: ShrinkageTarget,
): number {
  let [sum, rows] = [0, 0];
  for (const [g, { moments }] of groups.entries()) {
    const { count, mean, scatter } = moments;
    const others = pooled.hasRows ? pooled.count - 1 : pooled.count;
    const [own, shared] = [(1 - amount) / (count - 1), amount / others];
    const a = blended(own, scatter, shared, pooled.scatter);
    addToDiagonal(a, mean.length, RIDGE_SHARE * meanOfDiagonal(a, mean.length));
    const reaches = new Float64Array(away[g].length / mean.length).fill(count / (count - 1));
    const share = own + (pooled.hasRows ? shared : 0);
    const sumOfRows = a.length === mean.length ? diagonalSum : leftOutLogDensity;
    sum += sumOfRows(a, away[g], share, reaches);
    rows += reaches.length;
  }
  return sum / rows;
}

/**
 * Σ log N(x; μ₋ₓ, A − c δ δᵀ) less what does not depend on A, with c = share·reach and x − μ₋ₓ = reach·δ: as
 * log |A − c δ δᵀ| = log |A| + log(1 − c·q) and δᵀ(A − c δ δᵀ)⁻¹δ = q/(1 − c·q) for q = δᵀA⁻¹δ, one factor of A is enough.
 * −∞ where a covariance is none. (Sherman and Morrison, "Adjustment of an inverse matrix corresponding to a change in one
 * element of a given matrix", 1950.)
 * @param a A as a packed triangle
 * @param away δ [n, D]
 * @param reaches count/(count − 1) of what each row is left out of [n]
 */
export function leftOutLogDensity(
  a: Float64Array,
  away: Float64Array,
  share: number,
  reaches: Float64Array,
): number {
  const d = away.length / reaches.length;
  const l = lowerOf(a, d);
  if (factorInPlace(l, d) >= 0) return -Infinity;
  const logDet = logDeterminant(l, d);
  const squares = new Float64Array(reaches.length);
  squaredDistances(away, indices(squares.length), new Float64Array(d), l, squares);
  let sum = 0;
  for (const [n, reach] of reaches.entries()) {
    const rest = 1 - share * reach * squares[n];
    if (!(rest > 0)) return -Infinity;
    sum -= 0.5 * (logDet + Math.log(rest) + (reach ** 2 * squares[n]) / rest);
  }
  return sum;
}

/** At most MOST_ROWS rows less the mean. */
export function deviations(rows: Float64Array, mean: Float64Array): Float64Array {
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

/** As `leftOutLogDensity`, of variances [D]; all rows have one reach. */
function diagonalSum(a: Float64Array, away: Float64Array, share: number, [reach]: Float64Array): number {
  let sum = 0;
  for (let at = 0; at < away.length; at++) {
    const square = away[at] ** 2;
    const variance = a[at % a.length] - share * reach * square;
    if (!(variance > 0)) return -Infinity;
    sum -= 0.5 * (Math.log(variance) + (reach ** 2 * square) / variance);
  }
  return sum;
}
