import { describe, expect, it } from 'vitest';
import {
  GaussianMixture,
  MultivariateNormal,
  type CovarianceType,
  type GaussianMixtureOptions,
} from '@gmml/gmm';
import { Generator, tensor, type Tensor } from '@gmml/tensor';
import { blobs } from './samples.js';

const TYPES: readonly CovarianceType[] = ['full', 'tied', 'diag', 'spherical'];
const close = blobs({ seed: 2, rows: 120, features: 3, components: 3, apart: 1 });
const apart = blobs({ seed: 9, rows: 3000, features: 2, components: 3, apart: 6 });
const float64 = (x: number[][]): Tensor => tensor(x, { dtype: 'float64' });

function mixtureOf(options: GaussianMixtureOptions): GaussianMixture {
  return new GaussianMixture({ components: 3, generator: new Generator(7), ...options });
}

describe('shrinkage', () => {
  const init = { labels: close.labels };
  const plain = mixtureOf({ init, maxIterations: 0, regularization: 0 }).fit(close.x);

  it('draws covariances toward the tied one by a fixed amount', () => {
    const shrinkage = { toward: 'tied', amount: 0.25 } as const;
    const shrunk = mixtureOf({ init, maxIterations: 0, regularization: 0, shrinkage }).fit(close.x);
    const pooled = mixtureOf({ init, maxIterations: 0, regularization: 0, covariance: 'tied' }).fit(close.x);
    const wanted = plain.covariances.mul(0.75).add(pooled.covariances.mul(0.25));
    expect(shrunk.covariances).toBeAllClose(wanted, { rtol: 1e-12, atol: 1e-14 });
  });

  it.each(['full', 'tied', 'diag'] as const)(
    'draws %s covariances toward the spherical one',
    (covariance) => {
      const options = { init, maxIterations: 0, regularization: 0, covariance };
      const shrinkage = { toward: 'spherical', amount: 1 } as const;
      const shrunk = mixtureOf({ ...options, shrinkage }).fit(close.x);
      const round = mixtureOf({ ...options, covariance: covariance === 'tied' ? 'tied' : 'spherical' }).fit(
        close.x,
      );
      const variance = (k: number): number =>
        covariance === 'tied' ? round.covariances.trace().item() / 3 : round.covariances.data[k];
      for (const [k, j] of [
        [0, 0],
        [2, 1],
      ]) {
        const at = { full: [k, j, j], tied: [j, j], diag: [k, j] }[covariance];
        let value: any = shrunk.covariances.toArray();
        for (const i of at) value = value[i];
        expect(value).toBeCloseTo(variance(k), 12);
      }
    },
  );

  it.each(TYPES)(
    'by Ledoit and Wolf shrinks %s covariances more, the fewer samples there are',
    (covariance) => {
      const toward = covariance === 'spherical' ? 'tied' : 'spherical';
      const shrinkage = { toward, amount: 'ledoitWolf' } as const;
      const one = { seed: 5, features: 3, components: 1, apart: 0 };
      const stretched = (rows: number): number[][] =>
        blobs({ ...one, rows }).x.map((row) => [5 * row[0], row[1], row[2] / 5]);
      const components = covariance === 'spherical' ? 2 : 1;
      const distance = (rows: number): number => {
        const labels = Array.from({ length: rows }, (_, n) => n % components);
        const options = { covariance, components, init: { labels }, maxIterations: 0, regularization: 0 };
        const free = mixtureOf(options).fit(stretched(rows)).covariances;
        const shrunk = mixtureOf({ ...options, shrinkage }).fit(stretched(rows)).covariances;
        return shrunk.sub(free).square().sum().item() / free.square().sum().item();
      };
      expect(distance(8)).toBeGreaterThan(distance(4000));
    },
  );

  it('lets a component of fewer samples than features be fitted without regularization', () => {
    const { x, labels } = blobs({ seed: 6, rows: 9, features: 6, components: 3, apart: 1 });
    const options = { init: { labels }, maxIterations: 0, regularization: 0 };
    expect(() => mixtureOf(options).fit(x)).toThrow('is not positive definite');
    const shrinkage = { toward: 'spherical', amount: 'ledoitWolf' } as const;
    expect(mixtureOf({ ...options, shrinkage }).fit(x).isFitted).toBe(true);
  });
});

describe('weightConcentration', () => {
  it('is the mode under a Dirichlet prior', () => {
    const labels = close.labels.map((label, n) => (n < 60 ? 0 : label));
    const init = { labels };
    const counts = [0, 1, 2].map((k) => labels.filter((label) => label === k).length);
    const mixture = mixtureOf({ init, maxIterations: 0, weightConcentration: 11 }).fit(close.x);
    const wanted = counts.map((count) => (count + 10) / 150);
    expect(mixture.weights).toBeAllClose(wanted, { rtol: 1e-12 });
  });
});

describe('missing values', () => {
  it.each(['full', 'diag'] as const)('leave the density of what is observed: %s', (covariance) => {
    const mixture = mixtureOf({ covariance, missing: 'marginalize' }).fit(close.x);
    const cases = [[0, 2], [1], [1, 2]];
    for (const observed of cases) {
      const row = close.x[4].map((value, j) => (observed.includes(j) ? value : NaN));
      const known = tensor(Float64Array.from(observed, (j) => row[j]));
      const logProb = [0, 1, 2].map((k) => {
        const mean = mixture.means.slice(0, k, k + 1).reshape([3]);
        const own = mixture.covariances.slice(0, k, k + 1);
        const whole = covariance === 'full' ? own.reshape([3, 3]) : own.reshape([3]).diagEmbed();
        const pick = (x: Tensor, dim: number): Tensor =>
          x.indexSelect(dim, tensor(observed, { dtype: 'float64' }));
        const normal = new MultivariateNormal(pick(mean, 0), { covariance: pick(pick(whole, 0), 1) });
        return normal.logProb(known).item() + Math.log(mixture.weights.data[k]);
      });
      const density = Math.log(logProb.reduce((sum, log) => sum + Math.exp(log), 0));
      expect(mixture.scoreSamples([row]).item()).toBeCloseTo(density, 11);
    }
  });

  it('reach the maximum of the likelihood, which is known in closed form where one feature has gaps', () => {
    // Anderson 1957: x from all samples, y by its regression on x among the complete ones.
    const generator = new Generator(12);
    const all = Array.from({ length: 60 }, () => {
      const x = generator.normal();
      return [x, 2 * x + 0.5 * generator.normal() + 1];
    });
    const x = all.map(([a, b], n) => [a, n < 40 ? b : NaN]);
    const mixture = new GaussianMixture({
      missing: 'marginalize',
      tolerance: 0,
      maxIterations: 300,
      regularization: 0,
    }).fit(x);
    const mean = (values: number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;
    const complete = all.slice(0, 40);
    const [mx, my] = [mean(complete.map(([a]) => a)), mean(complete.map(([, b]) => b))];
    const sxx = mean(complete.map(([a]) => (a - mx) ** 2));
    const sxy = mean(complete.map(([a, b]) => (a - mx) * (b - my)));
    const syy = mean(complete.map(([, b]) => (b - my) ** 2));
    const slope = sxy / sxx;
    const whole = mean(all.map(([a]) => a));
    const variance = mean(all.map(([a]) => (a - whole) ** 2));
    const covariances = [
      [variance, slope * variance],
      [slope * variance, syy - slope * sxy + slope ** 2 * variance],
    ];
    expect(mixture.means).toBeAllClose([[whole, my + slope * (whole - mx)]], { rtol: 1e-9 });
    expect(mixture.covariances).toBeAllClose([covariances], { rtol: 1e-9 });
  });

  it('are refused where a feature has none but them', () => {
    expect(() =>
      mixtureOf({ components: 1, missing: 'marginalize' }).fit([
        [1, NaN],
        [2, NaN],
      ]),
    ).toThrow(
      'GaussianMixture.fit: every feature needs a value in a sample that has a weight: feature 1 has none. Leave the feature out.',
    );
    const sampleWeight = [1, 0];
    expect(() =>
      mixtureOf({ components: 1, missing: 'marginalize' }).fit(
        [
          [1, NaN],
          [2, 3],
        ],
        { sampleWeight },
      ),
    ).toThrow('in a sample that has a weight: feature 1 has none.');
  });
});

describe('partialFit', () => {
  it.each(TYPES)('with one batch is one iteration: %s', (covariance) => {
    const init = { labels: close.labels };
    const streamed = mixtureOf({ covariance, init }).partialFit(close.x);
    const fitted = mixtureOf({ covariance, init, maxIterations: 1 }).fit(close.x);
    expect(streamed.means.toArray()).toEqual(fitted.means.toArray());
    expect(streamed.covariances.toArray()).toEqual(fitted.covariances.toArray());
    expect(streamed.lowerBound).toBe(fitted.lowerBound);
  });

  it.each(TYPES)('of one component with decay 1 gives the moments of all batches: %s', (covariance) => {
    const mixture = mixtureOf({ covariance, components: 1 });
    for (const [from, to] of [
      [0, 17],
      [17, 30],
      [30, 120],
    ]) {
      mixture.partialFit(close.x.slice(from, to), { decay: 1 });
    }
    const whole = mixtureOf({ covariance, components: 1 }).fit(close.x);
    expect(mixture.means).toBeAllClose(whole.means, { rtol: 1e-12 });
    expect(mixture.covariances).toBeAllClose(whole.covariances, { rtol: 1e-12, atol: 1e-13 });
  });

  it.each(TYPES)('comes near the fit of all samples: %s', (covariance) => {
    const mixture = mixtureOf({ covariance });
    for (let at = 0; at < apart.x.length; at += 100) mixture.partialFit(apart.x.slice(at, at + 100));
    const whole = mixtureOf({ covariance }).fit(apart.x);
    expect(mixture.score(apart.x)).toBeGreaterThan(whole.score(apart.x) - 0.01);
    expect(mixture.iterations).toBe(30);
    expect(mixture.lowerBounds).toHaveLength(30);
  });

  it('holds the prior of weights against all samples so far', () => {
    const far = blobs({ seed: 3, rows: 900, features: 2, components: 3, apart: 60 });
    const x = far.x.filter((_, n) => far.labels[n] !== 0 || n % 2 === 0);
    const options = { weightConcentration: 31, init: 'kmeans' } as const;
    const mixture = mixtureOf(options);
    for (let at = 0; at < x.length; at += 150) mixture.partialFit(x.slice(at, at + 150), { decay: 1 });
    const whole = mixtureOf(options).fit(x);
    const sorted = [mixture, whole].map(({ weights }) => weights.data.toSorted());
    expect(sorted[0]).toBeAllClose(sorted[1], { rtol: 1e-9 });
  });

  it('goes on from a fit, and follows samples that change', () => {
    const mixture = mixtureOf({}).fit(apart.x);
    const moved = apart.x.map((row) => row.map((value) => value + 1.5));
    const before = mixture.score(moved);
    for (let at = 0; at < moved.length; at += 300) mixture.partialFit(moved.slice(at, at + 300));
    const whole = mixtureOf({}).fit(moved).score(moved);
    expect(mixture.score(moved)).toBeGreaterThan((before + 3 * whole) / 4);
  });

  it.each(TYPES)(
    'takes batches that have no covariance of their own, without regularization too: %s',
    (covariance) => {
      const mixture = mixtureOf({ covariance, components: 1, regularization: 0 }).partialFit(
        close.x.slice(0, 100),
      );
      for (const row of close.x.slice(100)) mixture.partialFit([row], { decay: 1 });
      const whole = mixtureOf({ covariance, components: 1, regularization: 0 }).fit(close.x);
      expect(mixture.covariances).toBeAllClose(whole.covariances, { rtol: 1e-12, atol: 1e-13 });
    },
  );

  it('takes smaller batches after the first, and refuses other features', () => {
    const mixture = mixtureOf({}).partialFit(float64(close.x));
    mixture.partialFit(close.x.slice(0, 1));
    expect(() => mixture.partialFit([[1, 2]])).toThrow(
      'GaussianMixture.partialFit: x must be [N, 3]: it is [1, 2].',
    );
    expect(() => mixtureOf({}).partialFit(close.x.slice(0, 2))).toThrow(
      'GaussianMixture.partialFit: there must be at least as many samples as components: 2 and 3. Use fewer components.',
    );
  });
});
