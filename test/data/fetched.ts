// A data set of the tests' own, and how they fetch it.
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { Generator } from '@gmml/tensor';
import type { DataSet } from '../../packages/data/src/download/dataSets.js';
import { fetchDataSet, type FetchDataSetOptions } from '../../packages/data/src/download/downloadMnist.js';
import { mnistFiles } from './idxFiles.js';
import type { Mirror } from './mirror.js';

/** Four images to train with and two to test. */
export const small = Object.fromEntries(
  Object.entries(mnistFiles([0, 1, 2, 1], [2, 0])).map(([name, bytes]) => [`${name}.gz`, gzipSync(bytes)]),
);

/** 200,000 bytes that come in several pieces. */
export const large = Buffer.from(
  (() => {
    const generator = new Generator(3);
    return Uint8Array.from({ length: 200_000 }, () => generator.integer(256));
  })(),
);
export const one = { 'train-images-idx3-ubyte.gz': large };
export const NAME = 'train-images-idx3-ubyte.gz';

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export function dataSetOf(files: Record<string, Buffer>, ...mirrors: Mirror[]): DataSet {
  return {
    mirrors: mirrors.map(({ url }) => url),
    files: Object.entries(files).map(([name, bytes]) => ({
      name,
      size: bytes.length,
      sha256: sha256(bytes),
    })),
  };
}

/** Fetches without patience; gives what was told of trouble. */
export async function fetched(
  dataSet: DataSet,
  folder: string,
  options: Partial<FetchDataSetOptions> = {},
): Promise<string[]> {
  const told: string[] = [];
  await fetchDataSet(dataSet, folder, {
    replace: false,
    idle: 150,
    firstDelay: 5,
    onTrouble: (message) => told.push(message),
    ...options,
  });
  return told;
}

export const byHand = (folder: string, wanted: string = NAME) =>
  `Try again, which goes on where this ended, or put ${wanted} into ${folder} yourself.`;
