import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Generator } from '@gmml/tensor';
import {
  addRows,
  mergeAll,
  mergeMoments,
  noMoments,
  type Moments,
  type Spread,
} from '../../packages/gmm/src/linearAlgebra/moments.js';
import { meanOfDiagonal, rowStart } from '../../packages/gmm/src/linearAlgebra/symmetric.js';

/** `rows` × `d` normal numbers around `offset`. */
function drawn(rows: number, d: number, { offset = 0, seed = 1 } = {}): Float64Array {
  const generator = new Generator(seed);
  return Float64Array.from({ length: rows * d }, () => offset + generator.normal());
}

/** From the definition: the mean first, then every product of two centred features. */
function defined(rows: Float64Array, d: number, spread: Spread): Moments {
  const count = rows.length / d;
  const mean = new Float64Array(d);
  for (let n = 0; n < count; n++) for (let j = 0; j < d; j++) mean[j] += rows[n * d + j] / count;
  const { scatter } = noMoments(d, spread);
  for (let n = 0; n < count; n++) {
    for (let i = 0; i < d; i++) {
      const away = rows[n * d + i] - mean[i];
      if (spread === 'diagonal') scatter[i] += away ** 2;
      else for (let j = 0; j <= i; j++) scatter[rowStart(i) + j] += away * (rows[n * d + j] - mean[j]);
    }
  }
  return { count, mean, scatter };
}

function expectSame(actual: Moments, expected: Moments, rtol = 1e-10): void {
  const largest = expected.scatter.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  expect(actual.count).toBe(expected.count);
  expect(actual.mean).toBeAllClose(expected.mean, { rtol, atol: 1e-12 });
  expect(actual.scatter).toBeAllClose(expected.scatter, { rtol, atol: rtol * largest });
}

describe('moments', () => {
  it.each(['diagonal', 'triangle'] as const)('are count, mean and centred scatter: %s', (spread) => {
    for (const d of [1, 2, 3, 4, 5, 7, 8, 17]) {
      for (const rows of [1, 2, 127, 128, 129, 300]) {
        const x = drawn(rows, d, { seed: d });
        expectSame(addRows(noMoments(d, spread), x), defined(x, d, spread));
      }
    }
  });

  it('keep their digits far from the origin', () => {
    const near = drawn(500, 3);
    const far = near.map((value) => value + 2 ** 30);
    const [a, b] = [near, far].map((x) => addRows(noMoments(3, 'triangle'), x));
    expect(b.scatter).toBeAllClose(a.scatter, { rtol: 1e-6 });
    const classic = addRows(noMoments(1, 'diagonal'), Float64Array.of(9999, 9999, 9999.5));
    expect(classic.scatter[0] / 3).toBeCloseTo(1 / 18, 12);
  });

  it.each(['diagonal', 'triangle'] as const)(
    'are the same for any partition, any order and any tree of merges: %s',
    (spread) => {
      fc.assert(
        fc.property(
          fc.integer({ min: 1, max: 6 }),
          fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 8 }),
          fc.integer({ min: 0, max: 2 ** 30 }),
          fc.constantFrom(0, 1e4),
          (d, sizes, seed, offset) => {
            const rows = sizes.reduce((sum, size) => sum + size, 0);
            const x = drawn(rows, d, { seed, offset });
            let start = 0;
            const parts = sizes.map((size) => {
              const part = x.slice(start * d, (start + size) * d);
              start += size;
              return addRows(noMoments(d, spread), part);
            });
            const generator = new Generator(seed);
            while (parts.length > 1) {
              const [a] = parts.splice(generator.integer(parts.length), 1);
              const [b] = parts.splice(generator.integer(parts.length), 1);
              parts.push(mergeMoments(a, b));
            }
            // Rounding of data 1e4 away is 1e4 times that of data at 0.
            const rtol = offset === 0 ? 1e-10 : 1e-8;
            expectSame(parts[0], rows === 0 ? noMoments(d, spread) : defined(x, d, spread), rtol);
          },
        ),
        { numRuns: 200, seed: 1 },
      );
    },
  );

  it('change nothing they are made of', () => {
    const [a, b] = [drawn(20, 3), drawn(30, 3, { seed: 2 })].map((x) => addRows(noMoments(3, 'triangle'), x));
    const before = structuredClone([a, b]);
    mergeMoments(a, b);
    mergeAll([a, b], 3, 'triangle');
    expect([a, b]).toEqual(before);
  });

  it('grow by further rows', () => {
    for (const spread of ['diagonal', 'triangle'] as const) {
      for (const d of [3, 17]) {
        const [a, b] = [drawn(30, d), drawn(41, d, { seed: 2 })];
        const together = addRows(addRows(noMoments(d, spread), a), b);
        expectSame(together, defined(Float64Array.from([...a, ...b]), d, spread));
      }
    }
  });

  it('have the diagonal of the scatter', () => {
    const x = drawn(9, 3);
    const diagonal = addRows(noMoments(3, 'diagonal'), x).scatter;
    const mean = (diagonal[0] + diagonal[1] + diagonal[2]) / 3;
    expect(meanOfDiagonal(diagonal, 3)).toBeCloseTo(mean, 12);
    expect(meanOfDiagonal(addRows(noMoments(3, 'triangle'), x).scatter, 3)).toBeCloseTo(mean, 12);
  });
});
