import type { CovType } from '@gmml/gmm';
import { UsageError } from '../errors.js';
import type { AugmentName } from './augmentation.js';
import type { ModelName } from './networks/makeNetwork.js';
import { DEFAULT_MOMENTUM, type OptimizerName, type ScheduleName } from './optimizers.js';
import type { PresetName } from './presets.js';
import { count } from '../formatting.js';
import type { KnownDigits } from './knownDigits.js';

/** Options of `train`, those of gmml-train. */
export interface TrainOptions {
  /** Images in a training step. Default 64. */
  batchSize: number;
  /** Images that go through the network at once in testing. Default 1000. */
  testBatchSize: number;
  /** Passes over the training images. Default 14. */
  epochs: number;
  /** Values for some options, which others that are given override. Default: none. */
  preset?: PresetName;
  /** The network before the head. Default 'cnn'. */
  model: ModelName;
  /** What makes steps of gradients. Default 'adadelta'. */
  optimizer: OptimizerName;
  /** Learning rate in the first epoch. Default 1 with Adadelta, 0.01 with SGD, 0.001 with Adam and AdamW. */
  lr: number;
  /** SGD's momentum, from 0 and below 1. Default 0.9 with SGD; with others there is none. */
  momentum?: number;
  /**
   * λ, at least 0, on every weight, those of the head too: AdamW shrinks them by lr·λ a step, the others add λ times
   * the weight to its gradient. Default 0.
   */
  weightDecay: number;
  /** How the learning rate falls: by `gamma` after each epoch, or by half a cosine wave to 0. Default 'step'. */
  schedule: ScheduleName;
  /** What the learning rate is multiplied by after each epoch, with 'step'. Default 0.7. */
  gamma: number;
  /** How training images are moved, anew each time. Default: not at all. */
  augment: readonly AugmentName[];
  /** Epochs without a lower loss on the held-out images after which training ends. Default: none. */
  earlyStop?: number;
  /** Seed of everything random: first weights, start of the head, order of the images. Default 1. */
  seed: number;
  /** Batches from one report of the training loss to the next. Default 10. */
  logInterval: number;
  /** One batch of training and one of test, to see that everything runs. Default false. */
  dryRun: boolean;
  /** File for the trained network, safetensors. Default: none. */
  saveModel?: string;
  /** File for a report of the run as one HTML page. Default: none. */
  report?: string;
  /** A linear head in place of the mixture. Default false. */
  linearClassifier: boolean;
  /** Covariance of a component of the mixture head. Default 'tril'. */
  covType: CovType;
  /** Gaussians for each class. Default 1. */
  components: number;
  /** Features that the head classifies. Default 128. */
  dim: number;
  /** Folder of MNIST's four IDX files. Default: the embedded digits. */
  data?: string;
  /** End with a report on what the network knows of what it does not know. Default true. */
  openSet: boolean;
  /** ε of label smoothing in the training loss, from 0 to 1. Default 0. */
  labelSmoothing: number;
  /**
   * Share of the training images, from 0 and below 1, that is held out from training, of each class the last: their
   * loss and accuracy are told after each epoch, and the report's threshold is set by them. Default 0: no such results,
   * and a threshold by images that were trained on.
   */
  valSplit: number;
  /** A digit that is left out of training and testing, to see how well it is rejected. Default: none. */
  unseen?: number;
  /** Share of known digits that the report's classifier is to keep, above 0 and below 1. Default 0.95. */
  keep: number;
  /** What computes. Default 'auto', the fastest there is. */
  backend: 'auto' | 'wasm' | 'reference';
  /** Threads that compute, or 'auto'. Default 'auto'. */
  threads: number | 'auto';
  /** Folder for checkpoints: one after every epoch and every `checkpointEvery` minutes. Default: none are written. */
  checkpoint?: string;
  /** Minutes from one checkpoint to the next within an epoch, at least 0, which is after every step. Default 10. */
  checkpointEvery: number;
  /** How many of the newest checkpoints are kept, at least 1, beside that of the best epoch. Default 3. */
  keepCheckpoints: number;
  /** Folder with the checkpoints of the run to go on with; it may be `checkpoint`. Default: a new run. */
  resume?: string;
}

/** What holds where an option is not given. */
export const defaultTrainOptions: Readonly<TrainOptions> = {
  batchSize: 64,
  testBatchSize: 1000,
  epochs: 14,
  model: 'cnn',
  optimizer: 'adadelta',
  lr: 1,
  weightDecay: 0,
  schedule: 'step',
  gamma: 0.7,
  augment: [],
  seed: 1,
  logInterval: 10,
  dryRun: false,
  linearClassifier: false,
  covType: 'tril',
  components: 1,
  dim: 128,
  labelSmoothing: 0,
  valSplit: 0,
  openSet: true,
  keep: 0.95,
  backend: 'auto',
  threads: 'auto',
  checkpointEvery: 10,
  keepCheckpoints: 3,
};

/** @throws UsageError for a share out of its range */
export function checkShares({ keep, labelSmoothing, valSplit }: TrainOptions): void {
  if (!(keep > 0 && keep < 1)) {
    throw new UsageError(`--keep must be a number above 0 and below 1: it is ${keep}.`);
  }
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
    throw new UsageError(`--label-smoothing must be a number from 0 to 1: it is ${labelSmoothing}.`);
  }
  if (!(valSplit >= 0 && valSplit < 1)) {
    throw new UsageError(`--val-split must be a number from 0 and below 1: it is ${valSplit}.`);
  }
}

/** What a network other than the convolutional one is called. */
const NAMES = { cnn: undefined, mlp: 'Multilayer perceptron', 'linear-probe': 'Linear probe' };

/** 'GMM head (tril, D = 128, 1 component a class)', behind the name of the network where it is not the usual one. */
export function describeHead({ model, linearClassifier, covType, components, dim }: TrainOptions): string {
  const name = NAMES[model];
  const ofMixture = `GMM head (${covType}, D = ${dim}, ${count(components, 'component')} a class)`;
  const ofLayer = `${name === undefined ? 'L' : 'l'}inear head (D = ${dim})`;
  return [name, linearClassifier ? ofLayer : ofMixture].filter((part) => part !== undefined).join(', ');
}

/** The options that trained the network, for the metadata of its file; `epochs` is how many its weights have seen. */
export function describeTraining(
  settings: TrainOptions,
  { labels, classNames }: Pick<KnownDigits, 'labels' | 'classNames'>,
  epochs: number,
): Record<string, string | number> {
  const { seed, lr, gamma, batchSize, labelSmoothing, valSplit, dryRun, preset } = settings;
  const { optimizer, momentum = DEFAULT_MOMENTUM, weightDecay, schedule, augment, earlyStop } = settings;
  const length = {
    epochs,
    dryRun: String(dryRun),
    ...(earlyStop && { earlyStop }),
    ...(preset && { preset }),
  };
  const steps = { optimizer, lr, ...(optimizer === 'sgd' && { momentum }), weightDecay };
  const fall = { schedule, ...(schedule === 'step' && { gamma }) };
  // What each output of the head stands for.
  const names = classNames && { classNames: JSON.stringify(labels.map((label) => classNames[label])) };
  const images = { augment: augment.join(' ') || 'none', batchSize };
  return {
    labels: labels.join(' '),
    ...names,
    seed,
    ...length,
    ...steps,
    ...fall,
    ...images,
    labelSmoothing,
    valSplit,
  };
}
