// A folder of checkpoints. A file there is whole or is not there: it is written aside, and then takes its name.
import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  type Dirent,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { makeFolder } from '@gmml/data/makeFolder';
import { systemReason } from '@gmml/data/systemErrors';
import { writeWhole } from '@gmml/nn/wholeFile';
import { FormatError } from '@gmml/tensor';
import { UsageError } from '../../errors.js';
import { decodeCheckpoint, type Checkpoint } from './format.js';
import type { Position } from './progress.js';

/** A checkpoint that cannot be used, and why. */
export interface DamagedCheckpoint {
  readonly path: string;
  readonly reason: string;
}

/** What a folder has to go on from. */
export interface NewestCheckpoint {
  /** The newest that is whole, if one is. */
  readonly found?: { readonly path: string; readonly checkpoint: Checkpoint };
  /** Those that are newer and damaged, the newest first. */
  readonly damaged: readonly DamagedCheckpoint[];
}

/** `epoch-0003-batch-000017.safetensors`, `epoch-0003.safetensors`: after 17 batches of epoch 3, and after all of it. */
const CHECKPOINT = /^epoch-(\d{4,9})(?:-batch-(\d{6,12}))?\.safetensors$/;
/** What a write leaves that was cut short. */
const LEFTOVER = /^epoch-[\w-]+\.safetensors\.[\da-f-]{36}\.tmp$/;

/** The checkpoints in a folder, which need not exist until `prepare`. */
export class CheckpointFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Whether there is such a folder. @throws UsageError, beginning with `option`, when it is something else */
  exists(option: string): boolean {
    if (!existsSync(this.path)) return false;
    if (statSync(this.path).isDirectory()) return true;
    throw new UsageError(`${option} must name a folder: ${this.path} is a file.`);
  }

  /** Where the run stood in each checkpoint, the oldest first. Links and whatever else is no file are passed over. @throws UsageError when it cannot be read */
  positions(): Position[] {
    return this.#entries()
      .filter((entry) => entry.isFile())
      .flatMap(({ name }) => {
        const [match, epoch, batch] = CHECKPOINT.exec(name) ?? [];
        if (match === undefined) return [];
        const isThrough = batch === undefined;
        return [{ epoch: Number(epoch) - (isThrough ? 0 : 1), batch: isThrough ? 0 : Number(batch) }];
      })
      .toSorted((a, b) => a.epoch - b.epoch || a.batch - b.batch);
  }

  #entries(): Dirent[] {
    try {
      return readdirSync(this.path, { withFileTypes: true });
    } catch (error) {
      throw new UsageError(`${this.path} must be a folder that can be read: ${systemReason(error)}.`, {
        cause: error,
      });
    }
  }

  pathOf({ epoch, batch }: Position): string {
    const name = batch > 0 ? `${digits(epoch + 1, 4)}-batch-${digits(batch, 6)}` : digits(epoch, 4);
    return join(this.path, `epoch-${name}.safetensors`);
  }

  /** Reads from the newest on until one is whole. */
  newest(): NewestCheckpoint {
    const damaged: DamagedCheckpoint[] = [];
    for (const position of this.positions().toReversed()) {
      const path = this.pathOf(position);
      try {
        return { found: { path, checkpoint: decodeCheckpoint(path, readFileSync(path)) }, damaged };
      } catch (error) {
        damaged.push({ path, reason: problemIn(error, path) });
      }
    }
    return { damaged };
  }

  /**
   * Makes the folder if there is none, tries whether it can be written, removes what writes that were cut short have left
   * there, and takes damaged files out of the row of checkpoints: they are kept, with `.damaged` after their names.
   *
   * @throws UsageError when there can be no such folder or nothing can be written there
   */
  prepare(damaged: readonly DamagedCheckpoint[]): void {
    try {
      makeFolder(resolve(this.path));
      const attempt = `${this.pathOf({ epoch: 0, batch: 0 })}.${randomUUID()}.tmp`;
      writeFileSync(attempt, new Uint8Array(1), { flush: true });
      rmSync(attempt);
      const left = readdirSync(this.path).filter((name) => LEFTOVER.test(name));
      for (const name of left) rmSync(join(this.path, name), { force: true });
      for (const { path } of damaged) if (existsSync(path)) renameSync(path, `${path}.damaged`);
    } catch (error) {
      throw new UsageError(
        `--checkpoint must name a folder that can be written: ${this.path}: ${systemReason(error)}.`,
        { cause: error },
      );
    }
  }

  /**
   * Writes a checkpoint, whole or not at all, and gives its path. Whatever happens meanwhile, the other checkpoints are
   * left as they are.
   *
   * @throws Error with the code of the file system
   */
  write(position: Position, bytes: Uint8Array): string {
    const path = this.pathOf(position);
    writeWhole(fs, path, bytes);
    syncFolder(this.path);
    return path;
  }

  /** Removes all but the newest `keep` checkpoints and that of after the epoch `best`, as far as they can be removed. */
  removeOld(keep: number, best: number | undefined): void {
    for (const position of this.positions().slice(0, -keep)) {
      const isBest = position.epoch === best && position.batch === 0;
      if (!isBest) tryToRemove(this.pathOf(position));
    }
  }
}

/** Whether both are given and name one folder. */
export function isSameFolder(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined && resolve(a) === resolve(b);
}

/** What is wrong with a file, without its name and the full stop. */
function problemIn(error: unknown, path: string): string {
  if (!(error instanceof FormatError)) return systemReason(error);
  return error.message.replace(`${path}: `, '').replace(/^parseSafetensors: |\.$/g, '');
}

function digits(value: number, least: number): string {
  return String(value).padStart(least, '0');
}

function tryToRemove(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // An old checkpoint takes room, and does no other harm.
  }
}

/** Makes the new name last through a power cut. Windows opens no folders: there the rename has to do. */
function syncFolder(path: string): void {
  try {
    const folder = openSync(path, 'r');
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  } catch {
    // The checkpoint is written and whole: only its name might be lost with the power.
  }
}
