// What a command writes: files, and standard output where there is no file or its name is '-'.
import fs from 'node:fs';
import { dirname } from 'node:path';
import { systemReason } from '@gmml/data/systemErrors';
import { writeWhole } from '@gmml/nn/wholeFile';
import { ArgumentError } from '@gmml/tensor';
import { UsageError } from '../errors.js';
import { STANDARD_STREAM } from './input.js';

/** Whether output goes to standard output. */
export function isStandardOutput(path: string | undefined): path is undefined | typeof STANDARD_STREAM {
  return path === undefined || path === STANDARD_STREAM;
}

/** @throws UsageError where bytes would go to a terminal, asked before anything is computed */
export function refuseTerminal(path: string | undefined): void {
  if (!isStandardOutput(path) || !process.stdout.isTTY) return;
  throw new UsageError(
    'The result is binary and must not go to a terminal: standard output is one. Give --output <file>, or redirect with > file.',
  );
}

/** @throws UsageError where the result would take the place of what it is made of: asked before anything is written */
export function refuseOverwriting(output: string | undefined, inputs: readonly (string | undefined)[]): void {
  if (isStandardOutput(output)) return;
  const target = statusOf(output);
  if (!target?.isFile()) return;
  for (const input of inputs) {
    const source = input === undefined ? undefined : statusOf(input);
    if (source?.ino === target.ino && source.dev === target.dev) {
      throw new UsageError(
        `--output must not be a file that is read: ${output} is one. Give the result another name.`,
      );
    }
  }
}

/** @throws ArgumentError when `path` cannot be written: asked before the work, not after */
export function checkOutput(path: string): void {
  const obstacle = obstacleTo(path);
  if (obstacle !== null) {
    throw new ArgumentError(`${path} must be a file that can be written: ${obstacle}.`);
  }
}

/** What is in the way of writing a file whole, or a pipe or a device as it is; null where nothing is. */
export function obstacleTo(path: string): string | null {
  try {
    const found = fs.statSync(path, { throwIfNoEntry: false });
    if (found?.isDirectory()) return 'it is a folder';
    const folder = dirname(found ? fs.realpathSync(path) : path);
    fs.accessSync(!found || found.isFile() ? folder : path, fs.constants.W_OK);
    return null;
  } catch (error) {
    return systemReason(error, 'folder');
  }
}

/** undefined for what cannot be looked at: whoever opens it says why. */
function statusOf(path: string): fs.Stats | undefined {
  try {
    return fs.statSync(path);
  } catch {
    return undefined;
  }
}

/** Writes all bytes to a file, whole or not at all, or to standard output. @throws ArgumentError when it cannot be written */
export async function writeOutput(bytes: Uint8Array, path: string | undefined): Promise<void> {
  if (isStandardOutput(path)) {
    await new Promise<void>((resolve) => process.stdout.write(bytes, () => resolve()));
    return;
  }
  replaceFile(path, bytes);
}

/** Writes all bytes to a file, whole or not at all. @throws ArgumentError when it cannot be written */
export function replaceFile(path: string, bytes: Uint8Array): void {
  try {
    writeWhole(fs, path, bytes);
  } catch (error) {
    throw unwritable(path, error);
  }
}

/** The error for a file that the system does not take. */
export function unwritable(path: string, error: unknown): ArgumentError {
  return new ArgumentError(`${path} must be a file that can be written: ${systemReason(error, 'folder')}.`, {
    cause: error,
  });
}
