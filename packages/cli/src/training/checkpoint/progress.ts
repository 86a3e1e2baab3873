import type { GeneratorState } from '@gmml/tensor';
import { FormatError } from '@gmml/tensor';
import type { EpochResult } from '../../progress/reporter.js';

/** How far a training run has come: plain JSON. */
export interface TrainingProgress {
  /** The results of the epochs that are through, the first first. */
  epochs: EpochResult[];
  /** The epoch that is under way; absent between two epochs. */
  running?: RunningEpoch;
  /** The epoch with the highest accuracy so far, the first of equal ones. */
  best?: MostAccurateEpoch;
  /** Numbers that a part of the training loop carries from epoch to epoch, by a name of its own. */
  carried: Record<string, number>;
}

export interface RunningEpoch {
  /** The generator's state before the order of this epoch was drawn. */
  generator: GeneratorState;
  /** Batches that were trained on. */
  batch: number;
  /** Sum of the loss over the images of those batches. */
  lossSum: number;
  /** Images in those batches. */
  seen: number;
  /** Wall time that was spent on them. */
  seconds: number;
}

interface MostAccurateEpoch {
  /** From 1. */
  epoch: number;
  accuracy: number;
}

/** Between two batches: so many epochs are through, and so many batches of the next. */
export interface Position {
  readonly epoch: number;
  readonly batch: number;
}

/** Where `progress` stands. */
export function positionOf({ epochs, running }: TrainingProgress): Position {
  return { epoch: epochs.length, batch: running?.batch ?? 0 };
}

/** 'after epoch 2', 'in epoch 3 after batch 17'. */
export function describePosition({ epoch, batch }: Position): string {
  if (batch > 0) return `in epoch ${epoch + 1} after batch ${batch}`;
  return epoch === 0 ? 'before the first batch' : `after epoch ${epoch}`;
}

/** What a run is the best by: accuracy on the validation images where there are any, otherwise on the test images. */
export function accuracyOf({ valAccuracy, testAccuracy }: EpochResult): number {
  return valAccuracy ?? testAccuracy;
}

/**
 * The progress in a checkpoint's JSON.
 *
 * @throws FormatError, its message starting with `op`, when it is none
 */
export function progressFrom(op: string, value: unknown): TrainingProgress {
  const progress = value as TrainingProgress;
  const isProgress =
    isRecord(value) &&
    Array.isArray(progress.epochs) &&
    progress.epochs.every(
      (result, i) => hasNumbers(result, RESULT_NUMBERS) && result.epoch === i + 1 && result.testCount > 0,
    ) &&
    (progress.running === undefined || isRunning(progress.running)) &&
    (progress.best === undefined || hasNumbers(progress.best, ['epoch', 'accuracy'])) &&
    isRecord(progress.carried) &&
    hasNumbers(progress.carried, Object.keys(progress.carried));
  if (!isProgress) throw new FormatError(`${op}: the progress must be that of a training run: it is not.`);
  return progress;
}

const RESULT_NUMBERS = [
  'epoch',
  'trainLoss',
  'testLoss',
  'testAccuracy',
  'testCorrect',
  'testCount',
  'seconds',
] as const satisfies readonly (keyof EpochResult)[];

function isRunning(running: RunningEpoch): boolean {
  return (
    hasNumbers(running, ['batch', 'lossSum', 'seen', 'seconds']) &&
    [running.batch, running.seen].every((count) => Number.isSafeInteger(count) && count >= 0)
  );
}

function hasNumbers(value: unknown, names: readonly string[]): boolean {
  return isRecord(value) && names.every((name) => Number.isFinite(value[name]));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
