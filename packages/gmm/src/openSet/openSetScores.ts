// What decides how typical a sample is: the scores, and which of them are the default.

/** A score from the features alone; higher is more typical. */
export type FeatureScore = 'density' | 'relative' | 'regularized' | 'nearest' | 'norm';

/** Any score: 'posterior' is that of a network's head. */
export type Score = FeatureScore | 'posterior';

/**
 * All that can be had of features. Each of them is blind to something: 'density' to what has small features, 'relative'
 * to a direction in which labels do not differ, 'nearest' to a length, 'norm' to a direction.
 */
export const FEATURE_SCORES: readonly FeatureScore[] = [
  'density',
  'relative',
  'regularized',
  'nearest',
  'norm',
];

export const SCORES: readonly Score[] = [...FEATURE_SCORES, 'posterior'];

/** Scores in use. */
export interface UsableScores {
  readonly score: readonly FeatureScore[];
  readonly scoreWithPosterior: readonly Score[];
}

/** What the scores in use depend on. */
export interface ScoreChoice {
  readonly covariance: string;
  readonly score: FeatureScore | readonly FeatureScore[];
  readonly scoreWithPosterior: Score | readonly Score[];
}

/** Those without and with a posterior that say something of their own of so many labels with such covariances. */
export function usableScores(
  { covariance, score, scoreWithPosterior }: ScoreChoice,
  labels: number,
): UsableScores {
  return {
    score: usable([score].flat(), labels, covariance),
    scoreWithPosterior: usable([scoreWithPosterior].flat(), labels, covariance),
  };
}

function usable<S extends Score>(scores: readonly S[], labels: number, covariance: string): S[] {
  // The one label is the background; and one covariance for all labels is as regular as can be.
  const others: Partial<Record<Score, Score>> = {
    ...(covariance === 'tied' && { regularized: 'relative' }),
    ...(labels < 2 && { regularized: 'density', relative: 'density' }),
  };
  return [...new Set(scores.map((score) => (others[score] ?? score) as S))];
}
