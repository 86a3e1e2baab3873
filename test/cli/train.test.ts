// The training loop as a function, without the process around it.
import { ReferenceNetwork, silentReporter, train, UsageError } from '@gmml/cli';
import type { BatchProgress, EpochResult, Reporter, TestProgress } from '@gmml/cli';
import { Generator, NotFiniteError, rand } from '@gmml/tensor';
import { describe, expect, test } from 'vitest';
import { tinyDigits } from './tinyDigits.js';

const small = { batchSize: 32, dim: 8, lr: 0.5, epochs: 2, openSet: false };

describe('train', () => {
  test('gives the results of the epochs and tells the reporter as it goes', async () => {
    const batches: BatchProgress[] = [];
    const epochs: EpochResult[] = [];
    const steps: BatchProgress[] = [];
    const told: string[] = [];
    const reporter: Reporter = {
      ...silentReporter,
      step: (progress) => steps.push(progress),
      start: ({ trainCount, testCount, head }) => told.push(`${trainCount} ${testCount} ${head}`),
      batch: (progress) => batches.push(progress),
      epoch: (result) => epochs.push(result),
      finish: ({ epoch }) => told.push(`finished ${epoch}`),
    };
    const results = await train({ ...small, data: tinyDigits(), logInterval: 2, components: 2 }, reporter);
    expect(results).toEqual({ epochs });
    expect(epochs.map(({ epoch, testCount }) => [epoch, testCount])).toEqual([
      [1, 20],
      [2, 20],
    ]);
    for (const { testAccuracy, testCorrect } of epochs) expect(testAccuracy).toBe(testCorrect / 20);
    // 80 digits are 3 batches of at most 32; the first and third are told.
    expect(batches.map(({ epoch, seen, trainCount }) => [epoch, seen, trainCount])).toEqual([
      [1, 0, 80],
      [1, 64, 80],
      [2, 0, 80],
      [2, 64, 80],
    ]);
    expect(steps.map((step) => [step.epoch, step.epochs, step.seenAfter])).toEqual([
      [1, 2, 32],
      [1, 2, 64],
      [1, 2, 80],
      [2, 2, 32],
      [2, 2, 64],
      [2, 2, 80],
    ]);
    expect(told).toEqual(['80 20 GMM head (tril, D = 8, 2 components a class)', 'finished 2']);
  });

  test('tells how far testing is, after the epoch and for the report', async () => {
    const heard: TestProgress[] = [];
    const reporter = { ...silentReporter, testing: (progress: TestProgress) => heard.push(progress) };
    const options = { ...small, epochs: 1, openSet: true, data: tinyDigits(), testBatchSize: 15 };
    await train(options, reporter);
    const counts = heard.map(({ done, total }) => `${done}/${total}`);
    expect(counts.slice(0, 3)).toEqual(['0/20', '15/20', '20/20']);
    // 80 training digits in 6 batches and the test digits in 2, then four strange sets of them.
    expect(counts.slice(3)).toEqual([
      ...[0, 15, 30, 45, 60, 75, 80, 95, 100].map((done) => `${done}/100`),
      ...[0, 15, 20, 35, 40, 55, 60, 75, 80].map((done) => `${done}/80`),
    ]);
  });

  test('a dry run is one epoch of one batch, whatever else is asked', async () => {
    const batches: BatchProgress[] = [];
    const reporter = { ...silentReporter, batch: (progress: BatchProgress) => batches.push(progress) };
    const options = { ...small, data: tinyDigits(), dryRun: true, logInterval: 1, testBatchSize: 7 };
    const { epochs } = await train(options, reporter);
    expect([epochs.length, epochs[0].testCount, batches.length]).toEqual([1, 7, 1]);
    expect(epochs[0].trainLoss).toBe(batches[0].loss);
  });

  test('the learning rate falls by gamma: with a tiny one the second epoch changes next to nothing', async () => {
    const data = tinyDigits();
    const [first, second] = (await train({ ...small, data, gamma: 1e-12 })).epochs;
    const [one] = (await train({ ...small, data, epochs: 1 })).epochs;
    expect(one.testLoss).toBe(first.testLoss);
    expect(second.testLoss).toBeCloseTo(first.testLoss, 5);
  });

  test('refuses what is not there', async () => {
    await expect(train({ data: '/no/such/folder' })).rejects.toThrow(UsageError);
    await expect(train({ saveModel: '/no/such/folder/model.safetensors' })).rejects.toThrow(UsageError);
  });

  test('stops when the loss is not finite', async () => {
    const run = train({ ...small, data: tinyDigits(), lr: 1e30, linearClassifier: true });
    await expect(run).rejects.toThrow(NotFiniteError);
    await expect(run).rejects.toThrow(
      /^(epoch|testing after epoch) \d+, batch \d+: .* try a smaller --lr\.$/,
    );
  });
});

describe('ReferenceNetwork', () => {
  test('has the parameters of the design, under these names', () => {
    const shapes = (network: ReferenceNetwork) =>
      Object.fromEntries(Object.entries(network.stateDict()).map(([name, { shape }]) => [name, [...shape]]));
    const body = {
      'conv1.weight': [16, 1, 5, 5],
      'conv1.bias': [16],
      'conv2.weight': [32, 16, 5, 5],
      'conv2.bias': [32],
      'linear.weight': [128, 1568],
      'linear.bias': [128],
    };
    expect(shapes(new ReferenceNetwork())).toEqual({
      ...body,
      'head.mean': [10, 1, 128],
      'head.sigma': [10, 1, 128, 128],
      'head.omega': [10, 1],
      'head.logTemperature': [],
      'head.logPrior': [10],
    });
    expect(shapes(new ReferenceNetwork({ linearClassifier: true }))).toEqual({
      ...body,
      'head.weight': [10, 128],
      'head.bias': [10],
    });
  });

  test.each([[{}], [{ linearClassifier: true }]])('gives posteriors that sum to one: %o', (options) => {
    const generator = new Generator(2);
    const network = new ReferenceNetwork({ ...options, dim: 8, nClass: 4, generator });
    const posteriors = network.forward(rand([3, 1, 28, 28], { generator })).exp();
    expect(posteriors.shape).toEqual([3, 4]);
    expect(posteriors.sum(1)).toBeAllClose([1, 1, 1], { rtol: 0, atol: 1e-6 });
  });
});
