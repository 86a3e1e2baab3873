import { nllLoss } from '@gmml/nn';
import { ArgumentError, tensor, type Tensor } from '@gmml/tensor';
import { checkLabels, checkNumber } from '@gmml/tensor/checks';
import { checkOneLabelEach } from '../checks.js';
import type { GMML } from './gmml.js';
import { temperedPosterior } from './posterior.js';
import { oneHot } from '../linearAlgebra/vectors.js';

/** Options of `GMMLoss`. */
export interface GMMLossOptions {
  /** α, at least 0: the true class's squared distances count 1 + α times in the classification term. Default 0. */
  readonly margin?: number;
  /** λ, at least 0: the weight of −log p(x | true class). Default 0. */
  readonly likelihoodWeight?: number;
}

/**
 * The loss of a mixture head that is to stay a density: the mean over the batch of
 * −log p(y | x) with a margin, plus −λ·log p(x | y) without one.
 *
 * With d²ₖ the squared Mahalanobis distance from a component, each component of the true class y has in the first term
 * the log density −½(1 + α)·d² − ½ log|2πΣ|: a sample must be nearer to its class than the posterior alone asks. With
 * α = λ = 0 it is `nllLoss(head.forward(features), labels)`; the head's temperature and priors are in the first term
 * alone. Differentiable in the features and in every parameter of the head.
 * (Wan, Zhong, Li and Chen, "Rethinking feature distribution for loss functions in image classification", 2018, with
 * several components a class and any covariance.)
 *
 * @example
 * const [head, features, labels] = [new GMML(2, 2, 3), randn([5, 2]), tensor([0, 1, 2, 0, 1])];
 * const loss = new GMMLoss({ margin: 0.3, likelihoodWeight: 0.1 });
 * loss.forward(head, features, labels).backward();
 */
export class GMMLoss {
  readonly margin: number;
  readonly likelihoodWeight: number;

  /** @throws ArgumentError for a number below 0 or not finite */
  constructor({ margin = 0, likelihoodWeight = 0 }: GMMLossOptions = {}) {
    checkNumber('GMMLoss', 'margin', margin, { from: 0 });
    checkNumber('GMMLoss', 'likelihoodWeight', likelihoodWeight, { from: 0 });
    this.margin = margin;
    this.likelihoodWeight = likelihoodWeight;
  }

  /**
   * @param head with 'cholesky' and without `logStretchTrick`
   * @param features [B, inputDim]
   * @param labels [B], integers from 0 to N − 1 in either number format
   * @returns a scalar
   * @throws ArgumentError for another head; ShapeError, IndexError
   */
  forward(head: GMML, features: Tensor, labels: Tensor): Tensor {
    checkHead(head);
    checkOneLabelEach('GMMLoss', features, labels);
    checkLabels('GMMLoss', 'labels', labels.data, head.nClass);
    const { components, logWeights, logPrior } = head.mixtureParameters();
    const [batch] = features.shape;
    const inside = head.project(features).reshape([batch, 1, 1, head.d]);
    const logProb = components.logProb(inside);
    // 1 at the true class and 0 elsewhere.
    const own = tensor(oneHot(labels.data, head.nClass), {
      shape: [batch, head.nClass, 1],
      dtype: head.mean.dtype,
    });
    // −½d² is the log density less its value at the mean, and that is D/2 less the entropy.
    const halfDistances = logProb.add(components.entropy().sub(head.d / 2));
    const stretched = this.margin === 0 ? logProb : logProb.add(halfDistances.mul(own.mul(this.margin)));
    const scores = stretched.add(logWeights).logSumExp(2);
    const classification = nllLoss(temperedPosterior(head, scores, logPrior), labels);
    if (this.likelihoodWeight === 0) return classification;
    const density = nllLoss(logProb.add(logWeights).logSumExp(2), labels);
    return classification.add(density.mul(this.likelihoodWeight));
  }
}

function checkHead({ parametrization, logStretchTrick }: GMML): void {
  if (parametrization === 'cholesky' && !logStretchTrick) return;
  const what = logStretchTrick ? 'logStretchTrick' : "parametrization 'gram'";
  throw new ArgumentError(
    `GMMLoss: the head's posterior must be that of its densities: with ${what} it is not. Make the head with parametrization 'cholesky' and without logStretchTrick.`,
  );
}
