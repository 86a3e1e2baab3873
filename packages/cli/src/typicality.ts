import { OpenSetClassifier } from '@gmml/gmm';
import type { HeadOutputs } from './headOutputs.js';

/** How typical each of N inputs is, in (0, 1]: among known digits, the share that is as typical or less. */
export interface Typicalities {
  /** By the features alone. */
  readonly features: Float64Array;
  /** By the features and the trained head's posterior. */
  readonly featuresAndPosterior: Float64Array;
}

/** Inputs that are asked about at once: answers say more than is needed here, and take memory. */
const ROWS_AT_ONCE = 256;

/** One part in so many of the training inputs is held out where a posterior is at hand. */
const HELD_OUT = 5;

/**
 * Fits a normal distribution to the training features of each digit, and asks how typical the inputs of each set are.
 * Unknown is what has a typicality below 1 − keep.
 *
 * From features alone the threshold comes from every training input as if it had been left out. With the posterior it
 * comes from a fifth of them, or as many as `keep` needs, up to a half, which the normal distributions have not seen.
 *
 * @param digits [N] of the training inputs
 * @throws NumericalError when there are too few training inputs for this `keep`
 */
export function typicalities(
  train: HeadOutputs,
  digits: readonly number[],
  sets: readonly HeadOutputs[],
  keep: number,
): Typicalities[] {
  const features = rowsOf(train.features, train.count);
  const posteriors = rowsOf(train.logPosteriors, train.count);
  const byDigit = Array.from(digits.keys()).toSorted((a, b) => digits[a] - digits[b]);

  const alone = fitted(byDigit, features, digits);
  alone.calibrate({ keep });
  const byFeatures = sets.map((set) => typicalityOf(alone, set));

  const step = Math.max(2, Math.min(HELD_OUT, Math.floor(train.count * (1 - keep))));
  const isHeldOut = (place: number): boolean => place % step === step - 1;
  const heldOut = byDigit.filter((_, place) => isHeldOut(place));
  const seen = byDigit.filter((_, place) => !isHeldOut(place));
  const withPosterior = fitted(seen, features, digits);
  withPosterior.calibrate({
    keep,
    examples: heldOut.map((row) => features[row]),
    posterior: heldOut.map((row) => posteriors[row]),
  });
  return sets.map((set, i) => ({
    features: byFeatures[i],
    featuresAndPosterior: typicalityOf(withPosterior, set, rowsOf(set.logPosteriors, set.count)),
  }));
}

function fitted(
  rows: readonly number[],
  features: readonly Float32Array[],
  digits: readonly number[],
): OpenSetClassifier {
  const classifier = new OpenSetClassifier({ features: features[0].length, covariance: 'full' });
  for (const digit of new Set(digits)) {
    const own = rows.filter((row) => digits[row] === digit);
    classifier.addExamples(
      String(digit),
      own.map((row) => features[row]),
    );
  }
  return classifier;
}

function typicalityOf(
  classifier: OpenSetClassifier,
  { features, count }: HeadOutputs,
  posterior?: readonly Float32Array[],
): Float64Array {
  const rows = rowsOf(features, count);
  const out = new Float64Array(count);
  for (let first = 0; first < count; first += ROWS_AT_ONCE) {
    const end = first + ROWS_AT_ONCE;
    const answers = classifier.predict(rows.slice(first, end), { posterior: posterior?.slice(first, end) });
    // Never null: the classifier is calibrated.
    for (const [i, { typicality }] of answers.entries()) out[first + i] = typicality!;
  }
  return out;
}

function rowsOf(values: Float32Array, count: number): Float32Array[] {
  const length = values.length / count;
  return Array.from({ length: count }, (_, n) => values.subarray(n * length, (n + 1) * length));
}
