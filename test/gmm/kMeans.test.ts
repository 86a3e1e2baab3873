import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kMeans } from '@gmml/gmm';
import { Generator, tensor } from '@gmml/tensor';
import { blobs } from './samples.js';

describe('kMeans', () => {
  it('finds clusters that lie apart', () => {
    const { x, labels } = blobs({ seed: 1, rows: 90, features: 3, components: 3, apart: 20 });
    const found = kMeans(x, 3, { generator: new Generator(2) });
    const of = new Map(labels.map((label, n) => [label, found.labels.data[n]]));
    expect(new Set(of.values()).size).toBe(3);
    expect(Array.from(found.labels.data)).toEqual(labels.map((label) => of.get(label)));
    expect(found.converged).toBe(true);
  });

  it('gives the same from the same seed', () => {
    const { x } = blobs({ seed: 3, rows: 60, features: 2, components: 4, apart: 1 });
    const [a, b] = [5, 5].map((seed) => kMeans(x, 4, { generator: new Generator(seed) }));
    expect(a.centers.toArray()).toEqual(b.centers.toArray());
  });

  it('takes the best of several starts', () => {
    const { x } = blobs({ seed: 4, rows: 120, features: 2, components: 8, apart: 3 });
    const starts = Array.from({ length: 6 }, () => 1);
    const generator = new Generator(6);
    const alone = starts.map(() => kMeans(x, 8, { init: 'random', generator }).inertia);
    const best = kMeans(x, 8, { init: 'random', restarts: 6, generator: new Generator(6) });
    expect(best.inertia).toBe(Math.min(...alone));
  });

  it('has labels, centres and inertia that belong together', () => {
    const shape = fc.record({
      seed: fc.nat(1e6),
      rows: fc.integer({ min: 1, max: 40 }),
      features: fc.integer({ min: 1, max: 3 }),
      k: fc.integer({ min: 1, max: 8 }),
      digits: fc.constantFrom(0, 3),
    });
    fc.assert(
      fc.property(shape, ({ seed, rows, features, k, digits }) => {
        fc.pre(k <= rows);
        const generator = new Generator(seed);
        // Whole numbers: many samples are equal.
        const x = Array.from({ length: rows }, () =>
          Array.from({ length: features }, () => Number(generator.normal().toFixed(digits))),
        );
        const sampleWeight = x.map(() => generator.integer(3) + 1);
        const found = kMeans(x, k, { generator, sampleWeight, tolerance: 0 });
        const centers = found.centers.toArray() as number[][];
        const distance = (n: number, c: number): number =>
          x[n].reduce((sum, value, j) => sum + (value - centers[c][j]) ** 2, 0);
        let inertia = 0;
        for (const [n, label] of found.labels.data.entries()) {
          const all = centers.map((_, c) => distance(n, c));
          expect(all[label]).toBe(Math.min(...all));
          inertia += sampleWeight[n] * all[label];
        }
        expect(found.inertia).toBeAllClose(inertia, { rtol: 1e-12, atol: 1e-12 });
        expect(centers.flat().every(Number.isFinite)).toBe(true);
      }),
    );
  });

  it('weighs a sample of weight 2 as two', () => {
    const x = [[0], [1], [5], [6], [20]];
    const init = [[0], [6]];
    const weighted = kMeans(x, 2, { init, sampleWeight: [2, 1, 1, 3, 0] });
    const repeated = kMeans([[0], [0], [1], [5], [6], [6], [6]], 2, { init });
    expect(weighted.centers).toBeAllClose(repeated.centers, { rtol: 1e-14 });
    expect(weighted.inertia).toBeCloseTo(repeated.inertia, 12);
  });

  it('moves a centre without samples to the sample farthest from its own', () => {
    const found = kMeans([[0], [1], [10]], 2, { init: [[4], [100]] });
    expect(found.centers.toArray()).toEqual([[0.5], [10]]);
    expect(found.labels.toArray()).toEqual([0, 0, 1]);
  });

  it('lets centres coincide where samples do', () => {
    const found = kMeans([[2], [2], [2]], 2, { generator: new Generator(0) });
    expect(found.centers.toArray()).toEqual([[2], [2]]);
    expect(found.inertia).toBe(0);
    expect(found.converged).toBe(true);
  });

  it.each<[string, () => unknown]>([
    [
      'kMeans: k must be at most the number of samples: it is 2, there are 1. Ask for fewer centres.',
      () => kMeans([[1]], 2),
    ],
    ['kMeans: k must be an integer of at least 1: it is 0.', () => kMeans([[1]], 0)],
    ['kMeans: x must be [N, D]: it is [2].', () => kMeans(tensor([1, 2]), 1)],
    [
      'kMeans: x must be [N, D]: it is ragged: row 1 has 1 numbers, row 0 has 2.',
      () => kMeans([[1, 2], [3]], 1),
    ],
    ['kMeans: x must be [N, D]: it is [0, 0].', () => kMeans([], 1)],
    ['kMeans: x must be finite: NaN in row 1. Leave them out.', () => kMeans([[1], [NaN]], 1)],
    [
      'kMeans: sampleWeight must not be negative: entry 1 is -1.',
      () => kMeans([[1], [2]], 1, { sampleWeight: [1, -1] }),
    ],
    [
      'kMeans: sampleWeight must not be 0 everywhere. Give one sample a weight above 0.',
      () => kMeans([[1], [2]], 1, { sampleWeight: [0, 0] }),
    ],
    ['kMeans: init must be [1, 1]: it is [1, 2].', () => kMeans([[1], [2]], 1, { init: [[1, 2]] })],
    [
      "kMeans: init must be 'kmeans++', 'random' or centres: it is 'best'.",
      () => kMeans([[1], [2]], 1, { init: 'best' as 'random' }),
    ],
  ])('%s', (message, call) => {
    expect(call).toThrow(message);
  });
});
