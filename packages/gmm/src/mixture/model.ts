import type { CovarianceType, Whitening } from './covarianceTypes.js';

/** A mixture: π [K], μ [K, D], Σ in the shape of its type, and the factors of Σ⁻¹. */
export interface Parameters extends Whitening {
  readonly weights: Float64Array;
  readonly means: Float64Array;
  readonly covariances: Float64Array;
}

/** What an M-step measures: N_k [K], μ [K, D], and the covariances before anything is added to them. */
export interface MixtureMoments {
  readonly counts: Float64Array;
  readonly means: Float64Array;
  readonly covariances: Float64Array;
}

/** Covariances drawn toward a simpler one: (1 − amount) Σ_k + amount · target. */
export interface Shrinkage {
  /** 'tied': the mean covariance of all components, weighted by their counts. 'spherical': the mean variance times I. */
  readonly toward: 'tied' | 'spherical';
  /** From 0 to 1, or 'ledoitWolf': the amount that minimises the expected squared error, of each component. */
  readonly amount: number | 'ledoitWolf';
}

/** What an M-step makes parameters with. */
export interface Settings {
  /** The method that messages name. */
  readonly op: string;
  readonly covariance: CovarianceType;
  readonly regularization: number;
  readonly shrinkage: Shrinkage | null;
  /** The Dirichlet prior's α. */
  readonly weightConcentration: number;
}
