import { ArgumentError, cat, noGrad, tensor, type Tensor } from '@gmml/tensor';
import { checkLabel } from '../checks.js';
import { eachRow, indices } from '../linearAlgebra/vectors.js';
import { checkFit, fitClass, momentsOfRows, type GMMLFitOptions } from './fit.js';
import { sigmaFromCovariances } from './freeParameters.js';
import { insideOf } from './labelledFeatures.js';
import { chooseShrinkage } from '../leaveOneOut.js';
import { blended, meanOfDiagonal, packed, sumOf } from '../linearAlgebra/symmetric.js';
import type { MixtureLayer } from './mixtureLayer.js';
import type { Rows } from '../mixture/rows.js';

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
  const rows = x.data as Float64Array;
  const target = tiedOf(head);
  const fitted = fitClass(rows, momentsOfRows(rows, d, covType), meanOfDiagonal(target, d), head, generator);
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
    wider.mixtureParameters();
  });
  return wider;
}

/** A layer like `head` without one class. */
export function withoutClass<Layer extends MixtureLayer>(
  head: MixtureLayer,
  label: number,
  make: (nClass: number) => Layer,
): Layer {
  checkLabel('GMML.removeClass', head.nClass, label);
  if (head.nClass === 1) {
    throw new ArgumentError('GMML.removeClass: a class must remain: the layer has 1.');
  }
  const narrower = make(head.nClass - 1);
  const kept = Array.from(indices(head.nClass)).filter((k) => k !== label);
  noGrad(() => {
    narrower.mean.copyFrom(head.mean.indexSelect(0, kept));
    narrower.sigma.copyFrom(head.sigma.indexSelect(0, kept));
    narrower.omega.copyFrom(head.omega.indexSelect(0, kept));
    if (head.logPrior) narrower.logPrior!.copyFrom(head.logPrior.indexSelect(0, kept).logSoftmax(0));
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
