import { GMML } from '@gmml/gmm';
import { nllLoss } from '@gmml/nn';
import type { Tensor } from '@gmml/tensor';
import { describe, expect, it } from 'vitest';
import { differences, golden, gradientDifferences, leaf, type Tensors } from './golden.js';

interface Mixture {
  readonly name: string;
  readonly options: { readonly covType: 'diag' | 'tril' | 'full'; readonly learnPriors?: boolean };
  readonly x: Tensor;
  readonly labels: Tensor;
  readonly mean: Tensor;
  readonly sigma: Tensor;
  readonly omega: Tensor;
  readonly logTemperature: Tensor;
  readonly logPrior: Tensor;
  readonly outputs: Tensors;
  readonly losses: Record<'nll' | 'meanLogDensity', { readonly value: Tensor; readonly gradients: Tensors }>;
}

/** Each recorded output, and the method that gives it. */
const OUTPUTS: Record<string, (layer: GMML, x: Tensor) => Tensor> = {
  componentLogProb: (layer, x) => layer.componentLogProb(x),
  classLogLikelihood: (layer, x) => layer.classLogLikelihood(x),
  logDensity: (layer, x) => layer.logDensity(x),
  forward: (layer, x) => layer.forward(x),
  covariances: (layer) => layer.covariances(),
  mixtureWeights: (layer) => layer.mixtureWeights(),
};

const LOSSES = {
  nll: (layer: GMML, x: Tensor, labels: Tensor) => nllLoss(layer.forward(x), labels),
  meanLogDensity: (layer: GMML, x: Tensor) => layer.logDensity(x).mean(),
};

const { cases }: { cases: Mixture[] } = golden('mixture');

describe('the mixture layer agrees with its formulas in torch', () => {
  it.each(cases)('$name', (recorded) => {
    const layer = layerOf(recorded);
    const rtol = recorded.name.includes('far') ? 1e-8 : 1e-10;
    for (const [name, expected] of Object.entries(recorded.outputs)) {
      const actual = OUTPUTS[name](layer, recorded.x);
      expect(differences({ [name]: actual }, { [name]: expected }, rtol)).toEqual([]);
    }
    for (const [name, { value, gradients }] of Object.entries(recorded.losses)) {
      layer.zeroGrad();
      const x = leaf(recorded.x);
      const loss = LOSSES[name as keyof typeof LOSSES](layer, x, recorded.labels);
      loss.backward();
      expect(differences({ [name]: loss }, { [name]: value }, rtol)).toEqual([]);
      const leaves = { ...Object.fromEntries(layer.namedParameters()), x };
      expect(gradientDifferences(leaves, gradients, rtol)).toEqual([]);
    }
  });

  it('covers log p far below, and above, 0', () => {
    const densities = cases.flatMap(({ outputs }) => Array.from(outputs.logDensity.data));
    expect(Math.min(...densities)).toBeLessThan(-1e8);
    expect(Math.max(...densities)).toBeGreaterThan(25);
  });
});

function layerOf({ mean, sigma, omega, logTemperature, logPrior, options }: Mixture): GMML {
  const [classes, nComponent, size] = mean.shape;
  const layer = new GMML(size, size, classes, { nComponent, ...options, dtype: 'float64' });
  const state: Tensors = { mean, sigma, omega, logPrior };
  if (layer.logTemperature) state.logTemperature = logTemperature;
  layer.loadStateDict(state);
  return layer;
}
