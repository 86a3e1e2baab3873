// What --model, --optimizer, --schedule, --val-split, --early-stop and --preset change of a run, and what they leave.
import { EarlyStopping, LinearProbe, presets, silentReporter, train, UsageError } from '@gmml/cli';
import type { EpochResult, Reporter, TrainOptions } from '@gmml/cli';
import { loadMnist } from '@gmml/data';
import { loadSafetensors, nllLoss } from '@gmml/nn';
import { Generator, noGrad } from '@gmml/tensor';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { folderOf, idxBytes, temporaryFolder } from '../data/idxFiles.js';
import { tinyDigits } from './tinyDigits.js';

/** What learns in milliseconds. */
const probe = { model: 'linear-probe' } as const;
const small = { batchSize: 32, dim: 8, epochs: 2, openSet: false, backend: 'reference' } as const;

/** Losses and right answers of the epochs. */
async function outcome(options: Partial<TrainOptions>): Promise<number[][]> {
  const { epochs } = await train({ ...small, ...options });
  return epochs.map(({ trainLoss, testLoss, testCorrect }) => [trainLoss, testLoss, testCorrect]);
}

describe('what is not asked for changes nothing', () => {
  // Recorded from gmml-train before it had other networks, optimizers and moved images.
  test.each<[string, Partial<TrainOptions>, number[][]]>([
    [
      'the defaults',
      {},
      [
        [7.579774236679077, 10.214406585693359, 2],
        [5.821630764007568, 1.1876530647277832, 13],
      ],
    ],
    [
      'a linear head and label smoothing',
      { linearClassifier: true, labelSmoothing: 0.1, epochs: 1 },
      [[2.4202588558197022, 2.313714790344238, 2]],
    ],
    [
      'full covariances, another seed and another rate',
      { covType: 'full', lr: 0.5, gamma: 0.9, seed: 3, epochs: 1 },
      [[7.642175722122192, 6.363433837890625, 6]],
    ],
    ['held-out images', { valSplit: 0.25, epochs: 1 }, [[4.524401410420736, 21.26995391845703, 3]]],
  ])('%s', async (_, options, expected) => {
    expect(await outcome({ ...options, data: tinyDigits() })).toEqual(expected);
  });
});

describe('held-out images', () => {
  test('have a loss and an accuracy after each epoch, those that the network has on them', async () => {
    const data = tinyDigits();
    const saveModel = join(temporaryFolder(), 'model.safetensors');
    const { epochs } = await train({ ...small, ...probe, data, valSplit: 0.25, saveModel });
    const { train: given } = loadMnist({ source: data });
    // Classes come in turn: the last two of each class are the last twenty.
    const [images, labels] = [given.images, given.labels].map((rows) => rows.slice(0, 60));
    const network = new LinearProbe({ dim: 8 });
    network.loadStateDict(loadSafetensors(saveModel).tensors);
    const logPosteriors = noGrad(() => network.eval().forward(images));
    expect(epochs[1].valLoss).toBeCloseTo(nllLoss(logPosteriors, labels).item(), 5);
    expect(epochs[1].valAccuracy).toBeCloseTo(logPosteriors.argmax(1).equal(labels).mean().item(), 6);
    expect(epochs.map((epoch) => 'valLoss' in epoch)).toEqual([true, true]);
  });

  test('have none where there are none', async () => {
    const { epochs } = await train({ ...small, ...probe, data: tinyDigits(), epochs: 1 });
    expect(Object.keys(epochs[0])).not.toContain('valLoss');
    expect(Object.keys(epochs[0])).not.toContain('valAccuracy');
  });
});

describe('early stopping', () => {
  const digits = { ...small, ...probe, valSplit: 0.25, epochs: 60, earlyStop: 2, lr: 0.5, gamma: 1 };

  test('ends after so many epochs without a lower loss, with the weights of the best', async () => {
    const data = tinyDigits();
    const folder = temporaryFolder();
    const told: number[][] = [];
    const finished: EpochResult[] = [];
    const reporter: Reporter = {
      ...silentReporter,
      backTo: ({ epoch }, ran) => told.push([epoch, ran]),
      finish: (result) => finished.push(result),
    };
    const [stopped, best] = [join(folder, 'stopped'), join(folder, 'best')];
    const { epochs, bestEpoch = NaN } = await train({ ...digits, data, saveModel: stopped }, reporter);
    const losses = epochs.map(({ valLoss = NaN }) => valLoss);
    expect(bestEpoch).toBe(1 + losses.indexOf(Math.min(...losses)));
    expect(epochs.length).toBe(bestEpoch + 2);
    expect(epochs.length).toBeLessThan(60);
    expect(told).toEqual([[bestEpoch, epochs.length]]);
    expect(finished).toEqual([epochs[bestEpoch - 1]]);

    const { earlyStop: _, ...plain } = digits;
    await train({ ...plain, data, epochs: bestEpoch, saveModel: best });
    const [ended, wanted] = [stopped, best].map((path) => loadSafetensors(path));
    expect(ended.metadata).toEqual({ ...wanted.metadata, earlyStop: '2' });
    expect(ended.metadata.epochs).toBe(String(bestEpoch));
    for (const [name, tensor] of Object.entries(wanted.tensors)) {
      expect(Array.from(ended.tensors[name].data)).toEqual(Array.from(tensor.data));
    }
  });

  test('says nothing where the last epoch is the best, and changes nothing', async () => {
    const data = tinyDigits();
    const told: number[] = [];
    const reporter = { ...silentReporter, backTo: (_: EpochResult, ran: number) => told.push(ran) };
    const options = { ...small, ...probe, data, valSplit: 0.25, linearClassifier: true, lr: 0.1 };
    const { epochs, bestEpoch } = await train({ ...options, earlyStop: 1 }, reporter);
    expect([bestEpoch, epochs.length, told]).toEqual([2, 2, []]);
    const seconds = epochs.map((epoch) => epoch.seconds);
    const again = (await train(options)).epochs.map((epoch, i) => ({ ...epoch, seconds: seconds[i] }));
    expect(again).toEqual(epochs);
  });

  test('goes on in another process from the best epoch', () => {
    const network = () => new LinearProbe({ imageShape: [1, 1, 2], dim: 2, generator: new Generator(1) });
    const result = (epoch: number, valLoss: number): EpochResult => ({
      epoch,
      valLoss,
      trainLoss: 0,
      testLoss: 0,
      testAccuracy: 0,
      testCorrect: 0,
      testCount: 1,
      seconds: 0,
    });
    const first = new EarlyStopping(2);
    const early = network();
    for (const epoch of [1, 2]) {
      first.observe(result(epoch, 0.5), early);
      expect(first.isOver(epoch)).toBe(false);
    }
    const second = new EarlyStopping(2);
    second.best = first.best;
    const late = network();
    late.linear.weight.copyFrom(late.linear.weight.mul(2));
    second.observe(result(3, 0.6), late);
    expect(second.isOver(3)).toBe(true);
    expect(second.goBack(late)).toEqual(result(1, 0.5));
    expect(Array.from(late.linear.weight.data)).toEqual(Array.from(early.linear.weight.data));
  });
});

describe('images of another size', () => {
  /** A folder of images in which class c has a bright column c. */
  const folder = (height: number, width: number): string => {
    const generator = new Generator(6);
    const labels = (count: number) => Array.from({ length: count }, (_, n) => n % 3);
    const images = (count: number) => {
      const pixels = labels(count).flatMap((label) =>
        Array.from(
          { length: height * width },
          (_, i) => (i % width === label ? 150 : 0) + generator.integer(100),
        ),
      );
      return idxBytes(8, [count, height, width], pixels);
    };
    return folderOf({
      'train-images-idx3-ubyte': images(30),
      'train-labels-idx1-ubyte': idxBytes(8, [30], labels(30)),
      't10k-images-idx3-ubyte': images(12),
      't10k-labels-idx1-ubyte': idxBytes(8, [12], labels(12)),
    });
  };

  test.each([
    ['cnn', 32, 32],
    ['cnn', 9, 6],
    ['mlp', 9, 14],
    ['linear-probe', 3, 5],
  ] as const)('%s learns from %i × %i, and its file says how to build it', async (model, height, width) => {
    const saveModel = join(temporaryFolder(), 'model.safetensors');
    const data = folder(height, width);
    const options = { ...small, model, data, saveModel, batchSize: 5, epochs: 4, lr: 0.5 };
    const { epochs, openSet } = await train({ ...options, augment: ['rotate'], openSet: true });
    expect(epochs[3].testAccuracy).toBeGreaterThanOrEqual(0.9);
    expect(openSet?.testCount).toBe(12);
    const { metadata } = loadSafetensors(saveModel);
    expect(metadata).toMatchObject({
      network: model === 'cnn' ? 'reference-cnn' : model,
      imageShape: `1 ${height} ${width}`,
      head: 'gmml',
      dim: '8',
      nClass: '3',
      covType: 'tril',
      components: '1',
      labels: '0 1 2',
      augment: 'rotate',
    });
    expect(metadata.hidden).toBe(model === 'mlp' ? '256 256' : undefined);
  });

  test('too small for convolutions', async () => {
    await expect(train({ ...small, data: folder(3, 5) })).rejects.toThrow(
      new UsageError(
        '--model: cnn: images must be at least 4 × 4: they are 3 × 5. Take mlp or linear-probe.',
      ),
    );
  });
});

describe('networks and optimizers', () => {
  test.each<Partial<TrainOptions>>([
    { model: 'mlp', lr: 0.5 },
    { model: 'linear-probe', lr: 0.5, covType: 'diag' },
    { model: 'linear-probe', lr: 0.5, linearClassifier: true },
    { model: 'linear-probe', optimizer: 'sgd', linearClassifier: true },
    { model: 'linear-probe', optimizer: 'adam', lr: 0.005, schedule: 'cosine' },
    { model: 'linear-probe', optimizer: 'adamw', lr: 0.005, weightDecay: 0.1 },
  ])('%o learn', async (options) => {
    const data = tinyDigits();
    const { epochs } = await train({ ...small, data, batchSize: 8, epochs: 8, dim: 16, ...options });
    expect(epochs[7].trainLoss).toBeLessThan(epochs[0].trainLoss);
    expect(epochs[7].testAccuracy).toBeGreaterThanOrEqual(0.9);
  });

  test('SGD has momentum unless another is asked for', async () => {
    const data = tinyDigits();
    const run = (momentum?: number) =>
      outcome({ data, model: 'linear-probe', optimizer: 'sgd', ...(momentum !== undefined && { momentum }) });
    expect(await run(0.9)).toEqual(await run());
    expect(await run(0)).not.toEqual(await run());
  });

  test('weight decay reaches the optimizer: without it AdamW is Adam', async () => {
    const data = tinyDigits();
    const run = (options: Partial<TrainOptions>) => outcome({ ...probe, data, ...options });
    const plain = await run({ optimizer: 'adam' });
    expect(await run({ optimizer: 'adamw' })).toEqual(plain);
    const [decayed, penalised] = [
      await run({ optimizer: 'adamw', weightDecay: 0.1 }),
      await run({ optimizer: 'adam', weightDecay: 0.1 }),
    ];
    expect(new Set([plain, decayed, penalised].map(String)).size).toBe(3);
    expect(await run({ weightDecay: 0.1 })).not.toEqual(await run({}));
  });

  test('the schedule by a cosine comes down to nothing in the epoch after the last', async () => {
    const data = tinyDigits();
    const run = (epochs: number) => outcome({ data, model: 'linear-probe', schedule: 'cosine', epochs });
    const [first] = await run(2);
    // One epoch starts with the whole rate whatever comes later.
    expect((await run(1))[0]).toEqual(first);
    expect((await outcome({ data, model: 'linear-probe', gamma: 0.5 }))[1]).toBeAllClose((await run(2))[1], {
      rtol: 1e-12,
      atol: 0,
    });
  });

  test('a preset is the options that it stands for', async () => {
    const data = tinyDigits();
    const { epochs, dim, ...own } = { ...small, ...probe, data };
    const run = async (more: Partial<TrainOptions>) =>
      (await train({ ...own, dim, ...more })).epochs.map(({ testLoss }) => testLoss);
    expect(await run({ preset: 'best' })).toEqual(await run(presets.best));
    expect(await run({ preset: 'best', epochs })).toEqual(await run({ ...presets.best, epochs }));
  });
});
