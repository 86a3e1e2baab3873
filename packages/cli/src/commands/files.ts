// What a command reads and writes: files, and the standard streams where there is no file or its name is '-'.
import { randomUUID } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { ArgumentError, FormatError } from '@gmml/tensor';

/** The name of standard input in a list of files. */
export const STANDARD_INPUT = '-';

/** A file's bytes, or those of standard input. @throws ArgumentError when it cannot be read */
export async function readInput(path: string): Promise<Uint8Array> {
  if (path === STANDARD_INPUT) return buffer(process.stdin);
  try {
    return readFileSync(path);
  } catch (error) {
    throw new ArgumentError(`${path} must be a readable file: ${reason(error)}.`, { cause: error });
  }
}

/** Writes all bytes to a file, whole or not at all, or to standard output. @throws ArgumentError when it cannot be written */
export async function writeOutput(bytes: Uint8Array, path: string | undefined): Promise<void> {
  if (path === undefined || path === STANDARD_INPUT) {
    await new Promise<void>((resolve) => process.stdout.write(bytes, () => resolve()));
    return;
  }
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    const file = openSync(temporary, 'wx');
    try {
      writeFileSync(file, bytes);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw new ArgumentError(`${path} must be a file that can be written: ${reason(error)}.`, {
      cause: error,
    });
  }
}

/**
 * The safetensors files that stand one after the other in `bytes`: each says in its header how long it is.
 * @throws FormatError when the last is cut off
 */
export function* safetensorsIn(bytes: Uint8Array, name: string): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length;) {
    const length = lengthOf(bytes.subarray(at));
    if (length === null || at + length > bytes.length) {
      throw new FormatError(`${name}: statistics must be whole safetensors files: byte ${at} starts none.`);
    }
    yield bytes.subarray(at, at + length);
    at += length;
  }
}

/** Bytes of the file that `bytes` start with; null where they start none. */
function lengthOf(bytes: Uint8Array): number | null {
  if (bytes.length < 8) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, 8);
  const header = Number(view.getBigUint64(0, true));
  if (header > bytes.length - 8) return null;
  try {
    const text = new TextDecoder().decode(bytes.subarray(8, 8 + header));
    const entries = Object.entries(JSON.parse(text) as Record<string, { data_offsets: number[] }>);
    const ends = entries
      .filter(([name]) => name !== '__metadata__')
      .map(
        ([
          ,
          {
            data_offsets: [, end],
          },
        ]) => end,
      );
    return 8 + header + Math.max(0, ...ends);
  } catch {
    return null;
  }
}

function reason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' ? 'there is no such file or folder' : (code ?? message);
}
