import { describe, expect, it } from 'vitest';
import { MultivariateNormal } from '@gmml/gmm';
import { eye, Generator, tensor, zeros, type Tensor } from '@gmml/tensor';
import {
  fitGaussians,
  type ClassGaussians,
  type OpenSetCovariance,
} from '../../packages/gmm/src/openSet/classGaussians.js';
import { addRows, mergeAll, noMoments, type Moments } from '../../packages/gmm/src/linearAlgebra/moments.js';
import { likeliestShrinkage, type Deviations } from '../../packages/gmm/src/openSet/likeliestShrinkage.js';
import { pooledCovariance } from '../../packages/gmm/src/openSet/pooledCovariance.js';
import { towardTarget, towardVariances, type Shrinkage } from '../../packages/gmm/src/openSet/shrinkage.js';
import {
  NO_EXAMPLES,
  withExamples,
  type LabelExamples,
} from '../../packages/gmm/src/openSet/labelExamples.js';
import { OpenSetModel, type Priors } from '../../packages/gmm/src/openSet/openSetModel.js';
import type { Groups } from '../../packages/gmm/src/openSet/ranking.js';
import { vectorsOf } from './openSetExamples.js';

const D = 5;
const COUNTS = [12, 7, 2];
const generator = new Generator(3);
const examples = COUNTS.map((count, k) => vectorsOf(k, count, D, generator));

/** Means and scatters by tensors, as the definition has them. */
interface Group {
  readonly count: number;
  readonly mean: Tensor;
  readonly scatter: Tensor;
}

function groupOf(vectors: readonly Float64Array[]): Group {
  const x = tensor(
    vectors.map((vector) => [...vector]),
    { dtype: 'float64' },
  );
  const mean = x.mean(0);
  const centred = x.sub(mean);
  return { count: vectors.length, mean, scatter: centred.matmul(centred, { transposeA: true }) };
}

function momentsOf(vectors: readonly Float64Array[], spread: 'diagonal' | 'triangle'): Moments {
  return addRows(noMoments(D, spread), Float64Array.from(vectors.flatMap((vector) => [...vector])));
}

/** κ of the observations that the target is worth. */
const worthOf = (freedom: number, amount: number): number => (freedom * amount) / (1 - amount);

const sigmaOf = (scatter: Tensor, freedom: number, target: Tensor, worth: number): Tensor =>
  worth === Infinity ? target : scatter.add(target.mul(worth)).div(freedom + worth);

/** Of every example left out: the log densities of all labels, with moments made anew without it. */
function fromScratch(
  logDensities: (groups: readonly Group[], owner: number) => Tensor[],
  x: number[][],
): Tensor[] {
  let at = 0;
  return examples.flatMap((own, owner) =>
    own.map((_, left) => {
      const groups = examples.map((all, k) => groupOf(k === owner ? all.filter((_v, n) => n !== left) : all));
      const point = tensor(x[at++], { dtype: 'float64' });
      return tensor(
        logDensities(groups, owner).map((sigma, k) =>
          new MultivariateNormal(groups[k].mean, { covariance: sigma }).logProb(point).item(),
        ),
        { dtype: 'float64' },
      );
    }),
  );
}

const rows = Float64Array.from(examples.flat().flatMap((vector) => [...vector]));
const owners = Int32Array.from(examples.flatMap((all, k) => all.map(() => k)));
const names = ['a', 'b', 'c'];
const identity = eye(D, { dtype: 'float64' });
const pooled = (groups: readonly Group[]): Tensor =>
  groups.reduce((sum, { scatter }) => sum.add(scatter), zeros([D, D], { dtype: 'float64' }));
const total = COUNTS.reduce((sum, count) => sum + count, 0);
const everyone = examples.map(groupOf);
const meanVariance = pooled(everyone).trace().item() / (total - 3) / D;

/** Covariances of labels shrunk toward that of all labels, one example of `owner` fewer, the amounts fixed. */
function withTarget(
  scatters: readonly Tensor[],
  all: Tensor,
  owner: number,
  amounts: readonly number[],
  ofPool: number,
): Tensor[] {
  const worth = worthOf(total - 3, ofPool);
  const target = sigmaOf(all, total - 4, identity.mul(meanVariance), worth);
  // As a share of the observations of all labels, what the target is worth stays.
  const share = ofPool < 1 ? (total - 4 + worth) / (total - 3 + worth) : 1;
  return scatters.map((scatter, k) => {
    const freedom = COUNTS[k] - 1;
    const own = amounts[k] < 1 ? worthOf(freedom, amounts[k]) * share : Infinity;
    return sigmaOf(scatter, k === owner ? freedom - 1 : freedom, target, own);
  });
}

/** Examples less the means of their labels. */
const deviations: Deviations = {
  rows: Float64Array.from(
    examples.flatMap((all, k) =>
      all.flatMap((vector) => [...vector].map((value, j) => value - everyone[k].mean.data[j])),
    ),
  ),
  reaches: Float64Array.from(examples.flatMap((all) => all.map(() => all.length / (all.length - 1)))),
};

function fitted(
  moments: readonly Moments[],
  covariance: OpenSetCovariance,
  shrinkage: Shrinkage,
  least = 0,
): ClassGaussians {
  const all = mergeAll(moments, D, covariance === 'diag' ? 'diagonal' : 'triangle');
  const pool = pooledCovariance(moments, all, covariance, shrinkage, () => deviations);
  return fitGaussians(moments, all, covariance, pool, shrinkage, names, least);
}

describe('leaving one out by a rank-one downdate is what fitting without it gives, at fixed shrinkage', () => {
  it.each([0.3, 0.01, 'auto'] as const)('tied, shrinkage %s', (shrinkage) => {
    const moments = examples.map((vectors) => momentsOf(vectors, 'triangle'));
    const scatter = moments[0].scatter.map((_, at) => moments.reduce((sum, m) => sum + m.scatter[at], 0));
    const amount =
      shrinkage === 'auto' ? likeliestShrinkage(scatter, total - 3, meanVariance, deviations) : shrinkage;
    const worth = worthOf(total - 3, amount);
    const target = identity.mul(meanVariance);
    const expected = fromScratch(
      (groups) => {
        const sigma = sigmaOf(pooled(groups), total - 4, target, worth);
        return groups.map(() => sigma);
      },
      examples.flat().map((vector) => [...vector]),
    );
    const gaussians = fitted(moments, 'tied', shrinkage);
    expectSame(gaussians.logDensities(rows, owners), expected);
  });

  it.each([0.3, 0.01, 'auto'] as const)('full, shrinkage %s', (shrinkage) => {
    const moments = examples.map((vectors) => momentsOf(vectors, 'triangle'));
    const scatter = moments[0].scatter.map((_, at) => moments.reduce((sum, m) => sum + m.scatter[at], 0));
    const ofPool =
      shrinkage === 'auto' ? likeliestShrinkage(scatter, total - 3, meanVariance, deviations) : shrinkage;
    const target = sigmaOf(
      pooled(everyone),
      total - 3,
      identity.mul(meanVariance),
      worthOf(total - 3, ofPool),
    );
    const lower = (target.toArray() as number[][]).flatMap((row, i) => row.slice(0, i + 1));
    const amounts = moments.map(({ scatter: own }, k) =>
      shrinkage === 'auto' ? towardTarget(own, Float64Array.from(lower), D, COUNTS[k] - 1) : shrinkage,
    );
    const expected = fromScratch(
      (groups, owner) => {
        const scatters = groups.map((group) => group.scatter);
        return withTarget(scatters, pooled(groups), owner, amounts, ofPool);
      },
      examples.flat().map((vector) => [...vector]),
    );
    const gaussians = fitted(moments, 'full', shrinkage);
    expectSame(gaussians.logDensities(rows, owners), expected);
  });

  it.each([0.3, 0.01, 'auto'] as const)('diag, shrinkage %s', (shrinkage) => {
    const moments = examples.map((vectors) => momentsOf(vectors, 'diagonal'));
    const mean = new Float64Array(D).fill(meanVariance);
    const sums = moments[0].scatter.map((_, j) => moments.reduce((sum, m) => sum + m.scatter[j], 0));
    const ofPool = shrinkage === 'auto' ? towardVariances(sums, mean, total - 3) : shrinkage;
    const variances = sums.map((sum, j) => ((1 - ofPool) * sum) / (total - 3) + ofPool * mean[j]);
    const amounts = moments.map(({ scatter }, k) =>
      shrinkage === 'auto' ? towardVariances(scatter, variances, COUNTS[k] - 1) : shrinkage,
    );
    const expected = fromScratch(
      (groups, owner) => {
        const scatters = groups.map(({ scatter }) => scatter.diagonal().diagEmbed());
        return withTarget(scatters, pooled(groups).diagonal().diagEmbed(), owner, amounts, ofPool);
      },
      examples.flat().map((vector) => [...vector]),
    );
    const gaussians = fitted(moments, 'diag', shrinkage);
    expectSame(gaussians.logDensities(rows, owners), expected);
  });
});

/** The kept examples of the labels, all of them, in the order in which they are scored. */
function keptOf(covariance: OpenSetCovariance, priors: Priors = 'equal') {
  const spread = covariance === 'diag' ? 'diagonal' : 'triangle';
  const labels = new Map(
    names.map((name, k): [string, LabelExamples] => [
      name,
      withExamples(NO_EXAMPLES, COUNTS[k], D, spread, (first, n) =>
        Float64Array.from(examples[k].slice(first, first + n).flatMap((vector) => [...vector])),
      ),
    ]),
  );
  const kept = names.flatMap((name) => labels.get(name)!.kept.map(({ vector }) => vector));
  const model = new OpenSetModel(labels, { features: D, covariance, shrinkage: 0.1, priors });
  return { model, kept, x: Float64Array.from(kept.flatMap((vector) => [...vector])) };
}

const each: Groups = { count: 3, of: Int32Array.of(0, 1, 2) };

describe('shrinkage by left-out examples', () => {
  it('is the amount tried for which they are likeliest when each is really left out', () => {
    const scatter = pooled(everyone);
    const triangle = Float64Array.from(
      (scatter.toArray() as number[][]).flatMap((row, i) => row.slice(0, i + 1)),
    );
    for (const variance of [meanVariance, 1e-3, 50]) {
      const amounts: number[] = [];
      for (let amount = 1 / (total - 2); amount < 1; amount *= Math.sqrt(10)) amounts.push(amount);
      const likelihoods = [...amounts, 1].map((amount) => {
        const worth = worthOf(total - 3, amount);
        const target = identity.mul(variance);
        const densities = fromScratch(
          (groups) => groups.map(() => sigmaOf(pooled(groups), total - 4, target, worth)),
          examples.flat().map((vector) => [...vector]),
        );
        return densities.reduce((sum, row, n) => sum + row.data[owners[n]], 0);
      });
      const best = [...amounts, 1][likelihoods.indexOf(Math.max(...likelihoods))];
      expect(likeliestShrinkage(triangle, total - 3, variance, deviations)).toBeCloseTo(best, 12);
    }
  });

  it('is all there is where nothing can be left out', () => {
    const none = { rows: new Float64Array(), reaches: new Float64Array() };
    expect(likeliestShrinkage(new Float64Array(15), 0, 1, none)).toBe(1);
  });
});

describe('the scores of kept examples leave them out', () => {
  it.each(['equal', 'counts'] as const)('of priors: %s', (priors) => {
    const { model, x } = keptOf('tied', priors);
    const moments = examples.map((vectors) => momentsOf(vectors, 'triangle'));
    const densities = fitted(moments, 'tied', 0.1).logDensities(x, owners);
    const { x: rowsScored, ...left } = model.keptRows();
    expect(rowsScored).toEqual(x);
    expect([...left.owners]).toEqual([...owners]);
    const { logDensity } = model.score(x, [], each, left);
    const expected = Array.from(owners, (owner, i) => {
      const shares = COUNTS.map((count, k) =>
        priors === 'equal' ? 1 / 3 : (count - (k === owner ? 1 : 0)) / (total - 1),
      );
      const own = densities.subarray(3 * i, 3 * i + 3);
      return Math.log(own.reduce((sum, density, k) => sum + shares[k] * Math.exp(density), 0));
    });
    expect(logDensity).toBeAllClose(expected, { rtol: 1e-10 });
  });

  it.each(['tied', 'full', 'diag'] as const)('of labels and background: %s', (covariance) => {
    const { model, x } = keptOf(covariance);
    const spread = covariance === 'diag' ? 'diagonal' : 'triangle';
    const moments = examples.map((vectors) => momentsOf(vectors, spread));
    const all = mergeAll(moments, D, spread);
    const of = covariance === 'full' ? 'tied' : covariance;
    const background = fitted([all], of, 0.1).logDensities(x, new Int32Array(total));
    const above = (least: number): Float64Array =>
      fitted(moments, covariance, 0.1, least)
        .logDensities(x, owners)
        .map((density, at) => density - background[Math.floor(at / 3)]);
    const { x: _, ...left } = model.keptRows();
    const { scores } = model.score(x, ['relative', 'regularized'], each, left);
    expect(scores.relative!).toBeAllClose(above(0), { rtol: 1e-8 });
    expect(scores.regularized!).toBeAllClose(above(0.5), { rtol: 1e-8 });
  });

  it.each(['tied', 'diag'] as const)('of directions: %s', (covariance) => {
    const { model, kept, x } = keptOf(covariance);
    const worth = worthOf(total - 3, 0.3);
    const expected = kept.flatMap((vector, i) => {
      const rest = names.map((_, k) => kept.filter((__, n) => owners[n] === k && n !== i));
      const groups = rest.map(groupOf);
      const mean = groupOf(rest.flat()).mean;
      const all = pooled(groups);
      const scatter = covariance === 'diag' ? all.diagonal().diagEmbed() : all;
      const sigma = sigmaOf(scatter, total - 4, identity.mul(meanVariance), worth);
      const whiten = (v: Float64Array): Tensor => {
        const away = tensor([...v], { dtype: 'float64' })
          .sub(mean)
          .reshape([D, 1]);
        return sigma.cholesky().triangularSolve(away);
      };
      const z = whiten(vector);
      return rest.map((others) =>
        Math.max(
          ...others.map((other) => {
            const w = whiten(other);
            return z.mul(w).sum().item() / Math.sqrt(z.square().sum().item() * w.square().sum().item());
          }),
        ),
      );
    });
    const { x: _, ...left } = model.keptRows();
    expect(model.score(x, ['nearest'], each, left).scores.nearest!).toBeAllClose(expected, { rtol: 1e-9 });
  });

  it('of lengths', () => {
    const { model, kept, x } = keptOf('tied');
    const lengths = kept.map((vector) => Math.hypot(...vector));
    const expected = lengths.flatMap((length, i) =>
      names.map((_, k) => {
        const own = lengths.filter((__, n) => owners[n] === k && n !== i).toSorted((a, b) => a - b);
        const median = (own[(own.length - 1) >> 1] + own[own.length >> 1]) / 2;
        return Math.min(0, 1e-5 * median - Math.abs(length - median));
      }),
    );
    const { x: _, ...left } = model.keptRows();
    expect(model.score(x, ['norm'], each, left).scores.norm!).toBeAllClose(expected, { rtol: 1e-12 });
  });

  it('finds again which of them are kept', () => {
    const { model, x } = keptOf('full');
    const { x: _, ...left } = model.keptRows();
    expect(model.placesOf(x, owners)).toEqual(left);
    const strange = x.map((value) => value + 1);
    expect([...model.placesOf(strange, owners).places]).toEqual([...owners].map((k) => COUNTS[k]));
  });
});

function expectSame(actual: Float64Array, expected: readonly Tensor[]): void {
  const wanted = Float64Array.from(expected.flatMap((row) => [...row.data]));
  expect(actual).toBeAllClose(wanted, { rtol: 1e-8, atol: 1e-8 });
}
