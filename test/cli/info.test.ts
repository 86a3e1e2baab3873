// gmml info: what files hold.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { GMML, GaussianMixture, OpenSetClassifier } from '@gmml/gmm';
import {
  ClassStatistics,
  EMStatistics,
  mixtureToSafetensors,
  modelToSafetensors,
} from '@gmml/gmm/statistics';
import { serializeSafetensors } from '@gmml/nn';
import { Generator, tensor } from '@gmml/tensor';
import { beforeEach, describe, expect, test } from 'vitest';
import { describeFile } from '../../packages/cli/src/info/describeFile.js';
import { infoText } from '../../packages/cli/src/info/infoText.js';
import { idxBytes, temporaryFolder } from '../data/idxFiles.js';
import { npyRows } from '../data/npyFiles.js';
import { csvOf, fitted, rowsOfClasses } from './tableFiles.js';

const TRAINING = rowsOfClasses(120, ['left', 'middle', 'right']);

let folder: string;
let at: (name: string) => string;

beforeEach(() => {
  folder = temporaryFolder();
  at = (name) => join(folder, name);
});

function write(name: string, content: string | Uint8Array): string {
  writeFileSync(at(name), content);
  return at(name);
}

/** What is printed of a file, without the folder. */
async function infoOf(path: string): Promise<string> {
  const descriptions = await describeFile(path);
  return descriptions.map(infoText).join('').replaceAll(folder, '');
}

describe('gmml info', () => {
  test('of tables', async () => {
    write('a.csv.gz', gzipSync(csvOf(TRAINING)));
    write('a.npy', npyRows(new Float64Array(12), 4));
    write(
      'a.idx',
      idxBytes(
        8,
        [5, 2, 3],
        Array.from({ length: 30 }, () => 1),
      ),
    );
    write('a.jsonl', '{"x":1,"\\u001b[31m":2}\n');
    const found = await Promise.all(
      ['a.csv.gz', 'a.npy', 'a.idx', 'a.jsonl'].map((name) => infoOf(at(name))),
    );
    expect(found.map((text) => text.replaceAll(folder, ''))).toEqual([
      `/a.csv.gz: table (CSV), ${readFileSync(at('a.csv.gz')).length} bytes\n  rows      120\n  columns   4: a, b, c, kind\n`,
      '/a.npy: table (.npy), 224 bytes\n  rows      3\n  columns   4\n',
      '/a.idx: table (IDX), 46 bytes\n  rows      5\n  columns   6\n',
      '/a.jsonl: table (JSON lines), 23 bytes\n  rows      1\n  columns   2: x, \\u001b[31m\n',
    ]);
  });

  test('of models, statistics and networks', async () => {
    await fitted(write('train.csv', csvOf(TRAINING)), { covariance: 'full', components: 2 });
    const x = TRAINING.map(([row]) => row);
    const statistics = new ClassStatistics({ features: 3 });
    statistics.add(
      x,
      TRAINING.map(([, kind]) => kind),
    );
    statistics.addShard({ name: 'part-0', from: 0, to: 120, digest: '' });
    const mixture = new GaussianMixture({ components: 2, generator: new Generator(1) }).fit(x);
    const sums = new EMStatistics(mixture);
    sums.add(x);
    const classifier = new OpenSetClassifier({ features: 2 });
    classifier.addExamples('x', [[1, 2]]);
    const layer = new GMML(4, 2, 3, { generator: new Generator(1) });
    const weights = { 'conv.weight': tensor(new Float32Array(12), { shape: [3, 4] }) };
    write('stats', Buffer.concat([statistics.toSafetensors(), sums.toSafetensors()]));
    write('mixture', mixtureToSafetensors(mixture));
    write('open', classifier.toSafetensors());
    write('layer', modelToSafetensors(layer, ['r', 's', 't']));
    write('network', serializeSafetensors(weights, { format: 'gmml', network: 'cnn', epochs: '3' }));
    write('other', serializeSafetensors(weights, { origin: 'elsewhere', format: 'pt' }));
    const texts = await Promise.all(
      ['model', 'stats', 'mixture', 'open', 'layer', 'network', 'other'].map((name) => infoOf(at(name))),
    );
    const facts = texts.map((text) =>
      text
        .replaceAll(folder, '')
        .replaceAll(/, \d+ bytes/g, '')
        .split('\n')
        .filter((line) => line !== '' && !/^ {2}(tensors)? {6}/.test(line) && !line.includes('held-out'))
        .map((line) =>
          line
            .trim()
            .replaceAll(/ {2,}/g, '  ')
            .replace(/lower bound .*/, 'lower bound …'),
        ),
    );
    expect(facts).toMatchInlineSnapshot(`
      [
        [
          "/model: classifier of a table (gmml fit)",
          "features  3: a, b, c",
          "classes  3: left (40 rows), middle (40 rows), right (40 rows)",
          "label  kind",
          "covariance  full",
          "components  2 a class",
          "keeps  95 % of known rows",
        ],
        [
          "/stats: statistics of classes (gmml stats)",
          "features  3",
          "covariance  full",
          "rows  120",
          "labels  3: left, middle, right",
          "shards  1: part-0 (rows 0 to 119)",
          "tensors  counts F64 [3]",
          "/stats: statistics of an EM iteration (gmml stats --model)",
          "components  2",
          "covariance  full",
          "iteration  5",
          "rows  120",
          "shards  none",
          "tensors  counts F64 [2]",
        ],
        [
          "/mixture: Gaussian mixture",
          "components  2",
          "features  3",
          "covariance  full",
          "rows  120",
          "EM  5 iterations, converged, lower bound …",
          "tensors  covariances F64 [2, 3, 3]",
        ],
        [
          "/open: open-set classifier",
          "features  2",
          "covariance  tied",
          "labels  1: x",
          "keeps  not calibrated",
          "tensors  counts F64 [1]",
        ],
        [
          "/layer: mixture layer",
          "features  4, projected to 2",
          "classes  3: r, s, t",
          "components  1 a class",
          "covariance  diag",
          "tensors  logPrior F32 [3]",
        ],
        [
          "/network: network (gmml-train)",
          "network  cnn",
          "epochs  3",
          "parameters  12",
          "tensors  conv.weight F32 [3, 4]",
        ],
        [
          "/other: safetensors file",
          "origin  elsewhere",
          "format  pt",
          "tensors  conv.weight F32 [3, 4]",
        ],
      ]
    `);
    expect(await describeFile(at('network'))).toMatchObject([
      { metadata: { epochs: '3' }, tensors: [{ name: 'conv.weight', dtype: 'F32', shape: [3, 4] }] },
    ]);
  });

  test('of a folder of checkpoints; of a file that is cut off', async () => {
    const whole = serializeSafetensors({ w: tensor([1, 2, 3]) }, { format: 'gmml', network: 'cnn' });
    write('b.safetensors', whole);
    write('a.safetensors', whole);
    write('notes.txt', 'x');
    const text = await infoOf(folder);
    expect(text.replaceAll(folder, '').match(/^\/.*$/gm)).toEqual([
      `/a.safetensors: network (gmml-train), ${whole.length} bytes`,
      `/b.safetensors: network (gmml-train), ${whole.length} bytes`,
    ]);
    write('cut', whole.subarray(0, -1));
    await expect(describeFile(at('cut'))).rejects.toThrow(
      `${at('cut')}: a safetensors file must be whole: it has ${whole.length - 1} bytes, its header says ${whole.length}. It is cut off, or damaged.`,
    );
  });

  test('of nothing, of what is cut off in its header, and of a folder with a damaged file: an error', async () => {
    write('empty', '');
    await expect(describeFile(at('empty'))).rejects.toThrow(
      `${at('empty')}: there must be rows: the file is empty.`,
    );
    const whole = serializeSafetensors({ w: tensor([1, 2, 3]) });
    write('cut', whole.subarray(0, 20));
    await expect(describeFile(at('cut'))).rejects.toThrow(
      `${at('cut')}: a safetensors file must be whole: it has 20 bytes, its header alone takes ${whole.length - 12}. It is cut off, or damaged.`,
    );
    write('a.safetensors', whole);
    write('b.safetensors', '');
    await expect(describeFile(folder)).rejects.toThrow(
      `${at('b.safetensors')} must be a safetensors file: it is none.`,
    );
  });

  test('of a table with tabs between its fields', async () => {
    write('a.tsv', 'a\tb\n1\t2\n');
    expect((await describeFile(at('a.tsv'), '\t')).map(infoText).join('').replaceAll(folder, '')).toBe(
      '/a.tsv: table (CSV), 8 bytes\n  rows      1\n  columns   2: a, b\n',
    );
  });

  test('of a pipe: a table is read as it comes', async () => {
    execFileSync('mkfifo', [at('pipe')]);
    const writer = spawn('sh', ['-c', 'printf "a,b\\n1,2\\n" > "$0"', at('pipe')]);
    const written = once(writer, 'close');
    expect(await infoOf(at('pipe'))).toBe('/pipe: table (CSV)\n  rows      1\n  columns   2: a, b\n');
    await written;
  });
});
