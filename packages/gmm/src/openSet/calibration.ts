import { ArgumentError, NumericalError, ShapeError, Tensor } from '@gmml/tensor';
import { samplesNeeded, Typicality } from './typicality.js';
import { SCORES, type Score } from './openSetScores.js';
import type { Vector, Vectors } from './vectors.js';

/** The scores of n calibration samples: each [n], those from the features always, the head's where it was given. */
export type CalibrationScores = Readonly<Partial<Record<Score, Float64Array>>>;

/** What typicality is ranked against, and where it ends. */
export class Calibration {
  /** The share of known samples that is kept. */
  readonly keep: number;
  readonly scores: CalibrationScores;
  private readonly made = new Map<string, Typicality>();

  constructor(keep: number, scores: CalibrationScores) {
    this.keep = keep;
    this.scores = scores;
  }

  /** How many samples, n. */
  get samples(): number {
    return this.scores.density?.length ?? 0;
  }

  /** Whether there are enough samples to tell a share of 1 − keep. */
  get isEnough(): boolean {
    return this.samples >= samplesNeeded(this.keep);
  }

  has(score: Score): boolean {
    return this.scores[score] !== undefined;
  }

  /** The ranking by these scores, each of which is there. */
  typicality(scores: readonly Score[]): Typicality {
    const key = scores.join(' ');
    const made = this.made.get(key) ?? new Typicality(scores.map((score) => this.scores[score]!));
    this.made.set(key, made);
    return made;
  }

  /** The scores that are there, in a fixed order. */
  names(): Score[] {
    return SCORES.filter((score) => this.has(score));
  }
}

/** @throws NumericalError with the number needed unless there are enough samples */
export function checkEnough(op: string, calibration: Calibration): void {
  const { keep, samples } = calibration;
  if (calibration.isEnough) return;
  throw new NumericalError(
    `${op}: keep ${keep} needs at least ${samplesNeeded(keep)} calibration samples: there are ${samples}. Add examples (a label's count from the second on), give held-out ones as examples, or lower keep.`,
  );
}

/**
 * The score of a head's log-posteriors [N, C], or [C] for one sample: the largest of each row.
 * @throws ShapeError unless there is a row for each sample; ArgumentError for what is no log-probability
 */
export function posteriorScores(
  op: string,
  posterior: Tensor | Vectors | Vector,
  rows: number,
): Float64Array {
  const parts = posterior instanceof Tensor ? rowsOfTensor(posterior) : posterior;
  const vectors = (typeof parts[0] === 'number' ? [parts] : parts) as Vectors;
  if (vectors.length !== rows) {
    throw new ShapeError(
      `${op}: the posterior must have a row for each sample: it has ${vectors.length}, there are ${rows} samples.`,
    );
  }
  return Float64Array.from(vectors, (vector, row) => {
    const largest = Math.max(...vector);
    // Rounding in float32 may leave the log of 1 a little above 0.
    if (!(largest > -Infinity && largest <= 1e-3)) {
      throw new ArgumentError(
        `${op}: the posterior must be log-probabilities: the largest of row ${row} is ${largest}. Give the output of logSoftmax.`,
      );
    }
    return largest;
  });
}

function rowsOfTensor(x: Tensor): Vectors {
  const classes = x.shape[x.ndim - 1] ?? 1;
  return Array.from({ length: x.size / Math.max(1, classes) }, (_, n) =>
    x.data.subarray(n * classes, (n + 1) * classes),
  );
}
