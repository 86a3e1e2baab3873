// What has come of a file so far, under a name of its own beside the place where the whole file will be.
import { createHash } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { systemReason } from '../systemErrors.js';
import type { RemoteFile } from './dataSets.js';
import { DownloadError } from './errors.js';

/** Part files that this process writes at the moment. */
const inUse = new Set<string>();

/**
 * The part file of a download. Its name has the process's number, so that two runs at the same time do not write into one;
 * a run takes over what an earlier one, which is over, has left.
 */
export class PartFile {
  readonly path: string;
  readonly #file: number;
  #isOpen = true;
  #size: number;

  private constructor(path: string, file: number, size: number) {
    this.path = path;
    this.#file = file;
    this.#size = size;
  }

  /** @throws DownloadError when it cannot be written */
  static async open(folder: string, name: string): Promise<PartFile> {
    const path = freeName(folder, name);
    inUse.add(path);
    try {
      await takeOver(folder, name, path);
      // Neither 'a', which writes at the end wherever it is told to, nor 'w', which begins anew.
      const file = openSync(path, existsSync(path) ? 'r+' : 'w+');
      return new PartFile(path, file, fstatSync(file).size);
    } catch (error) {
      inUse.delete(path);
      throw writeError(path, error);
    }
  }

  /** Bytes so far. */
  get size(): number {
    return this.#size;
  }

  /** @throws DownloadError when it cannot be written */
  append(bytes: Uint8Array): void {
    try {
      // A full disk may take a part only, and refuses the rest.
      for (let written = 0; written < bytes.length;) {
        const count = writeSync(this.#file, bytes, written, bytes.length - written, this.#size);
        written += count;
        this.#size += count;
      }
    } catch (error) {
      throw writeError(this.path, error);
    }
  }

  empty(): void {
    ftruncateSync(this.#file);
    this.#size = 0;
  }

  /** Gives the file its own name, when all of it is on the disk. Another one of that name is replaced. */
  async finish(path: string): Promise<void> {
    try {
      fsyncSync(this.#file);
      this.#closeFile();
      await rename(this.path, path);
    } catch (error) {
      throw writeError(path, error);
    }
    // Not sooner, or another download of this process could take it over.
    inUse.delete(this.path);
    await syncFolder(join(path, '..'));
  }

  /** Leaves what has come for the next run; nothing where nothing has. */
  close(): void {
    this.#closeFile();
    if (inUse.delete(this.path) && this.#size === 0) rmSync(this.path, { force: true });
  }

  #closeFile(): void {
    if (this.#isOpen) closeSync(this.#file);
    this.#isOpen = false;
  }
}

/** What is wrong with a file, in words; undefined where it is what it must be. */
export async function flawOf(path: string, { size, sha256 }: RemoteFile): Promise<string | undefined> {
  const found = (await stat(path)).size;
  if (found !== size) return `it has ${found} bytes, not ${size}`;
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  const digest = hash.digest('hex');
  return digest === sha256 ? undefined : `its SHA-256 is ${digest}, not ${sha256}`;
}

function freeName(folder: string, name: string): string {
  for (let number = 1; ; number++) {
    const path = join(folder, `${name}.${process.pid}-${number}.part`);
    if (!inUse.has(path)) return path;
  }
}

/** The largest part that nobody writes any more becomes `path`; smaller ones go. */
async function takeOver(folder: string, name: string, path: string): Promise<void> {
  const parts: { path: string; size: number }[] = [];
  const prefix = `${name}.`;
  const entries = (await readdir(folder)).filter((entry) => entry.startsWith(prefix));
  for (const entry of entries) {
    const [, pid] = /^(\d+)-\d+\.part$/.exec(entry.slice(prefix.length)) ?? [];
    const part = join(folder, entry);
    if (pid === undefined || isWritten(part, Number(pid))) continue;
    // oxlint-disable-next-line no-await-in-loop -- there are one or two
    const { size } = await stat(part).catch(() => ({ size: -1 }));
    if (size >= 0) parts.push({ path: part, size });
  }
  const [largest, ...others] = parts.toSorted((a, b) => b.size - a.size);
  if (!largest) return;
  // Another run may have been faster.
  if (largest.path !== path) await rename(largest.path, path).catch(() => {});
  await Promise.all(others.map((part) => rm(part.path, { force: true })));
}

/** By a run that goes on; `path` itself, which is to be taken over into, is in use but not written. */
function isWritten(path: string, pid: number): boolean {
  return pid === process.pid ? inUse.has(path) : isRunning(pid);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Makes a rename last through a loss of power, where the system can. */
async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r');
    await handle.sync().finally(() => handle.close());
  } catch {
    // Windows opens no folders.
  }
}

function writeError(path: string, error: unknown): DownloadError {
  return new DownloadError(`${path} must be a file that can be written: ${systemReason(error, 'folder')}.`, {
    cause: error,
  });
}
