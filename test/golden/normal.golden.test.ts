import { MultivariateNormal } from '@gmml/gmm';
import type { Tensor } from '@gmml/tensor';
import { describe, expect, it } from 'vitest';
import { differences, golden, gradientDifferences, leaf, type Tensors } from './golden.js';

/** An output with the gradients that a cotangent at it gives. */
interface Recorded {
  readonly output: Tensor;
  readonly cotangent: Tensor;
  readonly gradients: Tensors;
}

interface Normal {
  readonly name: string;
  readonly kind: 'covariance' | 'scaleDiag' | 'scaleTril';
  readonly x: Tensor;
  readonly mean: Tensor;
  readonly parameter: Tensor;
  readonly logProb: Recorded;
  readonly entropy: Recorded;
}

const { cases }: { cases: Normal[] } = golden('normal');

describe('MultivariateNormal agrees with torch.distributions', () => {
  it.each(cases)('$name', (recorded) => {
    for (const quantity of ['logProb', 'entropy'] as const) {
      const { output, cotangent, gradients } = recorded[quantity];
      const leaves = { x: leaf(recorded.x), mean: leaf(recorded.mean), parameter: leaf(recorded.parameter) };
      const normal = normalOf(recorded.kind, leaves.mean, leaves.parameter);
      const actual = quantity === 'logProb' ? normal.logProb(leaves.x) : normal.entropy();
      expect(differences({ [quantity]: actual }, { [quantity]: output }, 1e-11)).toEqual([]);
      actual.backward(cotangent);
      expect(gradientDifferences(leaves, gradients, 1e-10)).toEqual([]);
    }
  });
});

function normalOf(kind: Normal['kind'], mean: Tensor, parameter: Tensor): MultivariateNormal {
  if (kind === 'covariance') return new MultivariateNormal(mean, { covariance: parameter });
  if (kind === 'scaleTril') return new MultivariateNormal(mean, { scaleTril: parameter });
  return new MultivariateNormal(mean, { scaleDiag: parameter });
}
