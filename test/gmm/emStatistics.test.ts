// EMStatistics of parts of the data, against fits of all rows at once.
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GaussianMixture, type CovarianceType } from '@gmml/gmm';
import { EMStatistics, mixtureFromSafetensors, mixtureToSafetensors } from '@gmml/gmm/statistics';
import { parseSafetensors, serializeSafetensors } from '@gmml/nn';
import { ArgumentError, FormatError, Generator, tensor } from '@gmml/tensor';
import {
  EXACT,
  SAME,
  TYPES,
  expectSameTensors,
  merged,
  partition,
  rangesOf,
  samples,
} from './statisticsParts.js';

describe('EMStatistics', () => {
  const { x } = samples();

  function start(covariance: CovarianceType, more = {}): GaussianMixture {
    return new GaussianMixture({
      components: 3,
      covariance,
      generator: new Generator(2),
      init: 'randomFromData',
      regularization: 0.1,
      maxIterations: 2,
      tolerance: 0,
      ...more,
    }).fit(x);
  }

  test.each(TYPES)('merge in any order to those of all rows: %s', (covariance) => {
    const mixture = start(covariance);
    const whole = new EMStatistics(mixture);
    whole.add(x);
    fc.assert(
      fc.property(partition, (split) => {
        const parts = rangesOf(split).map(([from, to]) => {
          const part = new EMStatistics(mixture);
          part.add(x.slice(from, to));
          return EMStatistics.fromSafetensors(part.toSafetensors());
        });
        const sum = merged(parts, split.fold);
        expect(sum.rows).toBe(300);
        expect(sum.lowerBound).toBeAllClose(whole.lowerBound, EXACT);
        expectSameTensors(sum.toSafetensors(), whole.toSafetensors());
      }),
      { numRuns: 30 },
    );
  });

  test.each([
    ...TYPES.map((covariance) => [covariance, {}] as const),
    ['full', { shrinkage: { toward: 'tied', amount: 0.3 } }] as const,
    ['diag', { weightConcentration: 3 }] as const,
  ])('three parts give every iteration of a fit, and its end: %s, %j', (covariance, more) => {
    const options = { ...more, tolerance: 1e-4, maxIterations: 40 };
    const first = start(covariance, { ...more, maxIterations: 0 });
    const warm = mixtureFromSafetensors(mixtureToSafetensors(first), {
      ...options,
      warmStart: true,
      generator: new Generator(1),
    });
    let mixture = mixtureFromSafetensors(mixtureToSafetensors(first), {
      tolerance: 1e-4,
      maxIterations: 40,
    });
    for (const { iteration, lowerBound, converged } of warm.em(x)) {
      const sum = new EMStatistics(mixture);
      for (const [from, to] of [
        [100, 102],
        [102, 300],
        [0, 100],
      ]) {
        const part = new EMStatistics(mixture);
        part.add(x.slice(from, to));
        sum.merge(part);
      }
      mixture = sum.toGaussianMixture();
      expect([mixture.iterations, mixture.converged]).toEqual([iteration, converged]);
      expect(mixture.lowerBound).toBeAllClose(lowerBound, SAME);
      expect(mixture.weights).toBeAllClose(warm.weights, SAME);
      expect(mixture.means).toBeAllClose(warm.means, SAME);
      expect(mixture.covariances).toBeAllClose(warm.covariances, { rtol: 1e-9, atol: 1e-9 });
    }
    expect(mixture.converged).toBe(true);
  });

  test('a component that has lost all samples is as in a fit', () => {
    const init = {
      weights: [0.5, 0.5],
      means: [[0], [1e5]],
      precisions: [1, 1],
    };
    const options = { components: 2, covariance: 'spherical' as const, init, maxIterations: 0 };
    const rows = [[0], [1], [2]];
    const mixture = new GaussianMixture(options).fit(rows);
    const statistics = new EMStatistics(mixture);
    statistics.add(rows.slice(0, 1));
    const others = new EMStatistics(mixtureFromSafetensors(mixtureToSafetensors(mixture)));
    others.add(rows.slice(1));
    statistics.merge(others);
    const next = statistics.toGaussianMixture();
    const direct = new GaussianMixture({ ...options, maxIterations: 1 }).fit(rows);
    expect(next.weights).toBeAllClose(direct.weights, SAME);
    expect(next.means).toBeAllClose(direct.means, SAME);
    expect(next.covariances).toBeAllClose(direct.covariances, SAME);
  });

  test('more rows than are looked at once', () => {
    const many = Array.from({ length: 30 }, () => x).flat();
    const mixture = start('full');
    const statistics = new EMStatistics(mixture);
    statistics.add(many);
    const [once] = [new EMStatistics(mixture)];
    once.add(x);
    expect(statistics.rows).toBe(9000);
    expect(statistics.lowerBound).toBeAllClose(once.lowerBound, EXACT);
    expect(statistics.toGaussianMixture().means).toBeAllClose(once.toGaussianMixture().means, EXACT);
  });

  test('refuses what does not belong together', () => {
    const mixture = start('diag');
    const statistics = new EMStatistics(mixture);
    statistics.add(x);
    const other = new EMStatistics(start('diag', { maxIterations: 3 }));
    expect(() => statistics.merge(other)).toThrow(
      new ArgumentError(
        'EMStatistics.merge: both must be under the same mixture: they are of iterations 2 and 3, or of different data. Compute all statistics with one model file.',
      ),
    );
    expect(statistics.isUnder(mixture)).toBe(true);
    expect(other.isUnder(mixture)).toBe(false);
    const read = EMStatistics.fromSafetensors(statistics.toSafetensors());
    expect(() => read.add(x)).toThrow(
      'EMStatistics.add: there must be a model to compute with: statistics from a file have none. Add to new EMStatistics(mixture), then merge.',
    );
    expect(() => statistics.add([[1, 2, 3, 4, Infinity]])).toThrow(
      'EMStatistics.add: x must be finite: an infinity in row 0. Leave such rows out.',
    );
    expect(() => new EMStatistics(mixture).toGaussianMixture()).toThrow(
      'EMStatistics.toGaussianMixture: there must be at least as many rows as components: 0 and 3. Add rows.',
    );
    expect(
      () => new EMStatistics(start('full', { shrinkage: { toward: 'tied', amount: 'ledoitWolf' } })),
    ).toThrow(
      "EMStatistics: the mixture must do without gaps and estimated shrinkage, which need all samples at once. Use missing: 'refuse' and a fixed amount.",
    );
    expect(() => EMStatistics.fromSafetensors(mixtureToSafetensors(mixture))).toThrow(
      new FormatError(
        `EMStatistics.fromSafetensors: the format must be 'gmml.EMStatistics.1': it is "gmml.GaussianMixture.1". Give the bytes that toSafetensors gave.`,
      ),
    );
  });

  test('refuses a file of no features', () => {
    const { tensors, metadata } = parseSafetensors(new EMStatistics(start('diag')).toSafetensors());
    const empty = tensor(new Float64Array(0), { shape: [3, 0] });
    expect(() =>
      EMStatistics.fromSafetensors(
        serializeSafetensors({ ...tensors, means: empty, scatters: empty }, metadata),
      ),
    ).toThrow(
      new FormatError(
        'EMStatistics.fromSafetensors: there must be a feature: means are [3, 0]. Give the bytes that toSafetensors gave.',
      ),
    );
  });

  test('a file holds K(1 + D + D(D + 1)/2) numbers for full, and no model', () => {
    const mixture = start('full');
    const bytesOf = (covariance: CovarianceType): number => {
      const { tensors } = parseSafetensors(new EMStatistics(start(covariance)).toSafetensors());
      const { counts, means, scatters } = tensors;
      return counts.size + means.size + scatters.size;
    };
    expect(bytesOf('full')).toBe(3 * (1 + 5 + 15));
    expect(bytesOf('tied')).toBe(3 * (1 + 5) + 15);
    expect(bytesOf('diag')).toBe(3 * (1 + 5 + 5));
    expect(bytesOf('spherical')).toBe(3 * (1 + 5 + 1));
    expect(mixture.covariances.size).toBe(75);
  });
});
