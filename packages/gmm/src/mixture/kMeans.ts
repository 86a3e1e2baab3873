import { ArgumentError, defaultGenerator, tensor, type Generator, type Tensor } from '@gmml/tensor';
import { checkIntegers, checkNumber } from '@gmml/tensor/checks';
import { drawIndex } from '../drawIndex.js';
import { addRows, noMoments } from '../linearAlgebra/moments.js';
import { meanOfDiagonal } from '../linearAlgebra/symmetric.js';
import { rowsAt, squaredNorm, summed, weightedSum } from '../linearAlgebra/vectors.js';
import {
  findNearest,
  loosen,
  movesOf,
  ownDistances,
  squaredDistance,
  unknownNearest,
} from './nearestCenters.js';
import {
  checkRows,
  readRows,
  readSampleWeight,
  readTensor,
  type Matrix,
  type Rows,
  type Vector,
} from './rows.js';

/** Options of `kMeans`. */
export interface KMeansOptions {
  /** 'kmeans++' (default), 'random': K different samples, or the centres to start from [K, D]. */
  readonly init?: 'kmeans++' | 'random' | Rows;
  /** Starts, of which the one with the least inertia counts; default 1. Centres that are given are one start. */
  readonly restarts?: number;
  /** Of each start; default 300. */
  readonly maxIterations?: number;
  /** Ends once the centres move by less than this share of the mean variance, squared; default 1e-4. */
  readonly tolerance?: number;
  /** Weights of the samples [N], not negative; default 1 for each. */
  readonly sampleWeight?: Vector;
  /** Default: the one that `manualSeed` restarts. */
  readonly generator?: Generator;
}

/** What `kMeans` finds. */
export interface KMeansResult {
  /** The centres, float64 [K, D]. */
  readonly centers: Tensor;
  /** The nearest centre of each sample, float64 [N]. */
  readonly labels: Tensor;
  /** Σ wₙ |xₙ − c_label|². */
  readonly inertia: number;
  readonly iterations: number;
  /** Whether the centres came to rest within `maxIterations`. */
  readonly converged: boolean;
}

/**
 * K centres that make the samples' squared distance to the nearest of them small: greedy k-means++ seeding, then Lloyd's
 * iterations. A centre that has lost its samples moves to the sample farthest from its own; with fewer different
 * samples than centres, centres coincide. Equally near centres: the first.
 * (Lloyd, "Least squares quantization in PCM", 1982; Arthur and Vassilvitskii, "k-means++", 2007, with the best of
 * 2 + ⌊log K⌋ candidates as scikit-learn takes it.)
 * @param x [N, D], finite
 * @param k how many centres, at most N
 * @throws ShapeError, ArgumentError, NotFiniteError naming the rows
 * @example
 * kMeans([[0], [1], [10], [11]], 2).labels.toArray(); // [0, 0, 1, 1] or [1, 1, 0, 0]
 */
export function kMeans(x: Rows, k: number, options: KMeansOptions = {}): KMeansResult {
  const { init = 'kmeans++', restarts = 1, maxIterations = 300, tolerance = 1e-4 } = options;
  const { sampleWeight, generator = defaultGenerator() } = options;
  const op = 'kMeans';
  checkIntegers(op, { k, restarts, maxIterations }, 1);
  checkNumber(op, 'tolerance', tolerance, { from: 0 });
  if (typeof init === 'string' && init !== 'kmeans++' && init !== 'random') {
    throw new ArgumentError(`kMeans: init must be 'kmeans++', 'random' or centres: it is '${String(init)}'.`);
  }
  const matrix = readRows(op, x);
  checkRows(op, matrix, false, 'Leave them out.');
  const weights = readSampleWeight(op, sampleWeight, matrix.rows);
  if (k > matrix.rows) {
    throw new ArgumentError(
      `kMeans: k must be at most the number of samples: it is ${k}, there are ${matrix.rows}. Ask for fewer centres.`,
    );
  }
  const { columns } = matrix;
  const given = typeof init === 'string' ? null : readTensor(op, 'init', init, [k, columns]);
  let best: Clustering | null = null;
  for (let start = 0; start < (given ? 1 : restarts); start++) {
    const centers =
      given ??
      rowsAt(
        matrix.data,
        columns,
        (init === 'random' ? distinctRows : seedRows)(matrix, weights, k, generator),
      );
    const found = lloyd(matrix, weights, centers, maxIterations, tolerance);
    if (!best || found.inertia < best.inertia) best = found;
  }
  return {
    ...best!,
    centers: tensor(best!.centers, { shape: [k, columns] }),
    labels: tensor(Float64Array.from(best!.labels)),
  };
}

/** A result in flat arrays. */
export interface Clustering {
  readonly centers: Float64Array;
  readonly labels: Int32Array;
  readonly inertia: number;
  readonly iterations: number;
  readonly converged: boolean;
}

/** Lloyd's iterations from the given centres [K, D], until no label changes or the centres rest. */
export function lloyd(
  x: Matrix,
  weights: Float64Array,
  start: Float64Array,
  maxIterations = 300,
  tolerance = 1e-4,
): Clustering {
  const leastMove = tolerance * meanVariance(x);
  const nearest = unknownNearest(x.rows);
  const { labels } = nearest;
  let centers = start;
  let iterations = 0;
  let converged = false;
  while (!converged && iterations < maxIterations) {
    iterations++;
    const changes = findNearest(x, centers, nearest);
    const moved = centersOf(x, weights, labels, centers);
    const moves = movesOf(centers, moved, x.columns);
    loosen(nearest, moves);
    converged = changes === 0 || squaredNorm(moves) <= leastMove;
    centers = moved;
  }
  // The labels are those of the final centres.
  findNearest(x, centers, nearest);
  const distances = ownDistances(x, centers, labels);
  const inertia = weightedSum(weights, distances);
  return { centers, labels, inertia, iterations, converged };
}

/** Rows for centres by greedy k-means++: each from a few drawn by weight times squared distance, the one that helps most. */
export function seedRows(x: Matrix, weights: Float64Array, k: number, generator: Generator): Int32Array {
  const { rows } = x;
  const candidates = 2 + Math.floor(Math.log(k));
  const chosen = new Int32Array(k);
  chosen[0] = drawRow(weights, generator);
  let closest = new Float64Array(rows);
  for (let n = 0; n < rows; n++) closest[n] = squaredDistance(x, n, x.data, chosen[0] * x.columns);
  for (let c = 1; c < k; c++) {
    const potential = closest.map((distance, n) => weights[n] * distance);
    let best: { row: number; total: number; closest: Float64Array<ArrayBuffer> } | null = null;
    for (let trial = 0; trial < candidates; trial++) {
      const row = drawRow(potential, generator);
      const now = closest.map((d, n) => Math.min(d, squaredDistance(x, n, x.data, row * x.columns)));
      const total = weightedSum(weights, now);
      if (!best || total < best.total) best = { row, total, closest: now };
    }
    chosen[c] = best!.row;
    closest = best!.closest;
  }
  return chosen;
}

/** k different rows, of those that have a weight as long as there are enough. */
export function distinctRows(x: Matrix, weights: Float64Array, k: number, generator: Generator): Int32Array {
  const order = generator.permutation(x.rows);
  return Int32Array.from([
    ...order.filter((n) => weights[n] > 0),
    ...order.filter((n) => weights[n] === 0),
  ]).slice(0, k);
}

/** A row with a probability in proportion to its entry, or any row where all are 0. */
function drawRow(shares: Float64Array, generator: Generator): number {
  const total = summed(shares);
  const drawn = generator.uniform() * total;
  return total > 0 ? drawIndex(shares, drawn) : generator.integer(shares.length);
}

/** The weighted mean of each centre's samples; where there are none, a far sample or the centre as it was. */
function centersOf(x: Matrix, weights: Float64Array, labels: Int32Array, former: Float64Array): Float64Array {
  const { data, rows, columns } = x;
  const totals = new Float64Array(former.length / columns);
  const owners = labels.slice();
  for (let n = 0; n < rows; n++) totals[labels[n]] += weights[n];
  const empty = [...totals.keys()].filter((k) => totals[k] === 0);
  if (empty.length > 0) {
    const distances = ownDistances(x, former, labels);
    const far = [...distances.keys()]
      .filter((n) => distances[n] > 0 && weights[n] > 0)
      .toSorted((a, b) => distances[b] - distances[a]);
    for (const [i, n] of far.slice(0, empty.length).entries()) owners[n] = empty[i];
    totals.fill(0);
    for (let n = 0; n < rows; n++) totals[owners[n]] += weights[n];
  }
  const centers = former.map((value, at) => (totals[Math.floor(at / columns)] > 0 ? 0 : value));
  for (let n = 0; n < rows; n++) {
    const k = owners[n];
    if (weights[n] === 0) continue;
    const share = weights[n] / totals[k];
    for (let j = 0; j < columns; j++) centers[k * columns + j] += share * data[n * columns + j];
  }
  return centers;
}

/** The mean over the features of their variance. */
function meanVariance({ data, rows, columns }: Matrix): number {
  const { scatter } = addRows(noMoments(columns, 'diagonal'), data);
  return meanOfDiagonal(scatter, columns) / rows;
}
