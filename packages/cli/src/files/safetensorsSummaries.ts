import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { ArgumentError, FormatError } from '@gmml/tensor';
import { unreadable } from './input.js';
import {
  headerLength,
  LENGTH_BYTES,
  LONGEST_HEADER,
  summaryIn,
  type SafetensorsSummary,
} from './safetensorsHeader.js';

/** Files that may stand one after the other: the statistics of so many shards. */
const MOST_FILES = 1000;

/** The shortest file: its length, and '{}'. */
const LEAST_BYTES = LENGTH_BYTES + 2;

/**
 * What the safetensors files that stand one after the other in a file, most often one, say of themselves; their numbers are not
 * read. null where the file starts with none, or is a pipe or a device.
 * @throws ArgumentError when it cannot be read; FormatError when it is cut off
 */
export function safetensorsSummaries(path: string): SafetensorsSummary[] | null {
  try {
    const status = statSync(path);
    if (status.isFile()) return summariesIn(path);
    if (!status.isDirectory()) return null;
  } catch (error) {
    if (error instanceof FormatError) throw error;
    throw unreadable(path, error);
  }
  throw new ArgumentError(`${path} must be a readable file: it is a folder.`);
}

function summariesIn(path: string): SafetensorsSummary[] | null {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const found: SafetensorsSummary[] = [];
    for (let at = 0; at < size && found.length < MOST_FILES;) {
      const summary = summaryAt(file, path, at, size);
      if (summary === null && at === 0) return null;
      if (summary === null) {
        throw new FormatError(
          `${path}: a safetensors file must be followed by nothing or another one: it has ${size} bytes, from byte ${at} on there is none.`,
        );
      }
      if (at + summary.bytes > size) throw cutOff(path, size - at, `its header says ${summary.bytes}`);
      found.push(summary);
      at += summary.bytes;
    }
    return found.length === 0 ? null : found;
  } finally {
    closeSync(file);
  }
}

function summaryAt(file: number, path: string, at: number, size: number): SafetensorsSummary | null {
  if (size - at < LEAST_BYTES) return null;
  const start = read(file, path, at, LENGTH_BYTES + 1);
  const length = headerLength(start);
  const isHeader = start[LENGTH_BYTES] === '{'.charCodeAt(0) && length <= LONGEST_HEADER;
  if (!isHeader) return null;
  const end = LENGTH_BYTES + length;
  if (end > size - at) throw cutOff(path, size - at, `its header alone takes ${end}`);
  return summaryIn(read(file, path, at + LENGTH_BYTES, length));
}

function cutOff(path: string, bytes: number, instead: string): FormatError {
  return new FormatError(
    `${path}: a safetensors file must be whole: it has ${bytes} bytes, ${instead}. It is cut off, or damaged.`,
  );
}

function read(file: number, path: string, at: number, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const count = readSync(file, bytes, done, length - done, at + done);
    if (count === 0) {
      throw new FormatError(`${path}: the file must not shrink while it is read: it ended early.`);
    }
    done += count;
  }
  return bytes;
}
