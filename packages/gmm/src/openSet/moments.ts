import { FEW_FEATURES, gram } from '../products.js';
import { rowStart, triangleSize } from './triangle.js';

/** What is kept of a product of two features: each with itself, or all pairs (a packed lower triangle). */
export type Spread = 'diagonal' | 'triangle';

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

/** Rows that are centred and multiplied at once: with 512 features 512 kB. */
export const BLOCK_ROWS = 128;

/**
 * The moments of the rows of `a` and `b` together, exactly: with δ = m_b − m_a,
 * m = m_a + δ·n_b/n and S = S_a + S_b + δ δᵀ·n_a n_b/n.
 * (Chan, Golub and LeVeque, "Algorithms for computing the sample variance", 1983, eq. 2.1.)
 */
export function mergeMoments(a: Moments, b: Moments): Moments {
  return mergeInto({ count: a.count, mean: a.mean.slice(), scatter: a.scatter.slice() }, b);
}

/** The moments of all of `parts` together. */
export function mergeAll(parts: readonly Moments[], d: number, spread: Spread): Moments {
  return parts.reduce((sum, part) => mergeInto(sum, part), noMoments(d, spread));
}

/** `moments` with further rows [count, D] in row-major order, in one pass over them. */
export function withRows(moments: Moments, rows: Float64Array): Moments {
  const { mean } = moments;
  const d = mean.length;
  let sum: Moments = { count: moments.count, mean: mean.slice(), scatter: moments.scatter.slice() };
  for (let start = 0; start < rows.length; start += BLOCK_ROWS * d) {
    sum = addBlock(sum, rows.slice(start, start + BLOCK_ROWS * d));
  }
  return sum;
}

/** Adds at most BLOCK_ROWS rows to `moments`, whose arrays are used up, as is the block: it is centred in place. */
export function addBlock(moments: Moments, block: Float64Array): Moments {
  const d = moments.mean.length;
  const count = block.length / d;
  const mean = meanOfRows(block, d, count);
  for (let n = 0; n < count; n++) for (let j = 0; j < d; j++) block[n * d + j] -= mean[j];
  const scatter = moments.scatter;
  if (count > 1) {
    if (isTriangle(moments)) addProducts(scatter, block, d, count);
    else addSquares(scatter, block, d, count);
  }
  // The products already stand in the sum: what remains is the part between the means.
  return moveMean({ count: moments.count, mean: moments.mean, scatter }, count, mean);
}

/**
 * The moments without one of the rows they were made of, x [D]: with d = x − m,
 * m' = m − d/(n − 1) and S' = S − d dᵀ·n/(n − 1).
 */
export function withoutRow({ count, mean, scatter }: Moments, x: Float64Array): Moments {
  const away = x.map((value, j) => value - mean[j]);
  const left = scatter.slice();
  addOuter(left, away, -count / (count - 1));
  return { count: count - 1, mean: mean.map((m, j) => m - away[j] / (count - 1)), scatter: left };
}

/** The diagonal of the scatter [D]. */
export function diagonalOf(moments: Moments): Float64Array {
  const { mean, scatter } = moments;
  return isTriangle(moments) ? mean.map((_, i) => scatter[rowStart(i) + i]) : scatter;
}

function isTriangle({ mean, scatter }: Moments): boolean {
  return scatter.length !== mean.length;
}

function meanOfRows(rows: Float64Array, d: number, count: number): Float64Array {
  const mean = new Float64Array(d);
  for (let n = 0; n < count; n++) for (let j = 0; j < d; j++) mean[j] += rows[n * d + j];
  for (let j = 0; j < d; j++) mean[j] /= count;
  return mean;
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

/** scatter += weight·v vᵀ. */
function addOuter(scatter: Float64Array, v: Float64Array, weight: number): void {
  if (scatter.length === v.length) {
    for (let i = 0; i < v.length; i++) scatter[i] += weight * v[i] ** 2;
    return;
  }
  for (let i = 0, at = 0; i < v.length; i++) {
    const factor = weight * v[i];
    for (let j = 0; j <= i; j++, at++) scatter[at] += factor * v[j];
  }
}

function addSquares(scatter: Float64Array, rows: Float64Array, d: number, count: number): void {
  for (let n = 0; n < count; n++) for (let j = 0; j < d; j++) scatter[j] += rows[n * d + j] ** 2;
}

/** scatter += Cᵀ C for centred rows C [count, D]. */
function addProducts(scatter: Float64Array, rows: Float64Array, d: number, count: number): void {
  if (d < FEW_FEATURES) {
    for (let n = 0; n < count; n++) addOuter(scatter, rows.subarray(n * d, (n + 1) * d), 1);
    return;
  }
  gram(
    count,
    d,
    (target) => target.set(rows),
    (product) => {
      for (let i = 0, at = 0; i < d; i++) {
        for (let j = 0; j <= i; j++, at++) scatter[at] += product[i * d + j];
      }
    },
  );
}
