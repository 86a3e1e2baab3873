import type { CovType } from '@gmml/gmm';
import { ArgumentError, type Generator } from '@gmml/tensor';
import { LinearProbe } from './linearProbe.js';
import {
  DEFAULT_HIDDEN,
  MultilayerPerceptron,
  type MultilayerPerceptronOptions,
} from './multilayerPerceptron.js';
import type { ImageShape, Network, NetworkOptions } from './network.js';
import { ReferenceNetwork } from './referenceNetwork.js';

/** The name of a network in the metadata of its file. */
export type NetworkName = keyof typeof NETWORKS;

const NETWORKS = {
  'reference-cnn': (options: NetworkOptions): Network => new ReferenceNetwork(options),
  mlp: (options: MultilayerPerceptronOptions): Network => new MultilayerPerceptron(options),
  'linear-probe': (options: NetworkOptions): Network => new LinearProbe(options),
};

/** All that building a network takes: what its file says of it. */
export interface NetworkDescription {
  readonly network: NetworkName;
  readonly imageShape: ImageShape;
  /** Units of the hidden layers of an 'mlp'; others have none. */
  readonly hidden?: readonly number[];
  /** Features D that reach the head. */
  readonly dim: number;
  readonly nClass: number;
  readonly linearClassifier: boolean;
  /** Covariance of a component of the mixture head. */
  readonly covType: CovType;
  /** Gaussians for each class of the mixture head. */
  readonly components: number;
}

/** A value of `--model`. */
export type ModelName = keyof typeof MODELS;

const MODELS = {
  cnn: { network: 'reference-cnn' },
  mlp: { network: 'mlp', hidden: DEFAULT_HIDDEN },
  'linear-probe': { network: 'linear-probe' },
} as const satisfies Record<string, Pick<NetworkDescription, 'network' | 'hidden'>>;

/** The values of `--model`. */
export const modelNames = Object.keys(MODELS) as readonly ModelName[];

/**
 * A new network as described, its first weights drawn from `generator` (default: the one that `manualSeed` seeds).
 *
 * @throws ArgumentError when there is no such network, when images are smaller than the network takes, or a size is not an integer of at least 1
 * @example
 * const head = { dim: 128, nClass: 10, linearClassifier: false, covType: 'tril', components: 1 } as const;
 * const network = makeNetwork({ network: 'mlp', imageShape: [1, 28, 28], hidden: [256, 256], ...head });
 * network.forward(zeros([5, 1, 28, 28])).shape; // [5, 10]
 */
export function makeNetwork(description: NetworkDescription, generator?: Generator): Network {
  const { network } = description;
  if (!Object.hasOwn(NETWORKS, network)) {
    throw new ArgumentError(
      `makeNetwork: network must be one of ${Object.keys(NETWORKS).join(', ')}: it is ${network}.`,
    );
  }
  return NETWORKS[network]({ ...description, generator });
}

/** What a run with these options trains on images of this shape. */
export function describeNetwork({
  model,
  ...head
}: Omit<NetworkDescription, 'network' | 'hidden'> & { model: ModelName }): NetworkDescription {
  const { imageShape, dim, nClass, linearClassifier, covType, components } = head;
  return { ...MODELS[model], imageShape, dim, nClass, linearClassifier, covType, components };
}

/** The description as metadata of a file, lists with spaces between; `covType` and `components` with a mixture head only. */
export function networkMetadata(description: NetworkDescription): Record<string, string | number> {
  const { network, imageShape, hidden, dim, nClass, linearClassifier, covType, components } = description;
  return {
    network,
    imageShape: imageShape.join(' '),
    ...(hidden && { hidden: hidden.join(' ') }),
    ...(linearClassifier ? { head: 'linear' } : { head: 'gmml', covType, components }),
    dim,
    nClass,
  };
}
