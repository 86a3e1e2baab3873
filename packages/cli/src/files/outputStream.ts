import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import {
  closeSync,
  fchmodSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { checkOutput, isStandardOutput, unwritable } from './output.js';

/** Text that is written piece by piece: to a file, which has its name only when it is whole, or to standard output. */
export interface OutputStream {
  write(text: string): Promise<void>;
  /** The file is whole. */
  finish(): void;
  /** It will not be: nothing is left of it. */
  abandon(): void;
}

/**
 * A link to a file stays one, permissions stay, and what is there and no file, such as a pipe or a device, is written to as it is.
 * A signal that ends the process meanwhile abandons the file.
 * @param path a file; undefined or '-' for standard output
 * @throws ArgumentError when it cannot be written, then and later
 */
export function openOutput(path: string | undefined): OutputStream {
  if (isStandardOutput(path)) return toStandardOutput;
  checkOutput(path);
  const found = statSync(path, { throwIfNoEntry: false });
  return found && !found.isFile() ? new DeviceOutput(path) : new FileOutput(path);
}

const toStandardOutput: OutputStream = {
  async write(text) {
    if (!process.stdout.write(text)) await once(process.stdout, 'drain');
  },
  finish() {},
  abandon() {},
};

class DeviceOutput implements OutputStream {
  readonly #path: string;
  readonly #file: number;

  constructor(path: string) {
    this.#path = path;
    this.#file = attempt(path, () => openSync(path, 'w'));
  }

  async write(text: string): Promise<void> {
    attempt(this.#path, () => writeAll(this.#file, text));
  }

  finish(): void {
    attempt(this.#path, () => closeSync(this.#file));
  }

  abandon(): void {
    closeSync(this.#file);
  }
}

class FileOutput implements OutputStream {
  readonly #path: string;
  readonly #mode: number | undefined;
  readonly #target: string;
  readonly #temporary: string;
  #file: number | null = null;
  readonly #onSignal = (signal: NodeJS.Signals): void => {
    this.abandon();
    // Nobody listens any more: it does what it always does.
    process.kill(process.pid, signal);
  };

  constructor(path: string) {
    this.#path = path;
    const found = statSync(path, { throwIfNoEntry: false });
    this.#mode = found?.mode;
    this.#target = found ? realpathSync(path) : path;
    this.#temporary = `${this.#target}.${randomUUID()}.tmp`;
    // First of all: a signal may come at any moment.
    for (const signal of SIGNALS) process.on(signal, this.#onSignal);
    try {
      this.#file = attempt(path, () => openSync(this.#temporary, 'wx', this.#mode));
    } catch (error) {
      this.#forgetSignals();
      throw error;
    }
  }

  async write(text: string): Promise<void> {
    attempt(this.#path, () => writeAll(this.#file!, text));
  }

  finish(): void {
    attempt(this.#path, () => {
      // The umask has taken bits away.
      if (this.#mode !== undefined) fchmodSync(this.#file!, this.#mode);
      fsyncSync(this.#file!);
      this.#close();
      renameSync(this.#temporary, this.#target);
    });
    this.#forgetSignals();
  }

  abandon(): void {
    this.#forgetSignals();
    if (this.#file !== null) this.#close();
    rmSync(this.#temporary, { force: true });
  }

  #close(): void {
    closeSync(this.#file!);
    this.#file = null;
  }

  #forgetSignals(): void {
    for (const signal of SIGNALS) process.off(signal, this.#onSignal);
  }
}

/** Those that end a process, and can be listened to. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** @throws ArgumentError in the place of an error of the file system */
function attempt<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw unwritable(path, error);
  }
}

function writeAll(file: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
}
