import { describe, expect, it } from 'vitest';
import { achlioptas, GMML, MultivariateNormal, type CovType, type GMMLOptions } from '@gmml/gmm';
import { Adam, nllLoss, parseSafetensors, serializeSafetensors } from '@gmml/nn';
import { eye, full, Generator, noGrad, rand, randn, tensor, zeros, type Tensor } from '@gmml/tensor';
import { gradcheck } from '@gmml/tensor/testing';

const covTypes: readonly CovType[] = ['diag', 'tril', 'full'];

/** A float64 layer whose parameters are all away from their start. */
function scattered(inputDim: number, d: number, nClass: number, options: GMMLOptions = {}): GMML {
  const generator = new Generator(7);
  const layer = new GMML(inputDim, d, nClass, { nComponent: 2, dtype: 'float64', generator, ...options });
  for (const parameter of [...layer.parameters(), ...(layer.omega ? [layer.omega] : [])]) {
    const noise = randn(parameter.shape, { dtype: parameter.dtype, generator }).mul(0.3);
    parameter.copyFrom(parameter.detach().add(noise));
  }
  return layer;
}

function inputs(batch: number, dim: number, seed = 1): Tensor {
  return randn([batch, dim], { dtype: 'float64', generator: new Generator(seed), requiresGrad: true });
}

describe.each(covTypes)('GMML with %s covariances', (covType) => {
  it('has the gradient of its function in the input and every parameter', () => {
    for (const options of [
      {},
      { learnPriors: true },
      { logStretchTrick: true },
      { parametrization: 'gram' },
    ] as const) {
      const layer = scattered(4, 3, 3, { covType, ...options });
      gradcheck((x) => layer.forward(x), [inputs(5, 4), ...layer.parameters()]);
      gradcheck((x) => layer.classLogLikelihood(x), [inputs(5, 4), layer.mean, layer.sigma]);
      gradcheck((x) => layer.logDensity(x), [inputs(5, 4), layer.mean, layer.sigma]);
    }
  });

  it('gives log-probabilities that sum to one, also far away and for an empty batch', () => {
    const layer = scattered(4, 4, 5, { covType });
    for (const scale of [1, 1e4]) {
      const rows = layer.forward(inputs(6, 4).mul(scale)).exp().sum(1);
      expect(rows).toBeAllClose([1, 1, 1, 1, 1, 1], { rtol: 1e-12 });
    }
    expect(layer.forward(zeros([0, 4], { dtype: 'float64' })).shape).toEqual([0, 5]);
  });

  it('has densities that integrate to one', () => {
    const layer = scattered(2, 2, 2, { covType });
    const [cells, reach] = [200, 14];
    const side = Array.from({ length: cells }, (_, i) => ((i + 0.5) / cells - 0.5) * reach);
    const grid = tensor(
      side.flatMap((a) => side.map((b) => [a, b])),
      { dtype: 'float64' },
    );
    const area = (reach / cells) ** 2;
    expect(noGrad(() => layer.logDensity(grid).exp().sum()).item() * area).toBeCloseTo(1, 4);
    const each = noGrad(() => layer.classLogLikelihood(grid).exp().sum(0)).mul(area);
    expect(each).toBeAllClose([1, 1], { rtol: 1e-4 });
  });

  it('means what its accessors say', () => {
    const layer = scattered(3, 3, 2, { covType, learnPriors: true });
    const x = inputs(4, 3);
    const normal = new MultivariateNormal(layer.means(), { covariance: layer.covariances() });
    const components = normal.logProb(x.reshape([4, 1, 1, 3]));
    expect(layer.componentLogProb(x)).toBeAllClose(components, { rtol: 1e-10 });
    expect(layer.mixtureWeights().sum()).toBeAllClose(1);
    const joint = components.add(layer.mixtureWeights().log());
    expect(layer.logDensity(x)).toBeAllClose(joint.logSumExp([1, 2]), { rtol: 1e-10 });
    const l = layer.scaleTril();
    expect(l).toBeAllClose(l.tril());
    expect(l.matmul(l, { transposeB: true })).toBeAllClose(layer.covariances(), { rtol: 1e-10, atol: 1e-12 });
  });

  it('separates two classes by training', () => {
    const generator = new Generator(3);
    const layer = new GMML(2, 2, 2, { covType, generator });
    const labels = tensor(Array.from({ length: 80 }, (_, i) => i % 2));
    const centres = labels.reshape([80, 1]).mul(3);
    const x = randn([80, 2], { generator }).add(centres);
    const optimizer = new Adam(layer.parameters(), { lr: 0.05 });
    const start = nllLoss(layer.forward(x), labels).item();
    for (let step = 0; step < 100; step++) {
      optimizer.zeroGrad();
      nllLoss(layer.forward(x), labels).backward();
      optimizer.step();
    }
    expect(nllLoss(layer.forward(x), labels).item()).toBeLessThan(start / 2);
    expect(layer.predict(x).equal(labels).mean().item()).toBeGreaterThan(0.95);
  });

  it('starts from data at the class means with the pooled scale', () => {
    const generator = new Generator(5);
    const labels = tensor(Array.from({ length: 300 }, (_, i) => i % 3));
    const offsets = labels.reshape([300, 1]).mul(tensor([[1, -2]]));
    const x = randn([300, 2], { generator })
      .mul(tensor([[0.5, 2]]))
      .add(offsets);
    for (const parametrization of ['cholesky', 'gram'] as const) {
      const layer = new GMML(2, 2, 3, { covType, parametrization, generator });
      if (layer.projection) layer.projection.copyFrom(eye(2));
      layer.initFromData(x, labels);
      expect(layer.means()).toBeAllClose([[[0, 0]], [[1, -2]], [[2, -4]]], { atol: 0.5 });
      const spread = [0.25, 0, 0, 4];
      expect(layer.covariances()).toBeAllClose(
        [[spread], [spread], [spread]].map((c) => [[c[0].slice(0, 2), c[0].slice(2)]]),
        {
          rtol: 0.2,
          atol: 1e-3,
        },
      );
    }
  });
});

describe('GMML', () => {
  it('names its state, and loads what it saved', () => {
    const layer = scattered(4, 3, 2, { covType: 'tril' });
    expect(Object.fromEntries(Object.entries(layer.stateDict()).map(([name, t]) => [name, t.shape]))).toEqual(
      {
        mean: [2, 2, 3],
        sigma: [2, 2, 3, 3],
        omega: [2, 2],
        logTemperature: [],
        logPrior: [2],
        projection: [3, 4],
      },
    );
    const other = new GMML(4, 3, 2, { nComponent: 2, covType: 'tril', dtype: 'float64' });
    other.loadStateDict(parseSafetensors(serializeSafetensors(layer.stateDict())).tensors);
    expect(other.forward(inputs(3, 4))).toBeAllClose(layer.forward(inputs(3, 4)), { rtol: 0, atol: 0 });
  });

  it("names the state of 'gram' as the original layer does", () => {
    const layer = new GMML(4, 4, 2, { parametrization: 'gram', covType: 'diag' });
    expect(Object.fromEntries(Object.entries(layer.stateDict()).map(([name, t]) => [name, t.shape]))).toEqual(
      {
        mu_p: [2, 1, 4],
        sigma_p: [2, 1, 4, 4],
        omega_p: [2, 1],
        'bottleneck.weight': [4, 4],
      },
    );
    expect(Array.from(layer.namedParameters(), ([name]) => name)).toEqual(['mu_p', 'sigma_p']);
  });

  it('rebuilds what it keeps under noGrad when a parameter changes, however it is written', () => {
    const layer = scattered(3, 3, 2, { covType: 'full' });
    const x = inputs(4, 3).detach();
    const outputs = (): Tensor => noGrad(() => layer.forward(x));
    const fresh = (): Tensor => layer.forward(x).detach();
    const before = outputs();
    expect(outputs()).toBeAllClose(before, { rtol: 0, atol: 0 });
    const changes = [layer.sigma, layer.omega, layer.mean, layer.logTemperature!].map((parameter) => () => {
      parameter.data[0] += 0.5;
    });
    changes.push(() => void layer.loadStateDict(scattered(3, 3, 2, { covType: 'full' }).stateDict()));
    for (const change of changes) {
      const old = outputs();
      change();
      expect(outputs()).toBeAllClose(fresh(), { rtol: 0, atol: 0 });
      expect(outputs()).not.toBeAllClose(old);
    }
  });

  it('accumulates gradients over two backwards without being told anything', () => {
    const layer = scattered(3, 3, 2, { covType: 'tril' });
    const labels = tensor([0, 1, 1, 0]);
    nllLoss(layer.forward(inputs(4, 3)), labels).backward();
    const once = layer.sigma.grad!.clone();
    nllLoss(layer.forward(inputs(4, 3)), labels).backward();
    expect(layer.sigma.grad!).toBeAllClose(once.mul(2));
  });

  it('projects when the sizes differ or always', () => {
    expect(new GMML(5, 5, 2).projection).toBeUndefined();
    expect(new GMML(5, 5, 2, { projection: 'always' }).projection?.shape).toEqual([5, 5]);
    const layer = new GMML(6, 3, 2, { generator: new Generator(1) });
    const x = randn([4, 6], { generator: new Generator(2) });
    const inside = new GMML(3, 3, 2);
    inside.loadStateDict(layer.stateDict(), { strict: false });
    const projected = x.matmul(layer.projection!, { transposeB: true });
    expect(layer.forward(x)).toBeAllClose(inside.forward(projected), { rtol: 1e-6 });
  });

  it('starts with the temperature 1/√D, learns it, and leaves densities alone', () => {
    const layer = new GMML(16, 16, 3, { dtype: 'float64' });
    expect(layer.logTemperature!.exp().item()).toBeCloseTo(0.25, 12);
    const x = inputs(5, 16);
    const density = layer.logDensity(x).detach();
    const cold = layer.classLogLikelihood(x).mul(0.25).logSoftmax(1);
    expect(layer.forward(x)).toBeAllClose(cold, { rtol: 1e-10 });
    nllLoss(layer.forward(x), zeros([5])).backward();
    expect(layer.logTemperature!.grad!.item()).not.toBe(0);
    layer.logTemperature!.copyFrom([1]);
    expect(layer.logDensity(x)).toBeAllClose(density, { rtol: 0, atol: 0 });
    expect(new GMML(4, 4, 2, { temperature: false }).logTemperature).toBeUndefined();
  });

  it('sets means and weights', () => {
    const layer = new GMML(2, 2, 2, { nComponent: 2 });
    layer.initMu(
      tensor([
        [1, 2],
        [3, 4],
      ]),
    );
    expect(layer.means()).toBeAllClose([
      [
        [1, 2],
        [1, 2],
      ],
      [
        [3, 4],
        [3, 4],
      ],
    ]);
    layer.initOmega(
      tensor([
        [0, Math.log(3)],
        [0, 0],
      ]),
    );
    expect(layer.mixtureWeights()).toBeAllClose([
      [0.125, 0.375],
      [0.25, 0.25],
    ]);
  });

  it('is made anew from the same seed', () => {
    const make = (seed: number): Record<string, Tensor> =>
      new GMML(8, 4, 3, { nComponent: 2, generator: new Generator(seed) }).stateDict();
    for (const [name, value] of Object.entries(make(4))) {
      expect(make(4)[name]).toBeAllClose(value, { rtol: 0, atol: 0 });
    }
    expect(make(5).mean).not.toBeAllClose(make(4).mean);
  });

  it('stays feasible for extreme free parameters', () => {
    for (const covType of covTypes) {
      for (const value of [-1e4, -50, 0, 50]) {
        const layer = new GMML(3, 3, 2, { covType, dtype: 'float64' });
        const sigma =
          covType === 'diag' ? full([2, 1, 3], value) : full([3], value).diagEmbed().expand([2, 1, 3, 3]);
        layer.sigma.copyFrom(sigma);
        const output = layer.forward(inputs(4, 3));
        expect(output.isFinite().min().item()).toBe(1);
        expect(layer.scaleTril().diagonal().min().item()).toBeGreaterThanOrEqual(1e-3);
      }
    }
  });

  it('says what is wrong', () => {
    const layer = new GMML(4, 3, 2, { covType: 'full' });
    expect(() => layer.forward(zeros([5, 3]))).toThrow('GMML: features must be [B, 4]: they are [5, 3].');
    expect(() => new GMML(4, 0, 2)).toThrow('GMML: d must be an integer of at least 1: it is 0.');
    expect(() => new GMML(4, 3, 2, { covType: 'diagonal' as CovType })).toThrow(
      "GMML: covType must be one of 'diag', 'tril', 'full': it is 'diagonal'.",
    );
    expect(() => layer.initMu(zeros([2, 2, 3]))).toThrow(
      'GMML.initMu: the means must be [2, 1, 3] or [2, 3]: they are [2, 2, 3].',
    );
    expect(() => layer.initFromData(zeros([3, 4]), tensor([0, 1, 2]))).toThrow(
      'GMML.initFromData: labels must be integers from 0 to 1: label 2 is 2.',
    );
    expect(() => layer.initFromData(zeros([2, 4]), tensor([0, 0]))).toThrow(
      'GMML.initFromData: every class needs an example: there is none of 1. Give more rows.',
    );
    expect(() => layer.initFromData(full([2, 4], NaN), tensor([0, 1]))).toThrow(
      'GMML.initFromData: features must be finite: row 0, column 0 is NaN.',
    );
    layer.sigma.data[9] = NaN;
    expect(() => layer.forward(zeros([1, 4]))).toThrow(
      'GMML: the covariance of class 1, component 0 must be finite: its free parameters are not, or overflow. Lower the learning rate or clip the gradient.',
    );
    const gram = new GMML(4, 4, 2, { parametrization: 'gram', nComponent: 2 });
    gram.initOmega(
      tensor([
        [1, 2],
        [0, 0],
      ]),
    );
    expect(() => gram.forward(zeros([1, 4]))).toThrow(
      'GMML: the weights of a class must not all be 0: those of class 1 are, after the smallest of all was subtracted. Raise one with initOmega.',
    );
  });
});

describe('achlioptas', () => {
  it('has the stated entries and keeps squared lengths on average', () => {
    const r = achlioptas(400, 100, { generator: new Generator(2) });
    const entry = Math.sqrt(3 / 100);
    const share = (value: number): number => r.data.filter((v) => Math.abs(v - value) < 1e-6).length / r.size;
    expect(share(entry)).toBeCloseTo(1 / 6, 1);
    expect(share(-entry)).toBeCloseTo(1 / 6, 1);
    expect(share(0)).toBeCloseTo(2 / 3, 1);
    expect(share(entry) + share(-entry) + share(0)).toBe(1);
    const x = rand([200, 400], { generator: new Generator(3) });
    const ratio = x.matmul(r, { transposeB: true }).square().sum().div(x.square().sum()).item();
    expect(ratio).toBeCloseTo(1, 0);
  });

  it('refuses sizes that are none', () => {
    expect(() => achlioptas(3, 1.5)).toThrow('achlioptas: d must be an integer of at least 1: it is 1.5.');
    expect(() => achlioptas(3, 2, { s: 0.5 })).toThrow(
      'achlioptas: s must be a finite number of at least 1: it is 0.5.',
    );
  });
});
