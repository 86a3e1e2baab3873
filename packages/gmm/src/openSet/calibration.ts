import { NumericalError } from '@gmml/tensor';
import type { Score } from './openSetScores.js';
import { pValue, type Groups, type Ranking } from './ranking.js';

/** Values [n, groups] of several scores; the posterior's groups may be others than the features'. */
export type ScoreColumns = Readonly<Partial<Record<Score, Float64Array>>>;

/** What typicality is ranked against, and where it ends. */
export interface Calibration {
  /** The share of known samples that is kept. */
  readonly keep: number;
  /** Which labels are ranked together by scores from features, and by the posterior where there was one. */
  readonly groups: Groups;
  readonly posteriorGroups: Groups | null;
  readonly rankings: Readonly<Partial<Record<Score, Ranking>>>;
  /** The calibration samples' combined scores in rising order: from features alone, and with a posterior. */
  readonly combined: Float64Array;
  readonly combinedWithPosterior: Float64Array | null;
}

/** The groups of a sample's own label; −1 where it is not among the ranked. */
export interface OwnGroups {
  readonly features: number;
  readonly posterior: number;
}

/**
 * One number of several scores, higher being more typical: −Σ 1/p of their p-values, which rises with their harmonic mean
 * (Wilson, "The harmonic mean p-value for combining dependent tests", 2019): the smallest count most. Scores may depend on
 * each other in any way: sums are ranked in turn.
 * @param own the group of a sample that is itself among the ranked, by the features' groups and by the posterior's
 */
export function combinedScore(
  rankings: Calibration['rankings'],
  scores: readonly Score[],
  columns: ScoreColumns,
  row: number,
  own: OwnGroups = { features: -1, posterior: -1 },
): number {
  // Of one score and one group the order is all there is: ranks would only be coarser.
  const [only] = scores;
  if (scores.length === 1 && rankings[only]!.sorted.length === 1) return columns[only]![row];
  const combined = scores.reduce((sum, score) => {
    const group = score === 'posterior' ? own.posterior : own.features;
    return sum - 1 / rankings[score]!.p(columns[score]!, row, group);
  }, 0);
  // The same p-values of other scores are a tie, whatever rounding does to their sum.
  return Math.fround(combined);
}

/** p in (0, 1] of a sample with these scores: (1 + number of calibration samples as typical or less)/(n + 1). */
export function typicality(
  { rankings, combined, combinedWithPosterior }: Calibration,
  scores: readonly Score[],
  columns: ScoreColumns,
  row: number,
): number {
  const ranked = columns.posterior ? combinedWithPosterior! : combined;
  return pValue(ranked, combinedScore(rankings, scores, columns, row));
}

/** Whether there are enough samples to tell a share of 1 − keep. */
export function isEnough({ keep, combined }: Pick<Calibration, 'keep' | 'combined'>): boolean {
  return combined.length >= samplesNeeded(keep);
}

/** @throws NumericalError with the number needed unless there are enough samples */
export function checkEnough(op: string, calibration: Calibration): void {
  if (isEnough(calibration)) return;
  const { keep, combined } = calibration;
  throw new NumericalError(
    `${op}: keep ${keep} needs at least ${samplesNeeded(keep)} calibration samples: there are ${combined.length}. Add examples (a label's count from the second on), give held-out ones as examples, or lower keep.`,
  );
}

/** The number of calibration samples without which no p-value reaches 1 − keep: 1/(1 − keep) − 1, rounded up. */
function samplesNeeded(keep: number): number {
  // Rounding in 1 − keep must not ask for one more.
  return Math.max(1, Math.ceil(1 / (1 - keep) - 1 - 1e-9 / (1 - keep)));
}
