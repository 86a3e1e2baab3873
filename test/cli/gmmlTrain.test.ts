// gmml-train as a process. Small runs train on a tiny data set in a folder; one trains an epoch on the real digits.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ReferenceNetwork } from '@gmml/cli';
import type { OpenSetReport } from '@gmml/cli';
import { loadMnist } from '@gmml/data';
import { loadSafetensors, nllLoss } from '@gmml/nn';
import { noGrad } from '@gmml/tensor';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../data/idxFiles.js';
import { gmmlTrain } from './process.js';
import { tinyDigits } from './tinyDigits.js';

/** A hang guard, not a speed limit: the reference backend takes a minute or two for an epoch. */
const LONG = 15 * 60_000;

interface EpochLine {
  epoch: number;
  trainLoss: number;
  testLoss: number;
  testAccuracy: number;
  seconds: number;
}

/** The lines of the epochs, and the open-set report where there is one after them. */
function jsonLines(stdout: string): { epochs: EpochLine[]; openSet?: OpenSetReport } {
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as EpochLine | OpenSetReport);
  const last = lines[lines.length - 1];
  if ('epoch' in last) return { epochs: lines as EpochLine[] };
  return { epochs: lines.slice(0, -1) as EpochLine[], openSet: last };
}

describe('a run on the embedded digits', () => {
  test('one epoch with --json reaches 90 %', { timeout: LONG }, async () => {
    const { code, stdout, stderr } = await gmmlTrain('--epochs', '1', '--json');
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const { epochs: lines, openSet } = jsonLines(stdout);
    expect(lines.map((line) => Object.keys(line))).toEqual([
      ['epoch', 'trainLoss', 'testLoss', 'testAccuracy', 'seconds'],
    ]);
    expect(lines[0].epoch).toBe(1);
    expect(lines[0].testAccuracy).toBeGreaterThanOrEqual(0.9);
    expect(lines[0].testAccuracy).toBeLessThanOrEqual(1);
    expect(lines[0].testLoss).toBeLessThan(0.5);
    expect(lines[0].seconds).toBeGreaterThan(0);
    const { trainedHead, fittedHead, coverage, unknown } = openSet!;
    expect(trainedHead.accuracy).toBe(lines[0].testAccuracy);
    expect(fittedHead.accuracy).toBeGreaterThanOrEqual(trainedHead.accuracy);
    expect(coverage.features).toBeGreaterThanOrEqual(0.9);
    expect(coverage.featuresAndPosterior).toBeGreaterThanOrEqual(0.9);
    expect(Object.keys(unknown)).toEqual(['noise', 'inverted', 'rotated', 'permuted']);
    for (const { features, featuresAndPosterior, density } of Object.values(unknown)) {
      expect(features.auroc).toBeGreaterThanOrEqual(0.9);
      expect(featuresAndPosterior.auroc).toBeGreaterThanOrEqual(0.95);
      expect(features.auroc).toBeGreaterThan(density!.auroc);
    }
  });

  test('a dry run trains one batch, tests one, and says so', { timeout: LONG }, async () => {
    const args = ['--dry-run', '--test-batch-size', '100'];
    const { code, stdout, stderr } = await gmmlTrain(...args, '--no-open-set');
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.length).toBe(5);
    expect(lines[0]).toBe(
      'Training on 7996 digits, testing on 2004. GMM head (tril, D = 128, 1 component a class).',
    );
    expect(lines[1]).toMatch(/^Backend \w+, \d+ threads?\.$/);
    expect(lines[2]).toMatch(/^Train Epoch: 1 \[0\/7996 \(0%\)\] {2}Loss: \d+\.\d{4}$/);
    expect(lines[3]).toMatch(
      /^Epoch 1: train loss \d+\.\d{4}, test loss \d+\.\d{4}, test accuracy \d+\/100 \(\d+\.\d\d %\), \d+\.\d s$/,
    );
    expect(lines[4]).toMatch(/^Test accuracy after 1 epoch: \d+\.\d\d %$/);

    const reported = await gmmlTrain(...args, '--unseen', '7');
    expect(reported).toMatchObject({ code: 0, stderr: '' });
    const told = reported.stdout.trimEnd().split('\n');
    expect(told[0]).toBe(
      'Training on 7140 digits, testing on 1790, without digit 7. GMM head (tril, D = 128, 1 component a class).',
    );
    expect(told.slice(4).map((line) => line.slice(0, 14).trimEnd())).toEqual([
      '',
      'On 100 test di',
      '  head as trai',
      '  head fitted',
      '',
      'Unknown inputs',
      '',
      '  noise',
      '  inverted',
      '  rotated',
      '  permuted',
      '  digit 7',
      '',
      'Threshold set',
      '  test digits',
      '  digit 7 reje',
      '',
      'AUROC: probabi',
      '0.5 is guessin',
      'softmax, densi',
      'Inputs trained',
      '',
      'Test accuracy',
    ]);
    for (const line of told.slice(4)) expect(line.length).toBeLessThanOrEqual(80);
    expect(told[told.length - 1]).toMatch(/^Test accuracy after 1 epoch: \d+\.\d\d %$/);
  });
});

describe('a run on a folder of IDX files', () => {
  const small = ['--batch-size', '16', '--dim', '16', '--lr', '0.5'];

  test.each([
    ['tril', ['--cov-type', 'tril']],
    ['diag', ['--cov-type', 'diag']],
    ['full', ['--cov-type', 'full']],
    ['two components', ['--components', '2']],
    ['a linear head', ['--linear-classifier']],
    ['a linear head, spelled with _', ['--linear_classifier']],
    ['a perceptron', ['--model', 'mlp', '--optimizer', 'adam', '--lr', '0.003']],
  ])('learns: %s', { timeout: LONG }, async (_, args) => {
    const run = await gmmlTrain('--data', tinyDigits(), '--epochs', '6', '--json', ...small, ...args);
    expect(run.stderr).toBe('');
    expect(run.code).toBe(0);
    const { epochs: lines, openSet } = jsonLines(run.stdout);
    expect(openSet?.testCount).toBe(20);
    expect(lines.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(lines[5].trainLoss).toBeLessThan(lines[0].trainLoss);
    expect(lines[5].testAccuracy).toBeGreaterThanOrEqual(0.9);
  });

  test('is the same for the same seed, another for another', { timeout: LONG }, async () => {
    const data = tinyDigits();
    const folder = temporaryFolder();
    const run = async (seed: string, model: string) => {
      const args = ['--data', data, '--epochs', '2', '--log-interval', '1', '--seed', seed, ...small];
      const { stdout } = await gmmlTrain(...args, '--save-model', join(folder, model));
      const told = stdout.replaceAll(/\d+\.\d s$/gm, 'seconds').replaceAll(join(folder, model), 'model');
      return { told, bytes: readFileSync(join(folder, model)) };
    };
    const [first, again, other] = [await run('3', 'a'), await run('3', 'b'), await run('4', 'c')];
    expect(first.told.split('\n').filter((line) => line.startsWith('Train Epoch')).length).toBe(10);
    expect(again).toEqual(first);
    expect(other.told).not.toBe(first.told);
  });

  test.each([
    ['the mixture', []],
    ['a linear head', ['--linear-classifier']],
  ])('saves %s, which loads and tests the same', { timeout: LONG }, async (_, args) => {
    const data = tinyDigits();
    const folder = temporaryFolder();
    const path = join(folder, 'model.safetensors');
    writeFileSync(path, 'an older file');
    const run = await gmmlTrain(
      '--data',
      data,
      '--epochs',
      '1',
      '--json',
      ...small,
      ...args,
      '--save-model',
      path,
    );
    expect(run).toMatchObject({ code: 0, stderr: '' });
    expect(readdirSync(folder)).toEqual(['model.safetensors']);

    const { tensors, metadata } = loadSafetensors(path);
    expect(metadata).toMatchObject({
      format: 'gmml',
      network: 'reference-cnn',
      dim: '16',
      nClass: '10',
      labels: '0 1 2 3 4 5 6 7 8 9',
      seed: '1',
    });
    const linearClassifier = metadata.head === 'linear';
    expect(linearClassifier).toBe(args.length > 0);
    const network = new ReferenceNetwork({ dim: 16, linearClassifier });
    network.loadStateDict(tensors);
    const { images, labels } = loadMnist({ source: data }).test;
    const loss = noGrad(() => nllLoss(network.eval().forward(images), labels));
    // The process computed on another backend.
    expect(loss).toBeAllClose(jsonLines(run.stdout).epochs[0].testLoss, { rtol: 1e-5, atol: 0 });
  });

  test('stops with one line when the loss is not finite', { timeout: LONG }, async () => {
    const path = join(temporaryFolder(), 'model.safetensors');
    const run = await gmmlTrain('--data', tinyDigits(), '--lr', '1e30', '--json', '--save-model', path);
    expect(run.code).toBe(1);
    expect(run.stderr).toMatch(
      /^gmml-train: (epoch|testing after epoch) \d+, batch \d+: .* Training has diverged: .*\n$/,
    );
    expect(existsSync(path)).toBe(false);
  });

  test(
    'says so on standard error when there are fewer threads than asked for',
    { timeout: LONG },
    async () => {
      const args = ['--data', tinyDigits(), '--dry-run', '--json', '--dim', '16'];
      const run = await gmmlTrain(...args, '--backend', 'reference', '--threads', '2');
      expect(run).toMatchObject({
        code: 0,
        stderr:
          'gmml-train: asked for backend reference, 2 threads: running on backend reference, 1 thread.\n',
      });
      expect(jsonLines(run.stdout).epochs.length).toBe(1);
    },
  );
});

describe('a wrong call', () => {
  test.each([
    [['--epochs', 'many'], "--epochs must be an integer from 1 to 1000000: it is 'many'."],
    [['--lr', '-1'], "--lr must be a number above 0: it is '-1'."],
    [['--cov-type', 'spherical'], "--cov-type must be one of diag, tril, full: it is 'spherical'."],
    [
      ['--epoch', '3'],
      "unknown option '--epoch' (Did you mean --epochs?). gmml-train --help lists the options.",
    ],
    [['--batch-size'], "option '--batch-size <n>' argument missing. gmml-train --help lists the options."],
    [['digits'], "'digits' belongs to no option. gmml-train --help lists the options."],
    [['--threads', '1.5'], "--threads must be an integer from 1 to 256 or 'auto': it is '1.5'."],
    [
      ['--unseen', '12'],
      '--unseen must be a digit of the data, one of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9: it is 12.',
    ],
    [['--unseen', 'x'], "--unseen must be a digit of the data: it is 'x'."],
    [['--keep', '1'], "--keep must be a number above 0 and below 1: it is '1'."],
    [['--keep', 'abc'], "--keep must be a number above 0 and below 1: it is 'abc'."],
    [
      ['--unseen', '3', '--no-open-set'],
      '--unseen is about the open-set report: it cannot go with --no-open-set. Leave one out.',
    ],
    [
      ['--data', 'no-such-folder'],
      '--data: loadMnist: source must be a folder with the four MNIST files: there is no folder no-such-folder.',
    ],
  ])('%s', async (args, message) => {
    expect(await gmmlTrain(...args)).toEqual({ code: 2, stdout: '', stderr: `gmml-train: ${message}\n` });
  });

  test('a data folder without its files', async () => {
    const data = tinyDigits();
    rmSync(join(data, 't10k-labels-idx1-ubyte'));
    const { code, stderr } = await gmmlTrain('--data', data);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^gmml-train: --data: loadMnist: .* must hold t10k-labels-idx1-ubyte: .*\n$/);
  });

  test('a data file that is cut short is a failure, not a wrong call', async () => {
    const data = tinyDigits();
    const path = join(data, 'train-images-idx3-ubyte');
    writeFileSync(path, readFileSync(path).subarray(0, 1000));
    expect(await gmmlTrain('--data', data)).toEqual({
      code: 1,
      stdout: '',
      stderr:
        `gmml-train: ${path}: the file is cut short: uint8 [80, 28, 28] takes 62736 bytes with its header, ` +
        'the file has 1000.\n',
    });
  });

  test('a model that cannot be saved, before anything is trained', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'taken'));
    const inNoFolder = await gmmlTrain('--save-model', join(folder, 'none', 'model.safetensors'));
    expect(inNoFolder).toEqual({
      code: 2,
      stdout: '',
      stderr:
        'gmml-train: --save-model must name a file that can be written: ' +
        `${join(folder, 'none', 'model.safetensors')}: there is no such folder.\n`,
    });
    const onAFolder = await gmmlTrain('--save-model', join(folder, 'taken'));
    expect(onAFolder).toEqual({
      code: 2,
      stdout: '',
      stderr: `gmml-train: --save-model must name a file that can be written: ${join(folder, 'taken')}: it is a folder.\n`,
    });
  });
});

describe('information', () => {
  test('--help lists every option and an example, on standard output', async () => {
    const { code, stdout, stderr } = await gmmlTrain('--help');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const option of [
      '--batch-size',
      '--test-batch-size',
      '--epochs',
      '--lr',
      '--gamma',
      '--seed',
      '--log-interval',
      '--dry-run',
      '--save-model',
      '--report',
      '--linear-classifier',
      '--cov-type',
      '--components',
      '--dim',
      '--data',
      '--backend',
      '--threads',
      '--no-open-set',
      '--unseen',
      '--keep',
      '--checkpoint',
      '--checkpoint-every',
      '--keep-checkpoints',
      '--resume',
      '--json',
      '--quiet',
      '--download',
      '--mirror',
      '--model',
      '--optimizer',
      '--momentum',
      '--weight-decay',
      '--schedule',
      '--augment',
      '--early-stop',
      '--preset',
    ]) {
      expect(stdout).toContain(`  ${option} `);
    }
    expect(stdout).toContain('Example:\n  gmml-train --epochs 5');
  });

  test('--version is the package’s', async () => {
    const { version } = JSON.parse(
      readFileSync(new URL('../../packages/cli/package.json', import.meta.url), 'utf8'),
    ) as { version: string };
    expect(await gmmlTrain('--version')).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });
});
