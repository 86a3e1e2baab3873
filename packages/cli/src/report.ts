import type { OpenSetReport } from './openSetReport.js';
import { openSetTable } from './openSetTable.js';

/** What is about to run, once everything is loaded. */
export interface RunDescription {
  trainCount: number;
  testCount: number;
  /** Training images that are held out. */
  heldOut?: number;
  /** The digit that was left out of both. */
  unseen?: number;
  /** The classifier in words: 'GMM head (tril, D = 128, 1 component a class)'. */
  head: string;
  backend: string;
  threads: number;
}

/** A mini-batch that was just trained on. */
export interface BatchProgress {
  /** From 1. */
  epoch: number;
  /** Training images seen in this epoch before this batch. */
  seen: number;
  trainCount: number;
  /** Mean negative log-likelihood of this batch. */
  loss: number;
}

export interface EpochResult {
  /** From 1. */
  epoch: number;
  /** Mean negative log-likelihood over the epoch's training images, each under the weights it met. */
  trainLoss: number;
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
  start(run: RunDescription): void;
  batch(progress: BatchProgress): void;
  epoch(result: EpochResult): void;
  saved(path: string): void;
  /** When everything else is done; not where there is no report. */
  openSet(report: OpenSetReport): void;
  /** At the end of everything, with the result of the last epoch. */
  finish(result: EpochResult): void;
  /** Something is other than asked for, but the run goes on. */
  warn(message: string): void;
}

type Print = (line: string) => void;

/** Lines for people, in the manner of PyTorch's MNIST example. */
export function textReporter(print: Print, printError: Print): Reporter {
  return {
    start({ trainCount, testCount, heldOut, unseen, head, backend, threads }) {
      const without = unseen === undefined ? '' : `, without digit ${unseen}`;
      const apart = heldOut === undefined ? '' : `, ${heldOut} held out`;
      print(`Training on ${trainCount} digits, testing on ${testCount}${apart}${without}. ${head}.`);
      print(`Backend ${backend}, ${count(threads, 'thread')}.`);
    },
    batch({ epoch, seen, trainCount, loss }) {
      const percent = Math.round((100 * seen) / trainCount);
      print(`Train Epoch: ${epoch} [${seen}/${trainCount} (${percent}%)]  Loss: ${loss.toFixed(4)}`);
    },
    epoch({ epoch, trainLoss, testLoss, testCorrect, testCount, seconds }) {
      print(
        `Epoch ${epoch}: train loss ${trainLoss.toFixed(4)}, test loss ${testLoss.toFixed(4)}, ` +
          `test accuracy ${testCorrect}/${testCount} (${percentage(testCorrect, testCount)}), ${seconds.toFixed(1)} s`,
      );
    },
    saved(path) {
      print(`Saved the model to ${path}`);
    },
    openSet(report) {
      for (const line of openSetTable(report)) print(line);
    },
    finish({ epoch, testCorrect, testCount }) {
      print(`Test accuracy after ${count(epoch, 'epoch')}: ${percentage(testCorrect, testCount)}`);
    },
    warn: printError,
  };
}

/** One JSON object an epoch and one of the open-set report on `print`, nothing else there. Warnings go to `printError`. */
export function jsonReporter(print: Print, printError: Print): Reporter {
  return {
    ...silentReporter,
    epoch({ epoch, trainLoss, testLoss, testAccuracy, seconds }) {
      print(JSON.stringify({ epoch, trainLoss, testLoss, testAccuracy, seconds }));
    },
    openSet(report) {
      print(JSON.stringify(report));
    },
    warn: printError,
  };
}

/** Tells nobody. */
export const silentReporter: Reporter = {
  start() {},
  batch() {},
  epoch() {},
  saved() {},
  openSet() {},
  finish() {},
  warn() {},
};

/** '1 thread', '2 threads'. */
export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

function percentage(part: number, whole: number): string {
  return `${((100 * part) / whole).toFixed(2)} %`;
}
