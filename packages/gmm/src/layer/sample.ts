import { noGrad, tensor, type Generator, type Tensor } from '@gmml/tensor';
import { checkInteger } from '@gmml/tensor/checks';
import { summed } from '../linearAlgebra/vectors.js';
import { checkLabel } from '../checks.js';
import { drawIndex } from '../drawIndex.js';
import type { MixtureLayer } from './mixtureLayer.js';

/** Options of `GMML.sample`. */
export interface GMMLSampleOptions {
  /** Draw from this class alone, from 0 to N − 1. Default: a class for each sample, by the priors. */
  readonly label?: number;
  /** Default: the one that `manualSeed` restarts. */
  readonly generator?: Generator;
}

/** Samples with the classes they were drawn from. */
export interface LabelledSamples {
  /** [n, D], in the space of the mixture: after the projection where there is one. */
  readonly x: Tensor;
  /** [n]. */
  readonly labels: Tensor;
}

/** n samples as `GMML.sample` says: a component by its weight, then μ + L ε. */
export function sampleLayer(
  head: MixtureLayer,
  n: number,
  label: number | undefined,
  generator: Generator,
): LabelledSamples {
  checkInteger('GMML.sample', 'n', n, 1);
  if (label !== undefined) checkLabel('GMML.sample', head.nClass, label);
  const { d, nComponent } = head;
  const [weights, means, factors] = noGrad(() => [
    Float64Array.from(head.mixtureWeights().data),
    head.means().data,
    head.scaleTril().data,
  ]);
  const own =
    label === undefined ? weights : weights.map((w, at) => (Math.floor(at / nComponent) === label ? w : 0));
  const total = summed(own);
  const x = new Float64Array(n * d);
  const labels = new Float64Array(n);
  const noise = new Float64Array(d);
  for (let i = 0; i < n; i++) {
    const component = drawIndex(own, total * generator.uniform());
    labels[i] = Math.floor(component / nComponent);
    for (let j = 0; j < d; j++) noise[j] = generator.normal();
    for (let j = 0; j < d; j++) {
      let sum = means[component * d + j];
      for (let l = 0; l <= j; l++) sum += factors[(component * d + j) * d + l] * noise[l];
      x[i * d + j] = sum;
    }
  }
  const { dtype } = head.mean;
  return { x: tensor(x, { shape: [n, d], dtype }), labels: tensor(labels, { dtype }) };
}
