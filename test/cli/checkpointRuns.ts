// Small training runs with checkpoints.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { silentReporter, train } from '@gmml/cli';
import type { EpochResult, Reporter, TrainOptions } from '@gmml/cli';
import { temporaryFolder } from '../data/idxFiles.js';

/** A run of 80 images in 5 batches an epoch. */
export const small = {
  batchSize: 16,
  dim: 8,
  lr: 0.5,
  epochs: 3,
  openSet: false,
  backend: 'wasm',
  threads: 1,
} as const satisfies Partial<TrainOptions>;

/** What a run came to: the bytes of its model, what it told, and its epochs without their times. */
export interface KeptRun {
  model: Buffer;
  warnings: string[];
  /** Results told in this run. */
  told: EpochResult[];
  /** Of the whole run, those before the checkpoint too. */
  epochs: EpochResult[];
}

/** Trains, and reads the model that was saved. */
export async function keptRun(
  options: Partial<TrainOptions>,
  reporter: Partial<Reporter> = {},
): Promise<KeptRun> {
  const saveModel = join(temporaryFolder(), 'model.safetensors');
  const warnings: string[] = [];
  const told: EpochResult[] = [];
  const { epochs } = await train(
    { ...small, ...options, saveModel },
    {
      ...silentReporter,
      warn: (message) => warnings.push(message),
      epoch: (result) => told.push({ ...result, seconds: 0 }),
      ...reporter,
    },
  );
  return {
    model: readFileSync(saveModel),
    warnings,
    told,
    epochs: epochs.map((result) => ({ ...result, seconds: 0 })),
  };
}

/** The names of the files in a folder, in order. */
export function namesIn(folder: string): string[] {
  return readdirSync(folder).toSorted();
}
