// The score 'nearest' as nodes: the cosine between the direction of x and the most similar one of each label's neighbours,
// where the pooled covariance is the identity.

import type { NeighbourParameters } from '@gmml/gmm/parameters';
import { whiten } from './normals.js';
import type { Place } from './place.js';

/** The least length of a vector: what has none has cosines of 0. */
const SHORTEST = 1e-30;

/**
 * In so few dimensions neighbours are so near that float32 cannot tell their cosines from 1. There the score is the cosine
 * less 1, by −½|u − v|² of directions u and v.
 */
const FEW_DIMENSIONS = 8;

/** The score of x [N, D] by each label [N, K]: the largest cosine, less 1 in few dimensions. */
export function similarity(
  at: Place,
  x: string,
  { whitened, starts, ...space }: NeighbourParameters,
): string {
  const d = space.mean.length;
  const count = starts[starts.length - 1];
  const z = whiten(at, x, space);
  const length = at.length(z);
  const u = at.node('Div', [z, at.node('Max', [length, at.number(SHORTEST)], 'positive')], 'direction');
  const directions = directionsOf(whitened, d);
  const v = at.floats('neighbours', directions, [count, d], 'Directions, of length 1.');
  const each =
    d > FEW_DIMENSIONS
      ? at.node('Gemm', [u, v], 'cosines', { transB: 1 })
      : cosinesLessOne(at, u, v, length, lackOf(directions, d));
  return at.max(byLabel(at, each, starts), 2);
}

/** What the score is compared with, for a cosine of a calibration sample; errors of sums are this share of their terms. */
export function similarityThreshold(share: number, d: number): (cosine: number) => number {
  if (d > FEW_DIMENSIONS) return (cosine) => cosine - 2 * share;
  // An error e of a distance r is one of r·e of −½r².
  return (cosine) => cosine - 1 - share * (Math.sqrt(2 * (1 - cosine)) + share);
}

/** −½|u − v|² of u [N, D] and v [n, D] → [N, n]; −1 where one of them has no direction, as a cosine of 0 gives. */
function cosinesLessOne(at: Place, u: string, v: string, length: string, lack: Float64Array): string {
  const difference = at.node('Sub', [at.unsqueeze(u, 1), v], 'difference');
  const squares = at.sum(at.node('Mul', [difference, difference], 'squares'), 2);
  const half = at.node('Mul', [squares, at.number(-0.5)], 'halfDistances');
  const isShort = at.node('Less', [length, at.number(SHORTEST)], 'isShort');
  const lackOfX = at.node('Mul', [at.toFloat(isShort), at.number(-0.5)], 'lack');
  return at.plus(
    at.node('Add', [half, lackOfX], 'lessOne'),
    'lacks',
    lack,
    'Minus a half for a neighbour without a direction.',
  );
}

/** Columns [N, n] as [N, K, most of a label]: where a label has fewer, its first again. */
function byLabel(at: Place, columns: string, starts: Int32Array): string {
  const sizes = Array.from(starts.subarray(1), (end, k) => end - starts[k]);
  const most = Math.max(...sizes);
  if (sizes.every((size) => size === most)) return at.reshape(columns, [sizes.length, most]);
  const places = sizes.flatMap((size, k) =>
    Array.from({ length: most }, (_, i) => starts[k] + (i < size ? i : 0)),
  );
  return at.node('Gather', [columns, at.integers(places, [sizes.length, most])], 'ofLabels', { axis: 1 });
}

/** What |v|² lacks to 1, halved and negated: −½ for rows of 0 [n]. */
function lackOf(directions: Float64Array, d: number): Float64Array {
  return Float64Array.from({ length: directions.length / d }, (_, n) =>
    directions.subarray(n * d, (n + 1) * d).some((value) => value !== 0) ? 0 : -0.5,
  );
}

/** Rows [n, D] with length 1; those without a length stay 0. */
function directionsOf(rows: Float64Array, d: number): Float64Array {
  const out = rows.slice();
  for (let start = 0; start < out.length; start += d) {
    const row = out.subarray(start, start + d);
    const length = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
    if (length > 0) for (let j = 0; j < d; j++) row[j] /= length;
  }
  return out;
}
