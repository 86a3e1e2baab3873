import { ArgumentError, ShapeError, type Tensor } from '@gmml/tensor';
import { checkInteger, checkNumber, checkOneOf } from '@gmml/tensor/checks';
import { rowAt } from '../linearAlgebra/vectors.js';
import { spreadOf } from '../linearAlgebra/moments.js';
import { calibrateByKept, calibrateBySamples } from './calibrating.js';
import { checkEnough, isEnough, typicality, type Calibration } from './calibration.js';
import type { OpenSetCovariance } from './classGaussians.js';
import {
  isLabel,
  listed,
  mergeExamples,
  NO_EXAMPLES,
  withExamples,
  type LabelExamples,
} from './labelExamples.js';
import { decodeOpenSet, encodeOpenSet } from './openSetFile.js';
import { OpenSetModel, softmaxOf } from './openSetModel.js';
import type { CalibrateOptions, OpenSetAnswer, OpenSetOptions, PredictOptions } from './openSetOptions.js';
import { FEATURE_SCORES, SCORES, usableScores, type UsableScores } from './openSetScores.js';
import { posteriorOfLabels } from './posterior.js';
import { bestOfGroups, oneGroup } from './ranking.js';
import { rowsOf, type CheckedRows, type Vector, type Vectors } from './vectors.js';

/** Vectors that are copied and answered at once. */
const ROWS_AT_ONCE = 1024;

/**
 * Says which label a vector has, or that it has none of these: a normal distribution for each label, fitted in closed
 * form to a few or many examples, and a threshold that keeps known vectors with a chosen probability.
 *
 * Its state are mergeable statistics in float64, the same for any order of the examples and any partition of them up
 * to rounding: of each label the count, mean and centred scatter (Chan, Golub and LeVeque, 1983), and at most 256
 * different examples, those with the smallest content hashes. Its size does not grow with the data.
 *
 * @example
 * const classifier = new OpenSetClassifier({ features: 2 });
 * classifier.addExamples('left', [[-2, 0], [-2, 1], [-3, 0]]);
 * classifier.addExamples('right', [[2, 0], [2, 1], [3, 0]]);
 * classifier.predict([2.5, 0.5]).label; // 'right'
 */
export class OpenSetClassifier {
  readonly features: number;
  readonly covariance: OpenSetCovariance;
  readonly #options: Required<OpenSetOptions>;
  #examples = new Map<string, LabelExamples>();
  /** Made of the examples when it is needed; null when they have changed. */
  #made: OpenSetModel | null = null;
  /** null before calibration, and when none could be made of the kept examples. */
  #calibration: Calibration | null = null;
  /** What `calibrate` was asked for; null before. */
  #asked: number | null = null;
  #isStale = false;

  /** @throws ArgumentError for options outside of what is allowed */
  constructor(options: OpenSetOptions = {} as OpenSetOptions) {
    const op = 'OpenSetClassifier';
    const { features, covariance = 'tied', shrinkage = 'auto', priors = 'equal' } = options;
    const { score = FEATURE_SCORES, scoreWithPosterior = SCORES } = options;
    checkInteger(op, 'features', features, 1);
    checkOneOf(op, 'covariance', covariance, ['full', 'diag', 'tied']);
    checkOneOf(op, 'priors', priors, ['equal', 'counts']);
    if (shrinkage !== 'auto') checkNumber(op, 'shrinkage', shrinkage, { from: 0, to: 1 });
    checkScores(op, 'score', score, FEATURE_SCORES);
    checkScores(op, 'scoreWithPosterior', scoreWithPosterior, SCORES);
    this.features = features;
    this.covariance = covariance;
    this.#options = { features, covariance, shrinkage, priors, score, scoreWithPosterior };
  }

  /** The known labels, sorted by their code units. */
  get labels(): string[] {
    return [...this.#examples.keys()].toSorted();
  }

  /** How many examples each label has had. */
  get counts(): Record<string, number> {
    return Object.fromEntries(this.labels.map((label) => [label, this.#examples.get(label)!.count]));
  }

  /** The share of known samples that `calibrate` was asked to keep; null before. */
  get keep(): number | null {
    return this.#asked;
  }

  /**
   * Adds examples of a label, new or known, in one pass. The calibration is stale then.
   * @param vectors [N, D] or one [D], finite; none at all change nothing
   * @throws ArgumentError, ShapeError or NotFiniteError before anything is changed
   */
  addExamples(label: string, vectors: Tensor | Vectors | Vector): void {
    const op = 'OpenSetClassifier.addExamples';
    checkLabel(op, label);
    const { rows, block } = rowsOf(op, 'vectors', vectors, this.features);
    if (rows === 0) return;
    const before = this.#examples.get(label) ?? NO_EXAMPLES;
    this.#examples.set(label, withExamples(before, rows, this.features, spreadOf(this.covariance), block));
    this.#changed();
  }

  /** Forgets a label and all of its examples. The calibration is stale then. @throws ArgumentError if it is unknown */
  removeLabel(label: string): void {
    this.#checkKnown('OpenSetClassifier.removeLabel', label);
    this.#examples.delete(label);
    this.#changed();
  }

  /**
   * Adds all that `other` has been given, as if it had been given to this one; `other` stays as it is. The
   * calibration is stale then; where this one was not calibrated and the other was, it is so now.
   * @throws ArgumentError when features or covariance differ
   */
  merge(other: OpenSetClassifier): void {
    for (const name of ['features', 'covariance'] as const) {
      if (this[name] !== other[name]) {
        throw new ArgumentError(
          `OpenSetClassifier.merge: ${name} must be the same: they are ${this[name]} and ${other[name]}.`,
        );
      }
    }
    if (other.#examples.size === 0) return;
    const { features } = this;
    const spread = spreadOf(this.covariance);
    for (const [label, theirs] of other.#examples) {
      const ours = this.#examples.get(label);
      this.#examples.set(label, ours ? mergeExamples(ours, theirs, features, spread) : theirs);
    }
    this.#asked ??= other.#asked;
    this.#changed();
  }

  /**
   * Sets the threshold below which `predict` answers null so that known samples are kept with probability `keep`.
   * @throws NumericalError with the number needed when there are fewer than 1/(1 − keep) − 1 samples; ArgumentError
   *   for a keep outside of (0, 1), an unknown label, or before any example; ShapeError and NotFiniteError for
   *   unusable vectors
   */
  calibrate({ keep = 0.95, examples, ...given }: CalibrateOptions = {}): void {
    const op = 'OpenSetClassifier.calibrate';
    if (!(keep > 0 && keep < 1)) {
      throw new ArgumentError(`${op}: keep must be above 0 and below 1: it is ${keep}.`);
    }
    this.#checkNotEmpty(op);
    const asked = given.labels ?? given.posterior ?? given.classes ?? given.leaveOut;
    if (examples === undefined && asked !== undefined) {
      throw new ArgumentError(
        `${op}: labels, posterior, classes and leaveOut belong to examples: there are none. Give the examples they are of.`,
      );
    }
    const calibration =
      examples === undefined
        ? calibrateByKept(this.#model(), { keep, ...this.#usable() })
        : this.#bySamples(op, keep, examples, given);
    checkEnough(op, calibration);
    this.#asked = keep;
    this.#calibration = calibration;
    this.#isStale = false;
  }

  /**
   * The label of a vector [D], or the labels of vectors [N, D]: an answer, or an array of them. Recalibrates from the
   * kept examples when examples have come or gone since `calibrate`; where these have become too few, typicality is
   * null again.
   * @throws ArgumentError before any example, and for a posterior that the calibration did not have; ShapeError or
   *   NotFiniteError for unusable vectors; NotPositiveDefiniteError naming the label when shrinkage is too small
   */
  predict(vector: Vector, options?: PredictOptions): OpenSetAnswer;
  predict(vectors: Vectors, options?: PredictOptions): OpenSetAnswer[];
  predict(vectors: Tensor, options?: PredictOptions): OpenSetAnswer | OpenSetAnswer[];
  predict(
    vectors: Tensor | Vectors | Vector,
    { posterior, classes }: PredictOptions = {},
  ): OpenSetAnswer | OpenSetAnswer[] {
    const op = 'OpenSetClassifier.predict';
    this.#checkNotEmpty(op);
    const rows = rowsOf(op, 'vectors', vectors, this.features);
    const head =
      posterior === undefined ? null : posteriorOfLabels(op, posterior, rows.rows, this.labels, classes);
    const calibration = this.#currentCalibration();
    if (head && calibration && !calibration.combinedWithPosterior) {
      throw new ArgumentError(
        `${op}: the calibration must have a posterior where one is given: it has none. Call calibrate with examples and posterior after the last change.`,
      );
    }
    const answers = this.#answers(rows, head, calibration);
    return rows.isSingle ? answers[0] : answers;
  }

  /** What `predict` computes with, for `openSetParameters`. Recalibrates as that does. @throws what `predict` throws */
  inside(op: string): {
    model: OpenSetModel;
    calibration: Calibration | null;
    scores: UsableScores;
  } {
    this.#checkNotEmpty(op);
    return { model: this.#model(), calibration: this.#currentCalibration(), scores: this.#usable() };
  }

  /** All of the state as the bytes of a safetensors file; every number comes back to the bit. */
  toSafetensors(): Uint8Array {
    return encodeOpenSet({
      options: this.#options,
      examples: this.#examples,
      calibration: this.#calibration,
      asked: this.#asked,
      isStale: this.#isStale,
    });
  }

  /** What `toSafetensors` gave. @throws FormatError for anything else */
  static fromSafetensors(bytes: Uint8Array | ArrayBuffer): OpenSetClassifier {
    const state = decodeOpenSet(
      'OpenSetClassifier.fromSafetensors',
      bytes,
      (options) => new OpenSetClassifier(options as OpenSetOptions).#options,
    );
    const classifier = new OpenSetClassifier(state.options);
    classifier.#examples = new Map(state.examples);
    classifier.#calibration = state.calibration;
    classifier.#asked = state.asked;
    classifier.#isStale = state.isStale;
    return classifier;
  }

  #changed(): void {
    this.#made = null;
    this.#isStale = true;
  }

  #model(): OpenSetModel {
    this.#made ??= new OpenSetModel(this.#examples, this.#options);
    return this.#made;
  }

  #currentCalibration(): Calibration | null {
    if (this.#asked !== null && this.#isStale) {
      const calibration = calibrateByKept(this.#model(), { keep: this.#asked, ...this.#usable() });
      this.#calibration = isEnough(calibration) ? calibration : null;
      this.#isStale = false;
    }
    return this.#calibration;
  }

  #usable(): UsableScores {
    return usableScores(this.#options, this.#examples.size);
  }

  #bySamples(
    op: string,
    keep: number,
    examples: Tensor | Vectors,
    { labels, leaveOut = false, posterior, classes }: Omit<CalibrateOptions, 'keep' | 'examples'>,
  ): Calibration {
    const { rows, block } = rowsOf(op, 'examples', examples, this.features);
    if (labels !== undefined && labels.length !== rows) {
      throw new ShapeError(`${op}: one label per example: there are ${labels.length} for ${rows} examples.`);
    }
    if (leaveOut && labels === undefined) {
      throw new ArgumentError(`${op}: leaveOut needs the labels of the examples: there are none.`);
    }
    for (const label of labels ?? []) {
      this.#checkKnown(op, label);
      if (leaveOut && this.#examples.get(label)!.count < 2) {
        throw new ArgumentError(
          `${op}: leaveOut needs two examples of each label: '${label}' has one. Add more, or leave it out of the examples.`,
        );
      }
    }
    const model = this.#model();
    const { names } = model;
    return calibrateBySamples(
      model,
      { keep, ...this.#usable() },
      {
        x: block(0, rows),
        owners: labels && Int32Array.from(labels, (label) => names.indexOf(label)),
        areExamples: leaveOut,
        posterior:
          posterior === undefined ? undefined : posteriorOfLabels(op, posterior, rows, names, classes),
      },
    );
  }

  #answers(
    { rows, block }: CheckedRows,
    head: Float64Array | null,
    calibration: Calibration | null,
  ): OpenSetAnswer[] {
    const model = this.#model();
    const { names, reliability } = model;
    const { score, scoreWithPosterior } = this.#usable();
    const used = head ? scoreWithPosterior : score;
    const features = calibration ? used.filter((name) => name !== 'posterior') : [];
    const groups = calibration?.groups ?? oneGroup(names.length);
    const answers: OpenSetAnswer[] = [];
    for (let first = 0; first < rows; first += ROWS_AT_ONCE) {
      const end = Math.min(rows, first + ROWS_AT_ONCE);
      const { joint, logDensity, scores } = model.score(block(first, end - first), features, groups);
      const ofHead = head?.subarray(first * names.length, end * names.length);
      const columns =
        ofHead && calibration
          ? { ...scores, posterior: bestOfGroups(ofHead, calibration.posteriorGroups!) }
          : scores;
      for (const [i, density] of logDensity.entries()) {
        const shares = softmaxOf(rowAt(joint, names.length, i), density);
        const nearest = shares.indexOf(Math.max(...shares));
        const p = calibration && typicality(calibration, used, columns, i);
        answers.push({
          label: p !== null && p < 1 - calibration!.keep ? null : names[nearest],
          probabilities: Object.fromEntries(names.map((name, k) => [name, shares[k]])),
          logDensity: density,
          typicality: p,
          nearest: names[nearest],
          reliability: reliability[nearest],
        });
      }
    }
    return answers;
  }

  #checkNotEmpty(op: string): void {
    if (this.#examples.size === 0) {
      throw new ArgumentError(`${op}: there must be examples: there are none. Call addExamples first.`);
    }
  }

  #checkKnown(op: string, label: string): void {
    if (this.#examples.has(label)) return;
    throw new ArgumentError(
      `${op}: the label must be known: '${label}' is not one of ${listed(this.labels) || 'none'}.`,
    );
  }
}

function checkScores(
  op: string,
  name: string,
  scores: string | readonly string[],
  allowed: readonly string[],
): void {
  const all = [scores].flat();
  if (all.length === 0) throw new ArgumentError(`${op}: ${name} must name a score: it names none.`);
  for (const score of all) checkOneOf(op, name, score, allowed);
}

function checkLabel(op: string, label: string): void {
  if (!isLabel(label)) {
    throw new ArgumentError(
      `${op}: the label must be a string of Unicode with at least one character: it is ${typeof label === 'string' ? JSON.stringify(label) : typeof label}.`,
    );
  }
}
