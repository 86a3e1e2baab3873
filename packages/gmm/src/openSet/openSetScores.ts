// What decides how typical a sample is: the scores, which of them are the default, and how the posterior enters.

/** A score from the features alone; higher is more typical. */
export type FeatureScore = 'relative' | 'density';

/** Any score: 'posterior' is that of a network's head. */
export type Score = FeatureScore | 'posterior';

/**
 * Of features alone, unless the option `score` says otherwise. 'relative' tells near strangers best, but nothing of a
 * direction in which labels do not differ, however far a sample lies along it: 'density' does.
 */
export const DEFAULT_SCORE: readonly FeatureScore[] = ['relative', 'density'];

/** With a head's posterior, unless the option `scoreWithPosterior` says otherwise. */
export const DEFAULT_SCORE_WITH_POSTERIOR: readonly Score[] = ['density', 'posterior'];

export const FEATURE_SCORES: readonly FeatureScore[] = ['density', 'relative'];

export const SCORES: readonly Score[] = [...FEATURE_SCORES, 'posterior'];

/** What the model knows of one sample. */
export interface SampleDensities {
  /** log of the highest density of any label. */
  readonly best: number;
  /** log of the mixture's density. */
  readonly mixture: number;
  /** log of the density of one normal distribution for all examples. */
  readonly background: number;
}

/**
 * 'density': log p(x) of the mixture of all labels. 'relative': log of the best label's density minus that of one
 * normal distribution for all examples, in which what all labels share cancels (Ren et al., "A simple fix to
 * Mahalanobis distance for improving near-OOD detection", 2021).
 */
export const scoreOf: Readonly<Record<FeatureScore, (sample: SampleDensities) => number>> = {
  density: ({ mixture }) => mixture,
  relative: ({ best, background }) => (best === -Infinity ? -Infinity : best - background),
};

/** The scores as they are used with so many labels: the best of one label is the background. */
export function usable(scores: readonly Score[], labels: number): readonly Score[] {
  const used = labels > 1 ? scores : scores.map((score) => (score === 'relative' ? 'density' : score));
  return [...new Set(used)];
}
