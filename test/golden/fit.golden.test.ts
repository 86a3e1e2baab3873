import { GMML, type CovType } from '@gmml/gmm';
import { Generator, noGrad, type Tensor } from '@gmml/tensor';
import { describe, expect, it } from 'vitest';
import { golden } from './golden.js';

interface Fitted {
  readonly name: string;
  readonly isDiag: boolean;
  readonly shrinkage: number;
  readonly queries: Tensor;
  /** [N, G], within classes. */
  readonly weights: Tensor;
  readonly means: Tensor;
  readonly covariances: Tensor;
  readonly logLikelihood: Tensor;
  readonly posterior: Tensor;
  readonly posteriorByCounts: Tensor;
  readonly logDensityByCounts: Tensor;
}

interface Choice {
  readonly name: string;
  readonly isDiag: boolean;
  readonly x: Tensor;
  readonly labels: Tensor;
  readonly shrinkage: number;
}

const recorded: {
  data: Record<string, { x: Tensor; labels: Tensor }>;
  cases: (Fitted & { data: string })[];
  mixtures: Fitted[];
  choices: Choice[];
} = golden('fit');

const close = { rtol: 1e-9, atol: 1e-9 };

/** Every type of covariance with its cases: a triangle expresses what the whole matrix does. */
function withTypes<T extends { isDiag: boolean; name: string }>(cases: readonly T[]): [string, CovType, T][] {
  const types: readonly CovType[] = ['diag', 'tril', 'full'];
  return types.flatMap((covType) =>
    cases
      .filter(({ isDiag }) => isDiag === (covType === 'diag'))
      .map((wanted): [string, CovType, T] => [`${wanted.name}, by ${covType}`, covType, wanted]),
  );
}

function layer(x: Tensor, labels: Tensor, covType: CovType, nComponent: number, learnPriors: boolean): GMML {
  const d = x.shape[1];
  const nClass = labels.max().item() + 1;
  const generator = new Generator(1);
  return new GMML(d, d, nClass, { covType, nComponent, learnPriors, dtype: 'float64', generator });
}

function expectFitted(wanted: Fitted, { x, labels }: { x: Tensor; labels: Tensor }, covType: CovType): void {
  const { shrinkage, queries } = wanted;
  const nComponent = wanted.weights.shape[1];
  const [equal, counted] = [false, true].map((learnPriors) => {
    const head = layer(x, labels, covType, nComponent, learnPriors);
    expect(head.fit(x, labels, { shrinkage, generator: new Generator(1) })).toEqual({ shrinkage });
    return head;
  });
  const found = noGrad(() => ({
    weights: equal.mixtureWeights().mul(equal.nClass),
    means: equal.means(),
    covariances: equal.covariances(),
    logLikelihood: equal.classLogLikelihood(queries),
    posterior: equal.forward(queries),
    posteriorByCounts: counted.forward(queries),
    logDensityByCounts: counted.logDensity(queries),
  }));
  for (const name of ['weights', 'means', 'covariances'] as const)
    expect(inOrder(found[name], found.means)).toBeAllClose(wanted[name], close);
  for (const name of ['logLikelihood', 'posterior', 'posteriorByCounts', 'logDensityByCounts'] as const)
    expect(found[name]).toBeAllClose(wanted[name], close);
}

describe('GMML.fit gives the closed form of NumPy and SciPy', () => {
  it.each(withTypes(recorded.cases))('%s', (_, covType, wanted) => {
    expectFitted(wanted, recorded.data[wanted.data], covType);
  });
});

describe('GMML.fit gives the mixtures of scikit-learn within classes', () => {
  it.each(withTypes(recorded.mixtures))('%s', (_, covType, wanted) => {
    expectFitted(wanted, recorded.data.groups, covType);
  });
});

describe('GMML.fit chooses the shrinkage under which rows that were really left out are the most probable', () => {
  it.each(withTypes(recorded.choices))('%s', (_, covType, { x, labels, shrinkage }) => {
    expect(layer(x, labels, covType, 1, false).fit(x, labels)).toEqual({ shrinkage });
  });
});

/** values [N, G, ...] with the components of each class by the first coordinate of their means [N, G, D]. */
function inOrder(values: Tensor, means: Tensor): Tensor {
  const first = means.slice(2, 0, 1).squeeze(2);
  const [classes, components] = first.shape;
  const order = (first.toArray() as number[][]).flatMap((own, k) =>
    own
      .map((value, g) => ({ value, at: k * components + g }))
      .toSorted((a, b) => a.value - b.value)
      .map(({ at }) => at),
  );
  const rest = values.shape.slice(2);
  const flat = values.reshape([classes * components, ...rest]);
  return flat.indexSelect(0, order).reshape(values.shape);
}
