import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Generator } from '@gmml/tensor';
import { KeptExamples, MOST_KEPT, type KeptExample } from '../../packages/gmm/src/openSet/keptExamples.js';
import { partsOf } from './openSetExamples.js';

const D = 3;

function keptOf(vectors: readonly Float64Array[]): readonly KeptExample[] {
  const collector = new KeptExamples();
  collector.addRows(Float64Array.from(vectors.flatMap((vector) => [...vector])), D);
  return collector.smallest();
}

describe('the kept examples', () => {
  it('are the same bits for any order, any partition and any tree of merges', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1500 }), fc.integer({ min: 0, max: 1000 }), (count, seed) => {
        const generator = new Generator(seed);
        // Whole numbers, of which many vectors are equal.
        const vectors = Array.from({ length: count }, () =>
          Float64Array.from({ length: D }, () => generator.integer(8)),
        );
        const collectors = partsOf(vectors, generator).map((part) => new KeptExamples(keptOf(part)));
        while (collectors.length > 1) {
          const [a] = collectors.splice(generator.integer(collectors.length), 1);
          collectors[generator.integer(collectors.length)].addKept(a.smallest());
        }
        const kept = collectors[0].smallest();
        expect(kept).toEqual(keptOf(vectors));
        const different = new Set(vectors.map((vector) => vector.join())).size;
        expect(kept.length).toBe(Math.min(different, MOST_KEPT));
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  it('are a fair sample: their mean is that of all within its error', () => {
    const generator = new Generator(4);
    const means = Array.from({ length: 20 }, () => {
      const vectors = Array.from({ length: 2000 }, () =>
        Float64Array.from({ length: D }, () => generator.normal()),
      );
      return keptOf(vectors).reduce((sum, { vector }) => sum + vector[0] / MOST_KEPT, 0);
    });
    // Twenty means with a standard error of 1/16.
    expect(Math.max(...means.map(Math.abs))).toBeLessThan(4 / 16);
    const variance = means.reduce((sum, mean) => sum + mean * mean, 0) / 20;
    expect(variance * 256).toBeGreaterThan(0.3);
    expect(variance * 256).toBeLessThan(2.2);
  });

  it('have hashes that differ in every bit', () => {
    const vectors = Array.from({ length: 4096 }, (_, i) => Float64Array.of(i, 0, 0));
    const hashes = vectors.map((vector) => keptOf([vector])[0].hash);
    expect(new Set(hashes).size).toBe(4096);
    for (let bit = 0; bit < 53; bit++) {
      const set = hashes.filter((hash) => Math.floor(hash / 2 ** bit) % 2 === 1).length;
      expect(Math.abs(set - 2048), `bit ${bit}`).toBeLessThan(5 * 32);
    }
  });
});
