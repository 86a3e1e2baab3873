import { readdirSync, statSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { ArgumentError } from '@gmml/tensor';
import { openTable } from '../tables/labelledTable.js';
import { describeModel, type Fact } from './describeModel.js';
import { safetensorsSummaries, type SafetensorsSummary, type TensorSummary } from './safetensorsHeader.js';

/** What a file holds. */
export interface FileDescription {
  readonly file: string;
  readonly bytes: number;
  readonly kind: string;
  /** What is worth saying, in order. */
  readonly facts: readonly Fact[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: readonly TensorSummary[];
}

/**
 * What a file holds: of a safetensors file from its header alone, of a table by going through it. Of a folder, such as one of
 * checkpoints, each safetensors file in it, by name.
 * @throws ArgumentError when it cannot be read; FormatError for what is none of these
 */
export async function describeFile(path: string): Promise<FileDescription[]> {
  const status = statusOf(path);
  if (status.isDirectory()) {
    const names = readdirSync(path).filter((name) => name.endsWith('.safetensors'));
    if (names.length === 0) {
      throw new ArgumentError(`${path} must be a file, or a folder of safetensors files: it has none.`);
    }
    return names.toSorted().flatMap((name) => {
      const file = join(path, name);
      return (safetensorsSummaries(file) ?? []).map((summary) => ofSafetensors(file, summary));
    });
  }
  const summaries = safetensorsSummaries(path);
  if (summaries) return summaries.map((summary) => ofSafetensors(path, summary));
  return [await ofTable(path, status.size)];
}

function ofSafetensors(file: string, { metadata, tensors, bytes }: SafetensorsSummary): FileDescription {
  return { file, bytes, ...describeModel(metadata, tensors), metadata, tensors };
}

const FORMATS = { csv: 'CSV', json: 'JSON lines', npy: '.npy', idx: 'IDX' };

async function ofTable(path: string, bytes: number): Promise<FileDescription> {
  const table = await openTable(path, ',');
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

function statusOf(path: string): Stats {
  try {
    return statSync(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'there is no such file or folder' : (code ?? message);
    throw new ArgumentError(`${path} must be a readable file: ${reason}.`, { cause: error });
  }
}
