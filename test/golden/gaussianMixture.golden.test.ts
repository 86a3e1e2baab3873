import { GaussianMixture, kMeans, type CovarianceType } from '@gmml/gmm';
import type { Tensor } from '@gmml/tensor';
import { describe, expect, it } from 'vitest';
import { golden } from './golden.js';

interface Mixture {
  readonly name: string;
  readonly data: string;
  readonly covariance: CovarianceType;
  readonly tolerance: number;
  readonly start: { labels: Tensor } | { weights: Tensor; means: Tensor; precisions: Tensor };
  readonly iterations: number;
  readonly lowerBounds: Tensor;
  readonly weights: Tensor;
  readonly means: Tensor;
  readonly covariances: Tensor;
  readonly labels: Tensor;
  readonly scores: Tensor;
  readonly responsibilities: Tensor;
  readonly bic: number;
  readonly aic: number;
}

interface Clustering {
  readonly name: string;
  readonly data: string;
  readonly start: Tensor;
  readonly centers: Tensor;
  readonly labels: Tensor;
  readonly inertia: number;
  readonly iterations: number;
}

interface Shrunk {
  readonly name: string;
  readonly covariance: Tensor;
  readonly amount: number;
}

const recorded: {
  data: Record<string, Tensor>;
  mixtures: Mixture[];
  kMeans: Clustering[];
  ledoitWolf: Shrunk[];
} = golden('gaussianMixture');

describe('GaussianMixture gives the numbers of scikit-learn', () => {
  it.each(recorded.mixtures)('$name', (wanted) => {
    const { covariance, tolerance, start: init } = wanted;
    const components = wanted.weights.size;
    const x = recorded.data[wanted.data];
    const mixture = new GaussianMixture({ components, covariance, tolerance, init, maxIterations: 200 });
    mixture.fit(x);
    expect(mixture.iterations).toBe(wanted.iterations);
    expect(mixture.converged).toBe(true);
    expect(mixture.lowerBounds).toBeAllClose(wanted.lowerBounds, { rtol: 1e-9, atol: 0 });
    expect(mixture.lowerBound).toBe(mixture.lowerBounds.at(-1));
    for (const name of ['weights', 'means', 'covariances'] as const) {
      expect(mixture[name].shape).toEqual(wanted[name].shape);
      expect(mixture[name]).toBeAllClose(wanted[name], { rtol: 1e-6, atol: 1e-6 * scaleOf(wanted[name]) });
    }
    expect(mixture.predict(x).toArray()).toEqual(wanted.labels.toArray());
    const first = x.slice(0, 0, 10);
    expect(mixture.scoreSamples(first)).toBeAllClose(wanted.scores, { rtol: 1e-6 });
    expect(mixture.predictProba(first)).toBeAllClose(wanted.responsibilities, { rtol: 1e-6, atol: 1e-6 });
    expect(mixture.bic(x)).toBeAllClose(wanted.bic, { rtol: 1e-9 });
    expect(mixture.aic(x)).toBeAllClose(wanted.aic, { rtol: 1e-9 });
  });
});

describe('kMeans gives the centres of scikit-learn from the same start', () => {
  it.each(recorded.kMeans)('$name', (wanted) => {
    const x = recorded.data[wanted.data];
    const found = kMeans(x, wanted.start.shape[0], { init: wanted.start });
    expect(found.iterations).toBe(wanted.iterations);
    expect(found.labels.toArray()).toEqual(wanted.labels.toArray());
    expect(found.centers).toBeAllClose(wanted.centers, { rtol: 1e-12 });
    expect(found.inertia).toBeAllClose(wanted.inertia, { rtol: 1e-9 });
  });
});

describe("Ledoit and Wolf's shrinkage of one component is scikit-learn's", () => {
  it.each(recorded.ledoitWolf)('$name', ({ name, covariance }) => {
    const mixture = new GaussianMixture({
      shrinkage: { toward: 'spherical', amount: 'ledoitWolf' },
      regularization: 0,
    });
    mixture.fit(recorded.data[name]);
    expect(mixture.covariances.data).toBeAllClose(covariance.data, { rtol: 1e-9, atol: 1e-9 });
  });
});

function scaleOf(x: Tensor): number {
  return Math.max(...Array.from(x.data, Math.abs));
}
