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

/**
 * Fits a normal distribution to the features of each digit's examples, and asks how typical the inputs of each set are.
 * Unknown is what has a typicality below 1 − keep. The threshold comes from some of the examples, each as if it had
 * been left out: best from such as the network was not trained on.
 *
 * @param examples training inputs
 * @param digits [N] of the examples
 * @param calibrating places of those examples that set the threshold
 * @throws NumericalError when they are too few for this `keep`
 */
export function typicalities(
  examples: HeadOutputs,
  digits: readonly number[],
  calibrating: readonly number[],
  sets: readonly HeadOutputs[],
  keep: number,
): Typicalities[] {
  const features = rowsOf(examples.features, examples.count);
  const posteriors = rowsOf(examples.logPosteriors, examples.count);
  const classes = [...new Set(digits)].toSorted((a, b) => a - b).map(String);
  const classifier = new OpenSetClassifier({ features: features[0].length, covariance: 'full' });
  for (const label of classes) {
    classifier.addExamples(
      label,
      features.filter((_, row) => String(digits[row]) === label),
    );
  }
  classifier.calibrate({
    keep,
    examples: calibrating.map((row) => features[row]),
    labels: calibrating.map((row) => String(digits[row])),
    leaveOut: true,
    posterior: calibrating.map((row) => posteriors[row]),
    classes,
  });
  return sets.map((set) => ({
    features: typicalityOf(classifier, set),
    featuresAndPosterior: typicalityOf(classifier, set, {
      posterior: rowsOf(set.logPosteriors, set.count),
      classes,
    }),
  }));
}

function typicalityOf(
  classifier: OpenSetClassifier,
  { features, count }: HeadOutputs,
  head?: { readonly posterior: readonly Float32Array[]; readonly classes: readonly string[] },
): Float64Array {
  const rows = rowsOf(features, count);
  const out = new Float64Array(count);
  for (let first = 0; first < count; first += ROWS_AT_ONCE) {
    const end = first + ROWS_AT_ONCE;
    const answers = classifier.predict(
      rows.slice(first, end),
      head && { ...head, posterior: head.posterior.slice(first, end) },
    );
    // Never null: the classifier is calibrated.
    for (const [i, { typicality }] of answers.entries()) out[first + i] = typicality!;
  }
  return out;
}

function rowsOf(values: Float32Array, count: number): Float32Array[] {
  const length = values.length / count;
  return Array.from({ length: count }, (_, n) => values.subarray(n * length, (n + 1) * length));
}
