import type { FloatArray } from '@gmml/tensor';
import { expectedCalibrationError } from './detection.js';

/** How good a head's posteriors are on the test images. */
export interface HeadQuality {
  /** Fraction of the images classified correctly. */
  accuracy: number;
  /** Mean negative log-likelihood. */
  nll: number;
  /** Expected calibration error, 15 bins. */
  ece: number;
}

/** A head's answers to N images, an image each: the most probable class, the first of equals. */
export interface Answers {
  /** Places of the classes. */
  readonly classes: Int32Array;
  /** The probability of each answer. */
  readonly confidences: Float64Array;
  readonly correct: readonly boolean[];
  /** −log p(true class) of each image. */
  readonly losses: Float64Array;
}

/** Reads the answers from log p(class | image) [N, C], row by row, and the true classes [N]. */
export function answersOf(logPosteriors: Float32Array, labels: FloatArray): Answers {
  const count = labels.length;
  const nClass = logPosteriors.length / count;
  const classes = new Int32Array(count);
  const confidences = new Float64Array(count);
  const losses = new Float64Array(count);
  for (let n = 0; n < count; n++) {
    const row = logPosteriors.subarray(n * nClass, (n + 1) * nClass);
    const largest = Math.max(...row);
    classes[n] = row.indexOf(largest);
    // Rounding in float32 may leave the log of 1 a little above 0.
    confidences[n] = Math.min(1, Math.exp(largest));
    losses[n] = -row[labels[n]];
  }
  return { classes, confidences, correct: Array.from(classes, (label, n) => label === labels[n]), losses };
}

/** The means over all answers. */
export function qualityOf({ confidences, correct, losses }: Answers): HeadQuality {
  return {
    accuracy: correct.filter(Boolean).length / correct.length,
    nll: losses.reduce((sum, loss) => sum + loss / losses.length, 0),
    ece: expectedCalibrationError(confidences, correct),
  };
}
