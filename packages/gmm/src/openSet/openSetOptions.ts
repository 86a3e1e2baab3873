import type { Tensor } from '@gmml/tensor';
import type { OpenSetCovariance } from './classGaussians.js';
import type { Priors } from './openSetModel.js';
import type { FeatureScore, Score } from './openSetScores.js';
import type { Shrinkage } from './shrinkage.js';
import type { Vector, Vectors } from './vectors.js';

/** Options of `OpenSetClassifier`. */
export interface OpenSetOptions {
  /** The length D of the vectors. */
  readonly features: number;
  /**
   * 'tied' (default): one covariance for all labels, for which few examples a label are enough; 'full': one for each
   * label; 'diag': variances for each label.
   */
  readonly covariance?: OpenSetCovariance;
  /**
   * How far covariances are moved toward simpler ones, from 0 to 1: 'tied' toward the spherical one, 'full' toward
   * the tied one, 'diag' toward the pooled variances. Default 'auto': the more the fewer examples; the tied one as
   * left-out examples are likeliest (Hoffbeck and Landgrebe, 1996), a label's by the expected error (Ledoit and Wolf,
   * 2004). A label with one example has the target itself.
   */
  readonly shrinkage?: Shrinkage;
  /** Whether labels are equally likely (default 'equal') or as often as there are examples ('counts'). */
  readonly priors?: Priors;
  /**
   * What typicality ranks; of several scores the harmonic mean of their p-values, in which the smallest count most
   * (Wilson, "The harmonic mean p-value for combining dependent tests", 2019). Default all of them:
   * - 'density': log p(x | label).
   * - 'relative': the same less the log density of one normal distribution for all examples, in which what all labels
   *   share cancels (Ren et al., "A simple fix to Mahalanobis distance for improving near-OOD detection", 2021). Of one
   *   label 'density'.
   * - 'regularized': 'relative' with covariances that are at least half way toward the tied one (Friedman, "Regularized
   *   discriminant analysis", 1989). Of tied covariances 'relative'.
   * - 'nearest': the cosine between the directions of the vector and of the kept example that it is most like, from the
   *   mean of all examples and where the pooled covariance, shrunk by at least 0.3, is the identity (Sun et al.,
   *   "Out-of-distribution detection with deep nearest neighbors", 2022).
   * - 'norm': how far the vector's length is from the median of the label's.
   *
   * Each is ranked label by label where there are 50 calibration samples of it, and the best label counts.
   */
  readonly score?: FeatureScore | readonly FeatureScore[];
  /** The same where a head's posterior is given: 'posterior' is log p(label | x) by the head. Default all six. */
  readonly scoreWithPosterior?: Score | readonly Score[];
}

/** Options of `OpenSetClassifier.calibrate`. */
export interface CalibrateOptions {
  /** The share of known samples to keep, above 0 and below 1; default 0.95. */
  readonly keep?: number;
  /** Vectors [N, D] of known labels; default: the kept examples, each scored as if it had not been added. */
  readonly examples?: Tensor | Vectors;
  /** Their labels [N]. */
  readonly labels?: readonly string[];
  /**
   * Whether they have been added as examples too: each is then scored as if it had not been. Default false: they are
   * held out. Needs labels.
   */
  readonly leaveOut?: boolean;
  /** A network head's log-probabilities for them [N, C], as a further score. */
  readonly posterior?: Tensor | Vectors;
  /** The label of each of the C columns of the posterior; default: all labels, sorted. */
  readonly classes?: readonly string[];
}

/** Options of `OpenSetClassifier.predict`. */
export interface PredictOptions {
  /** The head's log-probabilities [N, C], or [C] for one vector; the calibration must have had them too. */
  readonly posterior?: Tensor | Vectors | Vector;
  /** The label of each of its C columns; default: all labels, sorted. */
  readonly classes?: readonly string[];
}

/** What `OpenSetClassifier.predict` says of a vector. */
export interface OpenSetAnswer {
  /** The most probable label, or null when the vector is too untypical for any. Never null before calibration. */
  readonly label: string | null;
  /** p(label | vector), given that it is one of them; they sum to 1. */
  readonly probabilities: Readonly<Record<string, number>>;
  /** log p(x) of the mixture of all labels, a density that may exceed 0. */
  readonly logDensity: number;
  /** The empirical p-value in (0, 1] of the vector's score among calibration samples; null before calibration. */
  readonly typicality: number | null;
  /** The most probable label, whether the vector is typical or not. */
  readonly nearest: string;
  /**
   * From 0 to 1, how much the examples say about the nearest label: n/(n + 1)·ν/(ν + D) for its n examples and the
   * ν degrees of freedom of its covariance. 0: the covariance is assumed; near 1: mean and covariance are measured.
   */
  readonly reliability: number;
}
