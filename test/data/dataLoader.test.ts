import { ArgumentError, Generator, manualSeed, ShapeError, tensor, zeros } from '@gmml/tensor';
import { DataLoader } from '@gmml/data';
import type { DataLoaderOptions } from '@gmml/data';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

/** N rows of three: row n is [n, n + 0.25, n + 0.5], its label 10 n. */
function rows(n: number) {
  const features = Array.from({ length: n }, (_, i) => [i, i + 0.25, i + 0.5]);
  return {
    features: tensor(features.flat(), { shape: [n, 3] }),
    labels: tensor(features.map(([i]) => 10 * i)),
  };
}

/** The labels of one epoch, batch by batch. */
function epoch(loader: DataLoader): number[][] {
  return Array.from(loader, ([, labels]) => [...labels.data]);
}

/** The first three epochs of a new loader that shuffles. */
function threeEpochs(options: DataLoaderOptions): number[][][] {
  const loader = new DataLoader(rows(50), { batchSize: 8, shuffle: true, ...options });
  return [epoch(loader), epoch(loader), epoch(loader)];
}

describe('DataLoader', () => {
  test('gives rows in order, the last batch with what is left', () => {
    const loader = new DataLoader(rows(5), { batchSize: 2 });
    expect([loader.length, loader.sampleCount]).toEqual([3, 5]);
    const batches = [...loader];
    expect(batches.map(([x, y]) => [x.toArray(), y.toArray()])).toEqual([
      [
        [
          [0, 0.25, 0.5],
          [1, 1.25, 1.5],
        ],
        [0, 10],
      ],
      [
        [
          [2, 2.25, 2.5],
          [3, 3.25, 3.5],
        ],
        [20, 30],
      ],
      [[[4, 4.25, 4.5]], [40]],
    ]);
  });

  test('leaves out a short last batch when asked', () => {
    const loader = new DataLoader(rows(5), { batchSize: 2, dropLast: true });
    expect(loader.length).toBe(2);
    expect(epoch(loader)).toEqual([
      [0, 10],
      [20, 30],
    ]);
    expect(new DataLoader(rows(4), { batchSize: 2, dropLast: true }).length).toBe(2);
  });

  test('takes a pair, named features or named images, and keeps dtype and shape', () => {
    const images = zeros([3, 1, 2, 2], { dtype: 'float64' });
    const labels = zeros([3]);
    for (const dataset of [[images, labels] as const, { images, labels }, { features: images, labels }]) {
      const [x, y] = [...new DataLoader(dataset, { batchSize: 2, shuffle: true })][1];
      expect([x.shape, x.dtype, y.shape, y.dtype]).toEqual([[1, 1, 2, 2], 'float64', [1], 'float32']);
    }
  });

  test('copies: writing into a batch leaves the data set alone', () => {
    const dataset = rows(4);
    for (const shuffle of [false, true]) {
      for (const [x] of new DataLoader(dataset, { batchSize: 4, shuffle })) x.data.fill(-1);
      expect(dataset.features.data[3]).toBe(1);
    }
  });

  test('shuffles features and labels together: every row once an epoch', () => {
    fc.assert(
      fc.property(fc.nat(60), fc.integer({ min: 1, max: 70 }), fc.nat(), (n, batchSize, seed) => {
        const loader = new DataLoader(rows(n), { batchSize, shuffle: true, generator: new Generator(seed) });
        const batches = [...loader];
        expect(batches.length).toBe(loader.length);
        for (const [x, y] of batches) {
          expect(x.shape).toEqual([y.size, 3]);
          for (let i = 0; i < y.size; i++) expect(x.data[3 * i] * 10).toBe(y.data[i]);
        }
        const seen = batches.flatMap(([, y]) => Array.from(y.data)).toSorted((a, b) => a - b);
        expect(seen).toEqual(Array.from({ length: n }, (_, i) => 10 * i));
      }),
    );
  });

  test('draws a new order every epoch, the same ones for the same seed', () => {
    const first = threeEpochs({ generator: new Generator(7) });
    expect(first[0]).not.toEqual(first[1]);
    expect(first[1]).not.toEqual(first[2]);
    expect(threeEpochs({ generator: new Generator(7) })).toEqual(first);
    expect(threeEpochs({ generator: new Generator(8) })).not.toEqual(first);

    manualSeed(7);
    expect(threeEpochs({})).toEqual(first);
  });

  test('an epoch that is broken off does not disturb the next', () => {
    const loader = new DataLoader(rows(6), { batchSize: 2, shuffle: true, generator: new Generator(1) });
    for (const _ of loader) break;
    expect(
      epoch(loader)
        .flat()
        .toSorted((a, b) => a - b),
    ).toEqual([0, 10, 20, 30, 40, 50]);
  });

  test('begins an epoch in its middle: the same order, from a batch on', () => {
    const options = { batchSize: 8, shuffle: true };
    const whole = epoch(new DataLoader(rows(50), { ...options, generator: new Generator(4) }));
    const generator = new Generator(4);
    const loader = new DataLoader(rows(50), { ...options, generator });
    const order = loader.drawOrder();
    const labelsFrom = (first?: number) =>
      Array.from(loader.batches(order, first), ([, labels]) => [...labels.data]);
    const state = generator.getState();
    expect(labelsFrom()).toEqual(whole);
    expect(labelsFrom(4)).toEqual(whole.slice(4));
    expect(labelsFrom(7)).toEqual([]);
    expect(generator.getState()).toEqual(state);

    const unshuffled = new DataLoader(rows(5), { batchSize: 2 });
    expect(unshuffled.drawOrder()).toBe(undefined);
    expect(Array.from(unshuffled.batches(undefined, 2), ([, labels]) => [...labels.data])).toEqual([[40]]);
  });

  test('refuses an order of other rows, and a batch that is none', () => {
    const loader = new DataLoader(rows(5), { batchSize: 2 });
    expect(() => [...loader.batches(new Int32Array(4))]).toThrow(
      new ArgumentError('DataLoader.batches: order must have the 5 rows of the data set: it has 4.'),
    );
    expect(() => [...loader.batches(undefined, -1)]).toThrow(
      new ArgumentError('DataLoader.batches: first must be an integer of at least 0: it is -1.'),
    );
  });

  test('an empty data set has no batches', () => {
    const loader = new DataLoader([zeros([0, 3]), zeros([0])], { batchSize: 2, shuffle: true });
    expect(loader.length).toBe(0);
    expect([...loader]).toEqual([]);
  });

  test.each([0, -1, 1.5, Number.NaN, Infinity])('refuses a batch size of %s', (batchSize) => {
    expect(() => new DataLoader(rows(2), { batchSize })).toThrow(
      new ArgumentError(`DataLoader: batchSize must be an integer of at least 1: it is ${batchSize}.`),
    );
  });

  test('refuses features and labels that do not match', () => {
    expect(() => new DataLoader([zeros([4, 3]), zeros([5])])).toThrow(
      new ShapeError(
        'DataLoader: features [N, ...] and labels [N] must have the same N: features are [4, 3], labels are [5].',
      ),
    );
    expect(() => new DataLoader([zeros([4, 3]), zeros([4, 1])])).toThrow(ShapeError);
    expect(() => new DataLoader([zeros([]), zeros([1])])).toThrow(ShapeError);
  });
});
