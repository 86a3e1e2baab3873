import { GMML } from '@gmml/gmm';
import { nllLoss } from '@gmml/nn';
import { NotPositiveDefiniteError, type Tensor } from '@gmml/tensor';
import { describe, expect, it } from 'vitest';
import { differences, golden, gradientDifferences, leaf, type Tensors } from './golden.js';

interface Gram {
  readonly name: string;
  readonly options: { readonly covType: 'diag' | 'tril' | 'full'; readonly logStretchTrick: boolean };
  readonly x: Tensor;
  readonly labels: Tensor;
  readonly state: Tensors;
  readonly outputs: Tensors;
  readonly nll: { readonly value: Tensor; readonly gradients: Tensors };
}

/** Each recorded output, and the method that gives it. */
const OUTPUTS: Record<string, (layer: GMML, x: Tensor) => Tensor> = {
  componentLogProb: (layer, x) => layer.componentLogProb(x),
  forward: (layer, x) => layer.forward(x),
  covariances: (layer) => layer.covariances(),
  mixtureWeights: (layer) => layer.mixtureWeights(),
};

const { cases }: { cases: Gram[] } = golden('gram');
const isFinite = ({ outputs }: Gram): boolean => !Number.isNaN(outputs.forward.data[0]);

describe('the compatibility mode agrees with its formulas in torch', () => {
  it.each(cases.filter(isFinite))('$name', (recorded) => {
    const layer = layerOf(recorded);
    const rtol = recorded.name.includes('far') ? 1e-8 : 1e-10;
    for (const [name, expected] of Object.entries(recorded.outputs)) {
      const actual = OUTPUTS[name](layer, recorded.x);
      expect(differences({ [name]: actual }, { [name]: expected }, rtol)).toEqual([]);
    }
    const x = leaf(recorded.x);
    const loss = nllLoss(layer.forward(x), recorded.labels);
    loss.backward();
    expect(differences({ nll: loss }, { nll: recorded.nll.value }, rtol)).toEqual([]);
    const leaves = { ...Object.fromEntries(layer.namedParameters()), x };
    expect(gradientDifferences(leaves, recorded.nll.gradients, rtol)).toEqual([]);
    // omega_p and the projection are not trained.
    const trained = Object.entries(leaves).filter(([, each]) => each.grad?.data.some((g) => g !== 0));
    expect(Object.keys(recorded.nll.gradients)).toEqual(
      expect.arrayContaining(trained.map(([name]) => name)),
    );
  });

  const isTight = (recorded: Gram): boolean =>
    isFinite(recorded) && layerOf(recorded).scaleTril().diagonal().min().item() <= 1e-3;

  it.each(cases.filter(isTight))("$name, too tight for 'cholesky'", (recorded) => {
    expect(() => layerOf(recorded).toParametrization('cholesky')).toThrow(NotPositiveDefiniteError);
  });

  const convertible = cases.filter((each) => isFinite(each) && !isTight(each));

  it.each(convertible)("$name, converted to 'cholesky'", (recorded) => {
    const layer = layerOf(recorded).toParametrization('cholesky');
    const { forward, ...densities } = recorded.outputs;
    // Posteriors are the same unless 'gram' has clamped something.
    const { componentLogProb, mixtureWeights } = densities;
    const clamps = componentLogProb.add(mixtureWeights.log()).max().item() > 0;
    for (const [name, expected] of Object.entries(clamps ? densities : { ...densities, forward })) {
      const actual = OUTPUTS[name](layer, recorded.x);
      expect(differences({ [name]: actual }, { [name]: expected }, 1e-8)).toEqual([]);
    }
  });

  it('a class whose weights are all 0 is an error, where torch has NaN', () => {
    const [bad, ...others] = cases.filter((each) => !isFinite(each));
    expect(others).toEqual([]);
    expect(() => layerOf(bad).forward(bad.x)).toThrow(/weight/);
  });

  it('covers components that are clamped', () => {
    const clamped = cases.filter(({ name }) => name.includes('clamped'));
    for (const { outputs } of clamped) expect(Math.max(...outputs.componentLogProb.data)).toBeGreaterThan(0);
  });
});

function layerOf({ state, options }: Gram): GMML {
  const [classes, nComponent, size] = state.mu_p.shape;
  const inputSize = state['bottleneck.weight'].shape[1];
  const layer = new GMML(inputSize, size, classes, {
    nComponent,
    ...options,
    parametrization: 'gram',
    dtype: 'float64',
  });
  layer.loadStateDict(state);
  return layer;
}
