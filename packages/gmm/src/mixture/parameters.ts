import { NotPositiveDefiniteError, NumericalError } from '@gmml/tensor';
import { summed } from '../linearAlgebra/vectors.js';
import { COVARIANCE_FORMS, type Failure, type Sizes } from './covarianceTypes.js';
import type { MixtureMoments, Parameters, Settings } from './model.js';
import { shrunk } from './shrinkage.js';

/** A component that holds less than this has lost its samples. */
const NO_SAMPLES = 1e-10;

/** A standard deviation of so many ε of the mean is what rounding leaves of samples that are equal. */
const ROUNDING = 100 * Number.EPSILON;

/**
 * The parameters that moments give: π_k ∝ N_k + α − 1, the mode under a Dirichlet prior; covariances shrunk by `amounts`,
 * one for each, and the regularization added to their diagonals.
 * @throws NotPositiveDefiniteError naming component, cause and remedies
 */
export function parametersOf(
  moments: MixtureMoments,
  settings: Settings,
  amounts: Float64Array | null,
): Parameters {
  const { counts, means } = moments;
  const { covariance, shrinkage, regularization, weightConcentration } = settings;
  const form = COVARIANCE_FORMS[covariance];
  const sizes = { components: counts.length, features: means.length / counts.length };
  const covariances =
    shrinkage && amounts
      ? shrunk(moments, covariance, shrinkage.toward, amounts)
      : moments.covariances.slice();
  for (const at of form.diagonal(sizes)) covariances[at] += regularization;
  const whitening = withoutSpread(covariances, moments, settings, sizes) ?? form.whiten(covariances, sizes);
  if ('pivot' in whitening) throw notPositiveDefinite(whitening, moments, covariances, settings);
  const raised = counts.map((count) => count + weightConcentration - 1);
  const total = summed(raised);
  return { weights: raised.map((count) => count / total), means, covariances, ...whitening };
}

/** The first variance that is nothing but rounding. */
function withoutSpread(
  covariances: Float64Array,
  { counts, means }: MixtureMoments,
  { covariance }: Settings,
  sizes: Sizes,
): Failure | null {
  const { features } = sizes;
  const diagonal = COVARIANCE_FORMS[covariance].diagonal(sizes);
  const total = summed(counts);
  const least = new Float64Array(diagonal.length);
  for (const [at, mean] of means.entries()) {
    const [k, j] = [Math.floor(at / features), at % features];
    const rounded = (ROUNDING * mean) ** 2;
    if (covariance === 'tied') least[j] += (counts[k] / total) * rounded;
    else if (covariance === 'spherical') least[k] += rounded / features;
    else least[at] = rounded;
  }
  const failed = diagonal.findIndex((at, i) => covariances[at] <= least[i]);
  if (failed < 0) return null;
  const perComponent = covariance === 'spherical' ? 1 : features;
  return { component: Math.floor(failed / perComponent), pivot: failed % perComponent };
}

function notPositiveDefinite(
  { component, pivot }: Failure,
  { counts }: MixtureMoments,
  covariances: Float64Array,
  { op, covariance, regularization }: Settings,
): NumericalError {
  if (covariances.some((value) => !Number.isFinite(value))) {
    return new NumericalError(
      `${op}: covariances must be finite: that of component ${component} overflows. Scale the features.`,
    );
  }
  const count = counts[component];
  const own = covariance === 'tied' ? 'the tied covariance' : `the covariance of component ${component}`;
  const cause =
    covariance === 'tied'
      ? 'The samples around their means coincide or depend on each other'
      : count < NO_SAMPLES
        ? 'The component has lost all its samples'
        : `Its samples (a weight of ${Number(count.toPrecision(4))}) coincide, are too few, or depend on each other`;
  const simpler = covariance === 'full' ? ", use covariance 'tied' or 'diag', or shrinkage" : '';
  return new NotPositiveDefiniteError(
    `${op}: ${own} is not positive definite: feature ${pivot} adds no variance. ${cause}: raise regularization (${regularization}), use fewer components${simpler}.`,
    component,
    pivot,
  );
}
