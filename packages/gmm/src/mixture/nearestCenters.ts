import type { Matrix } from './rows.js';

/**
 * The nearest centre of each row, −1 at first, at most `upper` away; all others are at least `lower` away: most rows need
 * not be looked at again when centres move little. (Hamerly, "Making k-means even faster", 2010.)
 */
export interface Nearest {
  readonly labels: Int32Array;
  readonly upper: Float64Array;
  readonly lower: Float64Array;
}

/** Bounds are trusted where they are apart by more than rounding. */
const SLACK = 1 + 1e-9;

/** Nothing known of any row. */
export function unknownNearest(rows: number): Nearest {
  return {
    labels: new Int32Array(rows).fill(-1),
    upper: new Float64Array(rows),
    lower: new Float64Array(rows),
  };
}

/** Finds the nearest of the centres [K, D], the first of equally near ones; returns how many rows changed theirs. */
export function findNearest(x: Matrix, centers: Float64Array, { labels, upper, lower }: Nearest): number {
  const { columns } = x;
  const alone = halfDistances(centers, columns);
  let changes = 0;
  for (let n = 0; n < x.rows; n++) {
    const label = labels[n];
    if (label >= 0) {
      // A centre that is nearer than half the way to its neighbour is the nearest.
      const bound = Math.max(alone[label], lower[n]);
      if (upper[n] * SLACK < bound) continue;
      upper[n] = Math.sqrt(squaredDistance(x, n, centers, label * columns));
      if (upper[n] * SLACK < bound) continue;
    }
    let best = Infinity;
    let second = Infinity;
    let found = 0;
    for (let at = 0; at < centers.length; at += columns) {
      const distance = squaredDistance(x, n, centers, at);
      if (distance < best) {
        second = best;
        best = distance;
        found = at / columns;
      } else if (distance < second) second = distance;
    }
    upper[n] = Math.sqrt(best);
    lower[n] = Math.sqrt(second);
    labels[n] = found;
    if (found !== label) changes++;
  }
  return changes;
}

/** Widens the bounds by how far each centre has moved [K]. */
export function loosen({ labels, upper, lower }: Nearest, moves: Float64Array): void {
  const most = Math.max(...moves);
  for (let n = 0; n < labels.length; n++) {
    upper[n] += moves[labels[n]];
    lower[n] -= most;
  }
}

/** How far each centre has moved [K]. */
export function movesOf(from: Float64Array, to: Float64Array, columns: number): Float64Array {
  const before = { data: from, rows: from.length / columns, columns };
  return Float64Array.from({ length: before.rows }, (_, k) =>
    Math.sqrt(squaredDistance(before, k, to, k * columns)),
  );
}

/** The squared distance of each row from its own centre [N]. */
export function ownDistances(x: Matrix, centers: Float64Array, labels: Int32Array): Float64Array {
  return Float64Array.from(labels, (label, n) => squaredDistance(x, n, centers, label * x.columns));
}

/** |xₙ − c|² for the centre c at `at`. */
export function squaredDistance(
  { data, columns }: Pick<Matrix, 'data' | 'columns'>,
  n: number,
  centers: Float64Array,
  at: number,
): number {
  const row = n * columns;
  const inFours = columns - (columns % 4);
  // Four sums, because an addition waits for the one before.
  let a = 0;
  let b = 0;
  let c = 0;
  let e = 0;
  for (let j = 0; j < inFours; j += 4) {
    const x0 = data[row + j] - centers[at + j];
    const x1 = data[row + j + 1] - centers[at + j + 1];
    const x2 = data[row + j + 2] - centers[at + j + 2];
    const x3 = data[row + j + 3] - centers[at + j + 3];
    a += x0 * x0;
    b += x1 * x1;
    c += x2 * x2;
    e += x3 * x3;
  }
  for (let j = inFours; j < columns; j++) {
    const difference = data[row + j] - centers[at + j];
    a += difference * difference;
  }
  return a + b + c + e;
}

/** Half of each centre's distance to the nearest other one. */
function halfDistances(centers: Float64Array, columns: number): Float64Array {
  const all = { data: centers, rows: centers.length / columns, columns };
  return Float64Array.from({ length: all.rows }, (_, k) => {
    let least = Infinity;
    for (let c = 0; c < all.rows; c++) {
      if (c !== k) least = Math.min(least, squaredDistance(all, k, centers, c * columns));
    }
    return Math.sqrt(least) / 2;
  });
}
