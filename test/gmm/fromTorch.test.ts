import { GMML, type CovType } from '@gmml/gmm';
import { gmmlFromTorch } from '@gmml/gmm/torch';
import { ArgumentError, Generator, ones, randn, zeros, type Tensor } from '@gmml/tensor';
import { describe, expect, it } from 'vitest';

type Tensors = Record<string, Tensor>;

const options = { nComponent: 2, covType: 'tril', parametrization: 'gram', dtype: 'float64' } as const;

/** A checkpoint of 3 classes of 2 components over 4 of 6 features. */
function checkpoint(prefix = '', seed = 1): Tensors {
  const state = new GMML(6, 4, 3, { ...options, generator: new Generator(seed) }).stateDict();
  return Object.fromEntries(Object.entries(state).map(([name, value]) => [prefix + name, value]));
}

const x = randn([5, 6], { dtype: 'float64', generator: new Generator(2) });

describe('gmmlFromTorch', () => {
  it.each(['diag', 'tril', 'full'] as const)('has sizes and dtype of the tensors: %s', (covType) => {
    const head = gmmlFromTorch(checkpoint(), { covType });
    expect(head).toMatchObject({ inputDim: 6, d: 4, nClass: 3, nComponent: 2, covType });
    expect(head).toMatchObject({ parametrization: 'gram', logStretchTrick: false });
    expect(head.mean.dtype).toBe('float64');
    const expected = new GMML(6, 4, 3, { ...options, covType });
    expected.loadStateDict(checkpoint());
    expect(head.forward(x)).toBeAllClose(expected.forward(x), { rtol: 0, atol: 0 });
    expect(head.sigma.data).not.toBe(checkpoint().sigma_p.data);
  });

  it('takes the log stretch trick from its options', () => {
    const head = gmmlFromTorch(checkpoint(), { covType: 'tril', logStretchTrick: true });
    const expected = new GMML(6, 4, 3, { ...options, logStretchTrick: true });
    expected.loadStateDict(checkpoint());
    expect(head.forward(x)).toBeAllClose(expected.forward(x), { rtol: 0, atol: 0 });
  });

  it('finds the prefix, and passes over what stands elsewhere', () => {
    const expected = gmmlFromTorch(checkpoint(), { covType: 'tril' }).forward(x);
    for (const prefix of ['', 'head.', 'module.net.2.', 'a_']) {
      const network = { 'conv.weight': zeros([1, 1, 3, 3]), ...checkpoint(prefix) };
      const tensors = prefix === '' ? checkpoint() : network;
      for (const given of prefix === 'a_' ? [prefix] : [prefix, undefined]) {
        const head = gmmlFromTorch(tensors, { covType: 'tril', prefix: given });
        expect(head.forward(x)).toBeAllClose(expected, { rtol: 0, atol: 0 });
      }
    }
  });

  it('takes the layer of several that the prefix names', () => {
    const both = { ...checkpoint('a.', 1), ...checkpoint('b.', 3) };
    const expected = gmmlFromTorch(checkpoint('', 3), { covType: 'tril' }).forward(x);
    expect(gmmlFromTorch(both, { covType: 'tril', prefix: 'b.' }).forward(x)).toBeAllClose(expected);
    expect(() => gmmlFromTorch(both, { covType: 'tril' })).toThrow(
      new ArgumentError(
        "gmmlFromTorch: the prefix must be given where there are several layers: there are 'a.', 'b.'.",
      ),
    );
  });

  const { 'head.omega_p': _omega, ...withoutOmega } = checkpoint('head.');

  it.each<[what: string, tensors: Tensors, prefix: string | undefined, problems: string]>([
    ['a missing tensor', withoutOmega, undefined, 'missing: head.omega_p [3, 2]'],
    ['an unexpected tensor', { ...checkpoint(), bias: ones([3]) }, undefined, 'unexpected: bias [3]'],
    [
      'wrong shapes',
      { ...checkpoint(), omega_p: ones([3, 1]), sigma_p: ones([3, 2, 4]), 'bottleneck.weight': ones([5, 6]) },
      undefined,
      'wrong shape: omega_p is [3, 1], must be [3, 2]; wrong shape: sigma_p is [3, 2, 4], must be [3, 2, 4, 4]; wrong shape: bottleneck.weight is [5, 6], must be [4, inputDim]',
    ],
    [
      'everything at once',
      {
        mu_p: ones([3, 4]),
        sigma_p: ones([3, 2, 4, 5]),
        'bottleneck.weight': ones([4, 6]),
        omega: ones([3, 2]),
      },
      undefined,
      'wrong shape: mu_p is [3, 4], must be [N, G, D]; missing: omega_p [N, G]; wrong shape: sigma_p is [3, 2, 4, 5], must be [3, 2, 4, 4]; unexpected: omega [3, 2]',
    ],
    [
      'a file without such a layer',
      { weight: ones([3, 4]) },
      undefined,
      'missing: mu_p [N, G, D]; missing: omega_p [N, G]; missing: sigma_p [N, G, D, D]; missing: bottleneck.weight [D, inputDim]; unexpected: weight [3, 4]',
    ],
    [
      'another prefix',
      checkpoint('head.'),
      'tail.',
      'missing: tail.mu_p [N, G, D]; missing: tail.omega_p [N, G]; missing: tail.sigma_p [N, G, D, D]; missing: tail.bottleneck.weight [D, inputDim]',
    ],
    [
      'what is no tensor',
      { ...checkpoint(), omega_p: [[1]] as unknown as Tensor },
      undefined,
      'wrong shape: omega_p is not a tensor, must be [3, 2]',
    ],
  ])('names %s', (_what, tensors, prefix, problems) => {
    expect(() => gmmlFromTorch(tensors, { covType: 'tril', prefix })).toThrow(
      new ArgumentError(
        `gmmlFromTorch: the tensors must be those of one layer: ${problems}. Give the layer's tensors alone, or the prefix that stands before its mu_p.`,
      ),
    );
  });

  it('has to be told the covariance type', () => {
    expect(() => gmmlFromTorch(checkpoint(), {} as { covType: CovType })).toThrow(
      new ArgumentError("gmmlFromTorch: covType must be one of 'diag', 'tril', 'full': it is undefined."),
    );
  });
});
