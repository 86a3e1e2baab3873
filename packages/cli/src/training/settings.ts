import type { CovType } from '@gmml/gmm';
import { UsageError } from '../errors.js';
import { count } from '../words.js';
import type { KnownDigits } from './knownDigits.js';

export interface TrainOptions {
  /** Images in a training step. Default 64. */
  batchSize: number;
  /** Images that go through the network at once in testing. Default 1000. */
  testBatchSize: number;
  /** Passes over the training images. Default 14. */
  epochs: number;
  /** Adadelta's learning rate in the first epoch. Default 1. */
  lr: number;
  /** What the learning rate is multiplied by after each epoch. Default 0.7. */
  gamma: number;
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
   * Share of the training images, from 0 and below 1, that is held out from training, of each class the last: the
   * report's threshold is set by them. Default 0: by images that were trained on.
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

export const defaultTrainOptions: Readonly<TrainOptions> = {
  batchSize: 64,
  testBatchSize: 1000,
  epochs: 14,
  lr: 1,
  gamma: 0.7,
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

/** 'GMM head (tril, D = 128, 1 component a class)' */
export function describeHead({ linearClassifier, covType, components, dim }: TrainOptions): string {
  if (linearClassifier) return `Linear head (D = ${dim})`;
  return `GMM head (${covType}, D = ${dim}, ${count(components, 'component')} a class)`;
}

/** The options that built and trained the network, for the metadata of its file. */
export function describeModel(
  settings: TrainOptions,
  { labels, classNames }: Pick<KnownDigits, 'labels' | 'classNames'>,
): Record<string, string | number> {
  const { linearClassifier, covType, components, dim, epochs, dryRun } = settings;
  const { seed, lr, gamma, batchSize, labelSmoothing, valSplit } = settings;
  const length = { epochs: dryRun ? 1 : epochs, dryRun: String(dryRun) };
  const training = { seed, ...length, lr, gamma, batchSize, labelSmoothing, valSplit };
  // What each output of the head stands for.
  const names = classNames && { classNames: JSON.stringify(labels.map((label) => classNames[label])) };
  const classes = { dim, nClass: labels.length, labels: labels.join(' '), ...names };
  if (linearClassifier) return { head: 'linear', ...classes, ...training };
  return { head: 'gmml', covType, components, ...classes, ...training };
}
