import { describe, expect, it } from 'vitest';
import { GaussianMixture, type CovarianceType, type GaussianMixtureOptions } from '@gmml/gmm';
import {
  ArgumentError,
  Generator,
  NotFiniteError,
  NotPositiveDefiniteError,
  NumericalError,
} from '@gmml/tensor';
import { blobs } from './samples.js';

const TYPES: readonly CovarianceType[] = ['full', 'tied', 'diag', 'spherical'];
const INITS = ['kmeans', 'kmeans++', 'random', 'randomFromData'] as const;
const { x: blob } = blobs({ seed: 1, rows: 60, features: 3, components: 3, apart: 3 });

/** Samples on which EM has little to hold on to. */
const degenerate: readonly [string, number[][]][] = [
  ['an offset of 1e4', blob.map((row) => row.map((value) => value + 1e4))],
  ['an offset of 1e8', blob.map((row) => row.map((value) => value + 1e8))],
  ['tiny variances', blob.map((row) => row.map((value) => value * 1e-9))],
  ['huge variances', blob.map((row) => row.map((value) => value * 1e12))],
  ['duplicate rows', blob.map((_, n) => blob[n % 4])],
  ['one row many times', blob.map(() => blob[0])],
  ['fewer samples than features', blob.slice(0, 3).map((row) => [...row, ...row, 1, 2])],
  ['a constant column', blob.map((row) => [...row, 5])],
  ['a column twice', blob.map((row) => [...row, row[0]])],
  ['one far sample', [...blob, [1e6, 1e6, 1e6]]],
];

describe.each(degenerate)('%s', (_, x) => {
  it.each(TYPES)('is fitted with the usual regularization: %s', (covariance) => {
    for (const init of INITS) {
      const mixture = new GaussianMixture({ components: 3, covariance, init, generator: new Generator(1) });
      const failure = failureOf(() => mixture.fit(x));
      if (failure) expectNamed(failure);
      else expectUsable(mixture, x);
    }
  });

  it.each(TYPES)('is fitted or refused without regularization: %s', (covariance) => {
    for (const init of INITS) {
      const generator = new Generator(2);
      const mixture = new GaussianMixture({ components: 3, covariance, init, generator, regularization: 0 });
      const failure = failureOf(() => mixture.fit(x));
      if (failure) expectNamed(failure);
      else expectUsable(mixture, x);
    }
  });
});

describe('GaussianMixture', () => {
  it.each(TYPES)('is fitted to one sample: %s', (covariance) => {
    const mixture = new GaussianMixture({ covariance }).fit([[3, 4]]);
    expect(mixture.means.toArray()).toBeAllClose([[3, 4]], { rtol: 1e-12 });
    expect(mixture.converged).toBe(true);
    const failure = failureOf(() => new GaussianMixture({ covariance, regularization: 0 }).fit([[3, 4]]));
    expectNamed(failure!);
  });

  it('lets a component that has no samples rest, as scikit-learn does, unless there is no regularization', () => {
    const init = { labels: blob.map(() => 0) };
    const mixture = new GaussianMixture({ components: 2, init }).fit(blob);
    expect(mixture.weights.data[1]).toBeLessThan(1e-15);
    expectUsable(mixture, blob);
    expect(() => new GaussianMixture({ components: 2, init, regularization: 0 }).fit(blob)).toThrow(
      new NotPositiveDefiniteError(
        "GaussianMixture.fit: the covariance of component 1 is not positive definite: feature 0 adds no variance. The component has lost all its samples: raise regularization (0), use fewer components, use covariance 'tied' or 'diag', or shrinkage.",
        1,
        0,
      ),
    );
  });

  it('names the component, the cause and the remedies', () => {
    const x = [
      [0, 0],
      [1, 2],
      [3, 1],
      [10, 10],
      [11, 11],
      [13, 13],
    ];
    const labels = [0, 0, 0, 1, 1, 1];
    const fit = (covariance: CovarianceType, rows = x): unknown =>
      new GaussianMixture({ components: 2, covariance, init: { labels }, regularization: 0 }).fit(rows);
    expect(() => fit('full')).toThrow(
      new NotPositiveDefiniteError(
        "GaussianMixture.fit: the covariance of component 1 is not positive definite: feature 1 adds no variance. Its samples (a weight of 3) coincide, are too few, or depend on each other: raise regularization (0), use fewer components, use covariance 'tied' or 'diag', or shrinkage.",
        1,
        1,
      ),
    );
    const flat = x.map(([a]) => [a, 7]);
    expect(() => fit('diag', flat)).toThrow(
      'GaussianMixture.fit: the covariance of component 0 is not positive definite: feature 1 adds no variance. Its samples (a weight of 3) coincide, are too few, or depend on each other: raise regularization (0), use fewer components.',
    );
    expect(() => fit('tied', flat)).toThrow(
      'GaussianMixture.fit: the tied covariance is not positive definite: feature 1 adds no variance. The samples around their means coincide or depend on each other: raise regularization (0), use fewer components.',
    );
  });

  it('stays as it was when a fit fails', () => {
    const mixture = new GaussianMixture({ regularization: 0 }).fit(blob);
    const before = mixture.means.toArray();
    expect(() =>
      mixture.fit([
        [1, 1],
        [1, 1],
      ]),
    ).toThrow(NotPositiveDefiniteError);
    expect(mixture.means.toArray()).toEqual(before);
  });

  it('refuses rows with NaN or infinities by their indices', () => {
    const x = blob.map((row, n) => (n % 5 === 3 ? [row[0], NaN, row[2]] : row));
    const refusal = (): unknown => new GaussianMixture().fit(x);
    expect(refusal).toThrow(NotFiniteError);
    expect(refusal).toThrow(
      "GaussianMixture.fit: x must be finite: NaN in rows 3, 8, 13, 18, 23, 28, 33, 38 and 4 more. Leave such rows out, fill them in, or use missing: 'marginalize' for NaN.",
    );
    const infinite = [[1], [Infinity]];
    expect(() => new GaussianMixture({ missing: 'marginalize' }).fit(infinite)).toThrow(
      'GaussianMixture.fit: x must be finite: an infinity in row 1. Only NaN counts as missing.',
    );
    const mixture = new GaussianMixture().fit(blob);
    expect(() => mixture.predict(x.slice(3, 4))).toThrow(
      'GaussianMixture.predict: x must be finite: NaN in row 0.',
    );
  });

  it.each<[string, GaussianMixtureOptions]>([
    ['GaussianMixture: components must be an integer of at least 1: it is 0.', { components: 0 }],
    [
      "GaussianMixture: covariance must be one of 'full', 'tied', 'diag', 'spherical': it is 'tril'.",
      { covariance: 'tril' as 'full' },
    ],
    ['GaussianMixture: tolerance must be a finite number of at least 0: it is -1.', { tolerance: -1 }],
    [
      'GaussianMixture: regularization must be a finite number of at least 0: it is NaN.',
      { regularization: NaN },
    ],
    ['GaussianMixture: maxIterations must be an integer of at least 0: it is 1.5.', { maxIterations: 1.5 }],
    ['GaussianMixture: restarts must be an integer of at least 1: it is 0.', { restarts: 0 }],
    [
      "GaussianMixture: init must be one of 'kmeans', 'kmeans++', 'random', 'randomFromData': it is 'k-means'.",
      { init: 'k-means' as 'kmeans' },
    ],
    [
      'GaussianMixture: init must be a name, { labels } or { weights, means, precisions }: it is {"means":[[1]]}.',
      { init: { means: [[1]] } as unknown as 'kmeans' },
    ],
    ['GaussianMixture: warmStart must be true or false: it is 1.', { warmStart: 1 as unknown as boolean }],
    [
      "GaussianMixture: missing must be one of 'refuse', 'marginalize': it is 'drop'.",
      { missing: 'drop' as 'refuse' },
    ],
    [
      "GaussianMixture: missing 'marginalize' goes with covariance 'full' or 'diag': it is 'tied'.",
      { missing: 'marginalize', covariance: 'tied' },
    ],
    [
      'GaussianMixture: weightConcentration must be a finite number of at least 1: it is 0.5.',
      { weightConcentration: 0.5 },
    ],
    [
      'GaussianMixture: shrinkage.amount must be from 0 to 1: it is 2.',
      { shrinkage: { toward: 'tied', amount: 2 } },
    ],
    [
      "GaussianMixture: shrinkage must be toward another form than the covariance: both are 'tied'.",
      { covariance: 'tied', shrinkage: { toward: 'tied', amount: 0.1 } },
    ],
    [
      "GaussianMixture: shrinkage.amount 'ledoitWolf' needs complete samples: missing is 'marginalize'. Give a fixed amount.",
      { missing: 'marginalize', shrinkage: { toward: 'tied', amount: 'ledoitWolf' } },
    ],
  ])('refuses options: %s', (message, options) => {
    expect(() => new GaussianMixture(options)).toThrow(message);
  });

  const start = { weights: [0.5, 0.5], means: [[0], [1]], precisions: [[[1]], [[1]]] };
  const line = [[0], [1], [2]];
  it.each<[string, () => unknown]>([
    [
      'GaussianMixture.predict: the mixture must be fitted: it is not. Call fit first.',
      () => new GaussianMixture().predict(blob),
    ],
    [
      'GaussianMixture.means: the mixture must be fitted: it is not. Call fit first.',
      () => new GaussianMixture().means,
    ],
    [
      'GaussianMixture.fit: there must be at least as many samples as components: 3 and 4. Use fewer components.',
      () => new GaussianMixture({ components: 4 }).em(line),
    ],
    [
      'GaussianMixture.fit: x must be [N, D]: it is [3].',
      () => new GaussianMixture().fit([1, 2, 3] as unknown as number[][]),
    ],
    [
      'GaussianMixture.fit: sampleWeight must be [3]: it is [2].',
      () => new GaussianMixture().fit(line, { sampleWeight: [1, 2] }),
    ],
    [
      'GaussianMixture.score: x must be [N, 3]: it is [3, 1].',
      () => new GaussianMixture().fit(blob).score(line),
    ],
    [
      'GaussianMixture.sample: n must be an integer of at least 1: it is 0.',
      () => new GaussianMixture().fit(blob).sample(0),
    ],
    [
      'GaussianMixture.fit: init.labels must be integers from 0 to 1: label 2 is 2.',
      () => new GaussianMixture({ components: 2, init: { labels: [0, 1, 2] } }).fit(line),
    ],
    [
      'GaussianMixture.fit: init.labels must be [3]: it is [2].',
      () => new GaussianMixture({ components: 2, init: { labels: [0, 1] } }).fit(line),
    ],
    [
      'GaussianMixture.fit: init.weights must not be negative and sum to 1: they are 0.5, 0.6.',
      () => new GaussianMixture({ components: 2, init: { ...start, weights: [0.5, 0.6] } }).fit(line),
    ],
    [
      'GaussianMixture.fit: init.means must be [2, 1]: it is [1, 1].',
      () => new GaussianMixture({ components: 2, init: { ...start, means: [[0]] } }).fit(line),
    ],
    [
      'GaussianMixture.fit: init.precisions must be positive definite: that of component 1 is not, at feature 0.',
      () => new GaussianMixture({ components: 2, init: { ...start, precisions: [[[1]], [[-1]]] } }).fit(line),
    ],
    [
      'GaussianMixture.fit: init.precisions must be symmetric: entry [0, 1] is 0.5, [1, 0] is 0.',
      () =>
        new GaussianMixture({
          init: {
            weights: [1],
            means: [[0, 0]],
            precisions: [
              [
                [1, 0.5],
                [0, 1],
              ],
            ],
          },
        }).fit(blob.map((row) => row.slice(1))),
    ],
    [
      "GaussianMixture.partialFit: shrinkage.amount must be a number: 'ledoitWolf' needs all samples at once. Give a fixed amount.",
      () => new GaussianMixture({ shrinkage: { toward: 'tied', amount: 'ledoitWolf' } }).partialFit(blob),
    ],
    [
      'GaussianMixture.partialFit: decay must be from 0.5 to 1: it is 0.',
      () => new GaussianMixture().partialFit(blob, { decay: 0 }),
    ],
  ])('%s', (message, call) => {
    expect(call).toThrow(message);
  });

  it('tells of numbers too large to be squared', () => {
    const x = [[1e200], [-1e200]];
    const failure = failureOf(() => new GaussianMixture().fit(x));
    expect(failure).toBeInstanceOf(NumericalError);
    expect(failure!.message).toBe(
      'GaussianMixture.fit: covariances must be finite: that of component 0 overflows. Scale the features.',
    );
    const mixture = new GaussianMixture().fit([[0], [1]]);
    expect(() => mixture.score([[1e200]])).toThrow(
      'GaussianMixture.score: every sample must have a density: that of row 0 is 0. Scale the features.',
    );
    expect(failureOf(() => new GaussianMixture().weights)).toBeInstanceOf(ArgumentError);
  });
});

function failureOf(call: () => unknown): Error | null {
  try {
    call();
    return null;
  } catch (error) {
    return error as Error;
  }
}

/** A refusal names the component (or the tied covariance), the cause and the remedies. */
function expectNamed(failure: Error): void {
  expect(failure).toBeInstanceOf(NotPositiveDefiniteError);
  expect(failure.message).toMatch(
    /^GaussianMixture\.fit: the (tied covariance|covariance of component \d) is not positive definite: feature \d adds no variance\. .+: raise regularization \(.+\), use fewer components/,
  );
}

function expectUsable(mixture: GaussianMixture, x: number[][]): void {
  for (const values of [mixture.weights, mixture.means, mixture.covariances, mixture.scoreSamples(x)]) {
    expect(values.data.every(Number.isFinite)).toBe(true);
  }
  expect(mixture.weights.sum().item()).toBeCloseTo(1, 12);
  expect(mixture.predictProba(x).sum(1)).toBeAllClose(Array(x.length).fill(1), { rtol: 1e-12 });
}
