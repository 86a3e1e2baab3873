import { ConfidenceBins } from '../openSet/detection.js';
import type { ClassAnswer } from './classModel.js';

/** How good answers for rows of known classes are. */
export interface Quality {
  readonly rows: number;
  /** The share whose most probable class is right, whether they are typical or not. */
  readonly accuracy: number;
  /** The mean of −log p(right class | row), in nats. */
  readonly nll: number;
  /** The expected calibration error, by 15 bins. */
  readonly ece: number;
  /** The share that is typical enough; null where there was no calibration. */
  readonly coverage: number | null;
}

/** Sums up the quality of answers as they come. */
export class QualitySums {
  #rows = 0;
  #correct = 0;
  #loss = 0;
  #kept = 0;
  #isCalibrated = true;
  readonly #bins = new ConfidenceBins();

  /** @param truth the place of the right class. Gives the loss, −log p of it */
  add({ probabilities, best, isKept, typicality }: ClassAnswer, truth: number): number {
    this.#rows++;
    if (best === truth) this.#correct++;
    if (isKept) this.#kept++;
    this.#isCalibrated &&= typicality !== null;
    // A probability may be less than float64 holds: it counts as the smallest that it does.
    const loss = -Math.log(Math.max(probabilities[truth], Number.MIN_VALUE));
    this.#loss += loss;
    // Sums of shares may exceed 1 by rounding.
    this.#bins.add(Math.min(1, probabilities[best]), best === truth);
    return loss;
  }

  get rows(): number {
    return this.#rows;
  }

  /** Of at least one row. */
  quality(): Quality {
    const rows = this.#rows;
    return {
      rows,
      accuracy: this.#correct / rows,
      nll: this.#loss / rows,
      ece: this.#bins.error(),
      coverage: this.#isCalibrated ? this.#kept / rows : null,
    };
  }
}
