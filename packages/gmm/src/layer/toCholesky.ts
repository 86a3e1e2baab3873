import { NotFiniteError, NotPositiveDefiniteError, type Tensor } from '@gmml/tensor';
import {
  componentName,
  FULL_JITTER,
  gramComponents,
  gramLogWeights,
  SCALE_FLOOR,
  withJitter,
} from './feasible.js';
import { sigmaFromFactors } from './freeParameters.js';
import type { MixtureLayer } from './mixtureLayer.js';

/** Sets `to`, a 'cholesky' layer, to the mixture of `head`, a 'gram' layer, computed in float64. */
export function setToCholesky(to: MixtureLayer, head: MixtureLayer): void {
  const [mean, sigma, omega] = [head.mean, head.sigma, head.omega].map((x) => x.detach().to('float64'));
  to.mean.copyFrom(mean);
  to.sigma.copyFrom(sigmaOf(head, mean, sigma));
  // log 0 as a number that an optimizer can decay.
  to.omega.copyFrom(gramLogWeights(omega).clamp(-1e30));
  to.logTemperature?.copyFrom([0]);
  to.projection!.copyFrom(head.projection!);
}

/** The sigma of 'cholesky' that makes the covariances of a 'gram' layer. */
function sigmaOf({ covType, d, nComponent }: MixtureLayer, mean: Tensor, sigma: Tensor): Tensor {
  const components = gramComponents(mean, sigma, covType);
  const factors =
    covType === 'full'
      ? withJitter(components.covariance(), -FULL_JITTER / (1 + FULL_JITTER)).cholesky()
      : components.scaleTril();
  const scale = factors.diagonal();
  const entry = scale.data.findIndex((value) => !(value > SCALE_FLOOR));
  if (entry >= 0) {
    const at = Math.floor(entry / d);
    const value = scale.data[entry];
    throw new (Number.isNaN(value) ? NotFiniteError : NotPositiveDefiniteError)(
      `GMML.toParametrization: the factor of Σ must have a diagonal above ${SCALE_FLOOR}: that of ${componentName(at, nComponent)} has ${value.toPrecision(3)}. Scale bottleneck.weight, mu_p and sigma_p up.`,
      at,
      entry % d,
    );
  }
  return sigmaFromFactors(covType === 'diag' ? scale : factors, covType);
}
