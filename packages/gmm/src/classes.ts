import { ArgumentError, cat, noGrad, tensor, type Tensor } from '@gmml/tensor';
import { eachRow } from './linearAlgebra/vectors.js';
import { checkFit, fitClass, insideOf, momentsOf, rowsIn, type GMMLFitOptions } from './fit.js';
import { membersOf, sigmaFromCovariances } from './initialize.js';
import { chooseShrinkage } from './leaveOneOut.js';
import { blended, meanOfDiagonal, packed, sumOf } from './linearAlgebra/symmetric.js';
import type { MixtureLayer } from './mixtureLayer.js';
import type { Rows } from './mixture/rows.js';
import { checkLabel } from './sample.js';

/**
 * A layer like `head` with one class more, `make`d for it: the classes of `head` as they are, and last one
 * that is fitted to features.
 * @param make called once everything has been looked at
 */
export function withClass<Layer extends MixtureLayer>(
  head: MixtureLayer,
  features: Rows,
  { shrinkage = 'auto', generator }: GMMLFitOptions,
  make: (nClass: number) => Layer,
): Layer {
  const op = 'GMML.addClass';
  checkFit(op, head, shrinkage);
  const { nClass, nComponent, d, covType } = head;
  const x = insideOf(op, head, features);
  const count = x.shape[0];
  if (count < nComponent) {
    throw new ArgumentError(
      `${op}: the class needs as many rows as components, ${nComponent}: it has ${count}. Give more rows.`,
    );
  }
  const [members] = membersOf(op, x, tensor(new Float64Array(count)), 1);
  const rows = rowsIn(x, members);
  const target = tiedOf(head);
  const fitted = fitClass(rows, momentsOf(rows, d, covType), meanOfDiagonal(target, d), head, generator);
  const pooled = { scatter: target, count: 1, hasRows: false };
  const amount = shrinkage === 'auto' ? chooseShrinkage(fitted.groups, pooled) : shrinkage;
  const covariances = fitted.covariances.map((covariance) => blended(1 - amount, covariance, amount, target));
  const wider = make(nClass + 1);
  noGrad(() => {
    append(wider.mean, head.mean, tensor(fitted.means, { shape: [1, nComponent, d] }));
    const sigma = sigmaFromCovariances(covariances, [1, nComponent], d, covType, op, nClass);
    append(wider.sigma, head.sigma, sigma);
    append(wider.omega, head.omega, tensor(fitted.weights.map(Math.log), { shape: [1, nComponent] }));
    const others = head.logPrior!.logSoftmax(0).add(Math.log(nClass / (nClass + 1)));
    append(wider.logPrior!, others, tensor(Float64Array.of(-Math.log(nClass + 1))));
    copyShared(wider, head);
    // Refuses what the layer's own number format cannot factor.
    wider.sampleParameters();
  });
  return wider;
}

/** A layer like `head` without one class. */
export function withoutClass<Layer extends MixtureLayer>(
  head: MixtureLayer,
  label: number,
  make: (nClass: number) => Layer,
): Layer {
  checkLabel('GMML.removeClass', head, label);
  if (head.nClass === 1) {
    throw new ArgumentError('GMML.removeClass: a class must remain: the layer has 1.');
  }
  const narrower = make(head.nClass - 1);
  noGrad(() => {
    narrower.mean.copyFrom(without(head.mean, label));
    narrower.sigma.copyFrom(without(head.sigma, label));
    narrower.omega.copyFrom(without(head.omega, label));
    if (head.logPrior) narrower.logPrior!.copyFrom(without(head.logPrior, label).logSoftmax(0));
    copyShared(narrower, head);
  });
  return narrower;
}

/** to = from and one entry more. */
function append(to: Tensor, from: Tensor, last: Tensor): void {
  to.copyFrom(cat([from.detach(), last.to(from.dtype)]));
}

/** What does not depend on the number of classes. */
function copyShared(to: MixtureLayer, from: MixtureLayer): void {
  if (from.projection) to.projection!.copyFrom(from.projection);
  if (from.logTemperature) to.logTemperature!.copyFrom(from.logTemperature.detach());
  to.training = from.training;
}

/** The mean of all covariances by their weights, float64: a packed triangle, or variances for 'diag'. */
function tiedOf(head: MixtureLayer): Float64Array {
  const { d, covType } = head;
  const [covariances, weights] = noGrad(() => [head.covariances(), head.mixtureWeights()]);
  const all = Float64Array.from(covariances.data);
  const tied = sumOf(eachRow(all, d * d), weights.data);
  return covType === 'diag' ? Float64Array.from({ length: d }, (_, i) => tied[i * (d + 1)]) : packed(tied, d);
}

/** x [N, ...] without its entry at `label`. */
function without(x: Tensor, label: number): Tensor {
  const each = x.size / x.shape[0];
  const left = x.data.filter((_, at) => Math.floor(at / each) !== label);
  return tensor(left, { shape: [x.shape[0] - 1, ...x.shape.slice(1)], dtype: x.dtype });
}
