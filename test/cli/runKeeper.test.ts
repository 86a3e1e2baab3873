// What keeps a run, on a network that is no network of digits.
import { join } from 'node:path';
import { defaultTrainOptions, silentReporter } from '@gmml/cli';
import { DataLoader } from '@gmml/data';
import { Adam, Linear, StepLR } from '@gmml/nn';
import { Generator, NotFiniteError, rand, tensor } from '@gmml/tensor';
import { expect, test } from 'vitest';
import { CheckpointFolder } from '../../packages/cli/src/training/checkpoint/folder.js';
import { RunKeeper } from '../../packages/cli/src/training/checkpoint/runKeeper.js';
import { temporaryFolder } from '../data/idxFiles.js';

const result = { trainLoss: 1, testLoss: 1, testAccuracy: 0.5, testCorrect: 1, testCount: 2, seconds: 1 };

type Found = ReturnType<CheckpointFolder['newest']>['found'];

/** A small run of 3 batches an epoch that has just begun. */
function begun(folder: CheckpointFolder | undefined, from?: Found) {
  const generator = new Generator(7);
  const network = new Linear(2, 2, { generator });
  const optimizer = new Adam(network.parameters());
  const scheduler = new StepLR(optimizer, { stepSize: 1 });
  const digits = { images: rand([6, 2], { generator }), labels: tensor([0, 1, 2, 3, 4, 5]) };
  const loader = new DataLoader(digits, { batchSize: 2, shuffle: true, generator });
  const keeper = new RunKeeper({
    settings: { ...defaultTrainOptions, checkpointEvery: 0, keepCheckpoints: 100 },
    folder,
    from,
    damaged: [],
    reporter: silentReporter,
    resumeCommand: () => '',
  });
  keeper.open(
    { train: digits, test: digits, labels: [0, 1, 2, 3, 4, 5] },
    { backend: 'reference', threads: 1 },
  );
  keeper.begin({ network, optimizer, scheduler, generator });
  return { keeper, loader, generator, network };
}

/** Two epochs, a random number drawn in each batch; gives the numbers, each with the labels of its batch. */
async function drawnNumbers(folder: CheckpointFolder | undefined, from?: Found): Promise<string[]> {
  const { keeper, loader, generator } = begun(folder, from);
  const drawn: string[] = [];
  for (let epoch = keeper.progress.epochs.length + 1; epoch <= 2; epoch++) {
    const { order, ...start } = keeper.startEpoch(loader);
    let { batch } = start;
    for (const [, labels] of loader.batches(order, batch)) {
      drawn.push(`${labels.data.join(' ')}: ${generator.normal()}`);
      batch++;
      // oxlint-disable-next-line no-await-in-loop -- batches follow one another
      await keeper.afterStep({ batch, lossSum: 0, seen: 0 });
    }
    // oxlint-disable-next-line no-await-in-loop -- epochs follow one another
    await keeper.afterEpoch({ epoch, ...result });
  }
  return drawn;
}

test('random numbers that are drawn in every batch are those of the run that never stopped', async () => {
  const never = await drawnNumbers(undefined);
  expect(new Set(never).size).toBe(6);
  const folder = new CheckpointFolder(temporaryFolder());
  expect(await drawnNumbers(folder)).toEqual(never);
  const positions = folder.positions();
  expect(positions.map(({ epoch, batch }) => [epoch, batch])).toEqual([
    [0, 1],
    [0, 2],
    [0, 3],
    [1, 0],
    [1, 1],
    [1, 2],
    [1, 3],
    [2, 0],
  ]);
  for (const position of positions.toReversed()) {
    const { found } = folder.newest();
    expect(found!.path).toBe(folder.pathOf(position));
    const left = 6 - 3 * position.epoch - position.batch;
    // oxlint-disable-next-line no-await-in-loop -- the folder loses its newest in each turn
    expect(await drawnNumbers(undefined, found)).toEqual(left === 0 ? [] : never.slice(-left));
    folder.prepare([{ path: found!.path, reason: 'as if it were damaged' }]);
  }
  expect(folder.newest()).toEqual({ damaged: [] });
  expect(folder.pathOf({ epoch: 12345, batch: 0 })).toBe(join(folder.path, 'epoch-12345.safetensors'));
});

test('parameters that are not finite are no checkpoint: the run ends, and the last good one is kept', async () => {
  const folder = new CheckpointFolder(temporaryFolder());
  const { keeper, loader, network } = begun(folder);
  keeper.startEpoch(loader);
  await keeper.afterStep({ batch: 1, lossSum: 1, seen: 2 });
  network.bias!.copyFrom([NaN, 0]);
  const step = keeper.afterStep({ batch: 2, lossSum: 2, seen: 4 }).catch((error: unknown) => {
    throw keeper.explained(error);
  });
  await expect(step).rejects.toThrow(
    new NotFiniteError(
      'in epoch 1 after batch 2: the parameters must be finite: they are not. Training has diverged: try a smaller --lr. ' +
        `The last good checkpoint is kept: ${folder.pathOf({ epoch: 0, batch: 1 })}.`,
    ),
  );
  expect(folder.positions()).toEqual([{ epoch: 0, batch: 1 }]);
});
