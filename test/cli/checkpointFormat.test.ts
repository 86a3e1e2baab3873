// The bytes of a checkpoint, whoever wrote them.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { train } from '@gmml/cli';
import { FormatError, tensor } from '@gmml/tensor';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeCheckpoint,
  encodeCheckpoint,
  type Checkpoint,
} from '../../packages/cli/src/training/checkpoint/format.js';
import { temporaryFolder } from '../data/idxFiles.js';
import { keptRun, namesIn } from './checkpointRuns.js';
import { tinyDigits } from './tinyDigits.js';

const example: Checkpoint = {
  settings: { dim: 8, lr: 0.1, covType: 'tril', linearClassifier: false },
  dataDigest: 'abc',
  backend: { backend: 'wasm', threads: 2 },
  model: { 'head.mean': tensor([1, -0, 3.5], { dtype: 'float64' }), bias: tensor([0.1, Infinity]) },
  optimizer: {
    algorithm: 'Adam',
    options: { lr: 0.1, betas: [0.9, 0.999] },
    steps: [3, 0],
    buffers: { first: [tensor([1, 2, 3], { dtype: 'float64' }), null] },
  },
  scheduler: { algorithm: 'StepLR', options: { stepSize: 1, gamma: 0.7 }, baseLr: 0.1, lastEpoch: 1 },
  generator: { words: [1, 2, 3, 4294967295], spare: -0.125 },
  progress: {
    epochs: [
      {
        epoch: 1,
        trainLoss: 1 / 3,
        testLoss: 0.1 + 0.2,
        testAccuracy: 0.5,
        testCorrect: 1,
        testCount: 2,
        seconds: 1.5,
      },
    ],
    running: {
      generator: { words: [5, 6, 7, 8], spare: null },
      batch: 3,
      lossSum: 5e-324,
      seen: 48,
      seconds: 2,
    },
    best: { epoch: 1, accuracy: 0.5 },
    carried: { epochsSinceBest: 2 },
  },
};

/** A checkpoint with tensors in place of numbers, to compare. */
function plain(checkpoint: Checkpoint) {
  const { model, optimizer, ...rest } = checkpoint;
  return {
    ...rest,
    model: Object.entries(model)
      .map(([name, { dtype, data }]) => ({ name, dtype, data: [...data] }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    optimizer: {
      ...optimizer,
      buffers: Object.entries(optimizer.buffers).map(([name, list]) => [
        name,
        list.map((one) => one && [...one.data]),
      ]),
    },
  };
}

/** Undefined for what no checkpoint can be made of. */
function bytesOf(checkpoint: object): Uint8Array | undefined {
  try {
    return encodeCheckpoint(checkpoint as Checkpoint);
  } catch {
    return undefined;
  }
}

function readOrRefused(bytes: Uint8Array): boolean {
  try {
    return typeof decodeCheckpoint('file', bytes) === 'object';
  } catch (error) {
    return error instanceof FormatError;
  }
}

describe('a checkpoint', () => {
  test('comes back as it was, to the bit', () => {
    expect(plain(decodeCheckpoint('file', encodeCheckpoint(example)))).toEqual(plain(example));
  });

  test('is the same bytes for the same run', () => {
    expect(encodeCheckpoint(example)).toEqual(encodeCheckpoint(example));
  });

  test('is refused with any bit flipped, and at any other length', () => {
    const bytes = encodeCheckpoint(example);
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      bytes[bit >> 3] ^= 1 << (bit & 7);
      expect(() => decodeCheckpoint('file', bytes)).toThrow(FormatError);
      bytes[bit >> 3] ^= 1 << (bit & 7);
    }
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeCheckpoint('file', bytes.subarray(0, length))).toThrow(FormatError);
    }
    expect(() => decodeCheckpoint('file', Uint8Array.from([...bytes, 0]))).toThrow(
      new FormatError('file: its SHA-256 must be the one that it states: it is cut off or was changed.'),
    );
  });

  test('whose digest is right may still be anything: it is refused, or read, and nothing else', () => {
    const json = fc.jsonValue({ maxDepth: 2 });
    const fields = ['settings', 'backend', 'optimizer', 'scheduler', 'generator', 'progress'] as const;
    fc.assert(
      fc.property(fc.constantFrom(...fields), json, (field, value) => {
        const bytes = bytesOf({ ...example, [field]: value });
        expect(bytes === undefined || readOrRefused(bytes)).toBe(true);
      }),
    );
  });
});

describe('a checkpoint of a stranger', () => {
  /** A folder with the checkpoint of a run after `change`, its digest right. */
  async function changedRun(change: (checkpoint: Checkpoint) => Checkpoint) {
    const data = tinyDigits();
    const folder = temporaryFolder();
    await keptRun({ data, epochs: 1, checkpoint: folder });
    const path = join(folder, 'epoch-0001.safetensors');
    const checkpoint = decodeCheckpoint(path, readFileSync(path));
    writeFileSync(path, encodeCheckpoint(change(checkpoint)));
    return { data, folder, path };
  }

  test.each<[string, Record<string, string | number | boolean>, string]>([
    [
      'a size that its numbers have not',
      { dim: 4000 },
      'the network must be of the size that its options say: ' +
        'head.sigma must be [classes, 1, 4000, 4000]: it is [10, 1, 8, 8].',
    ],
    ['a word for a number', { batchSize: 'all' }, `the setting 'batchSize' must be a number: it is "all".`],
  ])('with %s is refused before anything is made', async (_, settings, message) => {
    const { data, folder, path } = await changedRun((checkpoint) => ({
      ...checkpoint,
      settings: { ...checkpoint.settings, ...settings },
    }));
    const run = train({ data, resume: folder, openSet: false });
    await expect(run).rejects.toThrow(new FormatError(`${path}: ${message}`));
  });

  test('says nothing that makes a terminal do things', async () => {
    const { data, folder, path } = await changedRun((checkpoint) => ({
      ...checkpoint,
      settings: { ...checkpoint.settings, covType: '\u001b[2J' },
    }));
    const { warnings } = await keptRun({ data, resume: folder, epochs: 1 });
    expect(warnings).toEqual([
      `starting afresh: in ${folder} no checkpoint is whole: ${path} ` +
        String.raw`(the setting "covType" must be plain: it is "\u001b[2J").`,
    ]);
  });

  test('names no path that is read or written', async () => {
    const stolen = join(temporaryFolder(), 'stolen.safetensors');
    const { data, folder } = await changedRun((checkpoint) => ({
      ...checkpoint,
      settings: { ...checkpoint.settings, saveModel: stolen, checkpoint: stolen, data: '/no/such/folder' },
    }));
    await train({ data, resume: folder, epochs: 2, openSet: false });
    expect(existsSync(stolen)).toBe(false);
    expect(namesIn(folder)).toEqual(['epoch-0001.safetensors']);
  });

  test('of another network is refused, and nothing is trained', async () => {
    const { data, folder } = await changedRun((checkpoint) => {
      const { 'conv1.bias': _bias, ...model } = checkpoint.model;
      return { ...checkpoint, model };
    });
    const path = join(folder, 'epoch-0001.safetensors');
    await expect(train({ data, resume: folder, openSet: false })).rejects.toThrow(
      `${path}: the checkpoint must be of the run that it describes: loadStateDict: the entries must fit the model: missing: conv1.bias. Nothing was loaded. ` +
        'Build the model with the options that the state dict was saved with.',
    );
  });
});
