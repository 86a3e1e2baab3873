import { readdirSync, statSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { systemReason } from '@gmml/data/systemErrors';
import { ArgumentError, FormatError } from '@gmml/tensor';
import { unreadable } from '../files/input.js';
import { openTable } from '../tables/labelledTable.js';
import { describeModel, type Fact } from './describeModel.js';
import type { SafetensorsSummary, TensorSummary } from '../files/safetensorsHeader.js';
import { safetensorsSummaries } from '../files/safetensorsSummaries.js';

/** What a file holds. */
export interface FileDescription {
  readonly file: string;
  /** null where that is not known, as of a pipe. */
  readonly bytes: number | null;
  readonly kind: string;
  /** What is worth saying, in order. */
  readonly facts: readonly Fact[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: readonly TensorSummary[];
}

/**
 * What a file holds: of a safetensors file from its header alone, of a table by going through it. Of a folder, such as one of
 * checkpoints, each safetensors file in it, by name.
 * @param delimiter between two fields of CSV
 * @throws ArgumentError when it cannot be read; FormatError for what is none of these
 */
export async function describeFile(path: string, delimiter = ','): Promise<FileDescription[]> {
  const status = statusOf(path);
  if (status.isDirectory()) {
    const names = namesIn(path).filter((name) => name.endsWith('.safetensors'));
    if (names.length === 0) {
      throw new ArgumentError(`${path} must be a file, or a folder of safetensors files: it has none.`);
    }
    return names.toSorted().flatMap((name) => {
      const file = join(path, name);
      const summaries = safetensorsSummaries(file);
      if (summaries === null) throw new FormatError(`${file} must be a safetensors file: it is none.`);
      return summaries.map((summary) => ofSafetensors(file, summary));
    });
  }
  const summaries = safetensorsSummaries(path);
  if (summaries) return summaries.map((summary) => ofSafetensors(path, summary));
  return [await ofTable(path, status.isFile() ? status.size : null, delimiter)];
}

function ofSafetensors(file: string, { metadata, tensors, bytes }: SafetensorsSummary): FileDescription {
  return { file, bytes, ...describeModel(metadata, tensors), metadata, tensors };
}

const FORMATS = { csv: 'CSV', json: 'JSON lines', npy: '.npy', idx: 'IDX' };

async function ofTable(path: string, bytes: number | null, delimiter: string): Promise<FileDescription> {
  const table = await openTable(path, delimiter);
  let rows = 0;
  for await (const block of table.blocks()) rows += block.rows;
  const { format, columns } = table;
  const names = format === 'csv' || format === 'json' ? [...columns] : null;
  const facts: Fact[] = [
    ['rows', rows],
    ['columns', names ?? columns.length],
  ];
  return { file: path, bytes, kind: `table (${FORMATS[format]})`, facts, metadata: {}, tensors: [] };
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    throw new ArgumentError(`${folder} must be a readable folder: ${systemReason(error)}.`, { cause: error });
  }
}

function statusOf(path: string): Stats {
  try {
    return statSync(path);
  } catch (error) {
    throw unreadable(path, error);
  }
}
