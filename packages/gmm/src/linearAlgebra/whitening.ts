import { indices } from './vectors.js';
import { solveLower } from './cholesky.js';
import {
  addSquares,
  FEW_FEATURES,
  hasFastProducts,
  putColumns,
  solveBlocks,
  type UseColumns,
} from './products.js';

/** Rows are taken four at a time: each number of L is then read once for four products. */
const LANES = 4;

/** So many rows of L at a time. */
const STEP = 3;

/** So many rows pay for a solve of the backend. */
const WORTH_SOLVE = 64;

/**
 * out[i] = |L⁻¹ (x[rows[i]] − c)|², the squared Mahalanobis distances for the covariance L Lᵀ, L [D, D]. Where that is above
 * limits[i] the result may be any number above it: a sum of squares only grows, and the first rows of a triangle cost least.
 */
export function squaredDistances(
  x: Float64Array,
  rows: Int32Array,
  centre: Float64Array,
  l: Float64Array,
  out: Float64Array,
  limits?: Float64Array | null,
): void {
  if (isWorth(rows.length, centre.length)) {
    solveBlocks(x, rows, centre, l, (z, width, first, n) => addSquares(z, width, n, out, first));
    return;
  }
  const put = (_: Float64Array, lengths: Float64Array, first: number, n: number): void => {
    for (let i = 0; i < n; i++) out[first + i] = lengths[i];
  };
  solveFours(x, rows, centre, l, put, limits);
}

/** L⁻¹ (x − c) of every row of x [N, D]. The same for a row up to rounding whatever rows stand beside it. */
export function whitened(x: Float64Array, centre: Float64Array, l: Float64Array): Float64Array {
  const d = centre.length;
  if (x.length === d) {
    const away = x.map((value, j) => value - centre[j]);
    return solveLower(l, away);
  }
  const rows = indices(x.length / d);
  const out = new Float64Array(x.length);
  const put: UseColumns = (z, width, first, n) => {
    for (let i = 0, at = first * d; i < n; i++) for (let j = 0; j < d; j++, at++) out[at] = z[j * width + i];
  };
  if (isWorth(rows.length, d)) solveBlocks(x, rows, centre, l, put);
  else solveFours(x, rows, centre, l, (z, _, first, n) => put(z, LANES, first, n));
  return out;
}

/** Whether the backend takes less time than plain loops, which stop where a limit is passed. */
function isWorth(rows: number, d: number): boolean {
  return d >= FEW_FEATURES && rows >= WORTH_SOLVE && hasFastProducts();
}

/** `use` gets L⁻¹ (x − c) of `n` rows as columns [D, 4], and their squared lengths. */
function solveFours(
  x: Float64Array,
  rows: Int32Array,
  centre: Float64Array,
  l: Float64Array,
  use: (z: Float64Array, lengths: Float64Array, first: number, n: number) => void,
  limits?: Float64Array | null,
): void {
  // Rows of 0 fill the last step.
  const z = new Float64Array(LANES * (centre.length + STEP - 1));
  const lengths = new Float64Array(LANES);
  const bounds = new Float64Array(LANES).fill(Infinity);
  for (let first = 0; first < rows.length; first += LANES) {
    const n = Math.min(LANES, rows.length - first);
    putColumns(x, rows, first, n, centre, z, LANES);
    if (limits) for (let lane = 0; lane < LANES; lane++) bounds[lane] = lane < n ? limits[first + lane] : -1;
    solveFour(l, centre.length, z, lengths, bounds);
    use(z, lengths, first, n);
  }
}

/** Replaces z [D, 4] by L⁻¹ z and sets the squared lengths, ending early once every one is above its bound. */
function solveFour(
  l: Float64Array,
  d: number,
  z: Float64Array,
  lengths: Float64Array,
  bounds: Float64Array,
): void {
  for (let lane = 0; lane < LANES; lane++) lengths[lane] = 0;
  for (let i = 0; i < d; i += STEP) {
    let a0 = 0;
    let a1 = 0;
    let a2 = 0;
    let a3 = 0;
    let b0 = 0;
    let b1 = 0;
    let b2 = 0;
    let b3 = 0;
    let c0 = 0;
    let c1 = 0;
    let c2 = 0;
    let c3 = 0;
    const first = i * d;
    const second = Math.min(i + 1, d - 1) * d;
    const third = Math.min(i + 2, d - 1) * d;
    for (let j = 0, at = 0; j < i; j++, at += LANES) {
      const la = l[first + j];
      const lb = l[second + j];
      const lc = l[third + j];
      const z0 = z[at];
      a0 += la * z0;
      b0 += lb * z0;
      c0 += lc * z0;
      const z1 = z[at + 1];
      a1 += la * z1;
      b1 += lb * z1;
      c1 += lc * z1;
      const z2 = z[at + 2];
      a2 += la * z2;
      b2 += lb * z2;
      c2 += lc * z2;
      const z3 = z[at + 3];
      a3 += la * z3;
      b3 += lb * z3;
      c3 += lc * z3;
    }
    // Where rows end, the next ones are of 0.
    const hasB = i + 1 < d;
    const hasC = i + 2 < d;
    const rootA = 1 / l[first + i];
    const rootB = hasB ? 1 / l[second + i + 1] : 0;
    const rootC = hasC ? 1 / l[third + i + 2] : 0;
    const ba = l[second + i];
    const ca = l[third + i];
    const cb = hasC ? l[third + i + 1] : 0;
    const p = i * LANES;
    lengths[0] += finishLane(z, p, a0, b0, c0, rootA, rootB, rootC, ba, ca, cb);
    lengths[1] += finishLane(z, p + 1, a1, b1, c1, rootA, rootB, rootC, ba, ca, cb);
    lengths[2] += finishLane(z, p + 2, a2, b2, c2, rootA, rootB, rootC, ba, ca, cb);
    lengths[3] += finishLane(z, p + 3, a3, b3, c3, rootA, rootB, rootC, ba, ca, cb);
    const isBeyond =
      lengths[0] > bounds[0] && lengths[1] > bounds[1] && lengths[2] > bounds[2] && lengths[3] > bounds[3];
    if (isBeyond) return;
  }
}

/**
 * Replaces three numbers of a column by their part of L⁻¹ z and gives the sum of its squares; a, b and c are what the rows above
 * take off. A function of its own is inlined: it takes as long as the same written out for each lane.
 */
function finishLane(
  z: Float64Array,
  at: number,
  a: number,
  b: number,
  c: number,
  rootA: number,
  rootB: number,
  rootC: number,
  ba: number,
  ca: number,
  cb: number,
): number {
  const za = (z[at] - a) * rootA;
  const zb = (z[at + LANES] - b - ba * za) * rootB;
  const zc = (z[at + 2 * LANES] - c - ca * za - cb * zb) * rootC;
  z[at] = za;
  z[at + LANES] = zb;
  z[at + 2 * LANES] = zc;
  return za * za + zb * zb + zc * zc;
}

/** out[i] = Σⱼ ((x[rows[i], j] − cⱼ) · scaleⱼ)². */
export function scaledDistances(
  x: Float64Array,
  rows: Int32Array,
  centre: Float64Array,
  scale: Float64Array,
  out: Float64Array,
): void {
  const d = centre.length;
  const inFours = d - (d % 4);
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] * d;
    // Four sums, because an addition waits for the one before.
    let a = 0;
    let b = 0;
    let c = 0;
    let e = 0;
    for (let j = 0; j < inFours; j += 4) {
      const x0 = (x[row + j] - centre[j]) * scale[j];
      const x1 = (x[row + j + 1] - centre[j + 1]) * scale[j + 1];
      const x2 = (x[row + j + 2] - centre[j + 2]) * scale[j + 2];
      const x3 = (x[row + j + 3] - centre[j + 3]) * scale[j + 3];
      a += x0 * x0;
      b += x1 * x1;
      c += x2 * x2;
      e += x3 * x3;
    }
    for (let j = inFours; j < d; j++) a += ((x[row + j] - centre[j]) * scale[j]) ** 2;
    out[i] = a + b + c + e;
  }
}
