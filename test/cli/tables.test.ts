// gmml fit, predict and eval on tables.
import { createWriteStream, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Generator } from '@gmml/tensor';
import { beforeEach, describe, expect, test } from 'vitest';
import { evalCommand } from '../../packages/cli/src/commands/eval.js';
import { fitCommand } from '../../packages/cli/src/commands/fit.js';
import { infoCommand } from '../../packages/cli/src/commands/info.js';
import { predictCommand } from '../../packages/cli/src/commands/predict.js';
import { evaluateTable } from '../../packages/cli/src/tables/evaluateTable.js';
import { evaluationText, fitJson, fitText } from '../../packages/cli/src/tables/reports.js';
import { encodeTableModel, loadTableModel } from '../../packages/cli/src/tables/tableModelFile.js';
import { temporaryFolder } from '../data/idxFiles.js';
import { npyBytes, npyRows } from '../data/npyFiles.js';
import { gmml } from './process.js';
import { csvOf, fitted, rowsOfClasses, run } from './tableFiles.js';

/** A hang guard, not a speed limit. */
const LONG = 5 * 60_000;

const TRAINING = rowsOfClasses(120, ['left', 'middle', 'right']);

let folder: string;
let at: (name: string) => string;

beforeEach(() => {
  folder = temporaryFolder();
  at = (name) => join(folder, name);
  write('train.csv', csvOf(TRAINING));
});

function write(name: string, content: string | Uint8Array): string {
  writeFileSync(at(name), content);
  return at(name);
}

/** What gmml predict writes for a file, by the model in 'model'. */
async function predicted(name: string, ...options: readonly string[]): Promise<string> {
  await run(predictCommand(), at('model'), at(name), '--output', at('out'), ...options);
  return readFileSync(at('out'), 'utf8');
}

describe('gmml fit', { timeout: LONG }, () => {
  test('prints what it chose and how good that is on held-out rows', async () => {
    const fit = await fitted(at('train.csv'), { components: 'auto', folds: 4 });
    const text = fitText(fit, 4, 'train.csv', 'model');
    expect(text.replaceAll(/\d\.\d{4}/g, '#.####')).toMatchInlineSnapshot(`
      "train.csv: 120 rows, 3 features, 3 classes: left 40, middle 40, right 40

      NLL on held-out rows (4 folds), by components a class
                        1         2         3         4         6         8
        tied       #.####*   #.####    #.####    #.####    #.####    #.####
        diag       #.####    #.####    #.####    #.####    #.####    #.####
        full       #.####    #.####    #.####    #.####    #.####    #.####
        * the simplest within one standard error of the least

      Fitted: tied covariance, 1 component a class

      On held-out rows (4 folds)
        accuracy           100.00 %   (120 of 120)
        NLL                  #.####
        calibration error    0.01 %
        coverage             94.2 %   (asked for: 95 %)

      Model: model
      "
    `);
  });

  test('as JSON the same; the same seed gives the same bytes, another other folds', async () => {
    const [first, same, other] = await Promise.all(
      [1, 1, 2].map((seed) => fitted(at('train.csv'), { covariance: 'full', seed })),
    );
    expect(encodeTableModel(same.model)).toEqual(encodeTableModel(first.model));
    expect(other.quality!.nll).not.toBe(first.quality!.nll);
    expect(fitJson(first, 5, 'train.csv', 'model')).toEqual({
      file: 'train.csv',
      rows: 120,
      dropped: 0,
      features: ['a', 'b', 'c'],
      classes: { left: 40, middle: 40, right: 40 },
      candidates: [],
      covariance: 'full',
      components: 1,
      folds: 5,
      crossValidation: first.quality,
      keep: 0.95,
      warnings: [],
      model: 'model',
    });
  });

  test('one pass over standard input, .npy pairs and JSON lines give the model of the CSV file', async () => {
    const onePass = { covariance: 'tied', folds: 0 } as const;
    const { model } = await fitted(at('train.csv'), onePass);
    const bytes = encodeTableModel(model);
    const args = ['--label', 'kind', '--covariance', 'tied', '--folds', '0', '--output', at('piped')];
    const piped = await gmml(['fit', '-', ...args], gzipSync(csvOf(TRAINING)));
    expect([piped.stderr, piped.code]).toEqual(['', 0]);
    expect(String(piped.stdout)).toMatch(/^standard input: 120 rows, 3 features, 3 classes: left 40/);
    expect(readFileSync(at('piped')).equals(bytes)).toBe(true);

    const lines = TRAINING.map(([[a, b, c], kind]) => JSON.stringify({ kind, id: 7, a, b, c }));
    write('train.jsonl', lines.join('\r\n'));
    const ofJson = await fitted(at('train.jsonl'), { ...onePass, ignore: ['id'] });
    expect(encodeTableModel(ofJson.model)).toEqual(bytes);

    write('x.npy', npyRows(Float64Array.from(TRAINING.flatMap(([x]) => x)), 3));
    write('y.txt', TRAINING.map(([, kind]) => `${kind}\n`).join(''));
    const ofNpy = await fitted(at('x.npy'), { ...onePass, label: null, labelsFile: at('y.txt') });
    expect(ofNpy.model.info.features).toEqual(['0', '1', '2']);
    const x = Float64Array.of(1, 100, 1);
    expect(ofNpy.model.answers(x)).toEqual(model.answers(x));
  });

  test('says what it left out, and which classes are small', async () => {
    const rows = TRAINING.map(
      ([[a, b, c], kind], n) => `${n === 5 ? '' : a},12,${n === 9 ? 'NA' : b},${c},${kind}`,
    );
    const rare = ['1,12,0,1,rare', '2,12,0,1,rare', '3,12,9,1,rare'];
    write('gaps.csv', ['a,year,b,c,kind', ...rows, ...rare].join('\n'));
    const fit = await fitted(at('gaps.csv'), { dropMissing: true, covariance: 'tied' });
    expect(fitText(fit, 5, 'gaps.csv', 'model').split('\n').slice(0, 4)).toEqual([
      'gaps.csv: 121 rows, 3 features, 4 classes: left 39, middle 40, rare 3, right 39',
      'Left out: 2 rows in which something is missing',
      'Note: "rare" has 3 rows, fewer than the 5 folds',
      'Note: left out, the same in every row: "year"',
    ]);
  });
});

describe('gmml predict', { timeout: LONG }, () => {
  test('finds features by name, carries other columns through, and leaves the unknown without a label', async () => {
    await fitted(at('train.csv'), { covariance: 'tied' });
    const table = [
      'note,c,"b",label,a,typicality',
      '"first, of ""two""",0.1,-20, x ,0.2,7',
      ',4,400,,4,',
      'far,0,0,y,400,',
      'between,2,200,z,2,',
    ].join('\r\n');
    const expected = [
      'note,c,b,label,a,typicality,predicted_label,probability,log_density,predicted_typicality',
      '"first, of ""two""",0.1,-20,x,0.2,7,left,1,-8.57502,0.975207',
      ',4,400,,4,,middle,1,-8.60913,0.231405',
      'far,0,0,y,400,,,1,-69154.9,0.00826446',
      'between,2,200,z,2,,,0.727615,-13.0102,0.00826446',
      '',
    ].join('\n');
    write('new.csv', table);
    expect(await predicted('new.csv')).toBe(expected);
    const piped = await gmml(['predict', at('model'), '-'], gzipSync(table));
    expect([piped.stderr, piped.code, String(piped.stdout)]).toEqual(['', 0, expected]);
    expect(readdirSync(folder).toSorted()).toEqual(['model', 'new.csv', 'out', 'train.csv']);
  });

  test('JSON lines stay JSON lines; .npy gets the four columns; tab is a delimiter', async () => {
    await fitted(at('train.csv'), { covariance: 'tied' });
    write('new.jsonl', '{"c":4,"b":400,"a":4,"tags":["x",{"y":null}]}\n\n{"a":400,"b":0,"c":0}\n');
    expect(await predicted('new.jsonl')).toBe(
      '{"c":4,"b":400,"a":4,"tags":["x",{"y":null}],"label":"middle","probability":1,"log_density":-8.60913,"typicality":0.231405}\n' +
        '{"a":400,"b":0,"c":0,"label":null,"probability":1,"log_density":-69154.9,"typicality":0.00826446}\n',
    );
    write('new.npy', npyRows(Float64Array.of(4, 400, 4, 400, 0, 0), 3));
    expect(await predicted('new.npy')).toBe(
      'label,probability,log_density,typicality\nmiddle,1,-8.60913,0.231405\n,1,-69154.9,0.00826446\n',
    );
    write('new.tsv', 'a\tb\tc\n4\t400\t4\n');
    expect(await predicted('new.tsv', '--delimiter', 'tab')).toBe(
      'a\tb\tc\tlabel\tprobability\tlog_density\ttypicality\n4\t400\t4\tmiddle\t1\t-8.60913\t0.231405\n',
    );
  });

  test('--drop-missing leaves rows out and says how many', async () => {
    await fitted(at('train.csv'), { covariance: 'tied' });
    write('new.csv', 'a,b,c\n4,400,4\n4,,4\nnan,400,4\n');
    const { code, stdout, stderr } = await gmml(['predict', at('model'), at('new.csv'), '--drop-missing']);
    expect(code).toBe(0);
    expect(stderr).toBe('gmml: left out: 2 rows in which something is missing\n');
    expect(String(stdout).split('\n').length).toBe(3);
  });

  test('a table larger than the heap goes through fit and predict', async () => {
    const generator = new Generator(5);
    const note = 'x'.repeat(4000);
    const file = createWriteStream(at('long.csv'));
    file.write('a,b,note,kind\n');
    for (let n = 0; n < 15_000; n++) {
      const x = [4 * (n % 2) + generator.normal(), generator.normal()];
      const line = `${x.map((value) => value.toFixed(4)).join(',')},${note},k${n % 2}\n`;
      // oxlint-disable-next-line no-await-in-loop -- so much at once as the file takes
      if (!file.write(line)) await once(file, 'drain');
    }
    file.end();
    await once(file, 'close');
    expect(statSync(at('long.csv')).size).toBeGreaterThan(60e6);

    const heap = { NODE_OPTIONS: '--max-old-space-size=40' };
    const args = ['--label', 'kind', '--ignore', 'note', '--covariance', 'tied', '--folds', '0'];
    const fit = await gmml(['fit', at('long.csv'), ...args, '--output', at('model')], undefined, heap);
    expect([fit.stderr, fit.code]).toEqual(['', 0]);
    expect(loadTableModel(at('model')).info.classes).toEqual([
      { name: 'k0', rows: 7500 },
      { name: 'k1', rows: 7500 },
    ]);
    const predict = ['predict', at('model'), at('long.csv'), '--output', at('out')];
    const { code, stderr } = await gmml(predict, undefined, heap);
    expect([stderr, code]).toEqual(['', 0]);
    const answers = readFileSync(at('out'), 'latin1').trimEnd().split('\n').slice(1);
    const fields = answers.map((line) => line.split(',').slice(-5));
    const kept = fields.filter(([, label]) => label !== '');
    expect(kept.length / 15_000).toBeCloseTo(0.95, 1);
    // Means 4 standard deviations apart: Φ(2) = 97.7 % of all rows.
    expect(kept.filter(([truth, label]) => truth === label).length / kept.length).toBeCloseTo(0.98, 1);
  });
});

describe('gmml eval', { timeout: LONG }, () => {
  test('scores known classes, and how others are rejected', async () => {
    await fitted(at('train.csv'), { covariance: 'tied' });
    const model = loadTableModel(at('model'));
    const rows = rowsOfClasses(40, ['left', 'middle', 'right', 'beyond'], 2);
    const file = write('test.csv', csvOf(rows));
    const input = { file, labelsFile: null, delimiter: ',', dropMissing: false };
    const evaluation = await evaluateTable(model, input, undefined);
    expect(evaluation).toMatchObject({
      quality: { rows: 30, accuracy: 1 },
      unknown: { rows: 10, labels: ['beyond'], rejected: 1, auroc: 1 },
      classes: ['left', 'middle', 'right'],
    });
    expect(evaluationText(evaluation, model.keep, 'test.csv')).toMatchInlineSnapshot(`
      "test.csv: 30 rows of known classes, 10 of others

        accuracy           100.00 %   (30 of 30)
        NLL                  0.0000
        calibration error    0.00 %
        coverage             96.7 %   (asked for: 95 %)

      Other classes: beyond
        rejected            100.0 %
        AUROC                 1.000   (that a known row is more typical than one of these)

      Most probable class (across), by label (down); of these, left without a label
                  left  middle  right  no label
        left        10       0      0         1
        middle       0      10      0         0
        right        0       0     10         0
        (others)     0       0     10        10
      "
    `);
    write('others.csv', csvOf(rows.filter(([, kind]) => kind === 'beyond')));
    const others = await evaluateTable(model, { ...input, file: at('others.csv') }, 'kind');
    expect(others).toMatchObject({ quality: null, unknown: { rejected: 1, auroc: null } });
  });

  test('integers of a label file are labels', async () => {
    const numbered = TRAINING.map(([x, kind]): [number[], string] => [x, String(kind.length)]);
    await fitted(write('numbered.csv', csvOf(numbered)), { covariance: 'diag' });
    write('x.npy', npyRows(Float64Array.from(numbered.flatMap(([x]) => x)), 3));
    const labels = BigInt64Array.from(numbered, ([, kind]) => BigInt(kind));
    write('y.npy', npyBytes("'<i8'", [labels.length], labels));
    const args = ['eval', at('model'), at('x.npy'), '--labels', at('y.npy'), '--json'];
    const { code, stdout, stderr } = await gmml(args);
    expect([stderr, code]).toEqual(['', 0]);
    expect(JSON.parse(String(stdout))).toMatchObject({ quality: { rows: 120, accuracy: 1 }, unknown: null });
    await expect(run(evalCommand(), at('model'), at('x.npy'))).rejects.toThrow(
      `${at('x.npy')}: there must be a column "kind": there are "0", "1", "2".`,
    );
  });
});

test.each([
  ['fit', fitCommand],
  ['predict', predictCommand],
  ['eval', evalCommand],
  ['info', infoCommand],
])('gmml %s --help shows an example', (name, commandOf) => {
  let text = '';
  commandOf()
    .configureOutput({ writeOut: (part) => (text += part) })
    .outputHelp();
  expect(text).toMatch(new RegExp(`\nExamples?:\n  gmml ${name} `));
});
