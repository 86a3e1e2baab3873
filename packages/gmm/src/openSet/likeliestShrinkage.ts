import { leftOutLogDensity } from '../leaveOneOut.js';
import { addToDiagonal } from '../linearAlgebra/symmetric.js';
import { weightsOf } from './shrinkage.js';

/** From one amount that is tried to the next. */
const STEP = Math.sqrt(10);

/** Examples less the means of their own labels, and how much farther they are from these means without them. */
export interface Deviations {
  /** x − μ [n, D]. */
  readonly rows: Float64Array;
  /** count/(count − 1) of each one's label [n]. */
  readonly reaches: Float64Array;
}

/**
 * ρ toward the spherical v·I for which examples are likeliest, each left out of its mean and of
 * Σ(ρ) = (W + κ·v·I)/(ν + κ): from one observation's worth of the target upward, to the first maximum.
 * (Hoffbeck and Landgrebe, "Covariance matrix estimation and classification with limited training data", 1996.)
 * @param scatter W as a packed triangle, of ν degrees of freedom
 */
export function likeliestShrinkage(
  scatter: Float64Array,
  freedom: number,
  variance: number,
  deviations: Deviations,
): number {
  if (freedom <= 0 || deviations.rows.length === 0) return 1;
  let [best, most] = [1, -Infinity];
  for (let amount = 1 / (freedom + 1); ; amount = Math.min(1, amount * STEP)) {
    const likelihood = logLikelihood(scatter, freedom, variance, deviations, amount);
    if (likelihood > most) [best, most] = [amount, likelihood];
    else if (most > -Infinity) return best;
    if (amount === 1) return best;
  }
}

/**
 * Σ log N(x; μ₋ₓ, Σ₋ₓ) less what all ρ have in common: with h the weight of W in Σ, Σ₋ₓ = (Σ − h·n/(n − 1)·d dᵀ)/(1 − h).
 */
function logLikelihood(
  scatter: Float64Array,
  freedom: number,
  variance: number,
  { rows, reaches }: Deviations,
  amount: number,
): number {
  const weights = weightsOf(freedom, amount);
  const rest = 1 - weights.scatter;
  const share = weights.scatter / rest;
  const a = scatter.map((value) => share * value);
  addToDiagonal(a, rows.length / reaches.length, (weights.target * variance) / rest);
  return leftOutLogDensity(a, rows, share, reaches);
}
