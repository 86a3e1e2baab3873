import { GMML } from '@gmml/gmm';
import { auroc, falsePositiveRate } from './detection.js';
import { fittedHead } from './fittedHead.js';
import type { FittedHeadOptions } from './fittedHead.js';
import { inBatches, overFeatures } from './headOutputs.js';
import type { Batch, HeadOutputs } from './headOutputs.js';
import { answersOf, qualityOf } from './headQuality.js';
import type { Answers, HeadQuality } from './headQuality.js';
import { counting, testOutputs } from './knownOutputs.js';
import type { KnownOutputs, OnProgress, OutputOptions } from './knownOutputs.js';
import type { KnownDigits } from '../training/knownDigits.js';
import type { Network } from '../training/networks/network.js';
import { strangeDigits } from './strangeDigits.js';
import { calibratingOf, typicalities } from './typicality.js';
import type { Typicalities } from './typicality.js';

/** How well a score tells test digits from unknown inputs. */
export interface Separation {
  /** The probability that a test digit has a higher score than an unknown input; ½ is guessing. */
  auroc: number;
  /** The share of the unknown inputs that is accepted where 95 % of the test digits are. */
  fpr95: number;
}

/** The same of a score with a threshold. */
export interface Rejection extends Separation {
  /** The share of the unknown inputs that is below the threshold. */
  rejected: number;
}

/** One set of unknown inputs. */
export interface UnknownResult {
  count: number;
  /** Typicality by the features alone. */
  features: Rejection;
  /** Typicality by the features and the trained head's posterior. */
  featuresAndPosterior: Rejection;
  /** The trained head's largest posterior. */
  softmax: Separation;
  /** The trained head's density, where it is a mixture. */
  density?: Separation;
}

/** The kinds of unknown inputs: four made of test digits, and a label that was left out of training. */
export type UnknownName = 'noise' | 'inverted' | 'rotated' | 'permuted' | 'unseen';

/** What a trained network knows of what it does not know. */
export interface OpenSetReport {
  testCount: number;
  /** The head as it was trained. */
  trainedHead: HeadQuality;
  /** A mixture that was fitted to the training features, and how far it shrank its covariances. */
  fittedHead: HeadQuality & { shrinkage: number };
  /** The share of known digits that was to be kept. */
  keep: number;
  /** How many known digits set the threshold, and whether they had been held out of training. */
  threshold: { count: number; areHeldOut: boolean };
  /** The share of the test digits that is kept. */
  coverage: { features: number; featuresAndPosterior: number };
  /** The digit that was left out of training. */
  unseen?: number;
  /** What the digits stand for where they are no digits, each at its place. */
  classNames?: readonly string[];
  unknown: Partial<Record<UnknownName, UnknownResult>>;
}

export interface OpenSetOptions extends OutputOptions, FittedHeadOptions {
  /** The share of known digits to keep, above 0 and below 1. */
  keep: number;
}

/** The report, and what it was made of. */
export interface OpenSetFindings {
  report: OpenSetReport;
  /** The mixture that was fitted to the training features, and its answers to the test images. */
  fitted: { head: GMML; answers: Answers };
  /** Of the test images. */
  known: Scores;
  unknown: ReadonlyMap<UnknownName, Scores>;
}

/** How each input of a set is judged; higher is more typical. */
export interface Scores extends Typicalities {
  readonly count: number;
  readonly softmax: Float64Array;
  /** log p(x) of the trained head, where it is a mixture. */
  readonly density?: Float32Array;
  /** log p(x) of the fitted mixture, where the trained head is none. */
  readonly fittedDensity?: Float32Array;
}

/** A set of unknown inputs, made when it is asked for. */
interface UnknownInputs {
  readonly name: UnknownName;
  readonly count: number;
  readonly batches: (batchSize: number) => Iterable<Batch>;
}

/**
 * Fits a mixture and an open-set classifier to the features of the training images, and says how well they, and the
 * trained head, do on test digits and on inputs that are no digits, or digits never seen. Leaves the network as it
 * was, but for evaluation mode, and draws from generators of its own. `onProgress` hears how many images went through it.
 *
 * @param outputs of the same network for the same digits
 * @throws ArgumentError or NumericalError when the features are too few, or vary too little, to fit or to calibrate
 */
export function openSetFindings(
  network: Network,
  digits: KnownDigits,
  outputs: KnownOutputs,
  options: OpenSetOptions,
  onProgress: OnProgress = () => {},
): OpenSetFindings {
  const { keep, testBatchSize, dryRun } = options;
  const { samples, examples, labels, test, testLabels } = outputs;
  const sets = unknownInputs(digits);
  const onBatch = counting(
    sets.reduce((sum, { count }) => sum + (dryRun ? Math.min(count, testBatchSize) : count), 0),
    onProgress,
  );
  const unknown = sets.map(({ batches }) => testOutputs(network, batches(testBatchSize), options, onBatch));

  const { head: fitted, shrinkage } = fittedHead(outputs, options);
  const answers = answersOf(
    overFeatures(test, testBatchSize, (features) => fitted.forward(features)),
    testLabels,
  );
  const calibrating = calibratingOf(samples.map((sample) => sample.labels.size));
  const typical = typicalities(
    examples,
    Array.from(labels.data, (label) => digits.labels[label]),
    calibrating,
    [test, ...unknown],
    keep,
  );
  const [known, ...others] = [test, ...unknown].map((set, i) =>
    scoresOf(network.head, fitted, set, typical[i], testBatchSize),
  );
  const isKept = (typicality: number): boolean => typicality >= 1 - keep;
  const report: OpenSetReport = {
    testCount: test.count,
    trainedHead: qualityOf(answersOf(test.logPosteriors, testLabels)),
    fittedHead: { ...qualityOf(answers), shrinkage },
    keep,
    threshold: { count: calibrating.places.length, areHeldOut: calibrating.areHeldOut },
    coverage: {
      features: share(known.features, isKept),
      featuresAndPosterior: share(known.featuresAndPosterior, isKept),
    },
    ...(digits.unseen && { unseen: digits.unseen.digit }),
    ...(digits.classNames && { classNames: digits.classNames }),
    unknown: Object.fromEntries(sets.map(({ name }, i) => [name, unknownResult(known, others[i], keep)])),
  };
  return {
    report,
    fitted: { head: fitted, answers },
    known,
    unknown: new Map(sets.map(({ name }, i) => [name, others[i]])),
  };
}

function unknownInputs({ test, unseen }: KnownDigits): UnknownInputs[] {
  const [count] = test.images.shape;
  const sets: UnknownInputs[] = strangeDigits(test.images).map(({ name, batches }) => ({
    name,
    count,
    batches,
  }));
  if (unseen === undefined) return sets;
  const { images } = unseen;
  return [
    ...sets,
    { name: 'unseen', count: images.shape[0], batches: (batchSize) => inBatches(images, batchSize) },
  ];
}

function scoresOf(
  head: Network['head'],
  fitted: GMML,
  set: HeadOutputs,
  typical: Typicalities,
  batchSize: number,
): Scores {
  const densityOf = (mixture: GMML): Float32Array =>
    overFeatures(set, batchSize, (features) => mixture.logDensity(features));
  const scores = { ...typical, count: set.count, softmax: largestPosteriors(set) };
  if (!(head instanceof GMML)) return { ...scores, fittedDensity: densityOf(fitted) };
  return { ...scores, density: densityOf(head) };
}

function unknownResult(known: Scores, unknown: Scores, keep: number): UnknownResult {
  const rejection = (score: keyof Typicalities): Rejection => ({
    ...separation(known[score], unknown[score]),
    rejected: share(unknown[score], (typicality) => typicality < 1 - keep),
  });
  return {
    count: unknown.count,
    features: rejection('features'),
    featuresAndPosterior: rejection('featuresAndPosterior'),
    softmax: separation(known.softmax, unknown.softmax),
    ...(known.density && unknown.density && { density: separation(known.density, unknown.density) }),
  };
}

function separation(known: ArrayLike<number>, unknown: ArrayLike<number>): Separation {
  return { auroc: auroc(known, unknown), fpr95: falsePositiveRate(known, unknown, 0.95) };
}

function largestPosteriors({ logPosteriors, count }: HeadOutputs): Float64Array {
  const nClass = logPosteriors.length / count;
  return new Float64Array(count).map((_, n) =>
    Math.max(...logPosteriors.subarray(n * nClass, (n + 1) * nClass)),
  );
}

function share(values: Float64Array, isOne: (value: number) => boolean): number {
  return values.filter(isOne).length / values.length;
}
