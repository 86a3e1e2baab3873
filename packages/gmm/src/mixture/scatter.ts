/** Rows gathered before they are multiplied: with 128 features 64 kB, which the second cache holds. */
const BATCH = 64;

/** Columns that lie beside each other in a batch. */
const LANES = 4;

/** Sums Σₙ rₙ (xₙ − μ)(xₙ − μ)ᵀ over any number of rows, of which those with rₙ = 0 cost nothing. */
export class Scatter {
  readonly #d: number;
  readonly #padded: number;
  /** √r (x − μ) of up to BATCH rows as [⌈D/4⌉, BATCH, 4]. */
  readonly #batch: Float64Array;
  /** Lower triangle [padded, padded]. */
  readonly #sums: Float64Array;
  #filled = 0;

  constructor(d: number) {
    this.#d = d;
    this.#padded = Math.ceil(d / LANES) * LANES;
    this.#batch = new Float64Array(this.#padded * BATCH);
    this.#sums = new Float64Array(this.#padded * this.#padded);
  }

  /** Adds the rows of x [N, D] around the mean at `meanAt`, with shares[n · stride + offset] for rₙ. */
  add(
    x: Float64Array,
    shares: Float64Array,
    offset: number,
    stride: number,
    mean: Float64Array,
    meanAt: number,
  ): void {
    const rows = x.length / this.#d;
    for (let n = 0; n < rows; n++) {
      const share = shares[n * stride + offset];
      if (share === 0) continue;
      this.#gather(x, n * this.#d, Math.sqrt(share), mean, meanAt);
      if (this.#filled === BATCH) this.#flush();
    }
  }

  /** Writes the symmetric sum [D, D] times `factor` at `at` of `out` and starts again from 0. */
  take(factor: number, out: Float64Array, at: number): void {
    if (this.#filled > 0) this.#flush();
    const d = this.#d;
    const sums = this.#sums;
    const padded = this.#padded;
    for (let i = 0; i < d; i++) {
      for (let j = 0; j <= i; j++) {
        const value = sums[i * padded + j] * factor;
        out[at + i * d + j] = value;
        out[at + j * d + i] = value;
      }
    }
    sums.fill(0);
  }

  #gather(x: Float64Array, row: number, root: number, mean: Float64Array, meanAt: number): void {
    const batch = this.#batch;
    const d = this.#d;
    let to = this.#filled * LANES;
    for (let j = 0; j < d; j++) {
      batch[to + (j & 3)] = root * (x[row + j] - mean[meanAt + j]);
      if ((j & 3) === 3) to += BATCH * LANES;
    }
    this.#filled++;
  }

  #flush(): void {
    const columns = this.#padded;
    for (let i = 0; i < columns; i += LANES) {
      for (let j = 0; j <= i + 2; j += 2) {
        addTile(this.#batch, this.#filled, i, j, this.#sums, columns);
      }
    }
    this.#filled = 0;
  }
}

/** sums[i … i+3, j … j+1] += Σₙ z[n, i …] z[n, j …] over the first `count` rows of a batch. */
function addTile(
  batch: Float64Array,
  count: number,
  i: number,
  j: number,
  sums: Float64Array,
  columns: number,
): void {
  let a0 = 0;
  let a1 = 0;
  let a2 = 0;
  let a3 = 0;
  let b0 = 0;
  let b1 = 0;
  let b2 = 0;
  let b3 = 0;
  let p = i * BATCH;
  let q = (j & ~3) * BATCH + (j & 3);
  for (let n = 0; n < count; n++) {
    const u = batch[q];
    const v = batch[q + 1];
    const z0 = batch[p];
    const z1 = batch[p + 1];
    const z2 = batch[p + 2];
    const z3 = batch[p + 3];
    a0 += z0 * u;
    a1 += z1 * u;
    a2 += z2 * u;
    a3 += z3 * u;
    b0 += z0 * v;
    b1 += z1 * v;
    b2 += z2 * v;
    b3 += z3 * v;
    p += LANES;
    q += LANES;
  }
  let at = i * columns + j;
  sums[at] += a0;
  sums[at + 1] += b0;
  at += columns;
  sums[at] += a1;
  sums[at + 1] += b1;
  at += columns;
  sums[at] += a2;
  sums[at + 1] += b2;
  at += columns;
  sums[at] += a3;
  sums[at + 1] += b3;
}
