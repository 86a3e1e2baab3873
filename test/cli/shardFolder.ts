// Shards in a folder, and gmml’s answers to them.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ClassStatistics } from '@gmml/gmm/statistics';
import { parseSafetensors } from '@gmml/nn';
import { beforeEach, expect } from 'vitest';
import { temporaryFolder } from '../data/idxFiles.js';
import { npyBytes, npyRows } from '../data/npyFiles.js';
import { blobs } from '../gmm/samples.js';
import { gmml, type FinishedInBytes } from './process.js';

/** A hang guard, not a speed limit. */
export const LONG = 5 * 60_000;

export const CUTS = [0, 50, 51, 400];
export const { x, labels } = blobs({ seed: 3, rows: 400, features: 4, components: 3, apart: 5 });

export let folder: string;
export let at: (name: string) => string;

beforeEach(() => {
  folder = temporaryFolder();
  at = (name) => join(folder, name);
  for (const [i, from] of CUTS.slice(0, -1).entries()) {
    const to = CUTS[i + 1];
    writeFileSync(at(`x-${i}.npy`), npyRows(Float64Array.from(x.slice(from, to).flat()), 4));
    writeFileSync(
      at(`y-${i}.npy`),
      npyBytes("'<i8'", [to - from], BigInt64Array.from(labels.slice(from, to).map(BigInt))),
    );
  }
});

export function expectDone({ code, stderr }: FinishedInBytes): void {
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
}

/** The statistics of every shard. */
export async function statsOf(...args: readonly string[]): Promise<Buffer[]> {
  const runs = await Promise.all(
    [0, 1, 2].map((i) =>
      gmml(['stats', at(`x-${i}.npy`), ...args.map((arg) => arg.replace('*', String(i)))]),
    ),
  );
  for (const run of runs) expectDone(run);
  return runs.map(({ stdout }) => stdout);
}

/** A mixture under which 1e100 has no density that float64 holds. */
export async function tightModel(): Promise<Uint8Array> {
  const zeros = npyRows(new Float64Array(20), 4);
  const { stdout } = await gmml(['init', '--regularization', '1e-110'], zeros);
  return stdout;
}

export function statisticsOfAll(
  covariance: 'full' | 'diag' | 'tied' | 'spherical' = 'full',
): ClassStatistics {
  const statistics = new ClassStatistics({ features: 4, covariance });
  statistics.add(x, labels);
  return statistics;
}

export function expectSame(a: Uint8Array, b: Uint8Array): void {
  const [left, right] = [parseSafetensors(a).tensors, parseSafetensors(b).tensors];
  expect(Object.keys(left)).toEqual(Object.keys(right));
  for (const [name, values] of Object.entries(left)) {
    expect(values, name).toBeAllClose(right[name], { rtol: 1e-9, atol: 1e-9 });
  }
}
