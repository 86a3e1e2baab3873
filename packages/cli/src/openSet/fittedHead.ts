import { GMML } from '@gmml/gmm';
import type { CovType } from '@gmml/gmm';
import { Generator, tensor } from '@gmml/tensor';
import type { KnownOutputs } from './knownOutputs.js';

export interface FittedHeadOptions {
  linearClassifier: boolean;
  covType: CovType;
  components: number;
  seed: number;
}

/**
 * A mixture head that is fitted in closed form to the features of the examples, and how far it shrank its covariances:
 * the trained head's own kind of mixture, for a linear head one 'tril' Gaussian a class.
 *
 * @throws ArgumentError or NumericalError when the features are too few, or vary too little
 */
export function fittedHead(
  { examples, labels }: KnownOutputs,
  { linearClassifier, covType, components, seed }: FittedHeadOptions,
): { head: GMML; shrinkage: number } {
  const dim = examples.features.length / examples.count;
  const nClass = examples.logPosteriors.length / examples.count;
  const generator = new Generator(seed);
  const head = new GMML(dim, dim, nClass, {
    nComponent: components,
    covType: linearClassifier ? 'tril' : covType,
    generator,
  });
  const { shrinkage } = head.fit(tensor(examples.features, { shape: [examples.count, dim] }), labels, {
    generator,
  });
  return { head, shrinkage };
}
