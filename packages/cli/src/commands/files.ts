// What a command reads and writes: files, and the standard streams where there is no file or its name is '-'.
import fs from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { writeWhole } from '@gmml/nn/wholeFile';
import { ArgumentError, FormatError } from '@gmml/tensor';
import { UsageError } from '../errors.js';
import { safetensorsFiles } from './safetensorsFiles.js';

/** The name of standard input in a list of files. */
export const STANDARD_INPUT = '-';

/** Bytes that are asked of a file at once. */
const CHUNK_BYTES = 1 << 20;

/** A file's bytes, or those of standard input. @throws ArgumentError when it cannot be read */
export async function readInput(path: string): Promise<Uint8Array> {
  if (path === STANDARD_INPUT) return buffer(process.stdin);
  try {
    return fs.readFileSync(path);
  } catch (error) {
    throw new ArgumentError(`${path} must be a readable file: ${reason(error)}.`, { cause: error });
  }
}

/** @throws UsageError where bytes would go to a terminal, asked before anything is computed */
export function refuseTerminal(path: string | undefined): void {
  if ((path !== undefined && path !== STANDARD_INPUT) || !process.stdout.isTTY) return;
  throw new UsageError(
    'The result is binary and must not go to a terminal: standard output is one. Give --output <file>, or redirect with > file.',
  );
}

/** Writes all bytes to a file, whole or not at all, or to standard output. @throws ArgumentError when it cannot be written */
export async function writeOutput(bytes: Uint8Array, path: string | undefined): Promise<void> {
  if (path === undefined || path === STANDARD_INPUT) {
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
    throw new ArgumentError(`${path} must be a file that can be written: ${reason(error)}.`, {
      cause: error,
    });
  }
}

/** The safetensors files in a file, or on standard input, one after the other. @throws as `readInput` and `safetensorsFiles` */
export async function* safetensorsIn(path: string): AsyncGenerator<Uint8Array> {
  const name = path === STANDARD_INPUT ? 'standard input' : path;
  const stream =
    path === STANDARD_INPUT ? process.stdin : fs.createReadStream(path, { highWaterMark: CHUNK_BYTES });
  try {
    yield* safetensorsFiles(stream, name);
  } catch (error) {
    if (error instanceof FormatError) throw error;
    throw new ArgumentError(`${name} must be a readable file: ${reason(error)}.`, { cause: error });
  }
}

function reason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' ? 'there is no such file or folder' : (code ?? message);
}
