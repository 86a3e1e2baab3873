import { GMML, type GMMLOptions, type Parametrization } from '@gmml/gmm';
import { toGram } from '@gmml/gmm/torch';
import { Adam, nllLoss, parseSafetensors, serializeSafetensors } from '@gmml/nn';
import {
  ArgumentError,
  eye,
  Generator,
  NotFiniteError,
  NotPositiveDefiniteError,
  NumericalError,
  randn,
  tensor,
  zeros,
  type Tensor,
} from '@gmml/tensor';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const covTypes = ['diag', 'tril', 'full'] as const;
const gram = { parametrization: 'gram' } as const;

/** Three classes of two components over four features, all parameters away from their start; float64. */
function scattered(options: GMMLOptions = {}, seed = 1, size = 4): GMML {
  const generator = new Generator(seed);
  const layer = new GMML(5, size, 3, { nComponent: 2, dtype: 'float64', generator, ...options });
  for (const each of [layer.mean, layer.sigma]) move(each, 0.3, generator);
  if (layer.parametrization === 'cholesky') {
    move(layer.omega, 0.5, generator);
    layer.logTemperature?.copyFrom([0]);
    // Scales about 2, so that no density is above 1.
    for (let at = 0; at < layer.sigma.size; at++) layer.sigma.data[at] += isOnDiagonal(layer, at) ? 1.5 : 0;
  } else {
    layer.omega.copyFrom(layer.omega.data.map(() => 0.2 + generator.uniform()));
    layer.sigma.copyFrom(layer.sigma.mul(2).detach());
  }
  return layer;
}

function move(x: Tensor, by: number, generator: Generator): void {
  x.copyFrom(x.detach().add(randn(x.shape, { generator, dtype: x.dtype }).mul(by)));
}

function isOnDiagonal({ sigma, d }: GMML, at: number): boolean {
  return sigma.ndim === 3 || (at % (d * d)) % (d + 1) === 0;
}

/** The highest log weight + log density that a component reaches, at its mean. */
function highestPeak(layer: GMML): number {
  const logDeterminants = layer.scaleTril().diagonal().log().sum(-1);
  const logNorm = (layer.d / 2) * Math.log(2 * Math.PI);
  return layer.mixtureWeights().log().sub(logDeterminants).sub(logNorm).max().item();
}

const inputs = (seed = 2, scale = 3): Tensor =>
  randn([30, 5], { dtype: 'float64', generator: new Generator(seed) }).mul(scale);

/** All that a layer says of x. */
function answers(layer: GMML, x: Tensor): Record<string, Tensor> {
  return {
    forward: layer.forward(x).detach(),
    componentLogProb: layer.componentLogProb(x).detach(),
    classLogLikelihood: layer.classLogLikelihood(x).detach(),
    logDensity: layer.logDensity(x).detach(),
    covariances: layer.covariances().detach(),
    mixtureWeights: layer.mixtureWeights().detach(),
  };
}

/** The same mixture, the way that there is to this parametrisation. */
function convert(layer: GMML, to: Parametrization): GMML {
  return to === 'gram' ? toGram(layer) : layer.toParametrization(to);
}

function otherThan(parametrization: Parametrization): Parametrization {
  return parametrization === 'gram' ? 'cholesky' : 'gram';
}

function expectSame(a: GMML, b: GMML, x = inputs(), tolerance = { rtol: 1e-8, atol: 1e-8 }): void {
  const expected = answers(a, x);
  for (const [name, actual] of Object.entries(answers(b, x))) {
    expect(actual, name).toBeAllClose(expected[name], tolerance);
  }
}

function expectClamps(layer: GMML): void {
  expect(() => toGram(layer)).toThrow(/^toGram: 'gram' clamps log weight/);
}

describe.each(covTypes)('GMML.toParametrization and toGram, %s', (covType) => {
  it.each(['gram', 'cholesky'] as const)("from '%s' and back is the same mixture", (parametrization) => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), fc.integer({ min: 1, max: 6 }), (seed, size) => {
        for (const logStretchTrick of [false, true]) {
          const layer = scattered({ covType, parametrization, logStretchTrick }, seed, size);
          const other = convert(layer, otherThan(parametrization));
          expect(other.parametrization).not.toBe(parametrization);
          expect([other.covType, other.nComponent, other.mean.dtype]).toEqual([covType, 2, 'float64']);
          // Tight components are clamped by 'gram'; densities never are.
          const clamps = highestPeak(layer) > 0;
          const pick = ({ forward, ...densities }: Record<string, Tensor>): Record<string, Tensor> =>
            clamps ? densities : { forward, ...densities };
          const expected = pick(answers(layer, inputs()));
          for (const [name, value] of Object.entries(expected)) {
            expect(answers(other, inputs())[name], name).toBeAllClose(value, { rtol: 1e-8, atol: 1e-8 });
          }
          if (clamps) expectClamps(other);
          else expectSame(layer, convert(other, parametrization));
        }
      }),
      { numRuns: 15 },
    );
  });

  it('comes back from a singular A', () => {
    const layer = scattered({ covType, ...gram });
    const { sigma, d } = layer;
    // The first column of every A is 0, so that AᵀA is singular.
    for (let at = 0; at < sigma.size; at += d) sigma.data[at] = 0;
    expectSame(layer, toGram(layer.toParametrization('cholesky')));
  });

  it('is for further training: every parameter that is free learns', () => {
    const layer = scattered({ covType, ...gram }).toParametrization('cholesky');
    const labels = tensor(Array.from({ length: 30 }, (_, n) => n % 3));
    const loss = (): Tensor => nllLoss(layer.forward(inputs()), labels);
    const optimizer = new Adam(layer.parameters(), { lr: 0.01 });
    const before = loss();
    before.backward();
    expect(Array.from(layer.namedParameters(), ([name]) => name)).toEqual([
      'mean',
      'sigma',
      'omega',
      'logTemperature',
    ]);
    for (const [name, { grad }] of layer.namedParameters()) {
      expect(Math.max(...grad!.data.map(Math.abs)), name).toBeGreaterThan(1e-4);
    }
    optimizer.step();
    expect(loss().item()).toBeLessThan(before.item());
  });

  it('keeps float32, within its rounding', () => {
    for (const parametrization of ['gram', 'cholesky'] as const) {
      const layer = scattered({ covType, parametrization, dtype: 'float32' });
      const other = convert(layer, otherThan(parametrization));
      expect(other.forward(inputs().to('float32')).dtype).toBe('float32');
      expectSame(layer, other, inputs().to('float32'), { rtol: 1e-5, atol: 1e-5 });
    }
  });

  it('refuses a factor with too small a diagonal, and takes it scaled up', () => {
    const layer = scattered({ covType, ...gram });
    const scale = covType === 'full' ? 1e-4 : 1e-2;
    const [from, to] = [3 * layer.d ** 2, 4 * layer.d ** 2];
    for (let at = from; at < to; at++) layer.sigma.data[at] *= scale;
    const error = errorOf(() => layer.toParametrization('cholesky'));
    expect(error).toBeInstanceOf(NotPositiveDefiniteError);
    expect(error).toMatchObject({ matrix: 3, pivot: 0 });
    expect(error.message).toMatch(
      /^GMML\.toParametrization: the factor of Σ must have a diagonal above 0\.001: that of class 1, component 1 has 0\.000\d+\. Scale bottleneck\.weight, mu_p and sigma_p up\.$/,
    );
    const c = 100;
    const larger = scattered({ covType, ...gram });
    larger.loadStateDict({
      mu_p: layer.mean.mul(c).detach(),
      sigma_p: layer.sigma.mul(covType === 'full' ? c : Math.sqrt(c)).detach(),
      omega_p: layer.omega,
      'bottleneck.weight': layer.projection!.mul(c),
    });
    const converted = larger.toParametrization('cholesky');
    const lower = layer.componentLogProb(inputs()).sub(layer.d * Math.log(c));
    expect(converted.componentLogProb(inputs())).toBeAllClose(lower, { rtol: 1e-8 });
  });

  it('refuses a covariance of 0', () => {
    const layer = scattered({ covType, ...gram });
    layer.sigma.data.fill(0, 2 * layer.d ** 2, 3 * layer.d ** 2);
    const error = errorOf(() => layer.toParametrization('cholesky'));
    expect(error).toBeInstanceOf(NotPositiveDefiniteError);
    expect(error).toMatchObject({ matrix: 2, pivot: 0 });
    expect(error.message).toContain('class 1, component 0');
  });

  it("refuses what 'gram' has no A for, up to its ridge", () => {
    // Σ, the standard deviations, or L + Lᵀ less the diagonal of L: diagonal, its least entry 1/101 of the mean.
    const ridge = (share: number): number[] => [share, (4 - share) / 3, (4 - share) / 3, (4 - share) / 3];
    const withScales = (s: readonly number[]): GMML => {
      const layer = scattered({ covType });
      const entries = s.map((value) => inverse((covType === 'full' ? Math.sqrt(value) : value) * 100));
      const one = covType === 'diag' ? tensor(entries) : tensor(entries).diagEmbed();
      layer.sigma.copyFrom(one.expand(layer.sigma.shape));
      return layer;
    };
    expectSame(withScales(ridge(1.02 / 101)), toGram(withScales(ridge(1.02 / 101))));
    const error = errorOf(() => toGram(withScales(ridge(0.98 / 101))));
    expect(error).toEqual(
      new NotPositiveDefiniteError(
        "toGram: S of 'gram' has no eigenvalue below 1/101 of the mean: that of class 0, component 0 would. Keep 'cholesky'.",
      ),
    );
  });

  it('is not finite where free parameters are not', () => {
    const layer = scattered({ covType, ...gram });
    layer.sigma.data[2 * layer.d ** 2] = NaN;
    const error = errorOf(() => layer.toParametrization('cholesky'));
    expect(error).toBeInstanceOf(NotFiniteError);
    expect(error.message).toContain('class 1, component 0');
  });
});

describe('GMML.toParametrization and toGram', () => {
  it('shares nothing, and keeps the mode', () => {
    for (const to of ['cholesky', 'gram'] as const) {
      const layer = scattered(gram).eval();
      const before = answers(layer, inputs());
      const other = convert(layer, to);
      expect(other.training).toBe(false);
      for (const each of [...other.parameters(), other.omega, other.projection!]) each.data.fill(0.1);
      expect(answers(layer, inputs())).toEqual(before);
      expect(convert(layer.train(), to).training).toBe(true);
    }
  });

  it('copies a layer that has the parametrisation', () => {
    for (const options of [gram, { temperature: false }, { learnPriors: true }]) {
      const layer = scattered(options);
      const copy = convert(layer, layer.parametrization);
      expect(Object.keys(copy.stateDict())).toEqual(Object.keys(layer.stateDict()));
      expectSame(layer, copy, inputs(), { rtol: 0, atol: 0 });
    }
  });

  it("gives 'gram' the identity where nothing was projected", () => {
    const layer = new GMML(4, 4, 2, { covType: 'tril', temperature: false, dtype: 'float64' });
    expect(toGram(layer).projection).toBeAllClose(eye(4, { dtype: 'float64' }));
  });

  it('keeps components without weight, in a form that optimizers and files take', () => {
    const layer = scattered({ ...gram, covType: 'tril' });
    layer.initOmega(
      tensor([
        [0, 1],
        [2, 2],
        [1, 3],
      ]),
    );
    const other = layer.toParametrization('cholesky');
    for (const scale of [1, 1e4]) {
      const x = inputs().mul(scale);
      expect(other.forward(x)).toBeAllClose(layer.forward(x), { rtol: 1e-8, atol: 1e-8 });
    }
    expect(other.mixtureWeights().data[0]).toBe(0);
    const { tensors } = parseSafetensors(serializeSafetensors(other.stateDict()));
    other.loadStateDict(tensors);
    const optimizer = new Adam(other.parameters(), { lr: 0.1, weightDecay: 0.1 });
    nllLoss(other.forward(inputs()), zeros([30])).backward();
    optimizer.step();
    expect(other.mixtureWeights().data[0]).toBe(0);
    expect(other.omega.data.every(Number.isFinite)).toBe(true);
    const back = toGram(layer.toParametrization('cholesky'));
    expect(back.mixtureWeights()).toBeAllClose(layer.mixtureWeights());
  });

  const tight = scattered({ covType: 'diag' });
  tight.sigma.data.fill(-3, 4, 8);
  const prior = scattered({ learnPriors: true });
  prior.logPrior!.copyFrom([0, 1, 2]);
  const warm = scattered();
  warm.logTemperature!.copyFrom([-0.5]);
  warm.logPrior!.copyFrom([0, 0, 0]);
  const weightless = scattered(gram);
  weightless.initOmega(
    tensor([
      [1, 2],
      [0, 0],
      [1, 1],
    ]),
  );

  it.each([
    [
      'a temperature',
      () => toGram(warm),
      ArgumentError,
      "toGram: 'gram' has no temperature, logTemperature must be 0: it is -0.5. Set it to 0, or keep 'cholesky'.",
    ],
    [
      'priors',
      () => toGram(prior),
      ArgumentError,
      "toGram: 'gram' has no priors, all of logPrior must be equal: entry 0 is 0, entry 1 1. Set them to 0, or keep 'cholesky'.",
    ],
    [
      'a density that would be clamped',
      () => toGram(tight),
      ArgumentError,
      "toGram: 'gram' clamps log weight + log density to 0: class 0, component 1 reaches 6.69. Keep 'cholesky'.",
    ],
    [
      'a class without weight',
      () => weightless.toParametrization('cholesky'),
      NumericalError,
      'GMML: the weights of a class must not all be 0: those of class 1 are, after the smallest of all was subtracted. Raise one with initOmega.',
    ],
    [
      'another parametrisation',
      () => warm.toParametrization('gram' as 'cholesky'),
      ArgumentError,
      "GMML.toParametrization: parametrization must be 'cholesky': it is 'gram'. For 'gram', '@gmml/gmm/torch' has toGram.",
    ],
    [
      'another parametrisation, also of a layer that has it',
      () => weightless.toParametrization('gram' as 'cholesky'),
      ArgumentError,
      "GMML.toParametrization: parametrization must be 'cholesky': it is 'gram'. For 'gram', '@gmml/gmm/torch' has toGram.",
    ],
  ])('refuses %s', (_what, act, kind, message) => {
    expect(act).toThrow(kind);
    expect(act).toThrow(message);
  });

  it('takes the layer when its temperature and priors are set to 0 as it says', () => {
    prior.logPrior!.copyFrom([0, 0, 0]);
    warm.logTemperature!.copyFrom([0]);
    for (const layer of [prior, warm]) expectSame(layer, toGram(layer));
  });
});

function errorOf(act: () => unknown): Error {
  try {
    act();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}

/** x with softplus(x) + 1e-3 = y. */
function inverse(y: number): number {
  return Math.log(Math.expm1(y - 1e-3));
}
