import { parseSafetensors, serializeSafetensors } from '@gmml/nn';
import { ArgumentError } from '@gmml/tensor';
import { checkNumber, show } from '@gmml/tensor/checks';
import { GaussianMixture, mixtureOf, stateOf } from '../mixture/gaussianMixture.js';
import { completeData, eStep } from '../mixture/em.js';
import type { MixtureState } from '../mixture/fitted.js';
import { float64, mixtureOptionsOf } from '../mixture/mixtureFile.js';
import { findNearest, unknownNearest } from '../mixture/nearestCenters.js';
import type { Parameters, Settings } from '../mixture/model.js';
import { parametersOf } from '../mixture/parameters.js';
import { fixedAmounts } from '../mixture/shrinkage.js';
import { checkRows, readRows, type Rows } from '../mixture/rows.js';
import { FileReader, isModest, refuse, shown } from '../fileReader.js';
import { keptExample } from '../openSet/keptExamples.js';
import { mergeSums, momentsOfSums, noSums, sumsOf, type ComponentSums } from './componentSums.js';
import { packScatters, packedShape, unpackScatters } from './packing.js';
import { mergeShards, parseShards, withShard, type MergeOptions, type Shard } from './shards.js';

/** What the metadata of a file of EM statistics has as its format. */
export const EM_FORMAT = 'gmml.EMStatistics.1';

/** Rows whose responsibilities are computed at once. */
const ROWS_AT_ONCE = 4096;

const OP = 'EMStatistics';

/** The mixture that an E-step is under, as far as the M-step needs it. */
interface Model {
  readonly options: MixtureState['options'];
  readonly features: number;
  /** Of its parameters: statistics of different parameters must not be added. */
  readonly hash: number;
  readonly iterations: number;
  readonly lowerBounds: readonly number[];
  /** Null after `fromSafetensors`: a file of statistics does not repeat the model. */
  readonly parameters: Parameters | null;
}

/**
 * What one E-step of EM under a mixture finds in some rows, of each component the sum of responsibilities N_k, their mean
 * and centred scatter, with the sum of log p(xₙ): statistics of parts of the data merge exactly to those of all of it, in
 * any order, and give the next mixture. Without gaps, and shrinkage only by a fixed amount.
 * (Chan, Golub and LeVeque, "Algorithms for computing the sample variance", 1983; Bishop 2006, §9.2.2.)
 *
 * @example
 * const [someRows, otherRows] = [randn([100, 2]), randn([50, 2])];
 * const mixture = new GaussianMixture({ components: 2, maxIterations: 0 }).fit(someRows); // where EM starts
 * const [a, b] = [new EMStatistics(mixture), new EMStatistics(mixture)];
 * a.add(someRows);
 * b.add(otherRows);
 * a.merge(b);
 * const next = a.toGaussianMixture(); // next.converged: whether to stop
 */
export class EMStatistics {
  readonly #model: Model;
  #sums: ComponentSums;
  #rows = 0;
  #logLikelihood = 0;
  #shards: readonly Shard[] = [];

  /** @throws ArgumentError for a mixture that is not fitted, takes gaps, or shrinks by 'ledoitWolf' */
  constructor(mixture: GaussianMixture);
  /** @internal */
  constructor(model: GaussianMixture | Model);
  constructor(model: GaussianMixture | Model) {
    this.#model = model instanceof GaussianMixture ? modelOf(model) : model;
    const { options, features } = this.#model;
    this.#sums = noSums(options.covariance, options.components, features);
  }

  /** How many rows have been added. */
  get rows(): number {
    return this.#rows;
  }

  /** D. */
  get features(): number {
    return this.#model.features;
  }

  /** The parts of the data that these statistics are of, as far as `addShard` was told. */
  get shards(): readonly Shard[] {
    return this.#shards;
  }

  /** The mean of log p(xₙ) under the mixture, −∞ without rows. */
  get lowerBound(): number {
    return this.#rows === 0 ? -Infinity : this.#logLikelihood / this.#rows;
  }

  /** Adds rows x [N, D]. @throws ShapeError, ArgumentError, NotFiniteError naming rows, before anything is changed */
  add(x: Rows): void {
    const op = `${OP}.add`;
    const { parameters, features, options } = this.#model;
    if (!parameters) {
      throw new ArgumentError(
        `${op}: there must be a model to compute with: statistics from a file have none. Add to new EMStatistics(mixture), then merge.`,
      );
    }
    const { data, rows } = readRows(op, x, features);
    checkRows(op, { data, rows, columns: features }, false, 'Leave such rows out.');
    let sums = this.#sums;
    let logLikelihood = this.#logLikelihood;
    for (let first = 0; first < rows; first += ROWS_AT_ONCE) {
      const n = Math.min(ROWS_AT_ONCE, rows - first);
      const block = {
        data: data.subarray(first * features, (first + n) * features),
        rows: n,
        columns: features,
      };
      const observed = completeData(block, new Float64Array(n).fill(1), options.covariance);
      // A guess of the likely components lets the densities of far ones be told without computing them.
      const nearest = unknownNearest(n);
      findNearest(block, parameters.means, nearest);
      const { responsibilities, logLikelihoods } = eStep(observed, parameters, nearest.labels, op);
      sums = mergeSums(sums, sumsOf(block, responsibilities, options.covariance));
      for (const value of logLikelihoods) logLikelihood += value;
    }
    this.#sums = sums;
    this.#logLikelihood = logLikelihood;
    this.#rows += rows;
  }

  /**
   * Says which part of the data has been added.
   * @throws DuplicateShardError when it was before; ArgumentError for rows that are none, or no name or digest
   */
  addShard(shard: Shard): void {
    this.#shards = withShard(`${OP}.addShard`, this.#shards, shard);
  }

  /**
   * Adds what `other` has counted, which stays as it is.
   * @throws ArgumentError unless both are under the same mixture; DuplicateShardError where rows would count twice
   */
  merge(other: EMStatistics, options?: MergeOptions): void {
    const op = `${OP}.merge`;
    if (!isSame(other.#model, this.#model)) {
      throw new ArgumentError(
        `${op}: both must be under the same mixture: they are of iterations ${this.#model.iterations} and ${other.#model.iterations}, or of different data. Compute all statistics with one model file.`,
      );
    }
    const shards = mergeShards(op, this.#shards, other.#shards, options);
    this.#sums = mergeSums(this.#sums, other.#sums);
    this.#logLikelihood += other.#logLikelihood;
    this.#rows += other.#rows;
    this.#shards = shards;
  }

  /** Whether these statistics were made under `mixture`. */
  isUnder(mixture: GaussianMixture): boolean {
    return isSame(modelOf(mixture), this.#model);
  }

  /**
   * The M-step: the next mixture, one iteration on, with this E-step's lower bound. It has `converged` when the bound
   * differs by less than `tolerance` (default the mixture's) from that of the iteration before, as in `GaussianMixture.fit`.
   * @throws ArgumentError when there are fewer rows than components; NotPositiveDefiniteError as `fit` does
   */
  toGaussianMixture({
    tolerance = this.#model.options.tolerance,
  }: { tolerance?: number } = {}): GaussianMixture {
    const op = `${OP}.toGaussianMixture`;
    checkNumber(op, 'tolerance', tolerance, { from: 0 });
    const { options, features, iterations, lowerBounds } = this.#model;
    if (this.#rows < options.components) {
      throw new ArgumentError(
        `${op}: there must be at least as many rows as components: ${this.#rows} and ${options.components}. Add rows.`,
      );
    }
    const moments = momentsOfSums(this.#sums);
    const { covariance, regularization, weightConcentration, shrinkage = null } = options;
    const settings: Settings = { op, covariance, regularization, shrinkage, weightConcentration };
    const { lowerBound } = this;
    const converged = Math.abs(lowerBound - (lowerBounds.at(-1) ?? -Infinity)) < tolerance;
    const fitted = {
      parameters: parametersOf(moments, settings, fixedAmounts(moments, settings)),
      moments,
      features,
      converged,
      iterations: iterations + 1,
      lowerBounds: [...lowerBounds, lowerBound],
      seen: this.#rows,
    };
    return mixtureOf({ options: { ...options, tolerance }, fitted });
  }

  /** All of it as the bytes of a safetensors file: K(1 + D + D(D + 1)/2) numbers in float64 for 'full'. */
  toSafetensors(): Uint8Array {
    const { options, features, hash, iterations, lowerBounds } = this.#model;
    const { components, covariance } = options;
    const { counts, means, scatters } = this.#sums;
    return serializeSafetensors(
      {
        counts: float64(counts, [components]),
        means: float64(means, [components, features]),
        scatters: float64(
          packScatters(scatters, covariance, features),
          packedShape(covariance, components, features),
        ),
        lowerBounds: float64(lowerBounds, [lowerBounds.length]),
        logLikelihood: float64([this.#logLikelihood], []),
      },
      {
        format: EM_FORMAT,
        options: JSON.stringify(options),
        model: String(hash),
        iterations: String(iterations),
        rows: String(this.#rows),
        shards: JSON.stringify(this.#shards),
      },
    );
  }

  /** What `toSafetensors` gave: it merges and gives a mixture, but adds no rows. @throws FormatError for other bytes */
  static fromSafetensors(bytes: Uint8Array | ArrayBuffer): EMStatistics {
    const op = `${OP}.fromSafetensors`;
    const { tensors, metadata } = parseSafetensors(bytes);
    if (metadata.format !== EM_FORMAT) {
      refuse(op, `the format must be '${EM_FORMAT}': it is ${shown(metadata.format)}`);
    }
    const options = mixtureOptionsOf(op, metadata.options);
    const { components, covariance } = options;
    const reader = new FileReader(op, tensors);
    const features = tensors.means?.shape[1] ?? 0;
    const counts = reader.take('counts', [components], isCount, 'finite and not negative');
    const means = reader.take('means', [components, features]);
    if (features === 0) refuse(op, `there must be a feature: means are ${show([components, 0])}`);
    const packed = reader.take('scatters', packedShape(covariance, components, features));
    const lowerBounds = Array.from(reader.take('lowerBounds', null));
    const [logLikelihood] = reader.take('logLikelihood', []);
    reader.checkEmpty();
    const [hash, iterations, rows] = [metadata.model, metadata.iterations, metadata.rows].map(Number);
    const shards = parseShards(metadata.shards);
    if (![hash, iterations, rows].every((value) => Number.isSafeInteger(value) && value >= 0) || !shards) {
      return refuse(op, 'model, iterations, rows and shards must be there: they are not');
    }
    const statistics = new EMStatistics({
      options,
      features,
      hash,
      iterations,
      lowerBounds,
      parameters: null,
    });
    statistics.#sums = { covariance, counts, means, scatters: unpackScatters(packed, covariance, features) };
    statistics.#rows = rows;
    statistics.#logLikelihood = logLikelihood;
    statistics.#shards = shards;
    return statistics;
  }
}

function modelOf(mixture: GaussianMixture): Model {
  const { options, fitted } = stateOf(OP, mixture);
  if (options.missing === 'marginalize' || options.shrinkage?.amount === 'ledoitWolf') {
    throw new ArgumentError(
      `${OP}: the mixture must do without gaps and estimated shrinkage, which need all samples at once. Use missing: 'refuse' and a fixed amount.`,
    );
  }
  const { parameters, features, iterations, lowerBounds } = fitted;
  const { weights, means, covariances } = parameters;
  const all = new Float64Array(weights.length + means.length + covariances.length);
  all.set(weights);
  all.set(means, weights.length);
  all.set(covariances, weights.length + means.length);
  const { hash } = keptExample(all);
  // As a file has them, so that statistics under the mixture and under its file are the same.
  const init = typeof options.init === 'string' ? options.init : 'kmeans';
  return { options: { ...options, init }, features, hash, iterations, lowerBounds, parameters };
}

function isSame(a: Model, b: Model): boolean {
  const isEqual = a.hash === b.hash && a.iterations === b.iterations;
  return isEqual && JSON.stringify(a.options) === JSON.stringify(b.options);
}

function isCount(value: number): boolean {
  return value >= 0 && isModest(value);
}
