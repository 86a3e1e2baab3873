import type { Optimizer, Scheduler } from '@gmml/nn';
import type { Generator } from '@gmml/tensor';
import { asUsageError } from '../errors.js';
import { Augmentation } from './augmentation.js';
import { EarlyStopping } from './earlyStopping.js';
import type { KnownDigits } from './knownDigits.js';
import { describeNetwork, makeNetwork, type NetworkDescription } from './networks/makeNetwork.js';
import type { Network } from './networks/network.js';
import { makeOptimizer, makeScheduler } from './optimizers.js';
import type { TrainOptions } from './settings.js';

/** What changes while a run learns. */
export interface Learner {
  readonly description: NetworkDescription;
  readonly network: Network;
  readonly optimizer: Optimizer;
  readonly scheduler: Scheduler;
  /** Where training images are to be moved. */
  readonly augmentation?: Augmentation;
  /** Where training may end early. */
  readonly stopping?: EarlyStopping;
}

/**
 * A network for these digits, its first weights and the start of its head drawn from `generator`, and what trains it. A head
 * whose numbers come from a checkpoint needs no start.
 *
 * @throws UsageError when the network cannot look at images of this size
 */
export function makeLearner(
  settings: TrainOptions,
  { train, labels }: KnownDigits,
  generator: Generator,
  { startsHead }: { readonly startsHead: boolean },
): Learner {
  const [, channels, height, width] = train.images.shape;
  const imageShape = [channels, height, width] as const;
  const description = describeNetwork({ ...settings, nClass: labels.length, imageShape });
  const network = networkFor(description, generator);
  if (startsHead) network.initHead(train, generator);
  const optimizer = makeOptimizer(network.parameters(), settings);
  const { augment, seed, earlyStop } = settings;
  return {
    description,
    network,
    optimizer,
    scheduler: makeScheduler(optimizer, settings),
    ...(augment.length > 0 && { augmentation: new Augmentation(augment, seed) }),
    ...(earlyStop !== undefined && { stopping: new EarlyStopping(earlyStop) }),
  };
}

function networkFor(description: NetworkDescription, generator: Generator): Network {
  try {
    return makeNetwork(description, generator);
  } catch (error) {
    return asUsageError('--model')(error);
  }
}
