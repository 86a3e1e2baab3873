import type { GaussianMixture } from '@gmml/gmm';
import { eachRow, packed } from '@gmml/gmm/linearAlgebra';
import type { NormalParameters } from '@gmml/gmm/parameters';
import type { Value } from './graph.js';
import { logSoftmax, logSumExp } from './logSumExp.js';
import { logDensities } from './normals.js';
import { once, type HeadOutputs } from './outputs.js';
import type { Place } from './place.js';

/**
 * What a mixture says of features x [N, D]: log-responsibilities of its K components for log-posteriors, the likeliest component
 * for a label.
 * @throws ShapeError for features of another length; ArgumentError before the first fit
 */
export function mixtureOutputs(at: Place, x: Value, mixture: GaussianMixture): HeadOutputs {
  const [components, d] = mixture.means.shape;
  at.checkShape(x, x.shape.length === 1 && x.shape[0] === d, `[N, ${d}]`);
  const logWeights = Float64Array.from(mixture.weights.data, Math.log);
  const joint = once(() =>
    at.plus(
      logDensities(at, x.name, normalsOf(mixture), d),
      'logWeights',
      logWeights,
      'Log weights of the components.',
    ),
  );
  return {
    nClass: components,
    values: {
      logPosteriors: once(() => logSoftmax(at.inside('posterior'), joint(), 1, 'logPosteriors')),
      label: once(() => at.output('label', 'ArgMax', [joint()], { axis: 1, keepdims: 0 })),
      logDensity: once(() => logSumExp(at.inside('density'), joint(), 1, 'logDensity')),
    },
  };
}

/** The distribution of each component; those of one covariance share its factor. */
function normalsOf(mixture: GaussianMixture): NormalParameters[] {
  const { data, shape } = mixture.means;
  const [, d] = shape;
  const scales = scalesOf(mixture, d);
  return eachRow(data as Float64Array, d).map((mean, k) => ({
    mean,
    scale: scales[scales.length === 1 ? 0 : k],
  }));
}

/** Deviations [D] or packed factors, of each component or one of all. */
function scalesOf({ covariance, covariances }: GaussianMixture, d: number): Float64Array[] {
  const data = covariances.data as Float64Array;
  if (covariance === 'spherical') {
    return Array.from(data, (variance) => new Float64Array(d).fill(Math.sqrt(variance)));
  }
  if (covariance === 'diag') return eachRow(data, d).map((variances) => variances.map(Math.sqrt));
  return eachRow(covariances.cholesky().data as Float64Array, d * d).map((factor) => packed(factor, d));
}
