// The ways from densities to log p(class | x).

import type { Tensor } from '@gmml/tensor';
import type { MixtureParameters } from './gmmlOptions.js';
import type { MixtureLayer } from './mixtureLayer.js';

/** Keeps −log(−log p + …) finite where log p is 0. */
const STRETCH_FLOOR = 1e-4;

/** τ·log p(x | class) + log prior [B, N], normalised. */
export function temperedPosterior(
  { logTemperature }: MixtureLayer,
  logLikelihood: Tensor,
  logPrior: Tensor,
): Tensor {
  const tempered = logTemperature ? logLikelihood.mul(logTemperature.exp()) : logLikelihood;
  return tempered.add(logPrior).logSoftmax(1);
}

/** Normalises log weight + log density [B, N, G] over all components and sums within classes: 'gram' and `logStretchTrick`. */
export function jointPosterior(
  { nClass, nComponent, parametrization, logStretchTrick }: MixtureLayer,
  joint: Tensor,
): Tensor {
  const [batch] = joint.shape;
  // 'gram' clamps as the original does; a shift also brings log p to ≤ 0, but keeps differences and gradients.
  const logProb =
    parametrization === 'gram'
      ? joint.clamp(-Infinity, 0)
      : joint.sub(joint.max([1, 2], { keepDim: true }).maximum(0));
  const score = logStretchTrick ? logProb.neg().add(STRETCH_FLOOR).log().neg() : logProb;
  return score
    .reshape([batch, nClass * nComponent])
    .logSoftmax(1)
    .reshape([batch, nClass, nComponent])
    .logSumExp(2);
}

/** log of the weights of all components, class priors included [N, G]. */
export function jointLogWeights({ logWeights, logPrior }: MixtureParameters): Tensor {
  return logWeights.add(logPrior.unsqueeze(1));
}
