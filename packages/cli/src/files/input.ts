// What a command reads: files, and standard input where there is no file or its name is '-'.
import fs from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { systemReason } from '@gmml/data/systemErrors';
import { ArgumentError, FormatError } from '@gmml/tensor';
import { safetensorsFiles } from './safetensorsStream.js';

/** The name of standard input in the place of a file that is read, of standard output in the place of one that is written. */
export const STANDARD_STREAM = '-';

/** Bytes that are asked of a file at once. */
const CHUNK_BYTES = 1 << 20;

/** What messages call an input: its path, or 'standard input'. */
export function inputName(path: string): string {
  // A variable of a shell that is not set gives an empty path.
  return path === STANDARD_STREAM ? 'standard input' : path === '' ? "''" : path;
}

/** What libraries open: the path, or standard input. */
export function inputSource(path: string): string | NodeJS.ReadStream {
  return path === STANDARD_STREAM ? process.stdin : path;
}

/** A file's bytes, or those of standard input. @throws ArgumentError when it cannot be read */
export async function readInput(path: string): Promise<Uint8Array> {
  if (path === STANDARD_STREAM) return buffer(process.stdin);
  try {
    return fs.readFileSync(path);
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** The safetensors files in a file, or on standard input, one after the other. @throws as `readInput` and `safetensorsFiles` */
export async function* safetensorsIn(path: string): AsyncGenerator<Uint8Array> {
  const stream =
    path === STANDARD_STREAM ? process.stdin : fs.createReadStream(path, { highWaterMark: CHUNK_BYTES });
  try {
    yield* safetensorsFiles(stream, inputName(path));
  } catch (error) {
    if (error instanceof FormatError) throw error;
    throw unreadable(path, error);
  }
}

/** The error for an input that the system does not give. */
export function unreadable(path: string, error: unknown): ArgumentError {
  return new ArgumentError(`${inputName(path)} must be a readable file: ${systemReason(error, 'file')}.`, {
    cause: error,
  });
}
