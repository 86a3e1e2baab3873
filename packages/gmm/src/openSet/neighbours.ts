import { noGrad, scope, tensor } from '@gmml/tensor';
import { dot, joined, rowAt } from '../linearAlgebra/vectors.js';
import { factorInPlace } from '../linearAlgebra/cholesky.js';
import type { Moments } from '../linearAlgebra/moments.js';
import { lowerOf, packed } from '../linearAlgebra/symmetric.js';
import { whitened } from '../linearAlgebra/whitening.js';
import { meansOf } from './classGaussians.js';
import type { KeptExample } from './keptExamples.js';
import type { NeighbourParameters } from './modelParameters.js';
import type { Pooled } from './pooledCovariance.js';

/** About so many examples are compared with, the same number of each label. */
const MOST_NEIGHBOURS = 8192;

/** Rows that are examples themselves, and are left out of everything. */
export interface LeftOut {
  /** The label that each row is an example of; it has at least two [n]. */
  readonly owners: Int32Array;
  /** Its place among the label's kept examples [n]. */
  readonly places: Int32Array;
}

/** Turns the products of a row with all neighbours into cosines as they are without it. */
type WithoutRow = (x: Float64Array, z: Float64Array, owner: number, row: Float64Array) => void;

/**
 * The direction of a vector from the mean of all examples, compared with those of kept examples, where the pooled
 * covariance is the identity. (The nearest neighbour among normalised features: Sun, Ming, Zhu and Li,
 * "Out-of-distribution detection with deep nearest neighbors", 2022; cosine similarity in whitened space.)
 */
export class Neighbours {
  readonly #labels: readonly Moments[];
  readonly #all: Moments;
  readonly #weights: Pooled['weights'];
  readonly #isDiagonal: boolean;
  /** The factor L of the pooled covariance, or the roots of its variances. */
  readonly #root: Float64Array;
  /** Where each label's neighbours start, and the end [K + 1]. */
  readonly #starts: Int32Array;
  /** z = L⁻¹(x − m) of the neighbours, and |z|². */
  readonly #others: Float64Array;
  readonly #squares: Float64Array;

  /**
   * @param kept the examples of each label
   * @param all the moments of all labels together; the pooled covariance must be positive definite
   */
  constructor(
    kept: readonly (readonly KeptExample[])[],
    labels: readonly Moments[],
    all: Moments,
    { sigma, weights }: Pooled,
  ) {
    const d = all.mean.length;
    this.#labels = labels;
    this.#all = all;
    this.#weights = weights;
    this.#isDiagonal = sigma.length === d;
    this.#root = this.#isDiagonal ? sigma.map(Math.sqrt) : lowerOf(sigma, d);
    if (!this.#isDiagonal) factorInPlace(this.#root, d);
    // Two at least: of a label's examples one may be left out.
    const most = Math.max(2, Math.floor(MOST_NEIGHBOURS / labels.length));
    const used = kept.map((examples) => examples.slice(0, most));
    this.#starts = new Int32Array(labels.length + 1);
    for (const [k, examples] of used.entries()) this.#starts[k + 1] = this.#starts[k] + examples.length;
    this.#others = this.#white(joined(used.flat().map(({ vector }) => vector)));
    this.#squares = squaresOf(this.#others, d);
  }

  /** The space, and the neighbours in it. */
  parameters(): NeighbourParameters {
    const { mean } = this.#all;
    const scale = this.#isDiagonal ? this.#root : packed(this.#root, mean.length);
    return { mean, scale, whitened: this.#others, starts: this.#starts };
  }

  /** The cosine of the most similar direction of each label's neighbours [n, K], for the rows x [n, D]. */
  cosines(x: Float64Array, left?: LeftOut): Float64Array {
    const [starts, squares] = [this.#starts, this.#squares];
    const labels = this.#labels.length;
    const d = this.#all.mean.length;
    const n = x.length / d;
    const z = this.#white(x);
    const products = productsOf(z, this.#others, d);
    const lengths = squaresOf(z, d);
    const without = left && (this.#isDiagonal ? this.#withoutByVariances() : this.#withoutByFactor());
    const out = new Float64Array(n * labels).fill(-1);
    for (let i = 0; i < n; i++) {
      const row = rowAt(products, squares.length, i);
      if (left && without) {
        const owner = left.owners[i];
        without(rowAt(x, d, i), rowAt(z, d, i), owner, row);
        const place = starts[owner] + left.places[i];
        if (place < starts[owner + 1]) row[place] = -1;
      } else for (let j = 0; j < row.length; j++) row[j] = cosine(row[j], lengths[i], squares[j]);
      for (let k = 0; k < labels; k++) {
        const at = i * labels + k;
        for (let j = starts[k]; j < starts[k + 1]; j++) out[at] = Math.max(out[at], row[j]);
      }
    }
    return out;
  }

  /** L⁻¹(x − m) of the rows x. */
  #white(x: Float64Array): Float64Array {
    const { mean } = this.#all;
    const d = mean.length;
    const root = this.#root;
    return this.#isDiagonal
      ? x.map((value, at) => (value - mean[at % d]) / root[at % d])
      : whitened(x, mean, root);
  }

  /**
   * With δ = x − m, d = x − μ of its label and N examples: the mean without x is m − δ/(N − 1), and products by the
   * inverse of Σ' = (Σ − h·g·d dᵀ)/(1 − h) are, up to a factor, those by Σ⁻¹ + c·Σ⁻¹d dᵀΣ⁻¹ with
   * c = h·g/(1 − h·g·dᵀΣ⁻¹d), g = n/(n − 1). (Sherman and Morrison, 1950.)
   */
  #withoutByFactor(): WithoutRow {
    const [labels, squares] = [this.#labels, this.#squares];
    const d = this.#all.mean.length;
    const h = this.#weights.scatter;
    const e = 1 / (this.#all.count - 1);
    const means = this.#white(meansOf(labels));
    const products = productsOf(means, this.#others, d);
    return (_, z, owner, row) => {
      const { count } = labels[owner];
      const u = z.map((value, j) => value - means[owner * d + j]);
      const [zz, dz, dd] = [dot(z, 0, z, 0, d), dot(u, 0, z, 0, d), dot(u, 0, u, 0, d)];
      const hg = (h * count) / (count - 1);
      const c = hg / (1 - hg * dd);
      const square = zz + c * dz * dz;
      for (let j = 0; j < row.length; j++) {
        const along = row[j] - products[owner * row.length + j] + e * dz;
        const product = row[j] + e * zz + c * dz * along;
        const other = squares[j] + 2 * e * row[j] + e * e * zz + c * along * along;
        row[j] = cosine(product, square, other);
      }
    };
  }

  /** The same of variances, each by itself: v' = (v − h·g·d²)/(1 − h). */
  #withoutByVariances(): WithoutRow {
    const [labels, root, others] = [this.#labels, this.#root, this.#others];
    const share = this.#weights.scatter;
    const e = 1 / (this.#all.count - 1);
    return (x, z, owner, row) => {
      const d = x.length;
      const { count, mean: own } = labels[owner];
      // 1/v', in units of the standard deviations that the rows are in.
      const scale = x.map(
        (value, j) => (1 - share) / (1 - (share * count * ((value - own[j]) / root[j]) ** 2) / (count - 1)),
      );
      let square = 0;
      for (let j = 0; j < d; j++) square += scale[j] * z[j] ** 2;
      for (let n = 0; n < row.length; n++) {
        let [product, other] = [0, 0];
        for (let j = 0; j < d; j++) {
          const b = others[n * d + j] + e * z[j];
          product += scale[j] * z[j] * b;
          other += scale[j] * b * b;
        }
        row[n] = cosine(product, square, other);
      }
    };
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
  return Float64Array.from({ length: x.length / d }, (_, n) => dot(x, n * d, x, n * d, d));
}

/** Of vectors without a direction 0; what differs from 1 by rounding is 1. */
function cosine(product: number, squareA: number, squareB: number): number {
  const value = product / (Math.sqrt(squareA) * Math.sqrt(squareB));
  return Number.isNaN(value) ? 0 : Math.abs(value) > 1 - 1e-12 ? Math.sign(value) : value;
}
