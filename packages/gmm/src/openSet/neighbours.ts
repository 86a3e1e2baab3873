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

/** Kept examples that directions are compared with. */
export interface Neighbours {
  /** The space, and the neighbours in it. */
  parameters(): NeighbourParameters;
  /** The cosine of the most similar direction of each label's neighbours [n, K], for the rows x [n, D]. */
  cosines(x: Float64Array, left?: LeftOut): Float64Array;
}

/** Turns the products of a row with all neighbours into cosines as they are without it. */
type WithoutRow = (x: Float64Array, z: Float64Array, owner: number, row: Float64Array) => void;

/**
 * The direction of a vector from the mean of all examples, compared with those of kept examples, where the pooled
 * covariance is the identity. (The nearest neighbour among normalised features: Sun, Ming, Zhu and Li,
 * "Out-of-distribution detection with deep nearest neighbors", 2022; cosine similarity in whitened space.)
 * @param all the moments of all labels together; the pooled covariance must be positive definite
 */
export function neighboursOf(
  kept: readonly (readonly KeptExample[])[],
  labels: readonly Moments[],
  all: Moments,
  { sigma, weights }: Pooled,
): Neighbours {
  const { mean } = all;
  const d = mean.length;
  const isDiagonal = sigma.length === d;
  /** The factor of the pooled covariance, or the roots of its variances. */
  const root = isDiagonal ? sigma.map(Math.sqrt) : lowerOf(sigma, d);
  if (!isDiagonal) factorInPlace(root, d);
  /** L⁻¹(x − m) of the rows x. */
  const white = (x: Float64Array): Float64Array =>
    isDiagonal ? x.map((value, at) => (value - mean[at % d]) / root[at % d]) : whitened(x, mean, root);
  // Two at least: of a label's examples one may be left out.
  const most = Math.max(2, Math.floor(MOST_NEIGHBOURS / labels.length));
  const used = kept.map((examples) => examples.slice(0, most));
  /** Where each label's neighbours start, and the end [K + 1]. */
  const starts = new Int32Array(labels.length + 1);
  for (const [k, examples] of used.entries()) starts[k + 1] = starts[k] + examples.length;
  const others = white(joined(used.flat().map(({ vector }) => vector)));
  const squares = squaresOf(others, d);
  const e = 1 / (all.count - 1);

  /**
   * With δ = x − m, d = x − μ of its label and N examples: the mean without x is m − δ/(N − 1), and products by the
   * inverse of Σ' = (Σ − h·g·d dᵀ)/(1 − h) are, up to a factor, those by Σ⁻¹ + c·Σ⁻¹d dᵀΣ⁻¹ with
   * c = h·g/(1 − h·g·dᵀΣ⁻¹d), g = n/(n − 1). (Sherman and Morrison, 1950.)
   */
  const withoutByFactor = (): WithoutRow => {
    const means = white(meansOf(labels));
    const products = productsOf(means, others, d);
    return (_, z, owner, row) => {
      const { count } = labels[owner];
      const u = z.map((value, j) => value - means[owner * d + j]);
      const [zz, dz, dd] = [dot(z, 0, z, 0, d), dot(u, 0, z, 0, d), dot(u, 0, u, 0, d)];
      const hg = (weights.scatter * count) / (count - 1);
      const c = hg / (1 - hg * dd);
      const square = zz + c * dz * dz;
      for (let j = 0; j < row.length; j++) {
        const along = row[j] - products[owner * row.length + j] + e * dz;
        const product = row[j] + e * zz + c * dz * along;
        const other = squares[j] + 2 * e * row[j] + e * e * zz + c * along * along;
        row[j] = cosine(product, square, other);
      }
    };
  };

  const withoutByVariances: WithoutRow = (x, z, owner, row) => {
    const { count, mean: own } = labels[owner];
    const share = weights.scatter;
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

  return {
    parameters: () => ({ mean, scale: isDiagonal ? root : packed(root, d), whitened: others, starts }),
    cosines(x, left) {
      const n = x.length / d;
      const z = white(x);
      const products = productsOf(z, others, d);
      const lengths = squaresOf(z, d);
      const without = left && (isDiagonal ? withoutByVariances : withoutByFactor());
      const out = new Float64Array(n * labels.length).fill(-1);
      for (let i = 0; i < n; i++) {
        const row = rowAt(products, squares.length, i);
        if (left && without) {
          const owner = left.owners[i];
          without(rowAt(x, d, i), rowAt(z, d, i), owner, row);
          const place = starts[owner] + left.places[i];
          if (place < starts[owner + 1]) row[place] = -1;
        } else for (let j = 0; j < row.length; j++) row[j] = cosine(row[j], lengths[i], squares[j]);
        for (let k = 0; k < labels.length; k++) {
          const at = i * labels.length + k;
          for (let j = starts[k]; j < starts[k + 1]; j++) out[at] = Math.max(out[at], row[j]);
        }
      }
      return out;
    },
  };
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
