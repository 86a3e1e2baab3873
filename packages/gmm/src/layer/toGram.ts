// Part of the subpath @gmml/gmm/torch: a page that makes no checkpoint of the original PyTorch layer does not load it.

import { ArgumentError, eye, Generator, NotPositiveDefiniteError, type Tensor } from '@gmml/tensor';
import {
  choleskyComponents,
  choleskyLogWeights,
  componentName,
  GRAM_JITTER,
  withJitter,
} from './feasible.js';
import { GMML } from './gmml.js';

/**
 * The same mixture in a new layer of the 'gram' parametrisation, whose state dict the original PyTorch layer takes; nothing
 * is shared. A layer that is 'gram' already is copied. `GMML.toParametrization` is the way back.
 *
 * From 'cholesky' the temperature must be 1, priors equal, no log weight + log density above 0, which 'gram' takes for 0, and
 * S = AᵀA + 0.01·trace(AᵀA)/D·I must have an A: no eigenvalue of S is below 1/101 of their mean, where S is Σ ('full'), has
 * the standard deviations as diagonal ('diag') or the factor L as lower triangle ('tril').
 * @throws NotPositiveDefiniteError naming the component that cannot be expressed; ArgumentError for the other conditions;
 *   NotFiniteError
 * @example
 * const head = new GMML(16, 16, 10, { covType: 'tril', temperature: false });
 * saveSafetensors('head.safetensors', toGram(head).stateDict(), { format: 'pt' });
 */
export function toGram(layer: GMML): GMML {
  const { inputDim, d, nClass, nComponent, covType, logStretchTrick } = layer;
  const isGram = layer.parametrization === 'gram';
  if (!isGram) checkPosterior(layer);
  const gram = new GMML(inputDim, d, nClass, {
    nComponent,
    covType,
    logStretchTrick,
    parametrization: 'gram',
    generator: new Generator(0),
    dtype: layer.mean.dtype,
  });
  if (isGram) gram.loadStateDict(layer.stateDict());
  else setToGram(gram, layer);
  return gram.train(layer.training);
}

/** @throws ArgumentError where the posterior has what 'gram' does not have */
function checkPosterior({ logTemperature, logPrior }: GMML): void {
  const temperature = logTemperature?.item() ?? 0;
  if (temperature !== 0) {
    throw new ArgumentError(
      `toGram: 'gram' has no temperature, logTemperature must be 0: it is ${temperature}. Set it to 0, or keep 'cholesky'.`,
    );
  }
  const priors = logPrior!.data;
  const other = priors.findIndex((value) => value !== priors[0]);
  if (other < 0) return;
  throw new ArgumentError(
    `toGram: 'gram' has no priors, all of logPrior must be equal: entry 0 is ${priors[0]}, entry ${other} ${priors[other]}. Set them to 0, or keep 'cholesky'.`,
  );
}

/** Sets `to`, a 'gram' layer, to the mixture of `layer`, a 'cholesky' layer, computed in float64. */
function setToGram(to: GMML, layer: GMML): void {
  const { covType, nClass, nComponent, d } = layer;
  const [mean, sigma, omega] = [layer.mean, layer.sigma, layer.omega].map((x) => x.detach().to('float64'));
  const components = choleskyComponents(mean, sigma, covType);
  const logWeights = choleskyLogWeights(omega);
  const peaks = components.logProb(mean).add(logWeights).sub(Math.log(nClass)).data;
  const clamped = peaks.findIndex((peak) => peak > 0);
  if (clamped >= 0) {
    throw new ArgumentError(
      `toGram: 'gram' clamps log weight + log density to 0: ${componentName(clamped, nComponent)} reaches ${peaks[clamped].toPrecision(3)}. Keep 'cholesky'.`,
    );
  }
  const l = components.scaleTril();
  const s = covType === 'full' ? components.covariance() : l.add(l.tril(-1).transpose(2, 3));
  to.mean.copyFrom(mean);
  to.sigma.copyFrom(rootOf(s, nComponent));
  to.omega.copyFrom(logWeights.exp());
  to.projection!.copyFrom(layer.projection ?? eye(d));
}

/** A [N, G, D, D] with S = AᵀA + 0.01·trace(AᵀA)/D·I. @throws NotPositiveDefiniteError where there is none */
function rootOf(s: Tensor, nComponent: number): Tensor {
  try {
    // Less the ridge that 'gram' adds, but for what lets a matrix without anything more have a factor.
    const rest = withJitter(s, -GRAM_JITTER / (1 + GRAM_JITTER + 1e-10));
    return rest.cholesky().transpose(2, 3);
  } catch (error) {
    if (!(error instanceof NotPositiveDefiniteError)) throw error;
    throw new NotPositiveDefiniteError(
      `toGram: S of 'gram' has no eigenvalue below 1/101 of the mean: that of ${componentName(error.matrix, nComponent)} would. Keep 'cholesky'.`,
      error.matrix,
      error.pivot,
    );
  }
}
