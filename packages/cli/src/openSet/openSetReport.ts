import { GMML } from '@gmml/gmm';
import type { CovType } from '@gmml/gmm';
import { Generator, tensor } from '@gmml/tensor';
import type { FloatArray, Tensor } from '@gmml/tensor';
import { auroc, expectedCalibrationError, falsePositiveRate } from './detection.js';
import { headOutputs, inBatches, overFeatures, together } from './headOutputs.js';
import type { Batch, HeadOutputs } from './headOutputs.js';
import { evenPlaces, evenSample } from '../training/knownDigits.js';
import type { KnownDigits } from '../training/knownDigits.js';
import type { ReferenceNetwork } from '../training/network.js';
import { strangeDigits } from './strangeDigits.js';
import { typicalities } from './typicality.js';
import type { Typicalities } from './typicality.js';

/** How good a head's posteriors are on the test images. */
export interface HeadQuality {
  /** Fraction of the images classified correctly. */
  accuracy: number;
  /** Mean negative log-likelihood. */
  nll: number;
  /** Expected calibration error, 15 bins. */
  ece: number;
}

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
  /** The share of the test digits that is kept. */
  coverage: { features: number; featuresAndPosterior: number };
  /** The digit that was left out of training. */
  unseen?: number;
  /** What the digits stand for where they are no digits, each at its place. */
  classNames?: readonly string[];
  unknown: Partial<Record<UnknownName, UnknownResult>>;
}

export interface OpenSetOptions {
  /** The share of known digits to keep, above 0 and below 1. */
  keep: number;
  /** Images that go through the network at once. */
  testBatchSize: number;
  /** A sample of the training images and one batch of each test set. */
  dryRun: boolean;
  linearClassifier: boolean;
  covType: CovType;
  components: number;
  seed: number;
}

/** Hears how many of all images went through the network, at first none. */
type OnProgress = (progress: { done: number; total: number }) => void;

/** How each input of a set is judged; higher is more typical. */
interface Scores extends Typicalities {
  readonly count: number;
  readonly softmax: Float64Array;
  readonly density?: Float32Array;
}

/** A set of unknown inputs, made when it is asked for. */
interface UnknownInputs {
  readonly name: UnknownName;
  readonly count: number;
  readonly batches: (batchSize: number) => Iterable<Batch>;
}

/** Training images that a dry run looks at. */
const DRY_RUN_SAMPLE = 1000;

/** Training images that set the threshold where none were held out, at most. */
const MOST_CALIBRATING = 2500;

/**
 * Fits a mixture and an open-set classifier to the features of the training images, and says how well they, and the
 * trained head, do on test digits and on inputs that are no digits, or digits never seen. Leaves the network as it
 * was, but for evaluation mode, and draws from generators of its own. `onProgress` hears how many images went through it.
 *
 * @throws ArgumentError or NumericalError when the features are too few, or vary too little, to fit or to calibrate
 */
export function openSetReport(
  network: ReferenceNetwork,
  digits: KnownDigits,
  options: OpenSetOptions,
  onProgress: OnProgress = () => {},
): OpenSetReport {
  const { keep, testBatchSize, dryRun } = options;

  const samples = [digits.train, digits.validation ?? []]
    .flat()
    .map((set) => (dryRun ? evenSample(set, DRY_RUN_SAMPLE) : set));
  const sets = unknownInputs(digits);
  const counts = [digits.test.labels.size, ...sets.map(({ count }) => count)];
  const onBatch = counting(
    samples.reduce((sum, sample) => sum + sample.labels.size, 0) +
      counts.reduce((sum, count) => sum + (dryRun ? Math.min(count, testBatchSize) : count), 0),
    onProgress,
  );
  const run = (batches: Iterable<Batch>): HeadOutputs =>
    headOutputs(network, dryRun ? firstOf(batches) : batches, onBatch);
  const examples = together(
    samples.map(({ images }) => headOutputs(network, inBatches(images, testBatchSize), onBatch)),
  );
  const labels = tensor(Float32Array.from(samples.flatMap((sample) => [...sample.labels.data])));
  const test = run(inBatches(digits.test.images, testBatchSize));
  const unknown = sets.map(({ batches }) => run(batches(testBatchSize)));

  const testLabels = digits.test.labels.data.subarray(0, test.count);
  const fittedHead = fittedQuality(examples, labels, test, testLabels, options);
  const typical = typicalities(
    examples,
    Array.from(labels.data, (label) => digits.labels[label]),
    calibratingOf(samples.map((sample) => sample.labels.size)),
    [test, ...unknown],
    keep,
  );
  const [known, ...others] = [test, ...unknown].map((set, i) =>
    scoresOf(network.head, set, typical[i], testBatchSize),
  );
  const isKept = (typicality: number): boolean => typicality >= 1 - keep;
  return {
    testCount: test.count,
    trainedHead: quality(test.logPosteriors, testLabels),
    fittedHead,
    keep,
    coverage: {
      features: share(known.features, isKept),
      featuresAndPosterior: share(known.featuresAndPosterior, isKept),
    },
    ...(digits.unseen && { unseen: digits.unseen.digit }),
    ...(digits.classNames && { classNames: digits.classNames }),
    unknown: Object.fromEntries(sets.map(({ name }, i) => [name, unknownResult(known, others[i], keep)])),
  };
}

/** Tells how many of `total` images are through, each time that some more are. */
function counting(total: number, onProgress: OnProgress): (count: number) => void {
  let done = 0;
  onProgress({ done, total });
  return (count) => onProgress({ done: (done += count), total });
}

/** The places of the held-out images, which come last; an even sample of all images where there are none. */
function calibratingOf([train, validation]: readonly number[]): number[] {
  if (validation !== undefined) return Array.from({ length: validation }, (_, i) => train + i);
  return evenPlaces(train, MOST_CALIBRATING);
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

/** The trained head's own kind of mixture, for a linear head one 'tril' Gaussian a class, fitted to the features. */
function fittedQuality(
  examples: HeadOutputs,
  labels: Tensor,
  test: HeadOutputs,
  testLabels: FloatArray,
  { linearClassifier, covType, components, seed, testBatchSize }: OpenSetOptions,
): HeadQuality & { shrinkage: number } {
  const dim = examples.features.length / examples.count;
  const nClass = examples.logPosteriors.length / examples.count;
  const generator = new Generator(seed);
  const head = new GMML(dim, dim, nClass, {
    nComponent: components,
    covType: linearClassifier ? 'tril' : covType,
    generator,
  });
  const { shrinkage } = head.fit(tensor(examples.features, { shape: [examples.count, dim] }), labels, {
    generator,
  });
  const logPosteriors = overFeatures(test, testBatchSize, (features) => head.forward(features));
  return { ...quality(logPosteriors, testLabels), shrinkage };
}

function scoresOf(
  head: ReferenceNetwork['head'],
  set: HeadOutputs,
  typical: Typicalities,
  batchSize: number,
): Scores {
  const scores = { ...typical, count: set.count, softmax: largestPosteriors(set) };
  if (!(head instanceof GMML)) return scores;
  return { ...scores, density: overFeatures(set, batchSize, (features) => head.logDensity(features)) };
}

function quality(logPosteriors: Float32Array, labels: FloatArray): HeadQuality {
  const count = labels.length;
  const nClass = logPosteriors.length / count;
  const confidences = new Float64Array(count);
  const correct: boolean[] = [];
  let [right, nll] = [0, 0];
  for (let n = 0; n < count; n++) {
    const row = logPosteriors.subarray(n * nClass, (n + 1) * nClass);
    const largest = Math.max(...row);
    // Rounding in float32 may leave the log of 1 a little above 0.
    confidences[n] = Math.min(1, Math.exp(largest));
    correct.push(row.indexOf(largest) === labels[n]);
    if (correct[n]) right++;
    nll -= row[labels[n]] / count;
  }
  return { accuracy: right / count, nll, ece: expectedCalibrationError(confidences, correct) };
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

function* firstOf<T>(values: Iterable<T>): Iterable<T> {
  for (const value of values) {
    yield value;
    return;
  }
}
