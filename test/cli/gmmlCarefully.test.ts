// gmml as a process where something is wrong: rows that would count twice, options that would be passed over, hostile text.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { text } from 'node:stream/consumers';
import { beforeEach, expect, test } from 'vitest';
import { temporaryFolder } from '../data/idxFiles.js';
import { npyRows } from '../data/npyFiles.js';
import { gmml } from './process.js';

let at: (name: string) => string;

beforeEach(() => {
  const folder = temporaryFolder();
  at = (name) => join(folder, name);
});

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

test('standard input that does not end is not waited for', async () => {
  const program = fileURLToPath(new URL('../../packages/cli/dist/gmml.js', import.meta.url));
  const child = spawn(process.execPath, [program, 'stats', '-', '--labels', at('none')]);
  const complaints = text(child.stderr);
  child.stdin.on('error', () => {}).write('1,2\n3,4\n');
  expect(await once(child, 'close')).toEqual([1, null]);
  expect(await complaints).toBe(`gmml: ${at('none')} must be a readable file: there is no such file.\n`);
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
