import { ArgumentError, type Generator } from '@gmml/tensor';
import { checkBoolean, checkInteger, checkIntegers, checkNumber, checkOneOf } from '@gmml/tensor/checks';
import type { CovarianceType } from './covarianceTypes.js';
import type { Shrinkage } from './model.js';
import type { Vector } from './rows.js';
import { checkInit, type MixtureInit } from './start.js';

/** Options of `GaussianMixture`. */
export interface GaussianMixtureOptions {
  /** K; default 1. */
  readonly components?: number;
  /** Default 'full'. */
  readonly covariance?: CovarianceType;
  /** EM ends once the lower bound changes by less; default 1e-3, at least 0. */
  readonly tolerance?: number;
  /** Added to the diagonal of every covariance; default 1e-6, at least 0. */
  readonly regularization?: number;
  /** Of each start; default 100. With 0 the mixture stays where it starts. */
  readonly maxIterations?: number;
  /** Starts, of which the one with the largest lower bound counts; default 1. */
  readonly restarts?: number;
  /** Default 'kmeans'. */
  readonly init?: MixtureInit;
  /** Whether a fit goes on from the one before; default false. There is then one start. */
  readonly warmStart?: boolean;
  /** Draws starts and samples. Default: the one that `manualSeed` restarts. */
  readonly generator?: Generator;
  /** 'refuse' rows with NaN (default), or 'marginalize': use what is observed of them; 'full' and 'diag' only. */
  readonly missing?: 'refuse' | 'marginalize';
  /** Covariances drawn toward a simpler one in every M-step; default none. */
  readonly shrinkage?: Shrinkage;
  /** α ≥ 1 of a symmetric Dirichlet prior on the weights, which are its mode, ∝ N_k + α − 1; default 1: none. */
  readonly weightConcentration?: number;
}

/** Where EM is after an iteration. The mixture itself has the parameters of that iteration. */
export interface MixtureProgress {
  /** Which start this is, from 0. */
  readonly restart: number;
  /** From 1. */
  readonly iteration: number;
  /** The mean of log p(xₙ) under the parameters before this iteration's M-step. */
  readonly lowerBound: number;
  /** What the iteration added to it; ∞ at first. */
  readonly change: number;
  /** Whether the change was below the tolerance: the last iteration of this start. */
  readonly converged: boolean;
}

/** What `fit` takes beside the samples. */
export interface FitOptions {
  /** Weights of the samples [N], not negative: a weight of 2 counts as two equal rows. Default 1 for each. */
  readonly sampleWeight?: Vector;
  /** Looked at before each iteration: an AbortSignal. */
  readonly signal?: { readonly aborted: boolean; readonly reason?: unknown };
  /** Called after each iteration. */
  readonly onIteration?: (progress: MixtureProgress) => void;
}

/** What `partialFit` takes beside the batch. */
export interface PartialFitOptions {
  readonly sampleWeight?: Vector;
  /** κ of the step η = (B/(B + samples so far))^κ: 1 weighs all samples alike, less forgets. From 0.5 to 1; default 0.7. */
  readonly decay?: number;
}

/** Every option that has a default, with it. */
export type MixtureChoices = Required<Omit<GaussianMixtureOptions, 'generator' | 'shrinkage'>>;

/** @throws ArgumentError for a value outside of its range, or one that does not go with another */
export function checkMixtureOptions(op: string, options: GaussianMixtureOptions): MixtureChoices {
  const { components = 1, covariance = 'full', tolerance = 1e-3, regularization = 1e-6 } = options;
  const { maxIterations = 100, restarts = 1, init = 'kmeans', warmStart = false } = options;
  const { missing = 'refuse', shrinkage, weightConcentration = 1 } = options;
  checkIntegers(op, { components, restarts }, 1);
  checkOneOf(op, 'covariance', covariance, ['full', 'tied', 'diag', 'spherical']);
  checkNumber(op, 'tolerance', tolerance, { from: 0 });
  checkNumber(op, 'regularization', regularization, { from: 0 });
  checkInteger(op, 'maxIterations', maxIterations, 0);
  checkInit(op, init);
  checkBoolean(op, 'warmStart', warmStart);
  checkOneOf(op, 'missing', missing, ['refuse', 'marginalize']);
  checkNumber(op, 'weightConcentration', weightConcentration, { from: 1 });
  if (missing === 'marginalize' && covariance !== 'full' && covariance !== 'diag') {
    throw new ArgumentError(
      `${op}: missing 'marginalize' goes with covariance 'full' or 'diag': it is '${covariance}'.`,
    );
  }
  if (shrinkage) checkShrinkage(op, shrinkage, covariance, missing);
  return {
    components,
    covariance,
    tolerance,
    regularization,
    maxIterations,
    restarts,
    init,
    warmStart,
    missing,
    weightConcentration,
  };
}

function checkShrinkage(
  op: string,
  { toward, amount }: Shrinkage,
  covariance: CovarianceType,
  missing: string,
): void {
  checkOneOf(op, 'shrinkage.toward', toward, ['tied', 'spherical']);
  if (toward === covariance) {
    throw new ArgumentError(
      `${op}: shrinkage must be toward another form than the covariance: both are '${toward}'.`,
    );
  }
  if (amount !== 'ledoitWolf') checkNumber(op, 'shrinkage.amount', amount, { from: 0, to: 1 });
  else if (missing === 'marginalize') {
    throw new ArgumentError(
      `${op}: shrinkage.amount 'ledoitWolf' needs complete samples: missing is 'marginalize'. Give a fixed amount.`,
    );
  }
}
