import { ArgumentError, GmmlError } from '@gmml/tensor';
import { checkOneOf } from '@gmml/tensor/checks';
import { GaussianMixture } from './gaussianMixture.js';
import type { CovarianceType } from './covarianceTypes.js';
import type { FitOptions, GaussianMixtureOptions } from './options.js';
import type { Rows } from './rows.js';

/** What `fitBest` tries, and the options that all mixtures share. */
export interface FitBestOptions extends Omit<GaussianMixtureOptions, 'components' | 'covariance' | 'init'> {
  /** Numbers of components to try. */
  readonly components: readonly number[];
  /** Default all four, less 'tied' and 'spherical' where missing values are marginalized. */
  readonly covariances?: readonly CovarianceType[];
  /** What the least of decides: 'bic' (default) or 'aic'. */
  readonly criterion?: 'bic' | 'aic';
  /** How each mixture starts; default 'kmeans'. */
  readonly init?: 'kmeans' | 'kmeans++' | 'random' | 'randomFromData';
  /** As in `GaussianMixture.fit`. */
  readonly signal?: FitOptions['signal'];
}

/** One mixture that was tried. */
export interface Candidate {
  readonly components: number;
  readonly covariance: CovarianceType;
  /** Both are ∞ where the fit failed. */
  readonly bic: number;
  readonly aic: number;
  readonly mixture: GaussianMixture | null;
  /** Why the fit failed. */
  readonly error: Error | null;
}

/**
 * Fits a mixture for every number of components and covariance type, and gives the one with the least BIC (or AIC) beside
 * the table of all. Ties go to the first. A candidate that cannot be fitted is in the table with its error.
 * @throws ArgumentError where there is nothing to try; the first candidate's error when every one fails
 * @example
 * const x = randn([200, 2]);
 * fitBest(x, { components: [1, 2, 3], covariances: ['full', 'tied'] }).best.components; // 1
 */
export function fitBest(
  x: Rows,
  options: FitBestOptions,
): { best: GaussianMixture; candidates: readonly Candidate[] } {
  const { components, criterion = 'bic', signal, ...shared } = options;
  const all: readonly CovarianceType[] =
    options.missing === 'marginalize' ? ['full', 'diag'] : ['full', 'tied', 'diag', 'spherical'];
  const { covariances = all } = options;
  checkOneOf('fitBest', 'criterion', criterion, ['bic', 'aic']);
  if (!Array.isArray(components) || components.length === 0 || covariances.length === 0) {
    throw new ArgumentError('fitBest: components and covariances must each name one or more: one is empty.');
  }
  const mixtures = covariances.flatMap((covariance) =>
    components.map((count) => new GaussianMixture({ ...shared, components: count, covariance })),
  );
  const candidates = mixtures.map((mixture) => tried(mixture, x, signal));
  const best = candidates.reduce((a, b) => (b[criterion] < a[criterion] ? b : a));
  if (best.mixture === null) throw candidates[0].error!;
  return { best: best.mixture, candidates };
}

function tried(mixture: GaussianMixture, x: Rows, signal: FitOptions['signal']): Candidate {
  const { components, covariance } = mixture;
  try {
    mixture.fit(x, { signal });
    return { components, covariance, bic: mixture.bic(x), aic: mixture.aic(x), mixture, error: null };
  } catch (error) {
    if (!(error instanceof GmmlError) || signal?.aborted) throw error;
    return { components, covariance, bic: Infinity, aic: Infinity, mixture: null, error };
  }
}
