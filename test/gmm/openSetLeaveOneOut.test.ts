import { describe, expect, it } from 'vitest';
import { MultivariateNormal } from '@gmml/gmm';
import { eye, Generator, tensor, zeros, type Tensor } from '@gmml/tensor';
import { fitGaussians } from '../../packages/gmm/src/openSet/classGaussians.js';
import { mergeAll, noMoments, withRows, type Moments } from '../../packages/gmm/src/openSet/moments.js';
import {
  oracleApproximating,
  towardTarget,
  towardVariances,
} from '../../packages/gmm/src/openSet/shrinkage.js';
import {
  NO_EXAMPLES,
  withExamples,
  type LabelExamples,
} from '../../packages/gmm/src/openSet/labelExamples.js';
import { OpenSetModel } from '../../packages/gmm/src/openSet/openSetModel.js';
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
  return withRows(noMoments(D, spread), Float64Array.from(vectors.flatMap((vector) => [...vector])));
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

describe('leaving one out by a rank-one downdate is what fitting without it gives, at fixed shrinkage', () => {
  it.each([0.3, 0.01, 'auto'] as const)('tied, shrinkage %s', (shrinkage) => {
    const moments = examples.map((vectors) => momentsOf(vectors, 'triangle'));
    const scatter = moments[0].scatter.map((_, at) => moments.reduce((sum, m) => sum + m.scatter[at], 0));
    const amount = shrinkage === 'auto' ? oracleApproximating(scatter, D, total - 3) : shrinkage;
    const worth = worthOf(total - 3, amount);
    const target = identity.mul(meanVariance);
    const expected = fromScratch(
      (groups) => {
        const sigma = sigmaOf(pooled(groups), total - 4, target, worth);
        return groups.map(() => sigma);
      },
      examples.flat().map((vector) => [...vector]),
    );
    const fitted = fitGaussians(moments, mergeAll(moments, D, 'triangle'), 'tied', shrinkage, names);
    expectSame(fitted.logDensities(rows, owners), expected);
  });

  it.each([0.3, 0.01, 'auto'] as const)('full, shrinkage %s', (shrinkage) => {
    const moments = examples.map((vectors) => momentsOf(vectors, 'triangle'));
    const scatter = moments[0].scatter.map((_, at) => moments.reduce((sum, m) => sum + m.scatter[at], 0));
    const ofPool = shrinkage === 'auto' ? oracleApproximating(scatter, D, total - 3) : shrinkage;
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
    const fitted = fitGaussians(moments, mergeAll(moments, D, 'triangle'), 'full', shrinkage, names);
    expectSame(fitted.logDensities(rows, owners), expected);
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
    const fitted = fitGaussians(moments, mergeAll(moments, D, 'diagonal'), 'diag', shrinkage, names);
    expectSame(fitted.logDensities(rows, owners), expected);
  });
});

describe('the scores of kept examples', () => {
  it.each(['equal', 'counts'] as const)('leave them out of labels, background and priors: %s', (priors) => {
    const options = { features: D, covariance: 'tied', shrinkage: 0.1, priors } as const;
    const labels = new Map(
      names.map((name, k): [string, LabelExamples] => [
        name,
        withExamples(NO_EXAMPLES, COUNTS[k], D, 'triangle', (first, n) =>
          Float64Array.from(examples[k].slice(first, first + n).flatMap((vector) => [...vector])),
        ),
      ]),
    );
    const kept = names.flatMap((name) => labels.get(name)!.kept.map(({ vector }) => vector));
    const x = Float64Array.from(kept.flatMap((vector) => [...vector]));
    const moments = examples.map((vectors) => momentsOf(vectors, 'triangle'));
    const of = mergeAll(moments, D, 'triangle');
    const densities = fitGaussians(moments, of, 'tied', 0.1, names).logDensities(x, owners);
    const background = fitGaussians([of], of, 'tied', 0.1, ['all']).logDensities(x, new Int32Array(total));
    const expected = kept.map((_, i) => {
      const own = [...densities.subarray(3 * i, 3 * i + 3)];
      const shares = COUNTS.map((count, k) =>
        priors === 'equal' ? 1 / 3 : (count - (k === owners[i] ? 1 : 0)) / (total - 1),
      );
      const mixture = own.reduce((sum, density, k) => sum + shares[k] * Math.exp(density), 0);
      return { density: Math.log(mixture), relative: Math.max(...own) - background[i] };
    });
    const { density, relative } = new OpenSetModel(labels, options).scoreKept();
    expect(density).toBeAllClose(
      expected.map((score) => score.density),
      { rtol: 1e-10 },
    );
    expect(relative).toBeAllClose(
      expected.map((score) => score.relative),
      { rtol: 1e-8 },
    );
  });
});

function expectSame(actual: Float64Array, expected: readonly Tensor[]): void {
  const wanted = Float64Array.from(expected.flatMap((row) => [...row.data]));
  expect(actual).toBeAllClose(wanted, { rtol: 1e-8, atol: 1e-8 });
}
