// gmml init, stats and merge as processes, as a driver would call them.
/* oxlint-disable no-await-in-loop -- iterations follow one another */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { GMML, OpenSetClassifier } from '@gmml/gmm';
import {
  ClassStatistics,
  modelFromSafetensors,
  mixtureFromSafetensors,
  mixtureToSafetensors,
} from '@gmml/gmm/statistics';
import { parseSafetensors } from '@gmml/nn';
import { describe, expect, test } from 'vitest';
import { idxBytes } from '../data/idxFiles.js';
import { npyRows } from '../data/npyFiles.js';
import { gmml, type FinishedInBytes } from './process.js';
import {
  LONG,
  CUTS,
  folder,
  at,
  expectDone,
  statsOf,
  statisticsOfAll,
  expectSame,
  x,
  labels,
} from './shardFolder.js';

describe('closed form', { timeout: LONG }, () => {
  test('shards with labels merge to the classifier of all rows', async () => {
    const stats = await statsOf('--labels', at('y-*.npy'));
    for (const [i, bytes] of stats.entries()) writeFileSync(at(`${i}.stats`), bytes);
    const files = [0, 1, 2].map((i) => at(`${i}.stats`));
    const merged = await gmml(['merge', ...files]);
    expectDone(merged);
    const classifier = OpenSetClassifier.fromSafetensors(merged.stdout);
    expect(classifier.counts).toEqual({ 0: 134, 1: 133, 2: 133 });
    expectSame(merged.stdout, statisticsOfAll().toOpenSetClassifier().toSafetensors());

    // The same from standard input, in another order; and by way of partial sums.
    const piped = await gmml(['merge'], Buffer.concat(stats.toReversed()));
    expectDone(piped);
    expectSame(piped.stdout, merged.stdout);
    const partial = await gmml(['merge', '--partial', files[2], files[0], '--output', at('part.stats')]);
    expectDone(partial);
    expect(partial.stdout.length).toBe(0);
    const together = await gmml(['merge', at('part.stats'), '-', '--output', at('model')], stats[1]);
    expectDone(together);
    expectSame(readFileSync(at('model')), merged.stdout);
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  test('other models and covariances', async () => {
    const stats = Buffer.concat(await statsOf('--labels', at('y-*.npy'), '--covariance', 'diag'));
    const layer = await gmml(['merge', '--as', 'gmml', '--shrinkage', '0.25'], stats);
    expectDone(layer);
    const { model, labels: names } = modelFromSafetensors(layer.stdout);
    expect(model).toBeInstanceOf(GMML);
    expect(names).toEqual(['0', '1', '2']);
    const own = statisticsOfAll('diag').toGMML({ shrinkage: 0.25 }).stateDict();
    for (const [name, values] of Object.entries((model as GMML).stateDict())) {
      expect(values, name).toBeAllClose(own[name], { rtol: 1e-9, atol: 1e-9 });
    }
    const mixture = await gmml(['merge', '--as', 'mixture', '--regularization', '0.5'], stats);
    expectDone(mixture);
    const direct = statisticsOfAll('diag').toGaussianMixture({ regularization: 0.5 });
    expectSame(mixture.stdout, mixtureToSafetensors(direct));
    const refused = await gmml(['merge'], Buffer.concat(await statsOf('--covariance', 'spherical')));
    expect([refused.code, refused.stdout.length]).toEqual([1, 0]);
    expect(refused.stderr).toMatch(/^gmml: ClassStatistics.toOpenSetClassifier: covariance must be .*\n$/);
  });

  test('CSV, IDX, gzip, standard input and ranges of rows count the same', async () => {
    const lines = x.map((row, n) => [...row, `kind ${labels[n]}`].join(','));
    writeFileSync(at('all.csv'), `a,b,c,d,kind\n${lines.join('\n')}\n`);
    writeFileSync(at('labels.csv'), labels.map((label) => `kind ${label}\n`).join(''));
    const all = npyRows(Float64Array.from(x.flat()), 4);
    writeFileSync(at('all.npy.gz'), gzipSync(all));
    const runs = await Promise.all([
      gmml(['stats', at('all.csv'), '--label-column', 'kind']),
      gmml(['stats', '--label-column', '4', '--header'], readFileSync(at('all.csv'))),
      gmml(['stats', at('all.npy.gz'), '--labels', at('labels.csv')]),
      gmml(['stats', '-', '--labels', at('labels.csv'), '--name', 'pipe'], all),
    ]);
    const expected = new ClassStatistics({ features: 4 });
    expected.add(
      x,
      labels.map((label) => `kind ${label}`),
    );
    const names = [at('all.csv'), /^sha256:[\da-f]{64}$/, at('all.npy.gz'), 'pipe'];
    for (const [i, run] of runs.entries()) {
      expectDone(run);
      const { shards, counts } = ClassStatistics.fromSafetensors(run.stdout);
      expect(counts).toEqual({ 'kind 0': 134, 'kind 1': 133, 'kind 2': 133 });
      expect(shards).toMatchObject([{ from: 0, to: 400 }]);
      expect(shards[0].name).toMatch(names[i]);
      expectSame(run.stdout, expected.toSafetensors());
    }
    const halves = await Promise.all(
      ['0:150', '150:'].map((rows) =>
        gmml(['stats', at('all.npy.gz'), '--labels', at('labels.csv'), '--rows', rows]),
      ),
    );
    const merged = await gmml(['merge'], Buffer.concat(halves.map(({ stdout }) => stdout)));
    expectDone(merged);
    expectSame(merged.stdout, expected.toOpenSetClassifier().toSafetensors());

    const bytes = idxBytes(8, [3, 2], [0, 0, 1, 2, 2, 4]);
    const idx = await gmml(['stats', '--covariance', 'diag'], bytes);
    expectDone(idx);
    const { mean, scatter } = momentsIn(idx.stdout);
    expect([mean, scatter]).toEqual([
      [1, 2],
      [1, 4],
    ]);
  });

  function momentsIn(stats: Uint8Array): { mean: number[]; scatter: number[] } {
    const mixture = ClassStatistics.fromSafetensors(stats).toGaussianMixture({ regularization: 0 });
    const [mean, variance] = [mixture.means, mixture.covariances].map(({ data }) => Array.from(data));
    return { mean, scatter: variance.map((value) => (value * 3) / 2) };
  }
});

describe('EM', { timeout: LONG }, () => {
  test('init, and stats and merge until 0, are the fit of all rows', async () => {
    writeFileSync(at('all.npy'), npyRows(Float64Array.from(x.flat()), 4));
    const init = ['init', at('all.npy'), '--components', '3', '--seed', '5', '--init', 'randomFromData'];
    const start = await gmml([...init, '--tolerance', '1e-3', '--regularization', '0.05']);
    expectDone(start);
    const warm = mixtureFromSafetensors(start.stdout, { warmStart: true }).fit(x);
    const files = CUTS.slice(0, -1).map((_, i) => at(`${i}.stats`));
    let model: Buffer = start.stdout;
    let code: number | null = 3;
    let turns = 0;
    for (; code === 3; turns++) {
      writeFileSync(at('model'), model);
      const stats = await statsOf('--model', at('model'));
      for (const [i, bytes] of stats.entries()) writeFileSync(files[i], bytes);
      const merged = await gmml(['merge', ...files, '--previous', at('model')]);
      expect(merged.stderr).toBe('');
      ({ code, stdout: model } = merged);
    }
    expect([code, turns]).toEqual([0, warm.iterations]);
    expectSame(model, mixtureToSafetensors(warm));
    const { metadata } = parseSafetensors(model);
    expect(metadata).toMatchObject({ iterations: String(turns), rows: '400', converged: 'true' });
    expect(Number(metadata.lowerBound)).toBeAllClose(warm.lowerBound, { rtol: 1e-9, atol: 0 });

    // A tolerance of the merge's own; and statistics that are older than the model.
    const longer = await gmml(['merge', ...files, '--tolerance', '0', '--output', at('longer')]);
    expect([longer.code, longer.stderr]).toEqual([3, '']);
    const stale = await gmml(['merge', ...files, '--previous', at('longer')]);
    expect(stale).toMatchObject({
      code: 2,
      stderr: `gmml: The statistics must be under ${at('longer')}: they are under another model.\n`,
    });
    expect(stale.stdout.length).toBe(0);
  });

  test('init draws a sample of all shards, the same for the same seed', async () => {
    const init = (seed: string, ...more: string[]): Promise<FinishedInBytes> =>
      gmml([
        'init',
        at('x-0.npy'),
        at('x-2.npy'),
        '--components',
        '3',
        '--seed',
        seed,
        '--sample',
        '60',
        ...more,
      ]);
    const [a, b, c] = await Promise.all([init('1'), init('1'), init('2')]);
    expectDone(a);
    expect(a.stdout).toEqual(b.stdout);
    expect(a.stdout).not.toEqual(c.stdout);
    const { metadata } = parseSafetensors(a.stdout);
    expect(metadata).toMatchObject({ iterations: '0', rows: '60', converged: 'false' });
    const few = await init('1', '--sample', '2');
    expect(few).toMatchObject({
      code: 1,
      stderr:
        'gmml: GaussianMixture.fit: there must be at least as many samples as components: 2 and 3. Use fewer components.\n',
    });
  });
});

test('--help lists the commands, --version the version', async () => {
  const help = await gmml(['--help']);
  expectDone(help);
  expect(help.stdout.toString()).toMatch(/init .*\n[^]*stats .*\n[^]*merge /);
  expect((await gmml(['--version'])).stdout.toString()).toMatch(/^\d+\.\d+\.\d+\n$/);
  const bare = await gmml([]);
  expect(bare.code).toBe(2);
  expect(bare.stderr).toMatch(/^Usage: gmml /);
});
