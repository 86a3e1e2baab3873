import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { ArgumentError, FormatError } from '@gmml/tensor';

/** What a safetensors file says of itself before its numbers. */
export interface SafetensorsSummary {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: readonly TensorSummary[];
  /** Of the whole file, header and numbers. */
  readonly bytes: number;
}

/** One tensor of a file. */
export interface TensorSummary {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
}

/** The format's limit, in bytes. */
const LONGEST_HEADER = 100_000_000;

/** Files that may stand one after the other: the statistics of so many shards. */
const MOST_FILES = 1000;

/**
 * The headers of the safetensors files that stand one after the other in a file, most often one; their numbers are not read. null
 * where the file starts with none.
 * @throws ArgumentError when it cannot be read; FormatError when it is cut off
 */
export function safetensorsSummaries(path: string): SafetensorsSummary[] | null {
  const file = opened(path);
  try {
    const { size } = fstatSync(file);
    const found: SafetensorsSummary[] = [];
    for (let at = 0; at < size && found.length < MOST_FILES;) {
      const summary = summaryAt(file, at, size);
      if (summary === null && at === 0) return null;
      if (summary === null) {
        throw new FormatError(
          `${path}: a safetensors file must be followed by nothing or another one: it has ${size} bytes, from byte ${at} on there is none.`,
        );
      }
      if (at + summary.bytes > size) {
        throw new FormatError(
          `${path}: a safetensors file must be whole: it has ${size - at} bytes, its header says ${summary.bytes}. It is cut off, or damaged.`,
        );
      }
      found.push(summary);
      at += summary.bytes;
    }
    return found;
  } finally {
    closeSync(file);
  }
}

function summaryAt(file: number, at: number, size: number): SafetensorsSummary | null {
  if (size - at < 10) return null;
  const start = read(file, at, 9);
  const length = Number(new DataView(start.buffer).getBigUint64(0, true));
  if (start[8] !== 0x7b || length > LONGEST_HEADER || length > size - at - 8) return null;
  const header = parsed(read(file, at + 8, length));
  if (header === null) return null;
  const { __metadata__: metadata = {}, ...entries } = header;
  if (!isTexts(metadata) || !Object.values(entries).every(isTensor)) return null;
  const tensors = Object.entries(entries as Record<string, TensorEntry>);
  const end = tensors.reduce(
    (
      most,
      [
        ,
        {
          data_offsets: [, last],
        },
      ],
    ) => Math.max(most, last),
    0,
  );
  return {
    metadata,
    tensors: tensors.map(([name, { dtype, shape }]) => ({ name, dtype, shape })),
    bytes: 8 + length + end,
  };
}

interface TensorEntry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly number[];
}

function isTensor(entry: unknown): entry is TensorEntry {
  if (typeof entry !== 'object' || entry === null) return false;
  const { dtype, shape, data_offsets: offsets } = entry as Partial<TensorEntry>;
  return typeof dtype === 'string' && areCounts(shape) && areCounts(offsets) && offsets.length === 2;
}

function areCounts(value: unknown): value is number[] {
  return (
    Array.isArray(value) && value.every((entry) => Number.isSafeInteger(entry) && (entry as number) >= 0)
  );
}

function isTexts(value: unknown): value is Record<string, string> {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).every((text) => typeof text === 'string')
  );
}

function parsed(bytes: Uint8Array): Record<string, unknown> | null {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as Record<string, unknown>;
  } catch {
    return null;
  }
}

function read(file: number, at: number, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const part = readSync(file, bytes, done, length - done, at + done);
    if (part === 0) throw new FormatError('the file must not shrink while it is read: it ended early.');
    done += part;
  }
  return bytes;
}

function opened(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'there is no such file or folder' : (code ?? message);
    throw new ArgumentError(`${path} must be a readable file: ${reason}.`, { cause: error });
  }
}
