import {
  ArgumentError,
  defaultGenerator,
  NumericalError,
  tensor,
  type Generator as RandomGenerator,
  type Tensor,
} from '@gmml/tensor';
import { checkInteger, checkNumber } from '@gmml/tensor/checks';
import { rowAt, summed } from '../linearAlgebra/vectors.js';
import { drawIndex } from '../drawIndex.js';
import { COVARIANCE_FORMS, freeParameters, type CovarianceType } from './covarianceTypes.js';
import { completeData, jointLogDensities, normalized, type Observations } from './em.js';
import { boundOf, iterationsFrom, unchanged, type Fitted, type MixtureState } from './fitted.js';
import { dataWithGaps, hasGaps, marginalLogDensities } from './missing.js';
import type { Settings, Shrinkage } from './model.js';
import {
  checkMixtureOptions,
  type FitOptions,
  type GaussianMixtureOptions,
  type MixtureChoices,
  type MixtureProgress,
  type PartialFitOptions,
} from './options.js';
import { checkRows, readRows, readSampleWeight, type Matrix, type Rows, type Vector } from './rows.js';
import { checkEnough, startOf } from './start.js';
import { streamed } from './streaming.js';

/** All that a fitted mixture is, for modules that go on with its fit. @throws ArgumentError, of `op`, before the first fit */
export let stateOf: (op: string, mixture: GaussianMixture) => MixtureState;

/** The mixture of a state. */
export let mixtureOf: (state: { options: GaussianMixtureOptions; fitted: Fitted }) => GaussianMixture;

/**
 * A mixture of K Gaussians over D features, p(x) = Σ_k π_k N(x; μ_k, Σ_k), fitted by expectation–maximisation: the same
 * steps, guards and stopping rule as scikit-learn's GaussianMixture, and its names. All in float64; samples are
 * tensors of either dtype or nested arrays [N, D], results are float64 tensors.
 * (Dempster, Laird and Rubin, "Maximum likelihood from incomplete data via the EM algorithm", 1977; Bishop,
 * "Pattern Recognition and Machine Learning", 2006, §9.2.2.)
 *
 * @example
 * const mixture = new GaussianMixture({ components: 2 }).fit([[0], [1], [9], [11]]);
 * mixture.means.toArray(); // [[0.5], [10.0]] or [[10.0], [0.5]]
 */
export class GaussianMixture {
  readonly components: number;
  readonly covariance: CovarianceType;
  readonly #choices: MixtureChoices;
  readonly #shrinkage: Shrinkage | null;
  readonly #generator: RandomGenerator;
  #state: Fitted | null = null;

  static {
    stateOf = (op, mixture) => ({
      options: { ...mixture.#choices, shrinkage: mixture.#shrinkage ?? undefined },
      fitted: checkFitted(op, mixture.#state),
    });
    mixtureOf = ({ options, fitted }) => {
      const mixture = new GaussianMixture(options);
      mixture.#state = fitted;
      return mixture;
    };
  }

  /** @throws ArgumentError for a value outside of its range, or one that does not go with another */
  constructor(options: GaussianMixtureOptions = {}) {
    this.#choices = checkMixtureOptions('GaussianMixture', options);
    this.#shrinkage = options.shrinkage ? { ...options.shrinkage } : null;
    this.#generator = options.generator ?? defaultGenerator();
    this.components = this.#choices.components;
    this.covariance = this.#choices.covariance;
  }

  /**
   * Fits the mixture to x [N, D], N ≥ K: from each start EM until the lower bound changes by less than the tolerance.
   * Where that does not happen within `maxIterations`, `converged` is false. On any error the mixture stays
   * as it was.
   * @throws ShapeError, ArgumentError; NotFiniteError naming the rows; NotPositiveDefiniteError naming component, cause and
   *   remedies when every start fails; the reason of a signal that was aborted
   */
  fit(x: Rows, { sampleWeight, signal, onIteration }: FitOptions = {}): this {
    const former = this.#state;
    const turns = this.em(x, { sampleWeight });
    try {
      for (;;) {
        if (signal?.aborted) throw signal.reason ?? new ArgumentError('GaussianMixture.fit: aborted.');
        const { value, done } = turns.next();
        if (done) return this;
        onIteration?.(value);
      }
    } catch (error) {
      this.#state = former;
      throw error;
    }
  }

  /**
   * `fit` one iteration at a time: yields after each, when the mixture has that iteration's parameters, and ends with those
   * of the best start. Whoever stops early keeps what was reached.
   * @throws as `fit` does
   */
  em(x: Rows, { sampleWeight }: Pick<FitOptions, 'sampleWeight'> = {}): IterableIterator<MixtureProgress> {
    const settings = this.#settings('fit');
    const goesOn = this.#choices.warmStart ? this.#state : null;
    const data = this.#observe(settings.op, x, sampleWeight, goesOn?.features);
    checkEnough(settings.op, data.rows, this.components);
    return this.#runs(data, goesOn, settings);
  }

  /**
   * One step of streaming EM on a batch [B, D]: its responsibilities under the mixture so far, and moments that are
   * (1 − η) of those so far and η of the batch's. The first batch, of at least K samples, starts the mixture as `init`
   * says; after a `fit` it goes on from there. `lowerBound` is the batch's, before the step.
   * (Cappé and Moulines, "On-line expectation–maximization algorithm for latent data models", 2009.)
   * @throws as `fit` does; ArgumentError with shrinkage by 'ledoitWolf', which needs all samples at once
   */
  partialFit(batch: Rows, { sampleWeight, decay = 0.7 }: PartialFitOptions = {}): this {
    const settings = this.#settings('partialFit');
    const { op, shrinkage } = settings;
    checkNumber(op, 'decay', decay, { from: 0.5, to: 1 });
    if (shrinkage?.amount === 'ledoitWolf') {
      throw new ArgumentError(
        `${op}: shrinkage.amount must be a number: 'ledoitWolf' needs all samples at once. Give a fixed amount.`,
      );
    }
    const former = this.#state;
    const data = this.#observe(op, batch, sampleWeight, former?.features);
    if (!former) checkEnough(op, data.rows, this.components);
    const start = former ?? startOf(data, this.components, this.#choices.init, this.#generator, settings);
    this.#state = streamed(former, start.parameters, data, decay, settings);
    return this;
  }

  /** The most probable component of each sample, float64 [N]. */
  predict(x: Rows): Tensor {
    return tensor(Float64Array.from(this.#expectation('predict', x).likely));
  }

  /** The responsibilities p(k | x), float64 [N, K]; each row sums to 1. */
  predictProba(x: Rows): Tensor {
    const { responsibilities, logLikelihoods } = this.#expectation('predictProba', x);
    return tensor(responsibilities, { shape: [logLikelihoods.length, this.components] });
  }

  /** log p(x) of each sample, a density that may exceed 0: float64 [N]. */
  scoreSamples(x: Rows): Tensor {
    return tensor(this.#expectation('scoreSamples', x).logLikelihoods);
  }

  /** The mean of log p(x) over the samples. */
  score(x: Rows): number {
    return meanOf(this.#expectation('score', x).logLikelihoods);
  }

  /** The Bayesian information criterion −2 Σ log p(xₙ) + P log N with P free parameters: less is better. (Schwarz, 1978.) */
  bic(x: Rows): number {
    return this.#criterion('bic', x, Math.log);
  }

  /** The Akaike information criterion −2 Σ log p(xₙ) + 2 P: less is better. (Akaike, 1974.) */
  aic(x: Rows): number {
    return this.#criterion('aic', x, () => 2);
  }

  /**
   * n draws from the mixture: samples [n, D], and the component each is from [n].
   * @throws ArgumentError unless n is an integer of at least 1
   */
  sample(
    n = 1,
    { generator = this.#generator }: { generator?: RandomGenerator } = {},
  ): { samples: Tensor; labels: Tensor } {
    checkInteger('GaussianMixture.sample', 'n', n, 1);
    const { parameters, features } = this.#fitted('sample');
    const { weights, means, factors } = parameters;
    const form = COVARIANCE_FORMS[this.covariance];
    const labels = Float64Array.from({ length: n }, () => drawIndex(weights, generator.uniform()));
    const samples = new Float64Array(n * features);
    const noise = new Float64Array(features);
    for (const [i, k] of labels.entries()) {
      const out = rowAt(samples, features, i);
      out.set(rowAt(means, features, k));
      for (let j = 0; j < features; j++) noise[j] = generator.normal();
      form.addNoise(factors, k, noise, out);
    }
    return { samples: tensor(samples, { shape: [n, features] }), labels: tensor(labels) };
  }

  /** Whether there is something to predict with. */
  get isFitted(): boolean {
    return this.#state !== null;
  }

  /** π [K]. @throws ArgumentError before the first fit, as every property below */
  get weights(): Tensor {
    return tensor(this.#fitted('weights').parameters.weights);
  }

  /** μ [K, D]. */
  get means(): Tensor {
    const { parameters, features } = this.#fitted('means');
    return tensor(parameters.means, { shape: [this.components, features] });
  }

  /** Σ: full [K, D, D], tied [D, D], diag [K, D], spherical [K]. */
  get covariances(): Tensor {
    const { parameters, features } = this.#fitted('covariances');
    return this.#inShape(parameters.covariances, features);
  }

  /** Σ⁻¹, in the shape of the covariances: with weights and means what `init` takes. */
  get precisions(): Tensor {
    const { parameters, features } = this.#fitted('precisions');
    const sizes = { components: this.components, features };
    const precisions = COVARIANCE_FORMS[this.covariance].inverse(parameters.covariances, sizes);
    return this.#inShape(precisions as Float64Array, features);
  }

  /** Whether the lower bound came to rest. */
  get converged(): boolean {
    return this.#fitted('converged').converged;
  }

  /** Iterations of the best start. */
  get iterations(): number {
    return this.#fitted('iterations').iterations;
  }

  /** The last of `lowerBounds`, −∞ where there is none. */
  get lowerBound(): number {
    return boundOf(this.#fitted('lowerBound'));
  }

  /**
   * Of each iteration, the mean of log p(xₙ) that its E-step found. It never falls by more than rounding, but where
   * `regularization` is a notable part of a component's smallest variance: the M-step is not the maximum there.
   */
  get lowerBounds(): readonly number[] {
    return [...this.#fitted('lowerBounds').lowerBounds];
  }

  *#runs(data: Observations, goesOn: Fitted | null, settings: Settings): IterableIterator<MixtureProgress> {
    const { components, init, restarts } = this.#choices;
    const former = this.#state;
    const starts = goesOn || typeof init !== 'string' ? 1 : restarts;
    let best: Fitted | null = null;
    let failure: NumericalError | null = null;
    for (let restart = 0; restart < starts; restart++) {
      try {
        const start = goesOn ?? startOf(data, components, init, this.#generator, settings);
        let last = unchanged(start, data);
        let before = goesOn ? boundOf(goesOn) : -Infinity;
        const likely = 'likely' in start ? start.likely : null;
        for (const now of iterationsFrom(data, last, before, likely, settings, this.#choices)) {
          const { iterations: iteration, converged } = now;
          const lowerBound = boundOf(now);
          const change = lowerBound - before;
          this.#state = now;
          last = now;
          before = lowerBound;
          yield { restart, iteration, lowerBound, change, converged };
        }
        if (!best || boundOf(last) > boundOf(best)) best = last;
      } catch (error) {
        if (!(error instanceof NumericalError)) throw error;
        failure ??= error;
      }
    }
    this.#state = best ?? former;
    if (!best) throw failure!;
  }

  #settings(method: string): Settings {
    const { covariance, regularization, weightConcentration } = this.#choices;
    const op = `GaussianMixture.${method}`;
    return { op, covariance, regularization, shrinkage: this.#shrinkage, weightConcentration };
  }

  #read(op: string, x: Rows, features?: number): Matrix {
    const matrix = readRows(op, x, features);
    const marginalizes = this.#choices.missing === 'marginalize';
    const remedy = marginalizes
      ? 'Only NaN counts as missing.'
      : "Leave such rows out, fill them in, or use missing: 'marginalize' for NaN.";
    checkRows(op, matrix, marginalizes, remedy);
    return matrix;
  }

  #observe(op: string, x: Rows, sampleWeight: Vector | undefined, features?: number): Observations {
    const matrix = this.#read(op, x, features);
    const weights = readSampleWeight(op, sampleWeight, matrix.rows);
    return hasGaps(matrix)
      ? dataWithGaps(op, matrix, weights, this.covariance)
      : completeData(matrix, weights, this.covariance);
  }

  #expectation(method: string, x: Rows): ReturnType<typeof normalized> {
    const op = `GaussianMixture.${method}`;
    const { parameters, features } = this.#fitted(method);
    const matrix = this.#read(op, x, features);
    const joint = (hasGaps(matrix) ? marginalLogDensities : jointLogDensities)(
      matrix,
      parameters,
      this.covariance,
    );
    return normalized(joint, this.components, -Infinity, op);
  }

  /** −2 Σ log p(xₙ), and for each free parameter what `penalty` says of N. */
  #criterion(method: string, x: Rows, penalty: (n: number) => number): number {
    const { logLikelihoods } = this.#expectation(method, x);
    const n = logLikelihoods.length;
    const { features } = this.#fitted(method);
    const sizes = { components: this.components, features };
    const free =
      freeParameters(COVARIANCE_FORMS[this.covariance], sizes) + this.components * (features + 1) - 1;
    return -2 * meanOf(logLikelihoods) * n + free * penalty(n);
  }

  #inShape(values: Float64Array, features: number): Tensor {
    const shape = COVARIANCE_FORMS[this.covariance].shape({ components: this.components, features });
    return tensor(values, { shape });
  }

  #fitted(name: string): Fitted {
    return checkFitted(`GaussianMixture.${name}`, this.#state);
  }
}

function checkFitted(op: string, state: Fitted | null): Fitted {
  if (state) return state;
  throw new ArgumentError(`${op}: the mixture must be fitted: it is not. Call fit first.`);
}

function meanOf(values: Float64Array): number {
  return summed(values) / values.length;
}
