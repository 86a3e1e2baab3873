// gmml init, stats and merge as processes, as a driver would call them.
/* oxlint-disable no-await-in-loop -- iterations follow one another */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { GMML, OpenSetClassifier } from '@gmml/gmm';
import {
  ClassStatistics,
  EMStatistics,
  modelFromSafetensors,
  mixtureFromSafetensors,
  mixtureToSafetensors,
} from '@gmml/gmm/statistics';
import { parseSafetensors } from '@gmml/nn';
import { beforeEach, describe, expect, test } from 'vitest';
import { idxBytes, temporaryFolder } from '../data/idxFiles.js';
import { npyBytes, npyRows } from '../data/npyFiles.js';
import { blobs } from '../gmm/samples.js';
import { gmml, type FinishedInBytes } from './process.js';

/** A hang guard, not a speed limit. */
const LONG = 5 * 60_000;

const CUTS = [0, 50, 51, 400];
const { x, labels } = blobs({ seed: 3, rows: 400, features: 4, components: 3, apart: 5 });

let folder: string;
let at: (name: string) => string;

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

function expectDone({ code, stderr }: FinishedInBytes): void {
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
}

/** The statistics of every shard. */
async function statsOf(...args: readonly string[]): Promise<Buffer[]> {
  const runs = await Promise.all(
    [0, 1, 2].map((i) =>
      gmml(['stats', at(`x-${i}.npy`), ...args.map((arg) => arg.replace('*', String(i)))]),
    ),
  );
  for (const run of runs) expectDone(run);
  return runs.map(({ stdout }) => stdout);
}

/** A mixture under which 1e100 has no density that float64 holds. */
async function tightModel(): Promise<Uint8Array> {
  const zeros = npyRows(new Float64Array(20), 4);
  const { stdout } = await gmml(['init', '--regularization', '1e-110'], zeros);
  return stdout;
}

function statisticsOfAll(covariance: 'full' | 'diag' | 'tied' | 'spherical' = 'full'): ClassStatistics {
  const statistics = new ClassStatistics({ features: 4, covariance });
  statistics.add(x, labels);
  return statistics;
}

function expectSame(a: Uint8Array, b: Uint8Array): void {
  const [left, right] = [parseSafetensors(a).tensors, parseSafetensors(b).tensors];
  expect(Object.keys(left)).toEqual(Object.keys(right));
  for (const [name, values] of Object.entries(left)) {
    expect(values, name).toBeAllClose(right[name], { rtol: 1e-9, atol: 1e-9 });
  }
}

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

describe('what is refused', { timeout: LONG }, () => {
  test('a shard that is there twice, by its name or its content', async () => {
    const stats = await statsOf('--labels', at('y-*.npy'));
    const twice = await gmml(['merge', '--output', at('model')], Buffer.concat([...stats, stats[0]]));
    expect(twice).toMatchObject({
      code: 2,
      stderr: `gmml: ClassStatistics.merge: every row must count once: rows 0 to 49 of ${at('x-0.npy')} are in both. Leave one of them out.\n`,
    });
    writeFileSync(at('copy.npy'), readFileSync(at('x-0.npy')));
    const copy = await gmml(['stats', at('copy.npy'), '--labels', at('y-0.npy')]);
    const both = Buffer.concat([stats[0], copy.stdout]);
    const equal = await gmml(['merge', '--output', at('model')], both);
    expect(equal).toMatchObject({
      code: 2,
      stderr: `gmml: ClassStatistics.merge: every row must count once: ${at('copy.npy')} has the same content as ${at('x-0.npy')}. Leave one of them out, or allow equal content.\n`,
    });
    expect(existsSync(at('model'))).toBe(false);
    const allowed = await gmml(['merge', '--allow-equal'], both);
    expectDone(allowed);
    const counted = Object.values(OpenSetClassifier.fromSafetensors(allowed.stdout).counts);
    expect(counted.reduce((sum, count) => sum + count, 0)).toBe(100);
  });

  test('bad rows, of which nothing is written', async () => {
    const rows = Float64Array.from(x.flat());
    rows[4 * 399 + 2] = NaN;
    writeFileSync(at('nan.npy'), npyRows(rows, 4));
    const bad = await gmml(['stats', at('nan.npy'), '--output', at('bad.stats')]);
    expect(bad).toMatchObject({
      code: 1,
      stderr: `gmml: ${at('nan.npy')}: numbers must be finite and at most 1e100 in size: row 399, column 2 is NaN (both from 0).\n`,
    });
    const csv = await gmml(['stats'], Buffer.from('a,b\n1,2\n3,four\n'));
    expect(csv).toMatchObject({
      code: 1,
      stderr: 'gmml: standard input: fields must be numbers: line 3, column 1 (b) is "four".\n',
    });
    expect(csv.stdout.length).toBe(0);
    expect(readdirSync(folder).filter((name) => name.startsWith('bad'))).toEqual([]);
  });

  test('labels that do not fit the rows', async () => {
    const run = async (...args: string[]): Promise<string> => {
      const { code, stderr, stdout } = await gmml(['stats', at('x-0.npy'), ...args]);
      expect([code, stdout.length]).toEqual([1, 0]);
      return stderr;
    };
    expect(await run('--labels', at('y-1.npy'))).toBe(
      `gmml: ${at('y-1.npy')}: there must be a label for each row: there are 1, and more rows.\n`,
    );
    expect(await run('--labels', at('y-2.npy'))).toBe(
      `gmml: ${at('y-2.npy')}: there must be a row for each label: there are more labels.\n`,
    );
    expect(await run('--labels', at('x-0.npy'))).toBe(
      `gmml: ${at('x-0.npy')}: labels must be one number or text a row: a row has 4.\n`,
    );
    expect(await run('--label-column', '0')).toBe(
      `gmml: ${at('x-0.npy')}: --label-column is for CSV files: this is none. Use --labels.\n`,
    );
    writeFileSync(
      at('half.npy'),
      npyRows(
        Float64Array.from({ length: 50 }, (_, n) => n / 2),
        1,
      ),
    );
    expect(await run('--labels', at('half.npy'))).toBe(
      `gmml: ${at('half.npy')}: labels must be integers: row 1 has 0.5.\n`,
    );
  });

  test.each([
    [
      ['stats', 'x', '--labels', 'y', '--label-column', 'z'],
      '--labels and --label-column both say which label a row has. Leave one out.',
    ],
    [
      ['stats', 'x', '--labels', 'y', '--model', 'm'],
      '--labels is for the closed form: it cannot go with --model. Leave one out.',
    ],
    [
      ['stats', 'x', '--covariance', 'full', '--model', 'm'],
      '--covariance is for the closed form: it cannot go with --model. Leave one out.',
    ],
    [
      ['stats', '--model', '-'],
      'Only one of shard, labels and model can be standard input. Name a file for the others.',
    ],
    [
      ['stats', '--rows', '0:5'],
      '--rows of standard input need --name, by which it is seen that none counts twice.',
    ],
    [
      ['stats', 'x', 'y'],
      "too many arguments for 'stats'. Expected 1 argument but got 2. gmml --help lists the commands, gmml <command> --help their options.",
    ],
    [
      ['stats', 'x', '--rows', '5:5'],
      "--rows must be from:to, the first row and the first that is not meant any more: it is '5:5'.",
    ],
    [
      ['stats', 'x', '--covariance', 'round'],
      "--covariance must be one of full, diag, tied, spherical: it is 'round'.",
    ],
    [['merge', '--shrinkage', '2'], "--shrinkage must be a number from 0 to 1: it is '2'."],
    [['merge'], 'There must be statistics to merge: there are none.'],
    [['init', '--components', '0'], "--components must be an integer from 1 to 1000000: it is '0'."],
    [
      ['nothing'],
      "unknown command 'nothing'. gmml --help lists the commands, gmml <command> --help their options.",
    ],
  ])('%j', async (args, message) => {
    expect(await gmml(args)).toMatchObject({ code: 2, stderr: `gmml: ${message}\n` });
  });

  test('files that are no statistics, and statistics of different kinds', async () => {
    const [stats] = await statsOf('--labels', at('y-*.npy'));
    const cut = await gmml(['merge'], stats.subarray(0, stats.length - 1));
    expect(cut).toMatchObject({
      code: 1,
      stderr: 'gmml: standard input: statistics must be whole safetensors files: byte 0 starts none.\n',
    });
    const { stdout: model } = await gmml(['init', at('x-0.npy')]);
    writeFileSync(at('model'), model);
    const em = await gmml(['stats', at('x-0.npy'), '--model', at('model')]);
    expectDone(em);
    expect(EMStatistics.fromSafetensors(em.stdout).rows).toBe(50);
    const as = await gmml(['merge', '--as', 'gmml'], em.stdout);
    expect(as).toMatchObject({
      code: 2,
      stderr: 'gmml: --as is for the closed form: these statistics are of EM. Leave it out.\n',
    });
    const rows = Float64Array.from(x.flat());
    rows[4 * 7] = 1e100;
    rows[4 * 7 + 1] = 1e100;
    writeFileSync(at('model'), await tightModel());
    const far = await gmml(['stats', '-', '--model', at('model')], npyRows(rows, 4));
    expect(far).toMatchObject({
      code: 1,
      stderr:
        'gmml: standard input: from row 0 on: EMStatistics.add: every sample must have a density: that of row 7 is 0. Scale the features.\n',
    });
    const mixed = await gmml(['merge'], Buffer.concat([stats, em.stdout]));
    expect(mixed).toMatchObject({
      code: 2,
      stderr:
        'gmml: All statistics must be of EM (gmml stats --model), or none: - differs from those before.\n',
    });
    const flags = await gmml(['merge', '--tolerance', '1'], stats);
    expect(flags).toMatchObject({
      code: 2,
      stderr: 'gmml: --tolerance is for EM: these statistics are of the closed form. Leave it out.\n',
    });
    const other = await gmml(['stats', at('x-0.npy'), '--model', at('missing')]);
    expect(other).toMatchObject({
      code: 1,
      stderr: `gmml: ${at('missing')} must be a readable file: there is no such file or folder.\n`,
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
