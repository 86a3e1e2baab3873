// ClassStatistics of parts of the data, against fits of all rows at once.
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GaussianMixture, GMML, OpenSetClassifier } from '@gmml/gmm';
import { ClassStatistics } from '@gmml/gmm/statistics';
import { parseSafetensors, serializeSafetensors } from '@gmml/nn';
import { ArgumentError, FormatError, Generator, NotFiniteError, tensor } from '@gmml/tensor';
import { SAME, TYPES, expectSameTensors, merged, partition, rangesOf, samples } from './statisticsParts.js';

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
    const { tensors, metadata } = parseSafetensors(before);
    expect(() =>
      ClassStatistics.fromSafetensors(serializeSafetensors({ ...tensors, more: tensor([1]) }, metadata)),
    ).toThrow(
      new FormatError(
        'ClassStatistics.fromSafetensors: there must be no other tensors: there is "more". Give the bytes that toSafetensors gave.',
      ),
    );
  });
});
