import { ArgumentError, randn, ShapeError, type Generator, type Shape, type Tensor } from '@gmml/tensor';
import { broadcastShapes, show } from '@gmml/tensor/checks';
import { LOG_2PI } from './linearAlgebra/vectors.js';
import { checkFinite, checkSymmetric } from './checks.js';

/** Asymmetry up to this share of the largest entry is taken for rounding. */
const SYMMETRY_TOLERANCE = 1e-4;

/** The spread of a normal distribution: exactly one of these. */
export interface NormalScale {
  /** Σ [..., D, D], symmetric positive definite. */
  readonly covariance?: Tensor;
  /** The lower triangular L [..., D, D] with Σ = L Lᵀ and a positive diagonal; what stands above it is not read. */
  readonly scaleTril?: Tensor;
  /** Standard deviations [..., D] of independent coordinates. */
  readonly scaleDiag?: Tensor;
}

/**
 * Normal distributions over vectors of D numbers, one for each element of a batch shape:
 * log N(x; μ, Σ) = −½ (D log 2π + |L⁻¹(x − μ)|²) − Σᵢ log Lᵢᵢ with Σ = L Lᵀ. Differentiable in x, in
 * the mean and in the scale. (Bishop, "Pattern Recognition and Machine Learning", 2006, eq. 2.43.)
 *
 * @example
 * const normal = new MultivariateNormal(zeros([2]), { scaleDiag: ones([2]) });
 * normal.logProb(zeros([2])).item(); // -1.8378770351409912, which is −log 2π
 */
export class MultivariateNormal {
  /** [...batchShape, D]. */
  readonly mean: Tensor;
  /** The leading dimensions, those of mean and scale broadcast together. */
  readonly batchShape: Shape;
  /** D. */
  readonly dim: number;
  /** [..., D] if the coordinates are independent, otherwise L [..., D, D]. */
  readonly #scale: Tensor;
  readonly #isDiag: boolean;

  /**
   * @param mean [..., D], finite
   * @param scale one of the three forms
   * @param options how the two are checked
   * @param options.validate whether the numbers are looked at, or only the shapes; default true
   * @throws ArgumentError unless exactly one scale is given and its diagonal is positive; ShapeError when it
   *   does not fit the mean; NotFiniteError for NaN or infinities; NotPositiveDefiniteError naming the matrix
   */
  constructor(mean: Tensor, scale: NormalScale, { validate = true }: { validate?: boolean } = {}) {
    const { name, tensor } = checkShapes(mean, scale);
    this.dim = mean.shape[mean.ndim - 1];
    this.#isDiag = name === 'scaleDiag';
    this.batchShape = broadcast(mean.shape.slice(0, -1), tensor.shape.slice(0, this.#isDiag ? -1 : -2));
    if (validate) checkValues(mean, name, tensor);
    this.mean = mean;
    this.#scale = name === 'covariance' ? tensor.cholesky() : tensor;
  }

  /** The lower triangular L [...batchShape, D, D] with Σ = L Lᵀ. */
  scaleTril(): Tensor {
    const l = this.#isDiag ? this.#scale.diagEmbed() : this.#scale.tril();
    return l.expand([...this.batchShape, this.dim, this.dim]);
  }

  /** The standard deviations [..., D] as they were given, or null where coordinates are not independent. */
  scaleDiag(): Tensor | null {
    return this.#isDiag ? this.#scale : null;
  }

  /** Σ [...batchShape, D, D]. */
  covariance(): Tensor {
    const l = this.scaleTril();
    return l.matmul(l, { transposeB: true });
  }

  /**
   * The log density of x [..., D], whose leading dimensions broadcast against the batch shape: the result
   * has that broadcast shape. May exceed 0.
   * @throws ShapeError when x does not end in D or does not broadcast
   */
  logProb(x: Tensor): Tensor {
    if (x.ndim < 1 || x.shape[x.ndim - 1] !== this.dim) {
      throw new ShapeError(
        `MultivariateNormal.logProb: x must be [..., ${this.dim}]: it is ${show(x.shape)}.`,
      );
    }
    if (this.#isDiag) return this.#logDensity(x.sub(this.mean).div(this.#scale).square().sum(-1));
    return this.#logDensity(this.#squaredDistance(x));
  }

  /**
   * |L⁻¹(x − μ)|² for x [S..., B..., D] and L [B..., D, D] → [S..., B...]. The sample dimensions S become the columns
   * of one triangular solve per matrix; x is turned into columns before μ is subtracted, which makes it larger.
   */
  #squaredDistance(x: Tensor): Tensor {
    const { mean } = this;
    const scale = this.#scale;
    const batchDims = scale.ndim - 2;
    const lead = broadcast(x.shape.slice(0, -1), this.batchShape);
    const difference =
      mean.ndim - 1 > batchDims
        ? columnsOf(x.sub(mean), batchDims)
        : columnsOf(x, batchDims).sub(mean.unsqueeze(-1));
    const distance = scale.squaredMahalanobis(difference);
    return distance.permute([batchDims, ...Array(batchDims).keys()]).reshape(lead);
  }

  /** From the squared distance |L⁻¹(x − μ)|². */
  #logDensity(distance: Tensor): Tensor {
    return distance.mul(-0.5).sub(this.#logNormalizer());
  }

  /** ½ D (1 + log 2π) + Σᵢ log Lᵢᵢ, in nats: [...batchShape]. */
  entropy(): Tensor {
    return this.#logNormalizer()
      .add(this.dim / 2)
      .expand(this.batchShape);
  }

  /**
   * μ + L ε with ε ~ N(0, I): [...shape, ...batchShape, D]. Gradients flow to mean and scale.
   * @param shape how many, or the leading dimensions; default one, without a dimension of its own
   */
  sample(shape: number | Shape = [], { generator }: { generator?: Generator } = {}): Tensor {
    const lead = typeof shape === 'number' ? [shape] : shape;
    const noise = randn([...lead, ...this.batchShape, this.dim], { dtype: this.mean.dtype, generator });
    const deviation = this.#isDiag
      ? noise.mul(this.#scale)
      : this.#scale.tril().matmul(noise.unsqueeze(-1)).squeeze(-1);
    return this.mean.add(deviation);
  }

  /** ½ D log 2π + Σᵢ log Lᵢᵢ, over the scale's own leading dimensions. */
  #logNormalizer(): Tensor {
    const diagonal = this.#isDiag ? this.#scale : this.#scale.diagonal();
    return diagonal
      .log()
      .sum(-1)
      .add((this.dim / 2) * LOG_2PI);
  }
}

/** x [S..., B..., D] → [B..., D, ΠS], with B filled up by ones where x has fewer dimensions. */
function columnsOf(x: Tensor, batchDims: number): Tensor {
  const lead = x.shape.slice(0, -1);
  const samples = lead.slice(0, Math.max(0, lead.length - batchDims));
  const batch = lead.slice(samples.length);
  const ones = Array<number>(batchDims - batch.length).fill(1);
  const columns = samples.reduce((product, n) => product * n, 1);
  const rows = x.reshape([columns, ...ones, ...batch, x.shape[x.ndim - 1]]);
  return rows.permute([...Array(batchDims + 1).keys()].map((dim) => dim + 1).concat(0));
}

function checkShapes(mean: Tensor, scale: NormalScale): { name: keyof NormalScale; tensor: Tensor } {
  const names = (['covariance', 'scaleTril', 'scaleDiag'] as const).filter(
    (name) => scale[name] !== undefined,
  );
  if (names.length !== 1) {
    throw new ArgumentError(
      `MultivariateNormal: exactly one of covariance, scaleTril and scaleDiag: given ${names.length === 0 ? 'none' : names.join(' and ')}.`,
    );
  }
  const [name] = names;
  const tensor = scale[name]!;
  const dim = mean.shape[mean.ndim - 1];
  const tail = name === 'scaleDiag' ? [dim] : [dim, dim];
  const fits = mean.ndim >= 1 && tail.every((n, i) => tensor.shape[tensor.ndim - tail.length + i] === n);
  if (!fits) {
    throw new ShapeError(
      `MultivariateNormal: the mean must be [..., D] and ${name} [..., ${tail.map(() => 'D').join(', ')}]: the mean is ${show(mean.shape)}, ${name} is ${show(tensor.shape)}.`,
    );
  }
  return { name, tensor };
}

function checkValues(mean: Tensor, name: keyof NormalScale, scale: Tensor): void {
  checkFinite('MultivariateNormal', 'mean', mean.data);
  checkFinite('MultivariateNormal', name, (name === 'scaleTril' ? scale.tril() : scale).data);
  const d = scale.shape[scale.ndim - 1];
  if (name === 'covariance') {
    checkSymmetric('MultivariateNormal', name, scale.data, d, SYMMETRY_TOLERANCE);
  } else checkPositive(name, name === 'scaleDiag' ? scale : scale.diagonal());
}

function checkPositive(name: string, diagonal: Tensor): void {
  const at = diagonal.data.findIndex((value) => value <= 0);
  if (at >= 0) {
    const what =
      name === 'scaleDiag' ? 'scaleDiag must be positive' : 'the diagonal of scaleTril must be positive';
    throw new ArgumentError(`MultivariateNormal: ${what}: entry ${at} is ${diagonal.data[at]}.`);
  }
}

/** The leading dimensions that two of the distribution's tensors have in common. */
function broadcast(a: Shape, b: Shape): Shape {
  return broadcastShapes('MultivariateNormal', a, b, ['leading dimensions are', 'and']);
}
