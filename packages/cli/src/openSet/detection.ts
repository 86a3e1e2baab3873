import { ArgumentError, NotFiniteError } from '@gmml/tensor';
import { checkInteger, checkNumber } from '@gmml/tensor/checks';

/**
 * Area under the receiver operating characteristic: the probability that a known sample has a higher score than an
 * unknown one, ties counting half, (#{known > unknown} + ½ #{known = unknown}) / (n·m). In [0, 1]; ½ is guessing.
 *
 * @param known [n] scores, higher being more typical; infinite ones are allowed
 * @param unknown [m]
 * @throws ArgumentError when one of them is empty; NotFiniteError for NaN
 * @see Hanley and McNeil 1982, "The meaning and use of the area under a receiver operating characteristic curve"
 */
export function auroc(known: ArrayLike<number>, unknown: ArrayLike<number>): number {
  const positives = sorted('auroc', 'known', known);
  const negatives = sorted('auroc', 'unknown', unknown);
  let [below, notAbove, wins] = [0, 0, 0];
  for (const score of positives) {
    while (below < negatives.length && negatives[below] < score) below++;
    while (notAbove < negatives.length && negatives[notAbove] <= score) notAbove++;
    wins += (below + notAbove) / 2;
  }
  return wins / (positives.length * negatives.length);
}

/**
 * The share of unknown samples that are taken for known ones where the share `kept` of known ones is kept: of those at
 * or above the highest threshold that leaves at least so many known ones. In [0, 1]; 0 is best.
 *
 * @param known [n] scores, higher being more typical; infinite ones are allowed
 * @param unknown [m]
 * @param kept the true-positive rate, from 0 to 1; default 0.95
 * @throws ArgumentError when one of them is empty or `kept` is out of its range; NotFiniteError for NaN
 * @see Hendrycks and Gimpel 2017, "A baseline for detecting misclassified and out-of-distribution examples"; Liang, Li
 *   and Srikant 2018, "Enhancing the reliability of out-of-distribution image detection", section 4.2
 */
export function falsePositiveRate(known: ArrayLike<number>, unknown: ArrayLike<number>, kept = 0.95): number {
  const op = 'falsePositiveRate';
  checkNumber(op, 'kept', kept, { from: 0, to: 1 });
  const positives = sorted(op, 'known', known);
  const negatives = sorted(op, 'unknown', unknown);
  const n = positives.length;
  let needed = Math.ceil(kept * n);
  // The product may round up beyond an integer that it should be: a share of exactly `kept` is enough.
  if (needed > 0 && (needed - 1) / n >= kept) needed--;
  if (needed === 0) return 0;
  const threshold = positives[n - needed];
  return negatives.filter((score) => score >= threshold).length / negatives.length;
}

/** The answers whose confidence lies in one bin. */
export interface ReliabilityBin {
  count: number;
  correct: number;
  /** Σ of the confidences. */
  confidence: number;
}

/**
 * Sorts answers by their confidence into B bins of equal width ((b − 1)/B, b/B]; a confidence of 0 is in the first.
 *
 * @param confidences [n] the probability of each answer, from 0 to 1
 * @param correct [n] whether it is right
 * @param bins B, an integer of at least 1; default 15
 * @throws ArgumentError when there is none, the lengths differ, or a confidence is out of its range
 * @see DeGroot and Fienberg 1983, "The comparison and evaluation of forecasters"
 */
export function reliabilityBins(
  confidences: ArrayLike<number>,
  correct: ArrayLike<boolean>,
  bins = 15,
): ReliabilityBin[] {
  return binned('reliabilityBins', confidences, correct, bins).bins;
}

/**
 * Expected calibration error Σ_b (n_b / n) · |accuracy_b − confidence_b| over the bins of `reliabilityBins`. In [0, 1]; 0
 * when of the answers that are 90 % sure, 90 % are right, and so on.
 *
 * @param confidences [n] the probability of each answer, from 0 to 1
 * @param correct [n] whether it is right
 * @param bins B, an integer of at least 1; default 15
 * @throws ArgumentError when there is none, the lengths differ, or a confidence is out of its range
 * @see Guo, Pleiss, Sun and Weinberger 2017, "On calibration of modern neural networks", equation 3
 */
export function expectedCalibrationError(
  confidences: ArrayLike<number>,
  correct: ArrayLike<boolean>,
  bins = 15,
): number {
  return binned('expectedCalibrationError', confidences, correct, bins).error();
}

function binned(
  op: string,
  confidences: ArrayLike<number>,
  correct: ArrayLike<boolean>,
  bins: number,
): ConfidenceBins {
  const n = confidences.length;
  checkInteger(op, 'bins', bins, 1);
  if (n === 0 || correct.length !== n) {
    throw new ArgumentError(
      `${op}: there must be as many confidences as answers, at least one: there are ${n} and ${correct.length}.`,
    );
  }
  const all = new ConfidenceBins(bins);
  for (let i = 0; i < n; i++) {
    checkNumber(op, `confidence ${i}`, confidences[i], { from: 0, to: 1 });
    all.add(confidences[i], correct[i]);
  }
  return all;
}

/** What calibration is measured by, summed up over answers that come one after the other. */
export class ConfidenceBins {
  /** The bins ((b − 1)/B, b/B]. */
  readonly bins: ReliabilityBin[];

  /** @param bins B, an integer of at least 1; default 15 */
  constructor(bins = 15) {
    this.bins = Array.from({ length: bins }, () => ({ count: 0, correct: 0, confidence: 0 }));
  }

  /** @param confidence from 0 to 1 */
  add(confidence: number, isCorrect: boolean): void {
    const bin = this.bins[Math.max(0, Math.ceil(confidence * this.bins.length) - 1)];
    bin.count++;
    if (isCorrect) bin.correct++;
    bin.confidence += confidence;
  }

  /** The expected calibration error of at least one answer. */
  error(): number {
    const [gaps, count] = this.bins.reduce(
      ([sum, all], bin) => [sum + Math.abs(bin.correct - bin.confidence), all + bin.count],
      [0, 0],
    );
    return gaps / count;
  }
}

function sorted(op: string, name: string, scores: ArrayLike<number>): Float64Array {
  const values = Float64Array.from(scores);
  if (values.length === 0) {
    throw new ArgumentError(`${op}: there must be ${name} scores: there are none.`);
  }
  const bad = values.findIndex(Number.isNaN);
  if (bad >= 0) throw new NotFiniteError(`${op}: ${name} scores must be numbers: score ${bad} is NaN.`);
  return values.toSorted();
}
