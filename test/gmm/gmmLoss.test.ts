import { describe, expect, it } from 'vitest';
import { GMML, GMMLoss, type CovType } from '@gmml/gmm';
import { Adam, nllLoss } from '@gmml/nn';
import {
  ArgumentError,
  Generator,
  IndexError,
  noGrad,
  randn,
  ShapeError,
  tensor,
  type Tensor,
} from '@gmml/tensor';
import { gradcheck } from '@gmml/tensor/testing';
import { blobs } from './samples.js';

const covTypes: readonly CovType[] = ['diag', 'tril', 'full'];
const labels = tensor([0, 2, 1, 1, 0]);

function inputs(): Tensor {
  return randn([5, 4], { dtype: 'float64', generator: new Generator(1), requiresGrad: true });
}

function scattered(covType: CovType): GMML {
  const generator = new Generator(7);
  const head = new GMML(4, 3, 3, { covType, nComponent: 2, learnPriors: true, dtype: 'float64', generator });
  for (const parameter of head.parameters()) {
    const noise = randn(parameter.shape, { dtype: 'float64', generator }).mul(0.3);
    parameter.copyFrom(parameter.detach().add(noise));
  }
  return head;
}

describe.each(covTypes)('GMMLoss with %s covariances', (covType) => {
  it('is the negative log-likelihood of labels without margin and likelihood', () => {
    const head = scattered(covType);
    const expected = nllLoss(head.forward(inputs()), labels);
    expect(new GMMLoss().forward(head, inputs(), labels)).toBeAllClose(expected, { rtol: 1e-12 });
  });

  it('has the formula for its value', () => {
    const head = scattered(covType);
    const [margin, likelihoodWeight] = [0.7, 0.2];
    const found = new GMMLoss({ margin, likelihoodWeight }).forward(head, inputs(), labels).item();
    const x = head.project(inputs()).toArray() as number[][];
    const means = head.means().toArray() as number[][][];
    const factors = head.scaleTril().toArray() as number[][][][];
    const { logWeights, logPrior } = head.mixtureParameters();
    const temperature = head.logTemperature!.exp().item();
    const score = (row: number[], k: number, stretch: number): number => {
      const parts = means[k].map((mean, g) => {
        const z: number[] = [];
        let logDet = 0;
        for (const [i, l] of factors[k][g].entries()) {
          z.push((row[i] - mean[i] - z.reduce((sum, value, j) => sum + l[j] * value, 0)) / l[i]);
          logDet += Math.log(l[i]);
        }
        const squared = z.reduce((sum, value) => sum + value * value, 0);
        const weight = (logWeights.toArray() as number[][])[k][g];
        return Math.exp(weight - 0.5 * stretch * squared - logDet - 1.5 * Math.log(2 * Math.PI));
      });
      return Math.log(parts.reduce((sum, part) => sum + part, 0));
    };
    const losses = x.map((row, n) => {
      const own = labels.data[n];
      const prior = logPrior.toArray() as number[];
      const scores = prior.map((p, k) => p + temperature * score(row, k, k === own ? 1 + margin : 1));
      const total = Math.log(scores.reduce((sum, s) => sum + Math.exp(s), 0));
      return total - scores[own] - likelihoodWeight * score(row, own, 1);
    });
    expect(found).toBeCloseTo(losses.reduce((sum, loss) => sum + loss, 0) / 5, 10);
  });

  it('has the gradient of its function in the features and every parameter', () => {
    const head = scattered(covType);
    for (const loss of [new GMMLoss({ margin: 0.5 }), new GMMLoss({ margin: 0.3, likelihoodWeight: 0.1 })]) {
      gradcheck((x) => loss.forward(head, x, labels), [inputs(), ...head.parameters()]);
    }
  });
});

describe('GMMLoss', () => {
  it('raises the density of the classes where the classification loss alone does not ask for it', () => {
    const { x, labels: classes } = blobs({ seed: 2, rows: 60, features: 3, components: 2, apart: 5 });
    const [features, targets] = [tensor(x), tensor(classes)];
    const densities = [0, 0.5].map((likelihoodWeight) => {
      const head = new GMML(3, 3, 2, { generator: new Generator(1) });
      const optimizer = new Adam(head.parameters(), { lr: 0.05 });
      const loss = new GMMLoss({ margin: 0.2, likelihoodWeight });
      for (let step = 0; step < 100; step++) {
        optimizer.zeroGrad();
        loss.forward(head, features, targets).backward();
        optimizer.step();
      }
      return noGrad(() => head.logDensity(features).mean().item());
    });
    expect(densities[1]).toBeGreaterThan(densities[0] + 1);
  });

  const head = new GMML(4, 4, 3, { generator: new Generator(1) });
  const x = randn([5, 4], { generator: new Generator(1) });
  const stretched = new GMML(4, 4, 3, { logStretchTrick: true });
  const gram = new GMML(4, 4, 3, { parametrization: 'gram' });
  it.each<[string, () => unknown, new (...args: never[]) => Error, string]>([
    [
      'a negative margin',
      () => new GMMLoss({ margin: -1 }),
      ArgumentError,
      'GMMLoss: margin must be a finite number of at least 0: it is -1.',
    ],
    [
      'a weight that is no number',
      () => new GMMLoss({ likelihoodWeight: NaN }),
      ArgumentError,
      'GMMLoss: likelihoodWeight must be a finite number of at least 0: it is NaN.',
    ],
    [
      'a gram head',
      () => new GMMLoss().forward(gram, x, labels),
      ArgumentError,
      "GMMLoss: the head's posterior must be that of its densities: with parametrization 'gram' it is not. Make the head with parametrization 'cholesky' and without logStretchTrick.",
    ],
    [
      'a stretched head',
      () => new GMMLoss().forward(stretched, x, labels),
      ArgumentError,
      "GMMLoss: the head's posterior must be that of its densities: with logStretchTrick it is not. Make the head with parametrization 'cholesky' and without logStretchTrick.",
    ],
    [
      'labels of another number',
      () => new GMMLoss().forward(head, x, tensor([0])),
      ShapeError,
      'GMMLoss: one label per row: features are [5, 4], labels [1].',
    ],
    [
      'a label that is no class',
      () => new GMMLoss({ margin: 1 }).forward(head, x, labels.add(1)),
      IndexError,
      'GMMLoss: labels must be integers from 0 to 2: label 1 is 3.',
    ],
  ])('refuses %s', (_what, act, kind, message) => {
    expect(act).toThrow(kind);
    expect(act).toThrow(message);
  });
});
