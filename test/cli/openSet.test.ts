// The report at the end of training: what the network knows of what it does not know.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { silentReporter, train, UsageError } from '@gmml/cli';
import type { OpenSetReport, Reporter, TrainOptions, TrainResult } from '@gmml/cli';
import { loadMnist } from '@gmml/data';
import { loadSafetensors } from '@gmml/nn';
import { defaultGenerator } from '@gmml/tensor';
import { describe, expect, test } from 'vitest';
import { evenSample, knownDigits, withValidation } from '../../packages/cli/src/training/knownDigits.js';
import { folderOf, mnistFiles, temporaryFolder } from '../data/idxFiles.js';
import { tinyDigits } from './tinyDigits.js';

const small = { batchSize: 16, dim: 8, lr: 0.5, epochs: 4 };

/** A report, and the epochs before it without their times. */
async function run(options: Partial<TrainOptions>, reporter?: Reporter) {
  const { epochs, openSet }: TrainResult = await train({ ...small, ...options }, reporter);
  return { epochs: epochs.map((epoch) => ({ ...epoch, seconds: 0 })), openSet };
}

async function reportOf(options: Partial<TrainOptions>): Promise<OpenSetReport> {
  const { openSet } = await run(options);
  return openSet!;
}

describe('the open-set report', () => {
  test.each<[string, Partial<TrainOptions>]>([
    ['tril', {}],
    ['full', { covType: 'full' }],
    ['diag, two components', { covType: 'diag', components: 2 }],
    ['a linear head', { linearClassifier: true }],
  ])('of %s judges heads, digits and what is none', async (_, options) => {
    const { epochs, openSet } = await run({ data: tinyDigits(), ...options });
    const { trainedHead, fittedHead, coverage, unknown, ...rest } = openSet!;
    const { testAccuracy, testLoss } = epochs[epochs.length - 1];
    expect(rest).toEqual({ testCount: 20, keep: 0.95, threshold: { count: 80, areHeldOut: false } });
    expect(trainedHead.accuracy).toBe(testAccuracy);
    expect(trainedHead.nll).toBeCloseTo(testLoss, 6);
    expect(fittedHead.accuracy).toBeGreaterThanOrEqual(0.9);
    expect(Object.keys(unknown)).toEqual(['noise', 'inverted', 'rotated', 'permuted']);
    const shares = [trainedHead.ece, fittedHead.ece, fittedHead.shrinkage, ...Object.values(coverage)];
    for (const set of Object.values(unknown)) {
      expect(set.count).toBe(20);
      expect(set.density === undefined).toBe(options.linearClassifier === true);
      shares.push(...Object.values(set.features), ...Object.values(set.featuresAndPosterior));
      shares.push(...Object.values(set.softmax), ...Object.values(set.density ?? {}));
    }
    for (const share of shares) {
      expect(share).toBeGreaterThanOrEqual(0);
      expect(share).toBeLessThanOrEqual(1);
    }
    expect(unknown.inverted!.features.auroc).toBeGreaterThan(0.95);
  });

  test('keeps the digits it is asked to keep, about', async () => {
    const data = tinyDigits();
    const [most, half] = [await reportOf({ data }), await reportOf({ data, keep: 0.5 })];
    expect(most.coverage.features).toBeGreaterThanOrEqual(0.7);
    expect(half.keep).toBe(0.5);
    for (const score of ['features', 'featuresAndPosterior'] as const) {
      expect(half.coverage[score]).toBeLessThan(most.coverage[score]);
      expect(half.unknown.noise![score].rejected).toBeGreaterThanOrEqual(most.unknown.noise![score].rejected);
      // Another threshold, the same order.
      expect(half.unknown.noise!.features.auroc).toBe(most.unknown.noise!.features.auroc);
    }
  });

  test('is the same for the same options, to the bit', async () => {
    const options = { data: tinyDigits(), unseen: 4, components: 2 };
    expect(await run(options)).toEqual(await run(options));
  });

  test('changes nothing of the training, and takes nobody’s random numbers', async () => {
    const data = tinyDigits();
    const folder = temporaryFolder();
    const before = defaultGenerator().getState();
    const { epochs, openSet } = await run({ data, components: 2, saveModel: join(folder, 'a') });
    const without = await run({ data, components: 2, openSet: false, saveModel: join(folder, 'b') });
    expect(openSet).toBeDefined();
    expect(without).toEqual({ epochs, openSet: undefined });
    expect(readFileSync(join(folder, 'a')).equals(readFileSync(join(folder, 'b')))).toBe(true);
    expect(defaultGenerator().getState()).toEqual(before);
  });

  test('comes after the model is saved and before the end', async () => {
    const told: string[] = [];
    const reporter: Reporter = {
      ...silentReporter,
      epoch: () => told.push('epoch'),
      saved: () => told.push('saved'),
      openSet: ({ testCount }) => told.push(`report on ${testCount}`),
      finish: () => told.push('finish'),
    };
    const saveModel = join(temporaryFolder(), 'model.safetensors');
    await run({ data: tinyDigits(), epochs: 1, saveModel }, reporter);
    expect(told).toEqual(['epoch', 'saved', 'report on 20', 'finish']);
  });

  test('of a dry run looks at one batch of each test set', async () => {
    const options = { data: tinyDigits(), dryRun: true, testBatchSize: 7, unseen: 2 };
    const { testCount, unknown } = await reportOf(options);
    expect(testCount).toBe(7);
    expect(Object.values(unknown).map(({ count }) => count)).toEqual([7, 7, 7, 7, 2]);
  });

  test('is left out with a warning where the digits are too few for it', async () => {
    const told: string[] = [];
    const reporter: Reporter = {
      ...silentReporter,
      openSet: () => told.push('report'),
      finish: () => told.push('finish'),
      warn: (message) => told.push(message),
    };
    const { epochs, openSet } = await run({ data: tinyDigits(), keep: 0.999 }, reporter);
    expect([epochs.length, openSet]).toEqual([4, undefined]);
    expect(told.length).toBe(2);
    expect(told[0]).toMatch(/^no open-set report: .* keep 0\.999 needs at least 999 /);
    expect(told[1]).toBe('finish');
  });

  test.each([0, 1, -0.5, NaN])('keeps no share of %d', async (keep) => {
    await expect(train({ keep })).rejects.toThrow(
      new UsageError(`--keep must be a number above 0 and below 1: it is ${keep}.`),
    );
  });
});

describe('a digit that is left out', () => {
  test('is neither learned nor tested, and reported', async () => {
    const path = join(temporaryFolder(), 'model.safetensors');
    const told: unknown[] = [];
    const reporter: Reporter = {
      ...silentReporter,
      start: ({ trainCount, testCount, unseen }) => told.push({ trainCount, testCount, unseen }),
    };
    const options = { data: tinyDigits(), unseen: 3, epochs: 6, saveModel: path };
    const { epochs, openSet } = await run(options, reporter);
    expect(told).toEqual([{ trainCount: 72, testCount: 18, unseen: 3 }]);
    // Labels that were numbered in different ways could not be learned.
    expect(epochs[5].testAccuracy).toBeGreaterThanOrEqual(0.9);
    expect(openSet).toMatchObject({ testCount: 18, unseen: 3, unknown: { unseen: { count: 2 } } });
    expect(Object.keys(openSet!.unknown)).toEqual(['noise', 'inverted', 'rotated', 'permuted', 'unseen']);

    const { tensors, metadata } = loadSafetensors(path);
    expect(metadata).toMatchObject({ nClass: '9', labels: '0 1 2 4 5 6 7 8 9' });
    expect(tensors['head.mean'].shape[0]).toBe(9);
  });

  test('leaves the others their images, and their places among the labels', () => {
    const all = loadMnist({ source: folderOf(mnistFiles([0, 1, 2, 1, 3], [3, 1, 0, 2, 1])) });
    const { train: left, test: tested, labels, unseen } = knownDigits(all, 1);
    expect(labels).toEqual([0, 2, 3]);
    expect(left.labels.toArray()).toEqual([0, 1, 2]);
    expect(tested.labels.toArray()).toEqual([2, 0, 1]);
    // Image n is filled with 10 n + its label.
    const bytes = (images: { data: ArrayLike<number> }) =>
      Array.from({ length: images.data.length / 784 }, (_, n) =>
        Math.abs(Math.round((images.data[n * 784] * 0.3081 + 0.1307) * 255)),
      );
    expect(bytes(left.images)).toEqual([0, 22, 43]);
    expect(bytes(tested.images)).toEqual([3, 20, 32]);
    expect(unseen!.digit).toBe(1);
    expect(bytes(unseen!.images)).toEqual([11, 41]);

    expect(knownDigits(all)).toEqual({ train: all.train, test: all.test, labels: [0, 1, 2, 3] });
  });

  test.each([
    [12, [0, 1, 3], [1, 3], '--unseen must be a digit of the data, one of 1, 3: it is 12.'],
    [2, [0, 1, 3], [0, 1, 3], '--unseen must be a digit of the data, one of 0, 1, 3: it is 2.'],
    [0, [0, 0], [0], '--unseen must leave a digit to train on: the data has no other than 0. Leave it out.'],
  ])('cannot be %d of %j and %j', async (unseen, trained, tested, message) => {
    const told: string[] = [];
    const reporter = { ...silentReporter, start: () => told.push('started') };
    const data = folderOf(mnistFiles(trained, tested));
    await expect(train({ data, unseen }, reporter)).rejects.toThrow(new UsageError(message));
    expect(told).toEqual([]);
  });

  test('may leave one alone', async () => {
    const labels = Array.from({ length: 80 }, (_, n) => n % 2);
    const data = folderOf(mnistFiles(labels, [0, 1, 0, 1]));
    const { unknown } = await reportOf({ data, unseen: 1, linearClassifier: true });
    // A head with one answer is always sure of it.
    expect(unknown.unseen!.softmax.auroc).toBe(0.5);
  });
});

describe('training images that are held out', () => {
  test('are the last of each class, and set the threshold', async () => {
    const told: unknown[] = [];
    const reporter: Reporter = {
      ...silentReporter,
      start: ({ trainCount, testCount, heldOut }) => told.push({ trainCount, testCount, heldOut }),
    };
    const { epochs, openSet } = await run({ data: tinyDigits(), valSplit: 0.25, epochs: 12 }, reporter);
    expect(told).toEqual([{ trainCount: 60, testCount: 20, heldOut: 20 }]);
    // Guessing gives 0.1.
    expect(epochs[11].testAccuracy).toBeGreaterThan(0.7);
    // 20 of them are just enough for 95 %.
    expect(openSet!.threshold).toEqual({ count: 20, areHeldOut: true });
    expect(openSet!.coverage.features).toBeGreaterThan(0.7);

    const all = knownDigits(loadMnist({ source: folderOf(mnistFiles([0, 1, 0, 0, 1, 0], [0])) }));
    const { train: left, validation } = withValidation(all, 0.25);
    expect(left.labels.toArray()).toEqual([0, 1, 0, 0]);
    expect(validation!.labels.toArray()).toEqual([1, 0]);
    expect(validation!.images.shape).toEqual([2, 1, 28, 28]);
    expect(withValidation(all, 0)).toBe(all);
  });

  test.each([
    [0.9, 'with 0.9 nothing is left of the 2 images of digit 1.'],
    [0.1, 'with 0.1 no image is held out.'],
  ])('cannot be a share of %d of a few', (share, problem) => {
    const all = knownDigits(
      loadMnist({
        source: folderOf(mnistFiles([0, 1, 0, 0, 0, 0, 0, 0, 0, 1].slice(share === 0.1 ? 6 : 0), [0])),
      }),
    );
    expect(() => withValidation(all, share)).toThrow(
      new UsageError(`--val-split must leave and hold out images: ${problem}`),
    );
  });

  test.each([
    [{ valSplit: 1 }, '--val-split must be a number from 0 and below 1: it is 1.'],
    [{ labelSmoothing: NaN }, '--label-smoothing must be a number from 0 to 1: it is NaN.'],
  ])('or targets are refused: %j', async (options, message) => {
    await expect(train(options)).rejects.toThrow(new UsageError(message));
  });

  test('smoothed labels are learned too', async () => {
    const { epochs } = await run({ data: tinyDigits(), labelSmoothing: 0.1, epochs: 6, openSet: false });
    expect(epochs[5].testAccuracy).toBeGreaterThanOrEqual(0.9);
    // The least of the smoothed loss: of (0.91, 0.01, …) with itself.
    expect(epochs[5].trainLoss).toBeGreaterThan(-0.91 * Math.log(0.91) - 0.09 * Math.log(0.01));
  });
});

test('a sample has every class, also where rows are in the order of classes', () => {
  const labels = Array.from({ length: 30 }, (_, n) => Math.floor(n / 10));
  const { train: all } = loadMnist({ source: folderOf(mnistFiles(labels, [0])) });
  expect(evenSample(all, 6).labels.toArray()).toEqual([0, 0, 1, 1, 2, 2]);
  expect(evenSample(all, 6).images.shape).toEqual([6, 1, 28, 28]);
  expect(evenSample(all, 30)).toEqual(all);
});
