import { describe, expect, it } from 'vitest';
import {
  fitBest,
  GaussianMixture,
  MultivariateNormal,
  type CovarianceType,
  type GaussianMixtureOptions,
} from '@gmml/gmm';
import { eye, Generator, stack, tensor, type Tensor } from '@gmml/tensor';
import { blobs } from './samples.js';

const TYPES: readonly CovarianceType[] = ['full', 'tied', 'diag', 'spherical'];
const three = blobs({ seed: 1, rows: 150, features: 2, components: 3, apart: 3 });
const close = blobs({ seed: 2, rows: 120, features: 3, components: 3, apart: 1 });

function mixtureOf(options: GaussianMixtureOptions): GaussianMixture {
  return new GaussianMixture({ components: 3, generator: new Generator(7), ...options });
}

describe.each(TYPES)('GaussianMixture with %s covariances', (covariance) => {
  const mixture = mixtureOf({ covariance }).fit(close.x);

  it('has the densities of its components', () => {
    const { weights } = mixture;
    const logProb = stack(
      [0, 1, 2].map((k) => {
        const mean = mixture.means.slice(0, k, k + 1).reshape([3]);
        return new MultivariateNormal(mean, { covariance: covarianceOf(mixture, k) }).logProb(
          tensor(close.x, { dtype: 'float64' }),
        );
      }),
      1,
    );
    const joint = logProb.add(weights.log());
    expect(mixture.scoreSamples(close.x)).toBeAllClose(joint.logSumExp(1), { rtol: 1e-12 });
    expect(mixture.predictProba(close.x)).toBeAllClose(joint.softmax(1), { rtol: 1e-10 });
    expect(mixture.predict(close.x).toArray()).toEqual(joint.argmax(1).toArray());
    expect(mixture.predictProba(close.x).sum(1)).toBeAllClose(Array(120).fill(1), { rtol: 1e-14 });
    const mean = mixture.scoreSamples(close.x).mean().item();
    expect(mixture.score(close.x)).toBeCloseTo(mean, 12);
  });

  it('counts its free parameters', () => {
    const covariances = { full: 18, tied: 6, diag: 9, spherical: 3 }[covariance];
    const free = covariances + 9 + 2;
    const logLikelihood = 120 * mixture.score(close.x);
    expect(mixture.aic(close.x)).toBeCloseTo(-2 * logLikelihood + 2 * free, 8);
    expect(mixture.bic(close.x)).toBeCloseTo(-2 * logLikelihood + free * Math.log(120), 8);
  });

  it('has precisions that its covariances are the inverses of, and starts from them again', () => {
    const product = (k: number): Tensor =>
      covarianceOf(mixture, k).matmul(matrixOf(mixture.precisions, covariance, k));
    for (const k of [0, 1, 2]) expect(product(k)).toBeAllClose(eye(3), { atol: 1e-12 });
    const { weights, means, precisions } = mixture;
    const again = mixtureOf({ covariance, maxIterations: 0, init: { weights, means, precisions } });
    again.fit(close.x);
    expect(again.covariances).toBeAllClose(mixture.covariances, { rtol: 1e-10, atol: 1e-12 });
    expect(again.scoreSamples(close.x)).toBeAllClose(mixture.scoreSamples(close.x), { rtol: 1e-12 });
    expect(again.lowerBound).toBe(-Infinity);
  });

  it('draws samples with its moments', () => {
    const n = 40_000;
    const { samples, labels } = mixture.sample(n, { generator: new Generator(3) });
    expect(samples.shape).toEqual([n, 3]);
    for (const k of [0, 1, 2]) {
      const rows = labels.toArray() as number[];
      const own = (samples.toArray() as number[][]).filter((_, i) => rows[i] === k);
      const weight = mixture.weights.data[k];
      expect(own.length / n).toBeAllClose(weight, { atol: 0.01 });
      const x = tensor(own, { dtype: 'float64' });
      const mean = x.mean(0);
      const z = x.sub(mean);
      const scatter = z.matmul(z, { transposeA: true }).div(own.length);
      expect(mean).toBeAllClose(mixture.means.slice(0, k, k + 1).reshape([3]), { atol: 0.06 });
      expect(scatter).toBeAllClose(covarianceOf(mixture, k), { atol: 0.1 });
    }
    expect(mixture.sample(5, { generator: new Generator(1) }).samples.toArray()).toEqual(
      mixture.sample(5, { generator: new Generator(1) }).samples.toArray(),
    );
  });

  it('yields each iteration, whose lower bound is the score of the parameters before it', () => {
    const watched = mixtureOf({ covariance, init: { labels: close.labels }, tolerance: 1e-5 });
    const scores: number[] = [];
    const bounds: number[] = [];
    for (const { iteration, lowerBound, change, converged } of watched.em(close.x)) {
      bounds.push(lowerBound);
      scores.push(watched.score(close.x));
      expect(iteration).toBe(bounds.length);
      expect(change).toBe(iteration === 1 ? Infinity : lowerBound - bounds[iteration - 2]);
      expect(converged).toBe(Math.abs(change) < 1e-5);
      expect(watched.iterations).toBe(iteration);
    }
    expect(bounds.slice(1)).toBeAllClose(scores.slice(0, -1), { rtol: 1e-13 });
    expect(watched.lowerBounds).toEqual(bounds);
    const fitted = mixtureOf({ covariance, init: { labels: close.labels }, tolerance: 1e-5 });
    expect(fitted.fit(close.x).means.toArray()).toEqual(watched.means.toArray());
  });

  it('takes float32 tensors and nested arrays alike', () => {
    const x = close.x.map((row) => row.map(Math.fround));
    const init = { labels: close.labels };
    const [a, b] = [x, tensor(x)].map((rows) => mixtureOf({ covariance, init }).fit(rows));
    expect(a.means.toArray()).toEqual(b.means.toArray());
    expect(a.means.dtype).toBe('float64');
  });
});

describe('GaussianMixture', () => {
  it.each(['kmeans', 'kmeans++', 'random', 'randomFromData'] as const)('starts from %s', (init) => {
    const generator = new Generator(4);
    const mixture = mixtureOf({ init, generator, restarts: 5, maxIterations: 300 }).fit(three.x);
    const found = Array.from(mixture.predict(three.x).data);
    expect(mixture.converged).toBe(true);
    const agreeing = three.labels.filter((label, n) =>
      three.labels.every((other, m) => m > 20 || (label === other) === (found[n] === found[m])),
    );
    expect(agreeing.length).toBeGreaterThan(135);
  });

  it('keeps the start with the largest lower bound', () => {
    const generator = new Generator(5);
    const options = { init: 'random', components: 6, tolerance: 1e-4 } as const;
    const alone = Array.from(
      { length: 4 },
      () => mixtureOf({ ...options, generator }).fit(close.x).lowerBound,
    );
    const best = mixtureOf({ ...options, generator: new Generator(5), restarts: 4 }).fit(close.x);
    expect(best.lowerBound).toBe(Math.max(...alone));
  });

  it('goes on where it was with warmStart', () => {
    const options = { init: { labels: close.labels }, tolerance: 0 };
    const whole = mixtureOf({ ...options, maxIterations: 7 }).fit(close.x);
    const parts = mixtureOf({ ...options, maxIterations: 4, warmStart: true }).fit(close.x);
    const first = parts.lowerBounds;
    parts.fit(close.x);
    expect([...first, ...parts.lowerBounds.slice(0, 3)]).toBeAllClose(whole.lowerBounds, { rtol: 1e-13 });
  });

  it('ends when a signal is aborted, and stays as it was', () => {
    const mixture = mixtureOf({ tolerance: 0 }).fit(three.x);
    const before = mixture.means.toArray();
    const controller = new AbortController();
    const reason = new Error('enough');
    const onIteration = ({ iteration }: { iteration: number }): void => {
      if (iteration === 2) controller.abort(reason);
    };
    expect(() => mixture.fit(close.x, { signal: controller.signal, onIteration })).toThrow(reason);
    expect(mixture.means.toArray()).toEqual(before);
    const fresh = mixtureOf({});
    expect(() => fresh.fit(three.x, { signal: AbortSignal.abort(reason) })).toThrow(reason);
    expect(fresh.isFitted).toBe(false);
  });

  it('does not change its samples, and gives copies', () => {
    const x = tensor(close.x, { dtype: 'float64' });
    const before = x.toArray();
    const mixture = mixtureOf({}).fit(x);
    expect(x.toArray()).toEqual(before);
    mixture.means.data.fill(0);
    expect(mixture.means.data.every((value) => value === 0)).toBe(false);
  });
});

describe('fitBest', () => {
  it('finds the number of components by BIC', () => {
    const generator = new Generator(8);
    const { best, candidates } = fitBest(three.x, { components: [1, 2, 3, 4, 5], generator });
    expect(best.components).toBe(3);
    expect(candidates).toHaveLength(20);
    expect(best.bic(three.x)).toBe(Math.min(...candidates.map(({ bic }) => bic)));
    const byAic = fitBest(three.x, { components: [2, 3], covariances: ['diag'], criterion: 'aic' });
    expect(byAic.best.aic(three.x)).toBe(Math.min(...byAic.candidates.map(({ aic }) => aic)));
  });

  it('lists what cannot be fitted, and fails when nothing can', () => {
    const x = [
      [1, 1],
      [2, 2],
      [3, 3],
      [4, 4],
    ];
    const options = { components: [1], regularization: 0 };
    const { best, candidates } = fitBest(x, { ...options, covariances: ['full', 'diag'] });
    expect(best.covariance).toBe('diag');
    expect(candidates[0]).toMatchObject({ mixture: null, bic: Infinity });
    expect(candidates[0].error?.message).toContain('is not positive definite');
    expect(() => fitBest(x, { ...options, covariances: ['full', 'tied'] })).toThrow(
      candidates[0].error!.message,
    );
    expect(() => fitBest(x, { components: [] })).toThrow(
      'fitBest: components and covariances must each name one or more: one is empty.',
    );
  });
});

/** Σ_k [D, D], whatever the covariance type. */
function covarianceOf(mixture: GaussianMixture, k: number): Tensor {
  return matrixOf(mixture.covariances, mixture.covariance, k);
}

function matrixOf(values: Tensor, covariance: CovarianceType, k: number): Tensor {
  if (covariance === 'tied') return values;
  const own = values.slice(0, k, k + 1);
  if (covariance === 'full') return own.reshape([3, 3]);
  return covariance === 'diag' ? own.reshape([3]).diagEmbed() : eye(3, { dtype: 'float64' }).mul(own);
}
