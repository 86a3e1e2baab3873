import { factorInPlace, logDeterminant } from '../linearAlgebra/cholesky.js';
import { addToDiagonal, lowerOf } from '../linearAlgebra/symmetric.js';
import { indices } from '../linearAlgebra/vectors.js';
import { squaredDistances } from '../linearAlgebra/whitening.js';
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
 * Σ log N(x; μ₋ₓ, Σ₋ₓ) less what all ρ have in common: with g = n/(n − 1), h the weight of W in Σ and q = dᵀΣ⁻¹d, of an example
 * that is left out log |Σ₋ₓ| = log |Σ| + log(1 − h·g·q) − D·log(1 − h) and its squared distance
 * g²·(1 − h)·q/(1 − h·g·q). (Sherman and Morrison, 1950.)
 */
function logLikelihood(
  scatter: Float64Array,
  freedom: number,
  variance: number,
  { rows, reaches }: Deviations,
  amount: number,
): number {
  const d = rows.length / reaches.length;
  const { scatter: h, target } = weightsOf(freedom, amount);
  const own = scatter.map((value) => h * value);
  const factor = lowerOf(addToDiagonal(own, d, target * variance), d);
  if (factorInPlace(factor, d) >= 0) return -Infinity;
  const squares = new Float64Array(reaches.length);
  squaredDistances(rows, indices(reaches.length), new Float64Array(d), factor, squares);
  const common = logDeterminant(factor, d) - d * Math.log(1 - h);
  let sum = 0;
  for (const [n, g] of reaches.entries()) {
    const rest = 1 - h * g * squares[n];
    if (!(rest > 0)) return -Infinity;
    sum -= common + Math.log(rest) + (g * g * (1 - h) * squares[n]) / rest;
  }
  return sum;
}
