import { defaultGenerator, tensor, type Generator, type Tensor } from '@gmml/tensor';
import { summed } from '../linearAlgebra/vectors.js';
import { SCALE_FLOOR } from './feasible.js';
import { membersOf } from './labelledFeatures.js';

/** Features that vary less than this share of the mean scale are taken to vary as much. */
const SCALE_SHARE = 0.01;

/**
 * Means [N, G, D] and the pooled within-class standard deviations [D] of examples [M, D], in float64.
 * The first component of a class is at its mean, any other half way from there to a random example.
 */
export function startFromData(
  features: Tensor,
  labels: Tensor,
  nClass: number,
  nComponent: number,
  generator: Generator = defaultGenerator(),
): { means: Tensor; scale: Float64Array } {
  const [, d] = features.shape;
  const members = membersOf('GMML.initFromData', features, labels, nClass);
  const x = features.data;
  const means = new Float64Array(nClass * nComponent * d);
  const squares = new Float64Array(d);
  for (const [k, rows] of members.entries()) {
    const start = k * nComponent * d;
    for (const row of rows) for (let j = 0; j < d; j++) means[start + j] += x[row * d + j] / rows.length;
    for (const row of rows) {
      for (let j = 0; j < d; j++) squares[j] += (x[row * d + j] - means[start + j]) ** 2;
    }
    const order = generator.permutation(rows.length);
    for (let g = 1; g < nComponent; g++) {
      const row = rows[order[(g - 1) % order.length]];
      for (let j = 0; j < d; j++) means[start + g * d + j] = (means[start + j] + x[row * d + j]) / 2;
    }
  }
  const scale = squares.map((sum) => Math.sqrt(sum / labels.size));
  const mean = summed(scale) / d;
  const least = Math.max(2 * SCALE_FLOOR, mean === 0 ? 1 : SCALE_SHARE * mean);
  return {
    means: tensor(means, { shape: [nClass, nComponent, d] }),
    scale: scale.map((s) => Math.max(s, least)),
  };
}
