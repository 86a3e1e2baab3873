import { Buffer, Module, Parameter } from '@gmml/nn';
import {
  ArgumentError,
  defaultGenerator,
  full,
  Generator,
  isGradEnabled,
  randn,
  scope,
  ShapeError,
  zeros,
  type Tensor,
} from '@gmml/tensor';
import { checkIntegers, checkOneOf, sameShape, show } from '@gmml/tensor/checks';
import { outsideScopes } from '@gmml/tensor/kernels';
import { checkFeatures } from '../checks.js';
import {
  choleskyComponents,
  choleskyLogWeights,
  gramComponents,
  gramLogWeights,
  type CovType,
  type Parametrization,
} from './feasible.js';
import { withClass, withoutClass } from './addRemoveClass.js';
import { fitLayer, type GMMLFit, type GMMLFitOptions } from './fit.js';
import type { GMMLOptions, MixtureParameters } from './gmmlOptions.js';
import { identitySigma, sigmaFromScale } from './freeParameters.js';
import { checkFiniteFeatures } from './labelledFeatures.js';
import { jointLogWeights, jointPosterior, temperedPosterior } from './posterior.js';
import { startFromData } from './startFromData.js';
import type { Rows, Vector } from '../mixture/rows.js';
import { achlioptas } from './projection.js';
import { sampleLayer, type GMMLSampleOptions, type LabelledSamples } from './sample.js';
import { setToCholesky } from './toCholesky.js';

/**
 * A Gaussian mixture layer in the place of a linear classifier: each of N classes is a mixture of G normal
 * distributions over D features, and the output is the log-posterior of each class,
 * log p(class | x) ∝ τ · log Σ_g w_g N(x; μ_g, Σ_g) + log prior. A Module, trained by any optimizer on
 * `nllLoss` or `GMMLoss`; start it with `initFromData`, or set all of it with `fit`. Shapes: B inputs, N classes, G components, D features.
 *
 * Parameters are free, and feasible values are made from them: see `choleskyComponents` and
 * `gramComponents`. τ is learned and starts at 1/√D, without which a mixture in many dimensions is wildly
 * overconfident; the densities are reported without it.
 *
 * State dict: `mean` [N, G, D], `sigma` [N, G, D] for diag and [N, G, D, D] otherwise, `omega` [N, G],
 * `logTemperature` [], `logPrior` [N], `projection` [D, inputDim]; with 'gram' `mu_p`, `sigma_p`
 * [N, G, D, D], `omega_p`, `bottleneck.weight`.
 *
 * @example
 * const head = new GMML(128, 128, 10, { covType: 'tril' });
 * const [features, labels] = [randn([20, 128]), tensor(Array.from({ length: 20 }, (_, n) => n % 10))];
 * head.initFromData(features, labels);
 * const logPosteriors = head.forward(features); // [20, 10]
 * nllLoss(logPosteriors, labels).backward();
 */
export class GMML extends Module {
  readonly inputDim: number;
  readonly d: number;
  readonly nClass: number;
  readonly nComponent: number;
  readonly covType: CovType;
  readonly parametrization: Parametrization;
  readonly logStretchTrick: boolean;

  readonly mean: Parameter;
  readonly sigma: Parameter;
  /** A buffer with 'gram', which does not train it. */
  readonly omega: Parameter | Buffer;
  readonly logTemperature?: Parameter;
  /** A parameter when priors are learned; absent with 'gram'. */
  readonly logPrior?: Parameter | Buffer;
  readonly projection?: Buffer;

  /** The values made last without recording, and copies of the parameters they were made from. */
  #made: { from: readonly Buffer[]; values: MixtureParameters } | null = null;

  /**
   * @param inputDim features that come in
   * @param d features of the mixture, D
   * @param nClass classes, N
   * @throws ArgumentError for sizes that are not integers of at least 1 and unknown options
   */
  constructor(inputDim: number, d: number, nClass: number, options: GMMLOptions = {}) {
    super();
    const { nComponent = 1, covType = 'diag', projection = 'auto', parametrization = 'cholesky' } = options;
    const { temperature = true, learnPriors = false, logStretchTrick = false } = options;
    const { generator = defaultGenerator(), dtype = 'float32' } = options;
    checkIntegers('GMML', { inputDim, d, nClass, nComponent }, 1);
    checkOneOf('GMML', 'covType', covType, ['diag', 'tril', 'full']);
    checkOneOf('GMML', 'parametrization', parametrization, ['cholesky', 'gram']);
    checkOneOf('GMML', 'projection', projection, ['auto', 'always']);
    this.inputDim = inputDim;
    this.d = d;
    this.nClass = nClass;
    this.nComponent = nComponent;
    this.covType = covType;
    this.parametrization = parametrization;
    this.logStretchTrick = logStretchTrick;

    const isGram = parametrization === 'gram';
    const components = [nClass, nComponent];
    const projects = isGram || projection === 'always' || d !== inputDim;
    if (projects) this.projection = new Buffer(achlioptas(inputDim, d, { generator, dtype }));
    this.mean = new Parameter(randn([...components, d], { generator, dtype }));
    this.sigma = new Parameter(identitySigma(components, d, covType, parametrization, dtype));
    const omega = isGram ? full(components, 1, { dtype }) : zeros(components, { dtype });
    this.omega = isGram ? new Buffer(omega) : new Parameter(omega);
    if (isGram) return;
    if (temperature && !logStretchTrick) {
      this.logTemperature = new Parameter(full([], -0.5 * Math.log(d), { dtype }));
    }
    const logPrior = full([nClass], -Math.log(nClass), { dtype });
    this.logPrior = learnPriors ? new Parameter(logPrior) : new Buffer(logPrior);
  }

  /** x [B, inputDim] → log p(class | x) [B, N]; each row's exponentials sum to 1. @throws ShapeError */
  override forward(x: Tensor): Tensor {
    const mixture = this.#feasible();
    const logProb = this.#componentLogProbOf(x, mixture);
    if (this.parametrization === 'gram' || this.logStretchTrick) {
      return jointPosterior(this, logProb.add(jointLogWeights(mixture)));
    }
    return temperedPosterior(this, logProb.add(mixture.logWeights).logSumExp(2), mixture.logPrior);
  }

  /** x [B, inputDim] → log N(x; μ, Σ) of every component, without weights [B, N, G]. */
  componentLogProb(x: Tensor): Tensor {
    return this.#componentLogProbOf(x, this.#feasible());
  }

  /** x [B, inputDim] → log p(x | class) [B, N], a density that may exceed 0. */
  classLogLikelihood(x: Tensor): Tensor {
    const mixture = this.#feasible();
    return this.#componentLogProbOf(x, mixture).add(mixture.logWeights).logSumExp(2);
  }

  /** x [B, inputDim] → log p(x) [B], a density that may exceed 0. */
  logDensity(x: Tensor): Tensor {
    const mixture = this.#feasible();
    return this.#componentLogProbOf(x, mixture).add(jointLogWeights(mixture)).logSumExp([1, 2]);
  }

  /** x [B, inputDim] → the most probable class [B]. */
  predict(x: Tensor): Tensor {
    return this.forward(x).argmax(1);
  }

  /** x [B, inputDim] → p(class | x) [B, N]. */
  predictProba(x: Tensor): Tensor {
    return this.forward(x).exp();
  }

  /** The means μ [N, G, D]. */
  means(): Tensor {
    return this.mean.clone();
  }

  /** The covariances Σ [N, G, D, D], whatever covType is. */
  covariances(): Tensor {
    return this.#feasible().components.covariance();
  }

  /** The lower triangular L [N, G, D, D] with Σ = L Lᵀ. */
  scaleTril(): Tensor {
    return this.#feasible().components.scaleTril();
  }

  /** The weights of all components, class priors included [N, G]; they sum to 1. */
  mixtureWeights(): Tensor {
    return jointLogWeights(this.#feasible()).exp();
  }

  /**
   * The mixture that the free parameters mean: weights that sum to one and positive definite covariances, made of them anew.
   * Nobody has to call it: each forward that is recorded does, and others when a parameter changed.
   * @throws NotPositiveDefiniteError or NotFiniteError naming the component; NumericalError naming a class
   *   without weight ('gram')
   */
  mixtureParameters(): MixtureParameters {
    if (this.parametrization === 'gram') {
      const logPrior = full([this.nClass], -Math.log(this.nClass), { dtype: this.mean.dtype });
      const components = gramComponents(this.mean, this.sigma, this.covType);
      return { components, logWeights: gramLogWeights(this.omega), logPrior };
    }
    return {
      components: choleskyComponents(this.mean, this.sigma, this.covType),
      logWeights: choleskyLogWeights(this.omega),
      logPrior: this.logPrior!.logSoftmax(0),
    };
  }

  /** Sets the means: [N, G, D], or [N, D] to give every component of a class the same. @throws ShapeError */
  initMu(means: Tensor): void {
    const { nClass, nComponent, d } = this;
    const shape = [nClass, nComponent, d];
    const each = sameShape(means.shape, [nClass, d]) ? means.unsqueeze(1).expand(shape) : means;
    if (!sameShape(each.shape, shape)) {
      throw new ShapeError(
        `GMML.initMu: the means must be ${show(shape)} or [${nClass}, ${d}]: they are ${show(means.shape)}.`,
      );
    }
    this.mean.copyFrom(each);
  }

  /** Sets the free parameters of the weights [N, G]. @throws ShapeError */
  initOmega(omega: Tensor): void {
    this.omega.copyFrom(omega);
  }

  /**
   * Starts the layer from examples: means at the class means, the same scale for every class, which is
   * that of the features around their class mean; further components half way to random examples.
   * @param features [M, inputDim], finite
   * @param labels [M], integers from 0 to N − 1, each at least once
   * @throws ShapeError, IndexError, NotFiniteError or ArgumentError before anything is changed
   */
  initFromData(features: Tensor, labels: Tensor, { generator }: { generator?: Generator } = {}): void {
    const inside = this.project(features.detach());
    // Before the projection, which spreads a NaN over all columns.
    checkFiniteFeatures('GMML.initFromData', features);
    const { means, scale } = startFromData(inside, labels, this.nClass, this.nComponent, generator);
    const { nClass, nComponent, d, covType, parametrization } = this;
    this.mean.copyFrom(means);
    this.sigma.copyFrom(sigmaFromScale(scale, [nClass, nComponent], d, covType, parametrization));
  }

  /**
   * Fits every parameter to labelled features, so that the density means something: μ and S are each class's mean and
   * covariance (dividing by n), or with several components those that EM finds within the class; Σ = (1 − ρ)·S + ρ·T + ridge
   * with T the mean of all S weighted by rows, and the ridge of 1e-6 of the mean variance, 2e-6 more where a
   * factor's diagonal would be below the layer's floor of 1e-3. Weights are those of EM, priors the shares of
   * rows if they are learned and equal otherwise, the temperature is 1. In float64, then rounded to the layer's dtype.
   *
   * The default ρ is the one of 0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1 with the largest mean leave-one-out log density over at
   * most 256 rows of each component (with EM, a row counts for its most probable component).
   * With fewer rows in all than features even T is singular but for the ridge: use 'diag' or a projection then.
   * @param features [M, inputDim], finite: a tensor of either dtype, or arrays
   * @param labels [M], integers from 0 to N − 1, each at least G times
   * @returns the amount ρ
   * @throws ArgumentError for 'gram', a class with too few rows, rows that do not differ; ShapeError,
   *   IndexError, NotFiniteError, NotPositiveDefiniteError. Nothing is changed then.
   */
  fit(features: Rows, labels: Vector, options: GMMLFitOptions = {}): GMMLFit {
    return fitLayer(this, features, labels, options);
  }

  /**
   * A layer with one class more, the last: μ, S and weights as `fit` finds them, Σ = (1 − ρ)·S + ρ·T with T the mean of the
   * other classes' covariances by their weights; the default ρ as in `fit`, for this T. The others keep their parameters, the
   * temperature its value; learned priors give the new class 1/(N + 1). Nothing is shared: optimizers need the new parameters.
   * @param features [M, inputDim], finite, at least G rows
   * @throws ArgumentError for 'gram' or too few rows; ShapeError, NotFiniteError, NotPositiveDefiniteError
   */
  addClass(features: Rows, options: GMMLFitOptions = {}): GMML {
    return withClass(this, features, options, (nClass) => this.#resized(nClass));
  }

  /**
   * A layer without one class: labels above it move down by one, priors are made to sum to 1 again. Nothing is shared.
   * @throws IndexError for a label that is no class; ArgumentError when no class would remain
   */
  removeClass(label: number): GMML {
    return withoutClass(this, label, (nClass) => this.#resized(nClass));
  }

  /**
   * The same mixture in a new layer of the 'cholesky' parametrisation, to be trained on; nothing is shared. Densities are the
   * same everywhere. So are posteriors, but for inputs so near to a tight component that its log weight + log density is
   * above 0: 'gram' takes that for 0, 'cholesky' does not. A layer that is 'cholesky' already is copied; `toGram` of
   * `@gmml/gmm/torch` is the way back.
   *
   * From 'gram' (the temperature is then 1, and learned) every factor needs a diagonal above the floor of 1e-3. Where one
   * has less, multiply `bottleneck.weight` and `mu_p` by some c > 1 and `sigma_p` by √c ('full': by c), which lowers all log
   * densities by the same amount.
   * @throws NotPositiveDefiniteError naming the component that cannot be expressed; NotFiniteError; NumericalError for a
   *   class without weight; ArgumentError for another name
   */
  toParametrization(parametrization: 'cholesky'): GMML {
    if (parametrization !== 'cholesky') {
      throw new ArgumentError(
        `GMML.toParametrization: parametrization must be 'cholesky': it is '${String(parametrization)}'. For 'gram', '@gmml/gmm/torch' has toGram.`,
      );
    }
    const other = this.#resized(this.nClass, parametrization);
    if (this.parametrization === 'gram') setToCholesky(other, this);
    else other.loadStateDict(this.stateDict());
    return other.train(this.training);
  }

  /** n draws from the mixture: x [n, D] in its own space, after the projection, and labels [n]. @throws ArgumentError, IndexError */
  sample(n: number, { label, generator = defaultGenerator() }: GMMLSampleOptions = {}): LabelledSamples {
    return sampleLayer(this, n, label, generator);
  }

  protected override stateName(field: string): string {
    return this.parametrization === 'gram' ? (GRAM_NAMES[field] ?? field) : field;
  }

  /** x [B, inputDim] → the features that the mixture is over [B, D]: x itself where nothing is projected. @throws ShapeError */
  project(x: Tensor): Tensor {
    checkFeatures('GMML', x, 'B', this.inputDim);
    return this.projection ? x.matmul(this.projection, { transposeB: true }) : x;
  }

  /** A layer with the same options, its numbers still to be set; with a temperature where 'gram' could have none. */
  #resized(nClass: number, parametrization = this.parametrization): GMML {
    const { inputDim, d, nComponent, covType, logStretchTrick } = this;
    return new GMML(inputDim, d, nClass, {
      nComponent,
      covType,
      parametrization,
      logStretchTrick,
      projection: this.projection ? 'always' : 'auto',
      temperature: this.logTemperature !== undefined || this.parametrization === 'gram',
      learnPriors: this.logPrior instanceof Parameter,
      generator: new Generator(0),
      dtype: this.mean.dtype,
    });
  }

  #componentLogProbOf(x: Tensor, { components }: MixtureParameters): Tensor {
    const inside = this.project(x);
    return components.logProb(inside.reshape([inside.shape[0], 1, 1, this.d]));
  }

  /** The feasible values: made anew while gradients are recorded, otherwise when a parameter has changed. */
  #feasible(): MixtureParameters {
    if (isGradEnabled()) return this.mixtureParameters();
    // The mean is used as it is; all else is made of these.
    const parameters = [this.sigma, this.omega, ...(this.logPrior ? [this.logPrior] : [])];
    const made = this.#made;
    if (made && parameters.every((parameter, i) => sameNumbers(parameter, made.from[i]))) return made.values;
    const values = outsideScopes(() => this.mixtureParameters());
    this.#made = { from: parameters.map((parameter) => new Buffer(parameter.clone())), values };
    return values;
  }
}

const GRAM_NAMES: Readonly<Record<string, string>> = {
  mean: 'mu_p',
  sigma: 'sigma_p',
  omega: 'omega_p',
  projection: 'bottleneck.weight',
};

/** Compared by value: a version count would not see what is written through `data`. */
function sameNumbers(a: Tensor, b: Tensor): boolean {
  return scope(() => a.notEqual(b).max().item() === 0);
}
