import { Parameter } from '@gmml/nn';
import { ArgumentError, noGrad, tensor, Tensor, type Generator } from '@gmml/tensor';
import { checkNumber } from '@gmml/tensor/checks';
import { eachRow, joined, rowsAt, squaredNorm } from '../linearAlgebra/vectors.js';
import { choleskyComponents, type CovType } from './feasible.js';
import { GaussianMixture } from '../mixture/gaussianMixture.js';
import { sigmaFromCovariances } from './freeParameters.js';
import { asTensor, insideOf, membersOf } from './labelledFeatures.js';
import { chooseShrinkage, RIDGE_SHARE, type Group, type ShrinkageTarget } from '../leaveOneOut.js';
import { addRows, noMoments, type Moments, spreadOf } from '../linearAlgebra/moments.js';
import { blended, meanOfDiagonal, packed, sumOf } from '../linearAlgebra/symmetric.js';
import type { MixtureLayer } from './mixtureLayer.js';
import type { Rows, Vector } from '../mixture/rows.js';

/** Options of `GMML.fit` and `GMML.addClass`. */
export interface GMMLFitOptions {
  /** ρ from 0 to 1 in Σ = (1 − ρ)·S + ρ·T; default 'auto': chosen by leave-one-out log density. */
  readonly shrinkage?: number | 'auto';
  /** Starts EM where there are several components a class. Default: the one that `manualSeed` restarts. */
  readonly generator?: Generator;
}

/** What a fit has chosen. */
export interface GMMLFit {
  /** ρ. */
  readonly shrinkage: number;
}

/** The components of one class as its rows have them, before shrinkage. */
export interface ClassFit {
  readonly count: number;
  /** [G]; their sum is 1. */
  readonly weights: Float64Array;
  /** [G, D]. */
  readonly means: Float64Array;
  /** G packed triangles, or diagonals [D]. */
  readonly covariances: readonly Float64Array[];
  /** The rows of each component, those for which it is the most probable. */
  readonly groups: readonly Group[];
}

/** Fits the layer as `GMML.fit` says. */
export function fitLayer(
  head: MixtureLayer,
  features: Rows,
  labels: Vector,
  { shrinkage = 'auto', generator }: GMMLFitOptions,
): GMMLFit {
  const op = 'GMML.fit';
  checkFit(op, head, shrinkage);
  const x = insideOf(op, head, features);
  const members = membersOf(op, x, asTensor(labels), head.nClass, head.nComponent);
  const { d, covType } = head;
  const own = members.map((rows) => rowsIn(x, rows));
  const moments = own.map((rows) => momentsOfRows(rows, d, covType));
  const variance = varianceWithin(op, moments);
  const classes = own.map((rows, k) => fitClass(rows, moments[k], variance, head, generator));
  const groups = classes.flatMap((each) => each.groups);
  const amount = shrinkage === 'auto' ? chooseShrinkage(groups, pooledOf(groups)) : shrinkage;
  const target = tiedOf(classes);
  const covariances = classes.flatMap((each) =>
    each.covariances.map((covariance) => blended(1 - amount, covariance, amount, target)),
  );
  const means = joined(classes.map((each) => each.means));
  const weights = joined(classes.map((each) => each.weights));
  const total = x.shape[0];
  const priors = Float64Array.from(classes, ({ count }) => count / total);
  setParameters(head, { means, covariances, weights, priors });
  return { shrinkage: amount };
}

/** @throws ArgumentError for a 'gram' layer or a shrinkage outside of its range */
export function checkFit(op: string, head: MixtureLayer, shrinkage: number | 'auto'): void {
  if (head.parametrization === 'gram') {
    throw new ArgumentError(
      `${op}: the parametrization must be 'cholesky': it is 'gram', which cannot express every covariance. Make the layer with { parametrization: 'cholesky' }.`,
    );
  }
  if (shrinkage !== 'auto') checkNumber(op, "shrinkage, unless it is 'auto',", shrinkage, { from: 0, to: 1 });
}

/** Fits the components of one class: in closed form, or by EM from a k-means start. */
export function fitClass(
  rows: Float64Array,
  moments: Moments,
  variance: number,
  { nComponent, covType, d }: Pick<MixtureLayer, 'nComponent' | 'covType' | 'd'>,
  generator?: Generator,
): ClassFit {
  const { count, mean, scatter } = moments;
  if (nComponent === 1) {
    const covariances = [scatter.map((value) => value / count)];
    return { count, weights: Float64Array.of(1), means: mean, covariances, groups: [{ moments, rows }] };
  }
  const x = tensor(rows, { shape: [count, d] });
  const covariance = covType === 'diag' ? 'diag' : 'full';
  const regularization = RIDGE_SHARE * variance;
  const mixture = new GaussianMixture({ components: nComponent, covariance, regularization, generator }).fit(
    x,
  );
  const likely = mixture.predict(x).data;
  const groups = Array.from({ length: nComponent }, (_, g): Group => {
    const at = [...likely.keys()].filter((n) => likely[n] === g);
    const each = rowsIn(x, at);
    return { moments: momentsOfRows(each, d, covType), rows: each };
  });
  const entries = covariance === 'diag' ? d : d * d;
  const values = Float64Array.from(mixture.covariances.data);
  const covariances = eachRow(values, entries).map((own) => (covariance === 'diag' ? own : packed(own, d)));
  const means = Float64Array.from(mixture.means.data);
  return { count, weights: Float64Array.from(mixture.weights.data), means, covariances, groups };
}

/** The moments of rows [n, D]: variances alone for 'diag'. */
export function momentsOfRows(rows: Float64Array, d: number, covType: CovType): Moments {
  return addRows(noMoments(d, spreadOf(covType)), rows);
}

/** The mean variance of the features around class means. @throws ArgumentError when there is none */
function varianceWithin(op: string, classes: readonly Moments[]): number {
  const total = classes.reduce((sum, { count }) => sum + count, 0);
  let [within, square] = [0, 0];
  for (const { count, mean, scatter } of classes) {
    within += meanOfDiagonal(scatter, mean.length) / total;
    square += (count / total) * (squaredNorm(mean) / mean.length);
  }
  // What is smaller than the rounding of the features is none.
  if (within > Number.EPSILON ** 2 * square) return within;
  throw new ArgumentError(
    `${op}: features must vary within classes: every row equals the mean of its class. Give different rows of a class.`,
  );
}

/** The mean of all covariances, weighted by the rows they stand for. */
function tiedOf(classes: readonly ClassFit[]): Float64Array {
  const total = classes.reduce((sum, { count }) => sum + count, 0);
  return sumOf(
    classes.flatMap(({ covariances }) => covariances),
    classes.flatMap(({ count, weights }) => Array.from(weights, (weight) => (count * weight) / total)),
  );
}

function pooledOf(groups: readonly Group[]): ShrinkageTarget {
  const count = groups.reduce((sum, { moments }) => sum + moments.count, 0);
  return { scatter: sumOf(groups.map(({ moments }) => moments.scatter)), count, hasRows: true };
}

/** Sets every free parameter, or none when a covariance cannot be expressed. */
export function setParameters(
  head: MixtureLayer,
  fitted: {
    readonly means: Float64Array;
    readonly covariances: readonly Float64Array[];
    readonly weights: Float64Array;
    readonly priors: Float64Array;
  },
): void {
  const { nClass, nComponent, d, covType } = head;
  noGrad(() => {
    const mean = tensor(fitted.means, { shape: [nClass, nComponent, d] });
    const sigma = sigmaFromCovariances(fitted.covariances, [nClass, nComponent], d, covType);
    const { dtype } = head.mean;
    // Refuses, while nothing has been written, what the layer's own number format cannot factor.
    choleskyComponents(mean.to(dtype), sigma.to(dtype), covType);
    head.mean.copyFrom(mean);
    head.sigma.copyFrom(sigma);
    head.omega.copyFrom(tensor(fitted.weights.map(Math.log), { shape: [nClass, nComponent] }));
    head.logTemperature?.copyFrom(tensor(0, { dtype: 'float64' }));
    const learnsPriors = head.logPrior instanceof Parameter;
    head.logPrior?.copyFrom(
      tensor(fitted.priors.map((prior) => Math.log(learnsPriors ? prior : 1 / nClass))),
    );
  });
}

/** Rows of float64 x [N, D] one after the other. */
function rowsIn(x: Tensor, rows: readonly number[]): Float64Array {
  return rowsAt(x.data as Float64Array, x.shape[1], rows);
}
