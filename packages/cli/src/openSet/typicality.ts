import { OpenSetClassifier, type OpenSetOptions } from '@gmml/gmm';
import { evenPlaces } from '../training/knownDigits.js';
import type { HeadOutputs } from './headOutputs.js';

/** How typical each of N inputs is, in (0, 1]: among known digits, the share that is as typical or less. */
export interface Typicalities {
  /** By the features alone. */
  readonly features: Float64Array;
  /** By the features and the trained head's posterior. */
  readonly featuresAndPosterior: Float64Array;
}

/** Which of the known inputs set the threshold. */
export interface Calibrating {
  readonly places: readonly number[];
  /** Whether the network was not trained on them. They are no examples then: beside others of one hand they are typical. */
  readonly areHeldOut: boolean;
}

/** Inputs that set the threshold where none were held out, at most. */
const MOST_CALIBRATING = 2500;

/** Inputs that are asked about at once: answers say more than is needed here, and take memory. */
const ROWS_AT_ONCE = 256;

/** The held-out inputs, which come last; an even sample of all inputs where there are none. */
export function calibratingOf([train, validation]: readonly number[]): Calibrating {
  return validation === undefined
    ? { places: evenPlaces(train, MOST_CALIBRATING), areHeldOut: false }
    : { places: Array.from({ length: validation }, (_, i) => train + i), areHeldOut: true };
}

/**
 * Fits a normal distribution to the features of each digit's examples, and asks how typical the inputs of each set are.
 * Unknown is what has a typicality below 1 − keep. The threshold comes from inputs that were held out, or from some of the
 * examples, each as if it had been left out.
 *
 * @param known inputs
 * @param digits [N] of the known inputs
 * @param scores what typicality ranks; default: the classifier's own choice
 * @throws NumericalError when they are too few for this `keep`
 */
export function typicalities(
  known: HeadOutputs,
  digits: readonly number[],
  { places, areHeldOut }: Calibrating,
  sets: readonly HeadOutputs[],
  keep: number,
  scores: Pick<OpenSetOptions, 'score' | 'scoreWithPosterior'> = {},
): Typicalities[] {
  const width = known.features.length / known.count;
  const heldOut = new Set(areHeldOut ? places : []);
  const classes = [...new Set(digits)].toSorted((a, b) => a - b).map(String);
  const classifier = new OpenSetClassifier({ features: width, covariance: 'full', ...scores });
  for (const label of classes) {
    const own = Array.from(digits.keys()).filter((row) => String(digits[row]) === label && !heldOut.has(row));
    classifier.addExamples(label, rowsOf(known.features, known.count, own));
  }
  classifier.calibrate({
    keep,
    examples: rowsOf(known.features, known.count, places),
    labels: places.map((row) => String(digits[row])),
    leaveOut: !areHeldOut,
    posterior: rowsOf(known.logPosteriors, known.count, places),
    classes,
  });
  return sets.map((set) => ({
    features: typicalityOf(classifier, set),
    featuresAndPosterior: typicalityOf(classifier, set, classes),
  }));
}

/** @param classes the labels of the head's posterior, where that is to count */
function typicalityOf(
  classifier: OpenSetClassifier,
  { features, logPosteriors, count }: HeadOutputs,
  classes?: readonly string[],
): Float64Array {
  const out = new Float64Array(count);
  for (let first = 0; first < count; first += ROWS_AT_ONCE) {
    const rows = Array.from({ length: Math.min(ROWS_AT_ONCE, count - first) }, (_, i) => first + i);
    const answers = classifier.predict(
      rowsOf(features, count, rows),
      classes && { posterior: rowsOf(logPosteriors, count, rows), classes },
    );
    // Never null: the classifier is calibrated.
    for (const [i, { typicality }] of answers.entries()) out[first + i] = typicality!;
  }
  return out;
}

function rowsOf(values: Float32Array, count: number, rows: readonly number[]): Float32Array[] {
  const width = values.length / count;
  return rows.map((row) => values.subarray(row * width, (row + 1) * width));
}
