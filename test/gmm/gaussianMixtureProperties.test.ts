import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GaussianMixture, type CovarianceType } from '@gmml/gmm';
import { Generator, NotPositiveDefiniteError, type Tensor } from '@gmml/tensor';
import { blobs } from './samples.js';

const TYPES: readonly CovarianceType[] = ['full', 'tied', 'diag', 'spherical'];

/** Groups that overlap or not, with at least 20 samples a component. */
const problem = fc.record({
  seed: fc.nat(1e6),
  rows: fc.integer({ min: 80, max: 160 }),
  features: fc.integer({ min: 1, max: 4 }),
  components: fc.integer({ min: 1, max: 4 }),
  apart: fc.constantFrom(0, 0.5, 2, 30),
  covariance: fc.constantFrom(...TYPES),
});

/** Where covariances are worse conditioned than this, digits that the bound needs are lost to rounding. */
const WELL_CONDITIONED = 1e6;

/** The lower bounds of EM, as long as no component collapses. */
function boundsOf(mixture: GaussianMixture, x: number[][], sampleWeight?: number[]): number[] {
  const bounds: number[] = [];
  try {
    for (const { lowerBound } of mixture.em(x, { sampleWeight })) {
      bounds.push(lowerBound);
      if (largest(mixture.covariances) * largest(mixture.precisions) > WELL_CONDITIONED) break;
    }
  } catch (error) {
    if (!(error instanceof NotPositiveDefiniteError)) throw error;
  }
  return bounds;
}

function largest(x: Tensor): number {
  return Math.max(...x.data);
}

/** Each lower bound must be at least the one before, less 1e-8 of it. */
function expectRising(bounds: readonly number[]): void {
  for (const [i, bound] of bounds.slice(1).entries()) {
    expect(bound).toBeGreaterThanOrEqual(bounds[i] - 1e-8 * Math.abs(bounds[i]));
  }
}

describe('EM', () => {
  // Σ + λI does not maximise the M-step's expectation: where a variance is near λ the bound falls, as scikit-learn's does
  // (golden/gaussianMixture.py, NARROW).
  const regularization = 0;

  it('never lowers its bound', () => {
    const init = fc.constantFrom('kmeans', 'random', 'labels');
    fc.assert(
      fc.property(problem, init, fc.boolean(), ({ covariance, ...shape }, chosen, weighted) => {
        const { x, labels } = blobs(shape);
        const generator = new Generator(shape.seed);
        const mixture = new GaussianMixture({
          components: shape.components,
          covariance,
          generator,
          init: chosen === 'labels' ? { labels } : chosen,
          regularization,
          tolerance: 1e-9,
          maxIterations: 60,
        });
        const sampleWeight = weighted ? x.map(() => generator.uniform() + 0.1) : undefined;
        expectRising(boundsOf(mixture, x, sampleWeight));
      }),
      { numRuns: 200 },
    );
  });

  it('never lowers its bound with missing values', () => {
    const share = fc.constantFrom(0.05, 0.3, 0.6);
    fc.assert(
      fc.property(
        problem,
        share,
        fc.constantFrom<CovarianceType>('full', 'diag'),
        (shape, gaps, covariance) => {
          const { x, labels } = blobs(shape);
          const generator = new Generator(shape.seed);
          const holed = x.map((row) => row.map((value) => (generator.uniform() < gaps ? NaN : value)));
          const mixture = new GaussianMixture({
            components: shape.components,
            covariance,
            missing: 'marginalize',
            init: { labels },
            regularization,
            tolerance: 1e-9,
            maxIterations: 30,
          });
          expectRising(boundsOf(mixture, holed));
        },
      ),
    );
  });

  it('passes over components that are far, and nothing changes', () => {
    const wide = fc.record({
      seed: fc.nat(1e6),
      features: fc.integer({ min: 1, max: 20 }),
      components: fc.integer({ min: 2, max: 5 }),
      apart: fc.constantFrom(1, 4, 30, 1e6),
      covariance: fc.constantFrom(...TYPES),
    });
    fc.assert(
      fc.property(wide, ({ covariance, ...shape }) => {
        const { x, labels } = blobs({ ...shape, rows: 203 });
        const options = { components: shape.components, covariance, tolerance: 0 };
        const passing = new GaussianMixture({ ...options, init: { labels }, maxIterations: 3 }).fit(x);
        // Given parameters nothing is known of the samples, and the first iteration passes over nothing.
        let slow = new GaussianMixture({ ...options, init: { labels }, maxIterations: 0 }).fit(x);
        const bounds: number[] = [];
        for (let turn = 0; turn < 3; turn++) {
          const { weights, means, precisions } = slow;
          const init = { weights, means, precisions };
          slow = new GaussianMixture({ ...options, init, maxIterations: 1 }).fit(x);
          bounds.push(slow.lowerBound);
        }
        expect(passing.lowerBounds).toBeAllClose(bounds, { rtol: 1e-9 });
        expect(passing.weights).toBeAllClose(slow.weights, { rtol: 1e-8 });
        expect(passing.means).toBeAllClose(slow.means, { rtol: 1e-8, atol: 1e-8 });
        expect(passing.covariances).toBeAllClose(slow.covariances, { rtol: 1e-7, atol: 1e-7 });
      }),
    );
  });

  it('takes a weight of n for n equal rows', () => {
    fc.assert(
      fc.property(problem, ({ covariance, ...shape }) => {
        const { x, labels } = blobs(shape);
        const generator = new Generator(shape.seed);
        const sampleWeight = x.map(() => generator.integer(4));
        fc.pre(sampleWeight.every((weight, n) => n >= shape.components || weight > 0));
        const repeat = <T>(values: readonly T[]): T[] =>
          values.flatMap((value, n) => Array<T>(sampleWeight[n]).fill(value));
        const options = { components: shape.components, covariance, tolerance: 0, maxIterations: 10 };
        const weighted = new GaussianMixture({ ...options, init: { labels } }).fit(x, { sampleWeight });
        const repeated = new GaussianMixture({ ...options, init: { labels: repeat(labels) } }).fit(repeat(x));
        expectSame(weighted, repeated);
      }),
    );
  });

  it('does not depend on the order of the samples', () => {
    fc.assert(
      fc.property(problem, ({ covariance, ...shape }) => {
        const { x, labels } = blobs(shape);
        const order = Array.from(new Generator(shape.seed).permutation(x.length));
        const options = { components: shape.components, covariance, tolerance: 0, maxIterations: 10 };
        const fit = (rows: number[][], own: number[]): GaussianMixture =>
          new GaussianMixture({ ...options, init: { labels: own } }).fit(rows);
        expectSame(
          fit(x, labels),
          fit(
            order.map((n) => x[n]),
            order.map((n) => labels[n]),
          ),
        );
      }),
    );
  });

  it('moves with its samples: an offset of 1e4 changes nothing else', () => {
    fc.assert(
      fc.property(problem, ({ covariance, ...shape }) => {
        const { x, labels } = blobs(shape);
        // Multiples of 2⁻²⁰, so that the offset rounds nothing.
        const near = x.map((row) => row.map((value) => Math.round(value * 2 ** 20) / 2 ** 20));
        const options = { components: shape.components, covariance, tolerance: 0, maxIterations: 10 };
        const fit = (offset: number): GaussianMixture =>
          new GaussianMixture({ ...options, init: { labels } }).fit(
            near.map((row) => row.map((value) => value + offset)),
          );
        const [here, there] = [fit(0), fit(1e4)];
        expect(there.lowerBounds).toBeAllClose(here.lowerBounds, { rtol: 1e-9 });
        expect(there.covariances).toBeAllClose(here.covariances, { rtol: 1e-7, atol: 1e-8 });
        expect(there.means.sub(1e4)).toBeAllClose(here.means, { atol: 1e-7 });
      }),
    );
  });

  it('is the same for complete samples whether missing ones are allowed or not', () => {
    fc.assert(
      fc.property(problem, fc.constantFrom<CovarianceType>('full', 'diag'), (shape, covariance) => {
        const { x, labels } = blobs(shape);
        const options = { components: shape.components, covariance, init: { labels }, maxIterations: 5 };
        const complete = new GaussianMixture(options).fit(x);
        // One more sample without any coordinate: its density is 1, and it changes nothing.
        const nothing = Array<number>(shape.features).fill(NaN);
        const holed = new GaussianMixture({
          ...options,
          init: { labels: [...labels, 0] },
          missing: 'marginalize',
        });
        const sampleWeight = [...x.map(() => 1), 1e-9];
        holed.fit([...x, nothing], { sampleWeight });
        expect(holed.means).toBeAllClose(complete.means, { rtol: 1e-6, atol: 1e-6 });
        expect(holed.covariances).toBeAllClose(complete.covariances, { rtol: 1e-6, atol: 1e-6 });
        expect(holed.scoreSamples([nothing]).item()).toBeCloseTo(0, 12);
      }),
      { numRuns: 30 },
    );
  });
});

function expectSame(a: GaussianMixture, b: GaussianMixture): void {
  expect(a.lowerBounds).toBeAllClose(b.lowerBounds, { rtol: 1e-9 });
  expect(a.weights).toBeAllClose(b.weights, { rtol: 1e-8 });
  expect(a.means).toBeAllClose(b.means, { rtol: 1e-8, atol: 1e-8 });
  expect(a.covariances).toBeAllClose(b.covariances, { rtol: 1e-8, atol: 1e-8 });
}
