// Small networks with every kind of head, their numbers far from where training starts.
import { GMML, type GMMLOptions } from '@gmml/gmm';
import {
  BatchNorm2d,
  Conv2d,
  Dropout,
  Flatten,
  Linear,
  MaxPool2d,
  ReLU,
  Sequential,
  type Module,
} from '@gmml/nn';
import { randn, type Generator, type Shape, type Tensor } from '@gmml/tensor';

/** The shape of an input. */
export const IMAGE = [2, 10, 10];

/** The number of features that `body` makes. */
export const FEATURES = 12;

/** Convolution, normalisation, ReLU, pooling, linear: images [N, 2, 10, 10] → features [N, 12]. */
export function body(generator: Generator): Sequential {
  const conv = new Conv2d(2, 4, 3, { padding: 1, generator });
  const norm = new BatchNorm2d(4);
  norm.runningMean!.copyFrom(randn([4], { generator }).mul(0.3));
  norm.runningVar!.copyFrom(randn([4], { generator }).square().add(0.5));
  const linear = new Linear(100, FEATURES, { generator });
  return new Sequential(conv, norm, new ReLU(), new MaxPool2d(2), new Flatten(), new Dropout(0.3), linear);
}

/** A mixture of five classes, or as many, with covariances, weights, priors and a temperature of its own. */
export function mixture(
  d: number,
  options: GMMLOptions & { readonly generator: Generator },
  nClass = 5,
): GMML {
  const { generator, dtype } = options;
  const noise = (shape: Shape): Tensor => randn(shape, { generator, dtype });
  const head = new GMML(FEATURES, d, nClass, options);
  const isGram = head.parametrization === 'gram';
  head.mean.copyFrom(head.mean.add(noise(head.mean.shape).mul(0.1)));
  head.sigma.copyFrom(head.sigma.add(noise(head.sigma.shape).mul(isGram ? 0.15 : 0.5)));
  const omega = noise(head.omega.shape);
  head.initOmega(isGram ? omega.square().add(0.1) : omega);
  head.logPrior?.copyFrom(noise([nClass]));
  head.logTemperature?.copyFrom(noise([]).mul(0.3).sub(1));
  return head;
}

/** The network in evaluation mode. */
export function network(features: Sequential, head: Module): Sequential {
  return new Sequential(...features.layers, head).eval();
}
