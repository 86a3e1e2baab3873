import { noGrad, scope, tensor } from '@gmml/tensor';
import type { KeptExample } from './keptExamples.js';
import type { Moments } from './moments.js';
import type { Pooled } from './pooledCovariance.js';
import { factorInPlace, whitenRows } from './triangle.js';

/** About so many examples are compared with, the same number of each label. */
const MOST_NEIGHBOURS = 8192;

/** Rows that are examples themselves, and are left out of everything. */
export interface LeftOut {
  /** The label that each row is an example of; it has at least two [n]. */
  readonly owners: Int32Array;
  /** Its place among the label's kept examples [n]. */
  readonly places: Int32Array;
}

/** A label's mean where the pooled covariance is the identity, and its products with all neighbours [n]. */
interface WhiteMean {
  readonly z: Float64Array;
  readonly products: Float64Array;
}

/**
 * The direction of a vector from the mean of all examples, compared with those of kept examples, where the pooled
 * covariance is the identity. (The nearest neighbour among normalised features: Sun, Ming, Zhu and Li,
 * "Out-of-distribution detection with deep nearest neighbors", 2022; cosine similarity in whitened space.)
 */
export class Neighbours {
  private readonly labels: readonly Moments[];
  private readonly all: Moments;
  private readonly pooled: Pooled;
  /** The factor of the pooled covariance, or the roots of its variances. */
  private readonly root: Float64Array;
  /** Where each label's neighbours start, and the end [K + 1]. */
  private readonly starts: Int32Array;
  /** L⁻¹(x − m) of the neighbours [n, D], and the squares of their lengths. */
  private readonly whitened: Float64Array;
  private readonly squares: Float64Array;

  /** @param all the moments of all labels together; the pooled covariance must be positive definite */
  constructor(
    kept: readonly (readonly KeptExample[])[],
    labels: readonly Moments[],
    all: Moments,
    pooled: Pooled,
  ) {
    const d = all.mean.length;
    this.labels = labels;
    this.all = all;
    this.pooled = pooled;
    this.root = pooled.sigma.slice();
    if (this.root.length === d) for (let j = 0; j < d; j++) this.root[j] = Math.sqrt(this.root[j]);
    else factorInPlace(this.root, d);
    // Two at least: of a label's examples one may be left out.
    const most = Math.max(2, Math.floor(MOST_NEIGHBOURS / labels.length));
    const used = kept.map((examples) => examples.slice(0, most));
    this.starts = new Int32Array(labels.length + 1);
    for (const [k, examples] of used.entries()) this.starts[k + 1] = this.starts[k] + examples.length;
    const rows = new Float64Array(this.starts[labels.length] * d);
    for (const [n, { vector }] of used.flat().entries()) rows.set(vector, n * d);
    this.whitened = this.white(rows);
    this.squares = squaresOf(this.whitened, d);
  }

  /** The cosine of the most similar direction of each label's neighbours [n, K], for the rows x [n, D]. */
  cosines(x: Float64Array, left?: LeftOut): Float64Array {
    const { squares: others, starts } = this;
    const d = this.all.mean.length;
    const n = x.length / d;
    const labels = this.labels.length;
    const z = this.white(x);
    const products = productsOf(z, this.whitened, d);
    const squares = squaresOf(z, d);
    const without = left && this.leavingOut(left);
    const out = new Float64Array(n * labels);
    for (let i = 0; i < n; i++) {
      const row = products.subarray(i * others.length, (i + 1) * others.length);
      if (without) without(i, x.subarray(i * d, (i + 1) * d), z.subarray(i * d, (i + 1) * d), row);
      else for (let j = 0; j < row.length; j++) row[j] = cosine(row[j], squares[i], others[j]);
      for (let k = 0; k < labels; k++) {
        let most = -1;
        for (let j = starts[k]; j < starts[k + 1]; j++) most = Math.max(most, row[j]);
        out[i * labels + k] = most;
      }
    }
    return out;
  }

  /** What turns the products of row i with all neighbours into cosines as they are without it; −1 for itself. */
  private leavingOut({ owners, places }: LeftOut) {
    const { labels, starts } = this;
    const isDiagonal = this.root.length === this.all.mean.length;
    const means = isDiagonal ? null : this.whiteMeans();
    return (i: number, x: Float64Array, z: Float64Array, row: Float64Array): void => {
      const owner = owners[i];
      if (means === null) this.withoutByVariances(x, labels[owner], row);
      else this.withoutByFactor(z, labels[owner], means[owner], row);
      const place = starts[owner] + places[i];
      if (place < starts[owner + 1]) row[place] = -1;
    };
  }

  /** L⁻¹(μ − m) of each label, and its products with all neighbours. */
  private whiteMeans(): WhiteMean[] {
    const d = this.all.mean.length;
    const rows = new Float64Array(this.labels.length * d);
    for (const [k, { mean }] of this.labels.entries()) rows.set(mean, k * d);
    const z = this.white(rows);
    const products = productsOf(z, this.whitened, d);
    const count = this.squares.length;
    return this.labels.map((_, k) => ({
      z: z.subarray(k * d, (k + 1) * d),
      products: products.subarray(k * count, (k + 1) * count),
    }));
  }

  /**
   * With δ = x − m, d = x − μ of its label and N examples: the mean without x is m − δ/(N − 1), and products by the
   * inverse of Σ' = (Σ − h·g·d dᵀ)/(1 − h) are, up to a factor, those by Σ⁻¹ + c·Σ⁻¹d dᵀΣ⁻¹ with
   * c = h·g/(1 − h·g·dᵀΣ⁻¹d), g = n/(n − 1). (Sherman and Morrison, 1950.)
   */
  private withoutByFactor(z: Float64Array, { count }: Moments, label: WhiteMean, row: Float64Array): void {
    const u = z.map((value, j) => value - label.z[j]);
    const [zz, dz, dd] = [dot(z, z), dot(u, z), dot(u, u)];
    const hg = (this.pooled.weights.scatter * count) / (count - 1);
    const c = hg / (1 - hg * dd);
    const e = 1 / (this.all.count - 1);
    const square = zz + c * dz * dz;
    for (let j = 0; j < row.length; j++) {
      const along = row[j] - label.products[j] + e * dz;
      const product = row[j] + e * zz + c * dz * along;
      const other = this.squares[j] + 2 * e * row[j] + e * e * zz + c * along * along;
      row[j] = cosine(product, square, other);
    }
  }

  private withoutByVariances(x: Float64Array, { count, mean }: Moments, row: Float64Array): void {
    const { root, whitened } = this;
    const d = mean.length;
    const share = this.pooled.weights.scatter;
    const e = 1 / (this.all.count - 1);
    const away = x.map((value, j) => value - this.all.mean[j]);
    // 1/v' and the shifted row, in units of the standard deviations that the neighbours are in.
    const scale = x.map(
      (value, j) => (1 - share) / (1 - (share * count * ((value - mean[j]) / root[j]) ** 2) / (count - 1)),
    );
    const z = away.map((value, j) => value / root[j]);
    let square = 0;
    for (let j = 0; j < d; j++) square += scale[j] * z[j] ** 2;
    for (let n = 0; n < row.length; n++) {
      let [product, other] = [0, 0];
      for (let j = 0; j < d; j++) {
        const b = whitened[n * d + j] + e * z[j];
        product += scale[j] * z[j] * b;
        other += scale[j] * b * b;
      }
      row[n] = cosine(product, square, other);
    }
  }

  /** L⁻¹(x − m) of the rows x. */
  private white(x: Float64Array): Float64Array {
    const { mean } = this.all;
    const d = mean.length;
    const z = x.map((value, at) => value - mean[at % d]);
    if (this.root.length === d) for (let at = 0; at < z.length; at++) z[at] /= this.root[at % d];
    else whitenRows(this.root, d, z, z.length / d);
    return z;
  }
}

/** a bᵀ of rows a [n, D] and b [m, D]. */
function productsOf(a: Float64Array, b: Float64Array, d: number): Float64Array {
  return noGrad(() =>
    scope(() => {
      const [rows, columns] = [a, b].map((x) => tensor(x, { shape: [x.length / d, d] }));
      return Float64Array.from(rows.matmul(columns, { transposeB: true }).data);
    }),
  );
}

function squaresOf(x: Float64Array, d: number): Float64Array {
  return Float64Array.from({ length: x.length / d }, (_, n) => {
    const row = x.subarray(n * d, (n + 1) * d);
    return dot(row, row);
  });
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < a.length; j++) sum += a[j] * b[j];
  return sum;
}

/** Of vectors without a direction: 0. */
function cosine(product: number, squareA: number, squareB: number): number {
  const value = product / (Math.sqrt(squareA) * Math.sqrt(squareB));
  return Number.isNaN(value) ? 0 : Math.max(-1, Math.min(1, value));
}
