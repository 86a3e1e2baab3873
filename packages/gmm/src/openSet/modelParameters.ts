import type { Score } from './openSetScores.js';

/** One normal distribution over D features, in float64. */
export interface NormalParameters {
  /** μ [D]. */
  readonly mean: Float64Array;
  /**
   * With 'diag' the standard deviations [D]; otherwise the lower triangular L with Σ = L Lᵀ as packed rows, entry (i, j ≤ i)
   * at i(i + 1)/2 + j [D(D + 1)/2].
   */
  readonly scale: Float64Array;
}

/** Kept examples, and the space in which directions are compared: z = L⁻¹(x − m) of the `scale` L and the mean m. */
export interface NeighbourParameters extends NormalParameters {
  /** z of the examples [n, D], those of the first label first. */
  readonly whitened: Float64Array;
  /** Where the examples of each label start, and the end [K + 1]. */
  readonly starts: Int32Array;
}

/** What the scores of a calibration compute with, and what they are ranked among. Absent: what no score of it needs. */
export interface CalibrationParameters {
  /** The share of known samples that is kept. */
  readonly keep: number;
  /** What typicality ranks, in the order in which 1/p are summed. */
  readonly scores: readonly Score[];
  /** The labels that are ranked together: the group of each label [K], from 0. */
  readonly groups: Int32Array;
  /** The same of the head's posterior ('posterior'). */
  readonly posteriorGroups?: Int32Array;
  /** For each score and group the values of the calibration samples, in rising order. */
  readonly rankings: Readonly<Partial<Record<Score, readonly Float64Array[]>>>;
  /** The combined scores of the calibration samples, in rising order. */
  readonly combined: Float64Array;
  /** The normal distribution of all examples ('relative' and 'regularized'). */
  readonly background?: NormalParameters;
  /** Those of the labels with more shrinkage [K] ('regularized'). */
  readonly regular?: readonly NormalParameters[];
  /** 'nearest'. */
  readonly neighbours?: NeighbourParameters;
  /** The median length of the kept examples of each label [K] ('norm'). */
  readonly medianLengths?: Float64Array;
  /** The share of the median by which a length may differ from it and be the same ('norm'). */
  readonly lengthTolerance?: number;
}

/** The numbers that `OpenSetClassifier.predict` computes with. */
export interface OpenSetParameters {
  /** The known labels [K], sorted by their code units. */
  readonly labels: readonly string[];
  /** log of the prior of each label [K]. */
  readonly logPriors: readonly number[];
  /** The distribution of each label [K]; labels of one covariance share its array. */
  readonly normals: readonly NormalParameters[];
  /** null where typicality is. */
  readonly calibration: CalibrationParameters | null;
}
