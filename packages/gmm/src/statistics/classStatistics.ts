import { parseSafetensors } from '@gmml/nn';
import { ArgumentError, Generator, NotFiniteError, ShapeError } from '@gmml/tensor';
import { checkInteger, checkNumber, checkOneOf } from '@gmml/tensor/checks';
import type { CovType } from '../layer/feasible.js';
import { setParameters } from '../layer/fit.js';
import { mixtureOf, type GaussianMixture } from '../mixture/gaussianMixture.js';
import { GMML } from '../layer/gmml.js';
import { blended, meanOfDiagonal, sumOf } from '../linearAlgebra/symmetric.js';
import { joined } from '../linearAlgebra/vectors.js';
import type { CovarianceType } from '../mixture/covarianceTypes.js';
import { checkMixtureOptions } from '../mixture/options.js';
import { parametersOf } from '../mixture/parameters.js';
import { checkRows, readRows, type Matrix, type Rows } from '../mixture/rows.js';
import { refuse, shown } from '../fileReader.js';
import {
  isLabel,
  mergeExamples,
  momentsOf,
  NO_EXAMPLES,
  withExamples,
  type LabelExamples,
} from '../openSet/labelExamples.js';
import type { Moments, Spread } from '../linearAlgebra/moments.js';
import { OpenSetClassifier } from '../openSet/openSetClassifier.js';
import { decodeOpenSet, encodeOpenSet } from '../openSet/openSetFile.js';
import type { OpenSetOptions } from '../openSet/openSetOptions.js';
import { FEATURE_SCORES, SCORES } from '../openSet/openSetScores.js';
import { LARGEST_FEATURE } from '../openSet/vectors.js';
import { unpackScatters } from './packing.js';
import { mergeShards, parseShards, withShard, type MergeOptions, type Shard } from './shards.js';

/** Options of `ClassStatistics`. */
export interface ClassStatisticsOptions {
  /** D, the length of a row. */
  readonly features: number;
  /** What the covariances of the model will be; default 'full'. 'diag' and 'spherical' keep D variances of each label. */
  readonly covariance?: CovarianceType;
}

const OP = 'ClassStatistics';

/**
 * What a closed-form fit needs of labelled rows, of each label the count, mean and centred scatter, and the 256
 * examples of smallest content hash: statistics of parts of the data merge exactly to those of all of it, in any order. They
 * give an `OpenSetClassifier`, a `GMML` layer of one component a class, or a `GaussianMixture` of one component a label.
 * (Chan, Golub and LeVeque, "Algorithms for computing the sample variance", 1983.)
 *
 * @example
 * const [a, b] = [new ClassStatistics({ features: 2 }), new ClassStatistics({ features: 2 })];
 * a.add([[-2, 0], [-2, 1], [2, 0]], ['left', 'left', 'right']);
 * b.add([[2, 1], [-3, 0], [3, 0]], ['right', 'left', 'right']);
 * a.merge(b);
 * a.counts; // { left: 3, right: 3 }
 */
export class ClassStatistics {
  readonly features: number;
  readonly covariance: CovarianceType;
  #labels: ReadonlyMap<string, LabelExamples> = new Map();
  #shards: readonly Shard[] = [];

  /** @throws ArgumentError for options outside of what is allowed */
  constructor({ features, covariance = 'full' }: ClassStatisticsOptions) {
    checkInteger(OP, 'features', features, 1);
    checkOneOf(OP, 'covariance', covariance, ['full', 'tied', 'diag', 'spherical']);
    this.features = features;
    this.covariance = covariance;
  }

  /** The labels: integers by their value, others by their code units. The order of the classes of a model. */
  get labels(): string[] {
    const labels = [...this.#labels.keys()].toSorted();
    return labels.every((label) => /^(0|[1-9]\d{0,14})$/.test(label))
      ? labels.toSorted((a, b) => Number(a) - Number(b))
      : labels;
  }

  /** How many rows each label has had. */
  get counts(): Record<string, number> {
    return Object.fromEntries(this.labels.map((label) => [label, this.#labels.get(label)!.count]));
  }

  /** How many rows have been added. */
  get rows(): number {
    return [...this.#labels.values()].reduce((sum, { count }) => sum + count, 0);
  }

  /** The parts of the data that these statistics are of, as far as `addShard` was told. */
  get shards(): readonly Shard[] {
    return this.#shards;
  }

  /**
   * Adds rows x [N, D] with their labels [N]; numbers stand for their decimal text.
   * @throws ShapeError, ArgumentError, NotFiniteError naming rows, before anything is changed
   */
  add(x: Rows, labels: ArrayLike<string | number>): void {
    const op = `${OP}.add`;
    const matrix = readRows(op, x, this.features);
    checkSizes(op, matrix);
    if (labels.length !== matrix.rows) {
      throw new ShapeError(`${op}: one label per row: there are ${labels.length} for ${matrix.rows} rows.`);
    }
    const changed = new Map(this.#labels);
    for (const [label, members] of rowsByLabel(op, labels)) {
      const before = changed.get(label) ?? NO_EXAMPLES;
      const block = (first: number, n: number): Float64Array => gathered(matrix, members, first, n);
      changed.set(label, withExamples(before, members.length, this.features, this.#spread, block));
    }
    this.#labels = changed;
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
   * @throws ArgumentError when features or covariance differ; DuplicateShardError where rows would count twice
   */
  merge(other: ClassStatistics, options?: MergeOptions): void {
    const op = `${OP}.merge`;
    for (const name of ['features', 'covariance'] as const) {
      if (this[name] !== other[name]) {
        throw new ArgumentError(
          `${op}: ${name} must be the same: they are ${this[name]} and ${other[name]}.`,
        );
      }
    }
    const shards = mergeShards(op, this.#shards, other.#shards, options);
    const merged = new Map(this.#labels);
    for (const [label, theirs] of other.#labels) {
      const ours = merged.get(label);
      merged.set(label, ours ? mergeExamples(ours, theirs, this.features, this.#spread) : theirs);
    }
    this.#labels = merged;
    this.#shards = shards;
  }

  /**
   * The classifier that has been given all rows as examples, not calibrated.
   * @throws ArgumentError without rows, for 'spherical', which it does not have, and for options outside of what is allowed
   */
  toOpenSetClassifier(options: Omit<OpenSetOptions, 'features' | 'covariance'> = {}): OpenSetClassifier {
    const op = `${OP}.toOpenSetClassifier`;
    this.#checkNotEmpty(op);
    if (this.covariance === 'spherical') {
      throw new ArgumentError(
        `${op}: covariance must be 'full', 'tied' or 'diag': it is 'spherical'. Use toGaussianMixture, or statistics of 'diag'.`,
      );
    }
    const { features, covariance } = this;
    const classifier = new OpenSetClassifier({ ...options, features, covariance });
    classifier.merge(OpenSetClassifier.fromSafetensors(this.toSafetensors()));
    return classifier;
  }

  /**
   * The mixture of one component a label, in the order of `labels`: what `GaussianMixture.fit` starts from with
   * `init: { labels }`, weights as often as there are rows.
   * @param options how covariances are made
   * @param options.regularization as in `GaussianMixture`; default 1e-6
   * @throws ArgumentError without rows; NotPositiveDefiniteError naming the component, the index of the label
   */
  toGaussianMixture({ regularization = 1e-6 }: { readonly regularization?: number } = {}): GaussianMixture {
    const op = `${OP}.toGaussianMixture`;
    this.#checkNotEmpty(op);
    const { covariance, features } = this;
    const all = this.#moments();
    const options = checkMixtureOptions(op, { components: all.length, covariance, regularization });
    const counts = Float64Array.from(all, ({ count }) => count);
    const means = joined(all.map(({ mean }) => mean));
    const moments = { counts, means, covariances: covariancesOf(all, covariance, features) };
    const settings = { op, covariance, regularization, shrinkage: null, weightConcentration: 1 };
    const fitted = {
      parameters: parametersOf(moments, settings, null),
      moments,
      features,
      converged: false,
      iterations: 0,
      lowerBounds: [],
      seen: this.rows,
    };
    return mixtureOf({ options, fitted });
  }

  /**
   * The layer that `GMML.fit` makes of all rows with a fixed shrinkage ρ, in float64, its classes in the order of `labels`. 'tied'
   * is ρ = 1; 'spherical' is variances that are equal.
   * @param options how covariances are made
   * @param options.shrinkage ρ from 0 (default) to 1 in Σ = (1 − ρ)·S + ρ·T toward the mean covariance; 'auto' needs rows
   * @param options.covType 'tril' (default) or 'full'; variances are always 'diag'
   * @throws ArgumentError without rows; NotPositiveDefiniteError naming the class
   */
  toGMML({
    shrinkage = 0,
    covType = 'tril',
  }: { readonly shrinkage?: number; readonly covType?: Exclude<CovType, 'diag'> } = {}): GMML {
    const op = `${OP}.toGMML`;
    this.#checkNotEmpty(op);
    checkNumber(op, 'shrinkage', shrinkage, { from: 0, to: 1 });
    checkOneOf(op, 'covType', covType, ['tril', 'full']);
    const { covariance, features, rows } = this;
    const all = this.#moments();
    const own = all.map(({ count, scatter }) => scatter.map((value) => value / count));
    if (covariance === 'spherical') for (const each of own) each.fill(meanOfDiagonal(each, features));
    const shares = all.map(({ count }) => count / rows);
    const target = sumOf(own, shares);
    const amount = covariance === 'tied' ? 1 : shrinkage;
    const isDiagonal = this.#spread === 'diagonal';
    const head = new GMML(features, features, all.length, {
      covType: isDiagonal ? 'diag' : covType,
      dtype: 'float64',
      generator: new Generator(0),
    });
    setParameters(head, {
      means: joined(all.map(({ mean }) => mean)),
      covariances: own.map((each) => blended(1 - amount, each, amount, target)),
      weights: new Float64Array(all.length).fill(1),
      priors: Float64Array.from(shares),
    });
    return head;
  }

  /**
   * All of it as the bytes of a safetensors file, D(D + 3)/2 + 1 numbers in float64 a label, or 2D + 1, and the kept
   * examples. It is a file that `OpenSetClassifier.fromSafetensors` reads too.
   */
  toSafetensors(): Uint8Array {
    const { features, covariance } = this;
    const options = {
      features,
      covariance: covariance === 'spherical' ? 'diag' : covariance,
      score: FEATURE_SCORES,
      scoreWithPosterior: SCORES,
    };
    return encodeOpenSet(
      { options, examples: this.#labels, calibration: null, asked: null, isStale: false },
      { statistics: covariance, shards: JSON.stringify(this.#shards), rows: String(this.rows) },
    );
  }

  /** What `toSafetensors` gave. @throws FormatError for other bytes */
  static fromSafetensors(bytes: Uint8Array | ArrayBuffer): ClassStatistics {
    const op = `${OP}.fromSafetensors`;
    const { statistics: covariance, shards: text } = parseSafetensors(bytes).metadata;
    const shards = parseShards(text);
    if (!isCovariance(covariance) || !shards) {
      return refuse(op, `statistics and shards must be there: statistics is ${shown(covariance)}`);
    }
    const { options, examples } = decodeOpenSet(op, bytes, (read) => {
      const { features, covariance: type } = new OpenSetClassifier(read as OpenSetOptions);
      return { features, covariance: type, score: FEATURE_SCORES, scoreWithPosterior: SCORES };
    });
    if (options.covariance !== (covariance === 'spherical' ? 'diag' : covariance)) {
      return refuse(
        op,
        `statistics must fit the covariance: they are ${covariance} and ${options.covariance}`,
      );
    }
    const read = new ClassStatistics({ features: options.features, covariance });
    read.#labels = examples;
    read.#shards = shards;
    return read;
  }

  get #spread(): Spread {
    return this.covariance === 'diag' || this.covariance === 'spherical' ? 'diagonal' : 'triangle';
  }

  #moments(): Moments[] {
    return this.labels.map((label) => momentsOf(this.#labels.get(label)!, this.features, this.#spread));
  }

  #checkNotEmpty(op: string): void {
    if (this.#labels.size === 0) {
      throw new ArgumentError(`${op}: there must be rows: there are none. Call add or merge first.`);
    }
  }
}

/** One pass over the numbers. @throws NotFiniteError for what is not finite or beyond 1e100 */
function checkSizes(op: string, x: Matrix): void {
  let bad = 0;
  while (bad < x.data.length && Math.abs(x.data[bad]) <= LARGEST_FEATURE) bad++;
  if (bad === x.data.length) return;
  checkRows(op, x, false, 'Leave such rows out.');
  throw new NotFiniteError(
    `${op}: x must be at most 1e100 in size: row ${Math.floor(bad / x.columns)} has ${x.data[bad]}.`,
  );
}

/** The rows of each label. @throws ArgumentError for what cannot be a label */
function rowsByLabel(op: string, labels: ArrayLike<string | number>): Map<string, number[]> {
  const members = new Map<string | number, number[]>();
  for (let n = 0; n < labels.length; n++) {
    const own = members.get(labels[n]);
    if (own) own.push(n);
    else members.set(labels[n], [n]);
  }
  const named = new Map<string, number[]>();
  for (const [label, rows] of members) {
    const name = String(label);
    if (!isLabel(label) && !Number.isSafeInteger(label)) {
      throw new ArgumentError(
        `${op}: labels must be integers or strings of at least one character: label ${rows[0]} is ${JSON.stringify(label)}.`,
      );
    }
    named.set(name, [...(named.get(name) ?? []), ...rows]);
  }
  return named;
}

/** A fresh array of `n` of the members' rows, with one kind of 0. */
function gathered(
  { data, columns }: Matrix,
  members: readonly number[],
  first: number,
  n: number,
): Float64Array {
  const out = new Float64Array(n * columns);
  for (let i = 0; i < n; i++) {
    const from = members[first + i] * columns;
    const to = i * columns;
    for (let j = 0; j < columns; j++) out[to + j] = data[from + j] + 0;
  }
  return out;
}

/** Σ in the shape of its type, as an M-step has it: of 'tied' and 'spherical' what the labels' scatters add up to. */
function covariancesOf(all: readonly Moments[], covariance: CovarianceType, features: number): Float64Array {
  if (covariance === 'spherical') {
    return Float64Array.from(all, ({ scatter, count }) => meanOfDiagonal(scatter, features) / count);
  }
  if (covariance !== 'tied') {
    const own = all.map(({ count, scatter }) => scatter.map((value) => value / count));
    return unpackScatters(joined(own), covariance, features);
  }
  const total = all.reduce((sum, { count }) => sum + count, 0);
  const tied = new Float64Array(all[0].scatter.length);
  for (const { scatter } of all) for (let at = 0; at < tied.length; at++) tied[at] += scatter[at] / total;
  return unpackScatters(tied, covariance, features);
}

function isCovariance(text: string | undefined): text is CovarianceType {
  return text !== undefined && ['full', 'tied', 'diag', 'spherical'].includes(text);
}
