import type { DType, Generator, Tensor } from '@gmml/tensor';
import type { CovType, Parametrization } from './feasible.js';
import type { MultivariateNormal } from '../multivariateNormal.js';

/** Options of `GMML`. */
export interface GMMLOptions {
  /** Gaussians per class, G; default 1. */
  readonly nComponent?: number;
  /** Default 'diag'. */
  readonly covType?: CovType;
  /** Replaces each component's log p by −log(−log p + 1e-4): heavy tails, no longer a density. Default false. */
  readonly logStretchTrick?: boolean;
  /** 'auto' (default) projects when d differs from inputDim; 'always' also when it is equal. */
  readonly projection?: 'auto' | 'always';
  /** 'cholesky' (default), or 'gram' to reproduce checkpoints of the original PyTorch layer: `gmmlFromTorch` reads them. */
  readonly parametrization?: Parametrization;
  /** Whether the posterior's temperature is learned; default true. Not with 'gram' or `logStretchTrick`. */
  readonly temperature?: boolean;
  /** Whether class priors are learned; default false: equal. Not with 'gram'. */
  readonly learnPriors?: boolean;
  /** Draws projection and initial means. */
  readonly generator?: Generator;
  /** Default float32. */
  readonly dtype?: DType;
}

/** What the layer's free parameters mean: the mixture that every output is computed from. */
export interface MixtureParameters {
  /** The component distributions, batch shape [N, G]. */
  readonly components: MultivariateNormal;
  /** log of the weights within each class [N, G]. */
  readonly logWeights: Tensor;
  /** log of the class priors [N]. */
  readonly logPrior: Tensor;
}
