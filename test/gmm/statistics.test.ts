// Statistics of parts of the data: what they merge to, and the models they give, against fits of all rows at once.
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GaussianMixture, GMML, OpenSetClassifier, type CovarianceType } from '@gmml/gmm';
import {
  ClassStatistics,
  EMStatistics,
  mixtureFromSafetensors,
  mixtureToSafetensors,
} from '@gmml/gmm/statistics';
import { parseSafetensors } from '@gmml/nn';
import { ArgumentError, FormatError, Generator, NotFiniteError, tensor } from '@gmml/tensor';
import { blobs } from './samples.js';

const TYPES: readonly CovarianceType[] = ['full', 'tied', 'diag', 'spherical'];
const EXACT = { rtol: 1e-10, atol: 1e-12 };
const SAME = { rtol: 1e-9, atol: 1e-11 };

/** Rows that are far from the origin, so that sums of squares would lose their digits. */
const far = { seed: 4, rows: 300, features: 5, components: 3, apart: 4 };

function samples(): { x: number[][]; labels: number[] } {
  const { x, labels } = blobs(far);
  return { x: x.map((row) => row.map((value) => value + 1e4)), labels };
}

function expectSameTensors(a: Uint8Array, b: Uint8Array, tolerance = EXACT): void {
  const [left, right] = [parseSafetensors(a).tensors, parseSafetensors(b).tensors];
  expect(Object.keys(left)).toEqual(Object.keys(right));
  for (const [name, values] of Object.entries(left)) {
    expect(values, name).toBeAllClose(right[name], { ...tolerance, atol: tolerance.atol * 1e4 });
  }
}

/** A partition of rows into parts in some order, some of them empty of some labels. */
const partition = fc.record({
  cuts: fc.array(fc.nat(far.rows), { maxLength: 5 }),
  shuffle: fc.array(fc.nat(1e6), { minLength: 6, maxLength: 6 }),
  fold: fc.constantFrom('left', 'right', 'pairs'),
});

type Partition = typeof partition extends fc.Arbitrary<infer T> ? T : never;

function rangesOf({ cuts, shuffle }: Partition): (readonly [number, number])[] {
  const ends = [0, ...cuts.toSorted((a, b) => a - b), far.rows];
  return ends
    .slice(1)
    .map((end, i) => [ends[i], end] as const)
    .filter(([from, to]) => to > from)
    .map((range, i) => ({ range, key: shuffle[i] }))
    .toSorted((a, b) => a.key - b.key)
    .map(({ range }) => range);
}

function merged<T extends { merge(other: T): void }>(parts: readonly T[], fold: Partition['fold']): T {
  if (parts.length === 1) return parts[0];
  const middle = fold === 'pairs' ? Math.ceil(parts.length / 2) : fold === 'left' ? parts.length - 1 : 1;
  const first = merged(parts.slice(0, middle), fold);
  first.merge(merged(parts.slice(middle), fold));
  return first;
}

describe('ClassStatistics', () => {
  test.each(TYPES)('merge in any order to those of all rows: %s', (covariance) => {
    const { x, labels } = samples();
    const whole = new ClassStatistics({ features: 5, covariance });
    whole.add(x, labels);
    fc.assert(
      fc.property(partition, (split) => {
        const parts = rangesOf(split).map(([from, to]) => {
          const part = new ClassStatistics({ features: 5, covariance });
          part.add(x.slice(from, to), labels.slice(from, to));
          return ClassStatistics.fromSafetensors(part.toSafetensors());
        });
        const sum = merged(parts, split.fold);
        expect(sum.counts).toEqual({ 0: 100, 1: 100, 2: 100 });
        expectSameTensors(sum.toSafetensors(), whole.toSafetensors());
      }),
      { numRuns: 30 },
    );
  });

  test.each(['full', 'tied', 'diag'] as const)('give the classifier of all examples: %s', (covariance) => {
    const { x, labels } = samples();
    const statistics = new ClassStatistics({ features: 5, covariance });
    statistics.add(x, labels);
    const classifier = statistics.toOpenSetClassifier({ shrinkage: 0.2, priors: 'counts' });
    const direct = new OpenSetClassifier({ features: 5, covariance, shrinkage: 0.2, priors: 'counts' });
    for (const label of [0, 1, 2]) {
      direct.addExamples(
        String(label),
        x.filter((_, n) => labels[n] === label),
      );
    }
    expectSameTensors(classifier.toSafetensors(), direct.toSafetensors());
    expect(classifier.predict(x[7]).label).toBe(direct.predict(x[7]).label);
    expect(classifier.predict(x[7]).logDensity).toBeAllClose(direct.predict(x[7]).logDensity, SAME);
  });

  test.each(TYPES)('give the mixture that a fit starts from with these labels: %s', (covariance) => {
    const { x, labels } = samples();
    const statistics = new ClassStatistics({ features: 5, covariance });
    statistics.add(x, labels);
    const mixture = statistics.toGaussianMixture({ regularization: 1e-3 });
    const direct = new GaussianMixture({
      components: 3,
      covariance,
      regularization: 1e-3,
      init: { labels },
      maxIterations: 0,
    }).fit(x);
    expect(mixture.weights).toBeAllClose(direct.weights, SAME);
    expect(mixture.means).toBeAllClose(direct.means, SAME);
    // The fit's counts have 10 ε more.
    expect(mixture.covariances).toBeAllClose(direct.covariances, { rtol: 1e-9, atol: 1e-9 });
  });

  test.each([
    ['full', 'tril', 0.3],
    ['full', 'full', 0],
    ['diag', 'diag', 0.3],
    ['tied', 'tril', 1],
  ] as const)(
    'give the layer of GMML.fit with a fixed shrinkage: %s, %s',
    (covariance, covType, shrinkage) => {
      const { x, labels } = samples();
      const statistics = new ClassStatistics({ features: 5, covariance });
      statistics.add(x, labels);
      const own = covType === 'diag' ? {} : { covType };
      const layer = statistics.toGMML({ ...own, shrinkage: covariance === 'tied' ? 0 : shrinkage });
      const direct = new GMML(5, 5, 3, { covType, dtype: 'float64', generator: new Generator(1) });
      direct.fit(tensor(x, { dtype: 'float64' }), tensor(labels), { shrinkage });
      expect(layer.covType).toBe(covType);
      const [left, right] = [layer.stateDict(), direct.stateDict()];
      expect(Object.keys(left)).toEqual(Object.keys(right));
      for (const [name, values] of Object.entries(left)) expect(values, name).toBeAllClose(right[name], SAME);
    },
  );

  test('spherical: a layer with equal variances, no classifier', () => {
    const statistics = new ClassStatistics({ features: 2, covariance: 'spherical' });
    statistics.add(
      [
        [0, 0],
        [2, 4],
        [5, 5],
        [5, 9],
      ],
      ['b', 'b', 'a', 'a'],
    );
    const { data } = statistics.toGMML().covariances();
    expect(Array.from(data)).toBeAllClose([2, 0, 0, 2, 2.5, 0, 0, 2.5], { rtol: 1e-5, atol: 1e-8 });
    expect(() => statistics.toOpenSetClassifier()).toThrow(
      new ArgumentError(
        "ClassStatistics.toOpenSetClassifier: covariance must be 'full', 'tied' or 'diag': it is 'spherical'. Use toGaussianMixture, or statistics of 'diag'.",
      ),
    );
  });

  test('integer labels are in the order of their value, others in that of their code units', () => {
    const of = (...labels: (string | number)[]): string[] => {
      const statistics = new ClassStatistics({ features: 1 });
      statistics.add(
        labels.map(() => [1]),
        labels,
      );
      return statistics.labels;
    };
    expect(of(10, 9, '2', 2)).toEqual(['2', '9', '10']);
    expect(of('10', '9', 'a')).toEqual(['10', '9', 'a']);
  });

  test('refuses bad rows and labels before anything is changed', () => {
    const statistics = new ClassStatistics({ features: 2 });
    statistics.add([[1, 2]], ['a']);
    const before = statistics.toSafetensors();
    expect(() =>
      statistics.add(
        [
          [1, 2],
          [3, NaN],
        ],
        ['a', 'b'],
      ),
    ).toThrow(
      new NotFiniteError('ClassStatistics.add: x must be finite: NaN in row 1. Leave such rows out.'),
    );
    expect(() =>
      statistics.add(
        [
          [1, 2],
          [3, 1e101],
        ],
        ['a', 'b'],
      ),
    ).toThrow('ClassStatistics.add: x must be at most 1e100 in size: row 1 has 1e+101.');
    expect(() => statistics.add([[1, 2]], [])).toThrow(
      'ClassStatistics.add: one label per row: there are 0 for 1 rows.',
    );
    expect(() =>
      statistics.add(
        [
          [1, 2],
          [3, 4],
        ],
        [1, 0.5],
      ),
    ).toThrow(
      'ClassStatistics.add: labels must be integers or strings of at least one character: label 1 is 0.5.',
    );
    expect(() => statistics.add([[1]], ['a'])).toThrow(
      'ClassStatistics.add: x must be [N, 2]: it is [1, 1].',
    );
    expect(() => statistics.merge(new ClassStatistics({ features: 3 }))).toThrow(
      'ClassStatistics.merge: features must be the same: they are 2 and 3.',
    );
    expect(() => statistics.merge(new ClassStatistics({ features: 2, covariance: 'diag' }))).toThrow(
      'ClassStatistics.merge: covariance must be the same: they are full and diag.',
    );
    expect(statistics.toSafetensors()).toEqual(before);
    expect(() => new ClassStatistics({ features: 2 }).toGMML()).toThrow(
      'ClassStatistics.toGMML: there must be rows: there are none. Call add or merge first.',
    );
    expect(() =>
      ClassStatistics.fromSafetensors(new OpenSetClassifier({ features: 2 }).toSafetensors()),
    ).toThrow(
      new FormatError(
        'ClassStatistics.fromSafetensors: statistics and shards must be there: statistics is missing. Give the bytes that toSafetensors gave.',
      ),
    );
  });
});

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
