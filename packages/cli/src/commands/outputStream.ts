import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { ArgumentError } from '@gmml/tensor';
import { STANDARD_INPUT } from './files.js';

/** Text that is written piece by piece: to a file, which has its name only when it is whole, or to standard output. */
export interface OutputStream {
  write(text: string): Promise<void>;
  /** The file is whole. */
  finish(): void;
  /** It will not be: nothing is left of it. */
  abandon(): void;
}

/**
 * @param path a file; undefined or '-' for standard output
 * @throws ArgumentError when it cannot be written, then and later
 */
export function openOutput(path: string | undefined): OutputStream {
  if (path === undefined || path === STANDARD_INPUT) return toStandardOutput;
  const temporary = `${path}.${randomUUID()}.tmp`;
  let file: number | null = null;
  const abandon = (): void => {
    if (file !== null) closeSync(file);
    file = null;
    rmSync(temporary, { force: true });
  };
  const attempt = (act: () => void): void => {
    try {
      act();
    } catch (error) {
      abandon();
      throw cannotWrite(path, error);
    }
  };
  checkOutput(path);
  attempt(() => {
    file = openSync(temporary, 'wx');
  });
  return {
    write: async (text) => {
      attempt(() => writeAll(file!, Buffer.from(text)));
    },
    finish: () =>
      attempt(() => {
        fsyncSync(file!);
        closeSync(file!);
        file = null;
        renameSync(temporary, path);
      }),
    abandon,
  };
}

/** @throws ArgumentError when `path` cannot become a file: asked before the work, not after */
export function checkOutput(path: string): void {
  try {
    accessSync(dirname(path), constants.W_OK);
  } catch (error) {
    throw cannotWrite(path, error);
  }
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    throw new ArgumentError(`${path} must be a file that can be written: it is a folder.`);
  }
}

const toStandardOutput: OutputStream = {
  async write(text) {
    if (!process.stdout.write(text)) await once(process.stdout, 'drain');
  },
  finish() {},
  abandon() {},
};

function writeAll(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
}

function cannotWrite(path: string, error: unknown): ArgumentError {
  const { code, message } = error as NodeJS.ErrnoException;
  const reason = code === 'ENOENT' ? 'there is no such folder' : (code ?? message);
  return new ArgumentError(`${path} must be a file that can be written: ${reason}.`, { cause: error });
}
