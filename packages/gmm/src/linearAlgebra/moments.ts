import { addScatter } from './scatter.js';
import { addOuter, triangleSize } from './symmetric.js';

/** What is kept of a product of two features: each with itself, or all pairs (a packed lower triangle). */
export type Spread = 'diagonal' | 'triangle';

/** What covariances of a type are made of. */
export function spreadOf(covariance: string): Spread {
  return covariance === 'diag' ? 'diagonal' : 'triangle';
}

/** Sufficient statistics of a normal distribution, in float64. */
export interface Moments {
  /** How many rows, n. */
  readonly count: number;
  /** Their mean m [D]. */
  readonly mean: Float64Array;
  /** Σ (x − m)(x − m)ᵀ, centred: a packed lower triangle [D(D + 1)/2], or only its diagonal [D]. */
  readonly scatter: Float64Array;
}

/** The moments of no rows. */
export function noMoments(d: number, spread: Spread): Moments {
  const size = spread === 'triangle' ? triangleSize(d) : d;
  return { count: 0, mean: new Float64Array(d), scatter: new Float64Array(size) };
}

/**
 * The moments of the rows of `a` and `b` together, exactly: with δ = m_b − m_a,
 * m = m_a + δ·n_b/n and S = S_a + S_b + δ δᵀ·n_a n_b/n.
 * (Chan, Golub and LeVeque, "Algorithms for computing the sample variance", 1983, eq. 2.1.)
 */
export function mergeMoments(a: Moments, b: Moments): Moments {
  return mergeInto(copyOf(a), b);
}

/** A copy whose arrays may be used up. */
export function copyOf({ count, mean, scatter }: Moments): Moments {
  return { count, mean: mean.slice(), scatter: scatter.slice() };
}

/** The moments of all of `parts` together. */
export function mergeAll(parts: readonly Moments[], d: number, spread: Spread): Moments {
  return parts.reduce((sum, part) => mergeInto(sum, part), noMoments(d, spread));
}

/** Adds rows [count, D] to `moments`, whose arrays are used up. */
export function addRows({ count, mean, scatter }: Moments, rows: Float64Array): Moments {
  const own = meanOfRows(rows, mean.length);
  addScatter(scatter, rows, own);
  // The products already stand in the sum: what remains is the part between the means.
  return moveMean({ count, mean, scatter }, rows.length / mean.length, own);
}

function meanOfRows(rows: Float64Array, d: number): Float64Array {
  const mean = new Float64Array(d);
  for (let start = 0; start < rows.length; start += d) for (let j = 0; j < d; j++) mean[j] += rows[start + j];
  return mean.map((sum) => sum / (rows.length / d));
}

/** Merges into the arrays of `a`. */
function mergeInto(a: Moments, b: Moments): Moments {
  for (let at = 0; at < a.scatter.length; at++) a.scatter[at] += b.scatter[at];
  return moveMean(a, b.count, b.mean);
}

/** Adds to `a` a group of rows whose scatter around its own mean is already in. */
function moveMean(a: Moments, count: number, mean: Float64Array): Moments {
  const total = a.count + count;
  if (total === 0) return a;
  if (a.count === 0) {
    a.mean.set(mean);
    return { ...a, count };
  }
  const delta = mean.map((m, j) => m - a.mean[j]);
  addOuter(a.scatter, delta, (a.count / total) * count);
  for (let j = 0; j < delta.length; j++) a.mean[j] += delta[j] * (count / total);
  return { ...a, count: total };
}
