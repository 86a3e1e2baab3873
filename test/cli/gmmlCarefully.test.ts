// gmml as a process where something is wrong: rows that would count twice, options that would be passed over, hostile text.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { text } from 'node:stream/consumers';
import { beforeEach, expect, test } from 'vitest';
import { temporaryFolder } from '../data/idxFiles.js';
import { npyRows } from '../data/npyFiles.js';
import { gmml } from './process.js';
import { csvOf, rowsOfClasses } from './tableFiles.js';
import { tinyDigits } from './tinyDigits.js';

let at: (name: string) => string;

beforeEach(() => {
  const folder = temporaryFolder();
  at = (name) => join(folder, name);
});

/** `gmml` as a process that this one goes on beside. */
function start(...args: readonly string[]): ChildProcess {
  const program = fileURLToPath(new URL('../../packages/cli/dist/gmml.js', import.meta.url));
  return spawn(process.execPath, [program, ...args]);
}

/** A table, and a model fitted to it. */
async function fitTable(): Promise<{ table: string; model: string }> {
  const [table, model] = [at('table.csv'), at('model')];
  writeFileSync(table, csvOf(rowsOfClasses(60, ['x', 'y'])));
  const fit = ['fit', table, '--label', 'kind', '--folds', '0', '--covariance', 'tied', '--output', model];
  expect(await gmml(fit)).toMatchObject({ code: 0, stderr: '' });
  return { table, model };
}

async function expectRefused(args: readonly string[], code: number, message: string): Promise<void> {
  const { stdout, ...run } = await gmml(args);
  expect(run).toEqual({ code, stderr: `gmml: ${message}\n` });
  expect(stdout).toHaveLength(0);
}

test('rows of one file count once, however its path is written', async () => {
  writeFileSync(at('x.csv'), '1,2\n3,4\n5,6\n');
  const paths = [at('x.csv'), at('./x.csv').replace('/x.csv', '/./x.csv')];
  expect(paths[0]).not.toBe(paths[1]);
  const names = await Promise.all(
    paths.map(async (path, i) => {
      const run = await gmml(['stats', path, '--rows', '0:2', '--output', at(`${i}.stats`)]);
      expect(run).toMatchObject({ code: 0, stderr: '' });
      return at(`${i}.stats`);
    }),
  );
  await expectRefused(
    ['merge', ...names],
    2,
    `ClassStatistics.merge: every row must count once: rows 0 to 1 of ${at('x.csv')} are in both. Leave one of them out.`,
  );
});

test('options of a model are not passed over with --partial, nor those of EM for the closed form', async () => {
  writeFileSync(at('x.csv'), '1,2\n3,4\n5,6\n');
  await gmml(['stats', at('x.csv'), '--output', at('x.stats')]);
  await expectRefused(
    ['merge', at('x.stats'), '--partial', '--as', 'gmml'],
    2,
    '--as is of a model: it cannot go with --partial. Leave one out.',
  );
  await expectRefused(
    ['merge', at('x.stats'), '--partial', '--previous', at('x.stats')],
    2,
    '--previous is for EM: these statistics are of the closed form. Leave it out.',
  );
});

test('gmml init does not pass over --label-column of a file that has no columns by name', async () => {
  writeFileSync(at('x.npy'), npyRows(Float64Array.of(1, 2, 3, 4), 2));
  await expectRefused(
    ['init', at('x.npy'), '--label-column', '0'],
    1,
    `${at('x.npy')}: --label-column is for CSV files: this is none. Leave it out.`,
  );
});

test('text of a file is shown short and without control characters', async () => {
  writeFileSync(at('x.csv'), `\u001B[31m${'red'.repeat(100)},b\n\u001B[0m,2\n`);
  await expectRefused(
    ['stats', at('x.csv')],
    1,
    String.raw`${at('x.csv')}: fields must be numbers: line 2, column 0 ( [31m${'red'.repeat(12).slice(0, 35)}…) is "\u001b[0m".`,
  );
});

test.each([
  ['stats', '-'],
  ['fit', '-', '--folds', '0', '--covariance', 'full'],
])('standard input that does not end is not waited for: %s', async (...args) => {
  const child = start(...args, '--labels', at('none'));
  const complaints = text(child.stderr!);
  child.stdin!.on('error', () => {}).write('1,2\n'.repeat(100));
  expect(await once(child, 'close')).toEqual([1, null]);
  expect(await complaints).toBe(`gmml: ${at('none')} must be a readable file: there is no such file.\n`);
});

test.each([
  [['stats', 'x.csv', '--output', 'x.csv']],
  [['init', 'x.csv', '--output', 'x.csv']],
  [['export', 'x.csv', '--format', 'onnx', '--output', 'x.csv']],
])('%j does not take the place of what it reads', async (args) => {
  writeFileSync(at('x.csv'), '1,2\n3,4\n');
  await expectRefused(
    args.map((arg) => arg.replace('x.csv', at('x.csv'))),
    2,
    `--output must not be a file that is read: ${at('x.csv')} is one. Give the result another name.`,
  );
  expect(readFileSync(at('x.csv'), 'utf8')).toBe('1,2\n3,4\n');
});

test('labels may come from standard input', async () => {
  writeFileSync(at('x.csv'), '1,2\n3,4\n5,6\n');
  writeFileSync(at('labels'), 'a\nb\na\n');
  const [streamed, filed] = await Promise.all([
    gmml(['stats', at('x.csv'), '--labels', '-'], new TextEncoder().encode('a\nb\na\n')),
    gmml(['stats', at('x.csv'), '--labels', at('labels')]),
  ]);
  expect(streamed).toMatchObject({ code: 0, stderr: '' });
  expect(streamed.stdout.equals(filed.stdout)).toBe(true);
});

test('labels of a table may come from standard input too', async () => {
  const { table, model } = await fitTable();
  const features = at('features.csv');
  const lines = readFileSync(table, 'utf8').trimEnd().split('\n');
  writeFileSync(features, lines.map((line) => line.replace(/,[^,]*$/, '')).join('\n'));
  const labels = lines.slice(1).map((line) => line.replace(/^.*,/, ''));
  const [streamed, column] = await Promise.all([
    gmml(['eval', model, features, '--labels', '-', '--json'], Buffer.from(labels.join('\n'))),
    gmml(['eval', model, table, '--json']),
  ]);
  expect(streamed).toMatchObject({ code: 0, stderr: '' });
  const figures = [streamed, column].map(({ stdout }) => JSON.parse(stdout.toString()) as object);
  expect(figures[0]).toEqual({ ...figures[1], file: features });
});

test('answers go through a link to its file, whose permissions stay, and into a pipe as it is', async () => {
  const { table, model } = await fitTable();
  const folder = at('out');
  mkdirSync(folder);
  const [target, link, pipe] = ['target', 'link', 'pipe'].map((name) => join(folder, name));
  writeFileSync(target, 'before');
  chmodSync(target, 0o600);
  symlinkSync('target', link);
  execFileSync('mkfifo', [pipe]);
  const piped = text(spawn('cat', [pipe]).stdout);
  const plain = await gmml(['predict', model, table]);
  for (const output of [link, pipe]) {
    // oxlint-disable-next-line no-await-in-loop -- of two
    expect(await gmml(['predict', model, table, '--output', output])).toMatchObject({ code: 0, stderr: '' });
  }
  expect(lstatSync(link).isSymbolicLink()).toBe(true);
  expect((statSync(target).mode & 0o777).toString(8)).toBe('600');
  expect(readFileSync(target, 'utf8')).toBe(plain.stdout.toString());
  expect(statSync(pipe).isFIFO()).toBe(true);
  expect(await piped).toBe(plain.stdout.toString());
  expect(readdirSync(folder).toSorted()).toEqual(['link', 'pipe', 'target']);
});

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  '%s leaves nothing of a file of answers',
  async (signal) => {
    const { table, model } = await fitTable();
    const folder = at('out');
    mkdirSync(folder);
    const begun = once(watch(folder), 'change');
    const child = start('predict', model, '-', '--output', join(folder, 'answers.csv'));
    child.stdin!.on('error', () => {}).write(readFileSync(table));
    await begun;
    const end = once(child, 'close');
    child.kill(signal);
    expect(await end).toEqual([null, signal]);
    expect(readdirSync(folder)).toEqual([]);
  },
);

test('of many files that are merged, the bad one is named', async () => {
  const { model } = await fitTable();
  writeFileSync(at('two.csv'), '1,2\n3,4\n');
  writeFileSync(at('three.csv'), '1,2,3\n3,4,5\n');
  for (const name of ['two', 'three']) {
    // oxlint-disable-next-line no-await-in-loop -- of two
    await gmml(['stats', at(`${name}.csv`), '--output', at(`${name}.stats`)]);
  }
  await expectRefused(
    ['merge', model, at('two.stats')],
    1,
    `${model} must have statistics of gmml stats: ClassStatistics.fromSafetensors: statistics and shards must be there: statistics is missing. Give the bytes that toSafetensors gave.`,
  );
  await expectRefused(
    ['merge', at('two.stats'), at('three.stats')],
    1,
    `${at('two.stats')} must go with the files before: ClassStatistics.merge: features must be the same: they are 3 and 2.`,
  );
  await expectRefused(
    ['stats', at('two.csv'), '--model', at('two.csv')],
    1,
    `${at('two.csv')} must be a model of gmml init or gmml merge: parseSafetensors: the header must be at most 100000000 bytes: it says it is 735261236894247985.`,
  );
});

test('a warning that nobody reads does not end a training run', async () => {
  const program = fileURLToPath(new URL('../../packages/cli/dist/gmml.js', import.meta.url));
  mkdirSync(at('run'));
  const args = [
    'train',
    '--data',
    tinyDigits(),
    '--epochs',
    '1',
    '--no-open-set',
    '--resume',
    at('run'),
    '--quiet',
  ];
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const written = text(child.stdout);
  // The warning is that there is no checkpoint to go on from.
  child.stderr.destroy();
  expect(await once(child, 'close')).toEqual([0, null]);
  expect(await written).toMatch(/^Test accuracy after 1 epoch: .*\n$/);
});

test('an empty path is shown as one', async () => {
  await expectRefused(['info', ''], 1, "'' must be a readable file: there is no such file.");
});
