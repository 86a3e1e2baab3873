// What gmml init, stats and merge refuse.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { OpenSetClassifier } from '@gmml/gmm';
import { EMStatistics } from '@gmml/gmm/statistics';
import { describe, expect, test } from 'vitest';
import { npyRows } from '../data/npyFiles.js';
import { gmml } from './process.js';
import { LONG, folder, at, expectDone, statsOf, tightModel, x } from './shardFolder.js';

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
        'gmml: All statistics must be of EM (gmml stats --model), or none: standard input differs from those before.\n',
    });
    const flags = await gmml(['merge', '--tolerance', '1'], stats);
    expect(flags).toMatchObject({
      code: 2,
      stderr: 'gmml: --tolerance is for EM: these statistics are of the closed form. Leave it out.\n',
    });
    const other = await gmml(['stats', at('x-0.npy'), '--model', at('missing')]);
    expect(other).toMatchObject({
      code: 1,
      stderr: `gmml: ${at('missing')} must be a readable file: there is no such file.\n`,
    });
  });
});
