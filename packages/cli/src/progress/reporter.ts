import type { DownloadProgress } from '@gmml/data';
import type { OpenSetReport } from '../openSet/openSetReport.js';

/** What is about to run, once everything is loaded. */
export interface RunDescription {
  trainCount: number;
  testCount: number;
  /** Training images that are held out. */
  heldOut?: number;
  /** The digit that was left out of both. */
  unseen?: number;
  /** What the digits stand for where they are no digits, each at its place. */
  classNames?: readonly string[];
  /** The classifier in words: 'GMM head (tril, D = 128, 1 component a class)'. */
  head: string;
  backend: string;
  threads: number;
}

/** A mini-batch that was just trained on. */
export interface BatchProgress {
  /** From 1. */
  epoch: number;
  /** Epochs of the whole run. */
  epochs: number;
  /** Training images seen in this epoch before this batch. */
  seen: number;
  /** The same with this batch. */
  seenAfter: number;
  trainCount: number;
  /** Mean negative log-likelihood of this batch. */
  loss: number;
}

/** How far testing is, after an epoch or for the open-set report. */
export interface TestProgress {
  /** Images that went through the network. */
  done: number;
  /** Images that are to go through it. */
  total: number;
}

/** What an epoch came to. */
export interface EpochResult {
  /** From 1. */
  epoch: number;
  /** Mean negative log-likelihood over the epoch's training images, each under the weights it met. */
  trainLoss: number;
  /** Mean negative log-likelihood over the held-out images after the epoch, where there are any. */
  valLoss?: number;
  /** Fraction of the held-out images classified correctly after the epoch. */
  valAccuracy?: number;
  /** Mean negative log-likelihood over the test images after the epoch. */
  testLoss: number;
  /** Fraction of the test images classified correctly after the epoch. */
  testAccuracy: number;
  testCorrect: number;
  testCount: number;
  /** Wall time of training and testing. */
  seconds: number;
}

/** Where a training run tells what it does. */
export interface Reporter {
  /** As a file of the data set comes in, before everything else. */
  download(progress: DownloadProgress): void;
  /** Once, before the first epoch. */
  start(run: RunDescription): void;
  /** After each mini-batch. */
  step(progress: BatchProgress): void;
  /** After the first mini-batch of every `--log-interval`. */
  batch(progress: BatchProgress): void;
  /** At the start of testing, and after each batch of it. */
  testing(progress: TestProgress): void;
  /** After each epoch and its test. */
  epoch(result: EpochResult): void;
  /** Early stopping has given the network the weights of the epoch `best`, after `ran` epochs. Not where these are one. */
  backTo(best: EpochResult, ran: number): void;
  /** The trained model is written. */
  saved(path: string): void;
  /** The report of the run is written. */
  reported(path: string): void;
  /** When everything else is done; not where there is no report. */
  openSet(report: OpenSetReport): void;
  /** At the end of everything, with the result of the epoch whose weights the network has. */
  finish(result: EpochResult): void;
  /** Something is other than asked for, but the run goes on. */
  warn(message: string): void;
  /** Nothing more will come, whether the run was finished or failed. */
  close(): void;
}

/** Takes one line. */
export type Print = (line: string) => void;

/** Tells nobody. */
export const silentReporter: Reporter = {
  download() {},
  start() {},
  step() {},
  batch() {},
  testing() {},
  epoch() {},
  backTo() {},
  saved() {},
  reported() {},
  openSet() {},
  finish() {},
  warn() {},
  close() {},
};
