// Runs that stop and go on: the same bits, and no others.
import { copyFileSync, existsSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { train, UsageError } from '@gmml/cli';
import type { TrainOptions } from '@gmml/cli';
import { describe, expect, test } from 'vitest';
import { decodeCheckpoint, encodeCheckpoint } from '../../packages/cli/src/training/checkpoint/format.js';
import { folderOf, mnistFiles, temporaryFolder } from '../data/idxFiles.js';
import { keptRun, namesIn, small } from './checkpointRuns.js';
import { tinyDigits } from './tinyDigits.js';

/** A folder with one of the checkpoints of another. */
function folderWith(source: string, ...names: string[]): string {
  const folder = temporaryFolder();
  for (const name of names) copyFileSync(join(source, name), join(folder, name));
  return folder;
}

describe('a run that goes on from a checkpoint', () => {
  test.each<[string, Partial<TrainOptions>]>([
    ['the mixture', {}],
    ['a linear head with label smoothing', { linearClassifier: true, labelSmoothing: 0.1 }],
    ['two components, diag, a digit left out', { covType: 'diag', components: 2, unseen: 3 }],
  ])('ends with the bits of the run that never stopped: %s', async (_, options) => {
    const data = tinyDigits();
    const never = await keptRun({ ...options, data });
    const checkpoint = join(temporaryFolder(), 'new', 'folder');
    const kept = await keptRun({ ...options, data, checkpoint, checkpointEvery: 0, keepCheckpoints: 100 });
    expect(kept).toEqual(never);

    const names = namesIn(checkpoint);
    expect(names.length).toBe(18);
    expect(names[0]).toBe('epoch-0001-batch-000001.safetensors');
    // Within the first, the second and the last epoch, at the end of one, and before the test of one.
    for (const name of [
      'epoch-0001-batch-000002',
      'epoch-0001',
      'epoch-0002-batch-000004',
      'epoch-0002-batch-000005',
      'epoch-0003-batch-000001',
    ].map((stem) => `${stem}.safetensors`)) {
      const resume = folderWith(checkpoint, name);
      // oxlint-disable-next-line no-await-in-loop -- runs share the backend
      const resumed = await keptRun({ data, resume });
      expect(resumed.model.equals(never.model), name).toBe(true);
      expect(resumed.epochs).toEqual(never.epochs);
      expect(resumed.told).toEqual(never.epochs.slice(-resumed.told.length));
      expect(namesIn(resume)).toEqual([name]);
    }
  });

  test('moves the same images, and remembers the best weights where it may end early', async () => {
    const data = tinyDigits();
    const learning = {
      optimizer: 'adam',
      lr: 0.01,
      schedule: 'cosine',
      augment: ['shift', 'rotate'],
    } as const;
    const options = { data, ...learning, valSplit: 0.2, earlyStop: 2, epochs: 9 };
    const never = await keptRun(options);
    const checkpoint = temporaryFolder();
    await keptRun({ ...options, checkpoint, checkpointEvery: 0, keepCheckpoints: 100 });
    const names = namesIn(checkpoint);
    // It ended early, two epochs after the best.
    expect(never.epochs.length).toBeLessThan(9);
    for (const name of [names[1], names[5], names.at(-6)!, names.at(-2)!, names.at(-1)!]) {
      // oxlint-disable-next-line no-await-in-loop -- runs share the backend
      const resumed = await keptRun({ ...options, resume: folderWith(checkpoint, name) });
      expect(resumed.model.equals(never.model), name).toBe(true);
      expect(resumed.epochs).toEqual(never.epochs);
    }
  });

  test('may have more epochs than it was begun with', async () => {
    const data = tinyDigits();
    const folder = temporaryFolder();
    const both = { data, checkpoint: folder, resume: folder };
    expect((await keptRun({ ...both, epochs: 1 })).warnings).toEqual([
      `starting afresh: in ${folder} there is no checkpoint.`,
    ]);
    const { warnings, told, model } = await keptRun({ ...both, epochs: 3 });
    expect(warnings).toEqual([`going on from ${join(folder, 'epoch-0001.safetensors')}, after epoch 1.`]);
    expect(told.map(({ epoch }) => epoch)).toEqual([2, 3]);
    expect(model.equals((await keptRun({ data })).model)).toBe(true);
  });

  test('tells the last epoch again where nothing is left to train', async () => {
    const data = tinyDigits();
    const folder = temporaryFolder();
    const both = { data, checkpoint: folder, resume: folder };
    const first = await keptRun(both);
    const again = await keptRun(both);
    expect(again.told).toEqual(first.told.slice(-1));
    expect(again.epochs).toEqual(first.epochs);
    expect(again.model).toEqual(first.model);
    expect(again.warnings).toEqual([
      `going on from ${join(folder, 'epoch-0003.safetensors')}, where nothing is left to train.`,
    ]);
  });

  test('adds the times before and after the stop', async () => {
    const data = tinyDigits();
    const folder = temporaryFolder();
    await keptRun({ data, epochs: 1, checkpoint: folder, checkpointEvery: 0 });
    const name = 'epoch-0001-batch-000004.safetensors';
    const checkpoint = decodeCheckpoint(name, readFileSync(join(folder, name)));
    checkpoint.progress.running!.seconds = 1000;
    const resume = temporaryFolder();
    writeFileSync(join(resume, name), encodeCheckpoint(checkpoint));
    const [{ seconds }] = (await train({ data, resume, openSet: false })).epochs;
    expect(seconds).toBeGreaterThan(1000);
  });

  test('needs no option that it was begun with, but agrees with those that are given', async () => {
    const data = tinyDigits();
    const folder = temporaryFolder();
    await keptRun({ data, checkpoint: folder, epochs: 2, seed: 4, dim: 5 });
    const path = join(folder, 'epoch-0002.safetensors');
    const { epochs } = await train({ data, resume: folder, openSet: false });
    expect(epochs.length).toBe(2);

    const refused = async (options: Partial<TrainOptions>, message: string) =>
      expect(train({ data, resume: folder, openSet: false, ...options })).rejects.toThrow(
        new UsageError(message),
      );
    const afresh = 'Leave it out, or start afresh in another folder.';
    await refused({ dim: 6 }, `--dim must be as in the checkpoint: it is 6, in ${path} it is 5. ${afresh}`);
    await refused({ lr: 1 }, `--lr must be as in the checkpoint: it is 1, in ${path} it is 0.5. ${afresh}`);
    await refused(
      { linearClassifier: true },
      `--linear-classifier must be as in the checkpoint: it is true, in ${path} it is false. ${afresh}`,
    );
    await refused(
      { unseen: 3 },
      `--unseen must be as in the checkpoint: it is 3, in ${path} it is not given. ${afresh}`,
    );
    await refused(
      { epochs: 1 },
      `--epochs may be raised, not lowered: it is 1, in ${path} it is 2. Leave it out.`,
    );
    await refused(
      { data: folderOf(mnistFiles([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])) },
      `--resume must go on with the data that the run was started with: ${path} is of other images or labels. ` +
        'Give the same --data as then.',
    );
  });

  test('warns where something else computes', async () => {
    const data = tinyDigits();
    const folder = temporaryFolder();
    await keptRun({ data, checkpoint: folder, epochs: 1 });
    const path = join(folder, 'epoch-0001.safetensors');
    const { warnings } = await keptRun({ data, resume: folder, epochs: 2, backend: 'reference' });
    expect(warnings).toEqual([
      `the same bits as without the stop need the same backend and threads: ${path} was computed by ` +
        'backend wasm, 1 thread, this run by backend reference, 1 thread.',
      `going on from ${path}, after epoch 1.`,
    ]);
  });
});

describe('the folder of checkpoints', () => {
  test('has the newest and that of the best epoch', async () => {
    const folder = temporaryFolder();
    const options = { data: tinyDigits(), epochs: 6, checkpoint: folder, keepCheckpoints: 2 };
    const { epochs } = await keptRun(options);
    const best = Math.max(...epochs.map(({ testAccuracy }) => testAccuracy));
    const bestEpoch = epochs.find(({ testAccuracy }) => testAccuracy === best)!.epoch;
    const wanted = new Set([bestEpoch, 5, 6].map((epoch) => `epoch-000${epoch}.safetensors`));
    expect(namesIn(folder)).toEqual([...wanted].toSorted());
  });

  test('has an epoch when that has been told, and not before', async () => {
    const folder = temporaryFolder();
    const written: boolean[] = [];
    const epoch = () => written.push(existsSync(join(folder, 'epoch-0001.safetensors')));
    await keptRun({ data: tinyDigits(), epochs: 2, checkpoint: folder }, { epoch });
    expect(written).toEqual([false, true]);
  });

  test('is rid of what a write left that was cut short, and of nothing else', async () => {
    const left = 'epoch-0001.safetensors.0f8fad5b-d9cb-469f-a165-70867728950e.tmp';
    const folder = folderOf({
      [left]: new Uint8Array(9),
      'other.tmp': new Uint8Array(9),
      'notes.txt': new Uint8Array(9),
    });
    await keptRun({ data: tinyDigits(), epochs: 1, checkpoint: folder });
    expect(namesIn(folder)).toEqual(['epoch-0001.safetensors', 'notes.txt', 'other.tmp']);
  });

  test('is not that of another run', async () => {
    const data = tinyDigits();
    const folder = temporaryFolder();
    await keptRun({ data, epochs: 1, checkpoint: folder });
    await expect(train({ ...small, data, checkpoint: folder })).rejects.toThrow(
      new UsageError(
        `--checkpoint must name a folder without checkpoints: ${folder} has those of a run. ` +
          `Go on with that run by --resume ${folder}, or name another folder.`,
      ),
    );
  });

  test('must be one, and must be there to go on from', async () => {
    const data = tinyDigits();
    const folder = temporaryFolder();
    const file = join(folder, 'file');
    writeFileSync(file, 'text');
    const refused = async (options: Partial<TrainOptions>, message: string) =>
      expect(train({ ...small, data, ...options })).rejects.toThrow(new UsageError(message));
    await refused({ checkpoint: file }, `--checkpoint must name a folder: ${file} is a file.`);
    await refused({ resume: file }, `--resume must name a folder: ${file} is a file.`);
    const none = join(folder, 'none');
    await refused(
      { resume: none },
      `--resume must name a folder with checkpoints: there is no folder ${none}.`,
    );
    await refused(
      { checkpoint: join(file, 'below') },
      `--checkpoint must name a folder that can be written: ${join(file, 'below')}: ENOTDIR: not a directory.`,
    );
    await refused(
      { checkpointEvery: -1, checkpoint: none },
      '--checkpoint-every must be a number of at least 0: it is -1.',
    );
    await refused(
      { keepCheckpoints: 0, checkpoint: none },
      '--keep-checkpoints must be an integer of at least 1: it is 0.',
    );
    expect(namesIn(folder)).toEqual(['file']);
  });

  test.skipIf(process.platform !== 'linux')(
    'that nobody can write is refused before training (on Linux, where /proc is one)',
    async () => {
      await expect(train({ ...small, data: tinyDigits(), checkpoint: '/proc/gmml' })).rejects.toThrow(
        new UsageError(
          '--checkpoint must name a folder that can be written: /proc/gmml: ENOENT: no such file or directory.',
        ),
      );
    },
  );
});

describe('a damaged checkpoint', () => {
  const changed = 'its SHA-256 must be the one that it states: it is cut off or was changed';

  /** Three checkpoints of a run of two epochs, and the path of each. */
  async function threeOf(data: string) {
    const folder = temporaryFolder();
    await keptRun({ data, epochs: 2, checkpoint: folder, checkpointEvery: 0 });
    const paths = ['epoch-0002-batch-000004', 'epoch-0002-batch-000005', 'epoch-0002'].map((name) =>
      join(folder, `${name}.safetensors`),
    );
    return { folder, paths };
  }

  test('is passed over for the next older that is whole, in one line that names both', async () => {
    const data = tinyDigits();
    const { folder, paths } = await threeOf(data);
    const [oldest, middle, newest] = paths;
    const bytes = readFileSync(newest);
    bytes[bytes.length >> 1] ^= 1;
    writeFileSync(newest, bytes);
    truncateSync(middle, 5000);
    const { warnings, model } = await keptRun({ data, epochs: 2, checkpoint: folder, resume: folder });
    expect(warnings).toEqual([
      `going on from ${oldest}, in epoch 2 after batch 4; what is newer is damaged: ` +
        `${newest} (${changed}), ${middle} (${changed}).`,
    ]);
    expect(model.equals((await keptRun({ data, epochs: 2 })).model)).toBe(true);
    expect(namesIn(folder).filter((name) => name.startsWith('epoch-0002'))).toEqual([
      'epoch-0002-batch-000004.safetensors',
      'epoch-0002-batch-000005.safetensors.damaged',
      'epoch-0002.safetensors',
      'epoch-0002.safetensors.damaged',
    ]);
  });

  test('leaves a fresh start where no other is whole, and is named', async () => {
    const data = tinyDigits();
    const folder = temporaryFolder();
    const path = join(folder, 'epoch-0007.safetensors');
    writeFileSync(path, 'no checkpoint');
    mkdirSync(join(folder, 'epoch-0008.safetensors'));
    const { warnings, epochs } = await keptRun({ data, epochs: 1, checkpoint: folder, resume: folder });
    expect(warnings).toEqual([
      `starting afresh: in ${folder} no checkpoint is whole: ${path} (the file must start as a checkpoint does: it does not).`,
    ]);
    expect(epochs.length).toBe(1);
    expect(namesIn(folder)).toEqual([
      'epoch-0001.safetensors',
      'epoch-0007.safetensors.damaged',
      'epoch-0008.safetensors',
    ]);
  });
});
