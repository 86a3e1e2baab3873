// Our layers and PyTorch's, through safetensors files: the same names, and the same outputs, both ways.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GMML, type CovType, type GMMLOptions } from '@gmml/gmm';
import { gmmlFromTorch } from '@gmml/gmm/torch';
import {
  BatchNorm2d,
  Conv2d,
  Dropout,
  Flatten,
  LayerNorm,
  Linear,
  loadSafetensors,
  MaxPool2d,
  Module,
  ReLU,
  saveSafetensors,
  Sequential,
} from '@gmml/nn';
import { Generator, randn, type Tensor } from '@gmml/tensor';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { findTorch, runPython } from './python.js';

/** A hang guard, not a speed limit. */
const LONG = 3 * 60_000;

/** float32 on both sides, but for the mixture in many dimensions: its densities are large, and so is their rounding. */
const TOLERANCE = { rtol: 1e-5, atol: 1e-5 };

class Network extends Module {
  readonly features = new Sequential(
    new Conv2d(1, 4, 3, { padding: 1 }),
    new BatchNorm2d(4),
    new ReLU(),
    new MaxPool2d(2),
    new Flatten(),
    new Linear(64, 6),
    new LayerNorm(6),
  );
  readonly head = new GMML(6, 3, 4, { nComponent: 2, covType: 'tril', parametrization: 'gram' });

  override forward(x: Tensor): Tensor {
    return this.head.forward(this.features.forward(x));
  }
}

const mixture =
  (covType: CovType, options: GMMLOptions = {}) =>
  (): Module =>
    new GMML(6, 4, 3, { nComponent: 2, covType, ...options });
const gram = (covType: CovType) => mixture(covType, { parametrization: 'gram' });

/** Each layer as `twins.py` has it under the same name, and the shape of its input. */
const layers: [name: string, make: () => Module, shape: number[]][] = [
  ['Linear', () => new Linear(4, 3), [5, 4]],
  ['Linear without bias', () => new Linear(4, 3, { bias: false }), [2, 5, 4]],
  ['Conv2d', () => new Conv2d(2, 3, 3), [2, 2, 5, 6]],
  [
    'Conv2d with options',
    () => new Conv2d(2, 3, [3, 2], { stride: [2, 1], padding: [1, 0], dilation: [1, 2], bias: false }),
    [2, 2, 6, 5],
  ],
  ['BatchNorm2d', () => new BatchNorm2d(3, { eps: 0.01 }), [2, 3, 4, 4]],
  ['BatchNorm2d without weights', () => new BatchNorm2d(3, { affine: false }), [2, 3, 4, 4]],
  ['BatchNorm2d without statistics', () => new BatchNorm2d(3, { trackRunningStats: false }), [2, 3, 4, 4]],
  ['LayerNorm', () => new LayerNorm([2, 3]), [4, 2, 3]],
  ['LayerNorm without weights', () => new LayerNorm(3, { elementwiseAffine: false }), [4, 3]],
  ['MaxPool2d', () => new MaxPool2d(3, { stride: 2, padding: 1 }), [2, 3, 7, 8]],
  ['ReLU', () => new ReLU(), [3, 4]],
  ['Flatten', () => new Flatten(), [2, 3, 4, 5]],
  ['Dropout', () => new Dropout(), [3, 4]],
  [
    'Sequential',
    () => new Sequential(new Linear(4, 8), new ReLU(), new Sequential(new Linear(8, 2, { bias: false }))),
    [5, 4],
  ],
  ['GMML diag', mixture('diag'), [7, 6]],
  ['GMML tril', mixture('tril'), [7, 6]],
  ['GMML full', mixture('full'), [7, 6]],
  ['GMML gram diag', gram('diag'), [7, 6]],
  ['GMML gram tril', gram('tril'), [7, 6]],
  ['GMML gram full', gram('full'), [7, 6]],
  [
    'GMML gram tril in 128 dimensions, float64',
    () => new GMML(128, 128, 10, { covType: 'tril', parametrization: 'gram', dtype: 'float64' }),
    [20, 128],
  ],
  [
    'GMML gram tril, log stretch',
    mixture('tril', { nComponent: 1, parametrization: 'gram', logStretchTrick: true }),
    [7, 6],
  ],
  ['network', () => new Network(), [3, 1, 8, 8]],
];

const python = findTorch();
const folder = mkdtempSync(join(tmpdir(), 'gmml-torch-'));
const file = (i: number, kind: string): string => join(folder, `${i}.${kind}`);
const read = (i: number, kind: string): Record<string, Tensor> => loadSafetensors(file(i, kind)).tensors;

beforeAll(async () => {
  if (python === undefined) return;
  const generator = new Generator(1);
  for (const [i, [name, make, shape]] of layers.entries()) {
    saveSafetensors(file(i, 'ours'), randomized(make(), generator).stateDict());
    const dtype = name.includes('float64') ? 'float64' : 'float32';
    saveSafetensors(file(i, 'x'), { x: randn(shape, { generator, dtype }) });
  }
  writeFileSync(join(folder, 'names.json'), JSON.stringify(layers.map(([name]) => name)));
  await runPython(python, fileURLToPath(new URL('twins.py', import.meta.url)), [folder]);
}, LONG);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeEach((context) => {
  context.skip(python === undefined, 'no Python with torch');
});

const numbered = layers.map(([name, make], i) => [name, make, i] as const);

describe.each(numbered)('%s', (_name, make, i) => {
  it('gives in torch what it gives here, its state loaded strictly', () => {
    const { output } = read(i, 'answer');
    expect(loaded(make(), read(i, 'ours')).forward(read(i, 'x').x)).toBeAllClose(output, TOLERANCE);
  });

  it('gives here what it gives in torch, its state loaded strictly', () => {
    const { x, output } = read(i, 'pass');
    expect(loaded(make(), read(i, 'theirs')).forward(x)).toBeAllClose(output, TOLERANCE);
  });

  it('names its state as torch does', () => {
    expect(Object.keys(make().stateDict()).toSorted()).toEqual(Object.keys(read(i, 'theirs')).toSorted());
  });
});

describe('a checkpoint of the original layer', () => {
  const checkpoints = numbered.filter(([name]) => name.includes('gram'));

  it.each(checkpoints)('predicts the same: %s', (name, _make, i) => {
    const covType = /diag|tril|full/.exec(name)![0] as CovType;
    const options = { covType, logStretchTrick: name.includes('stretch') };
    const { x, output, precise } = read(i, 'pass');
    const state = read(i, 'theirs');
    const head = gmmlFromTorch(state, options);
    expect(head.parametrization).toBe('gram');
    expect(head.forward(x)).toBeAllClose(output, TOLERANCE);
    expect(head.toParametrization('cholesky').forward(x)).toBeAllClose(output, TOLERANCE);
    const exact = gmmlFromTorch(inFloat64(state), options);
    expect(exact.forward(x.to('float64'))).toBeAllClose(precise, { rtol: 1e-10, atol: 1e-10 });
    const converted = exact.toParametrization('cholesky');
    expect(converted.forward(x.to('float64'))).toBeAllClose(precise, { rtol: 1e-8, atol: 1e-8 });
  });

  it('predicts the same from within a network', () => {
    const i = layers.findIndex(([name]) => name === 'network');
    const { x, output } = read(i, 'pass');
    const { features } = loaded(new Network(), read(i, 'theirs'));
    for (const prefix of [undefined, 'head.']) {
      const head = gmmlFromTorch(read(i, 'theirs'), { covType: 'tril', prefix });
      expect(head.forward(features.forward(x))).toBeAllClose(output, TOLERANCE);
    }
  });
});

function loaded<Layer extends Module>(layer: Layer, state: Record<string, Tensor>): Layer {
  layer.loadStateDict(state);
  return layer.eval();
}

function inFloat64(state: Record<string, Tensor>): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(state).map(([name, value]) => [name, value.to('float64')]));
}

/** Every parameter and buffer away from its start, and within what the layer can have. */
function randomized(layer: Module, generator: Generator): Module {
  for (const [name, tensor] of [...layer.namedParameters(), ...layer.namedBuffers()]) {
    const noise = randn(tensor.shape, { generator, dtype: tensor.dtype }).mul(0.3);
    if (name.endsWith('num_batches_tracked')) tensor.copyFrom([7]);
    else if (/running_var|omega_p/.test(name)) tensor.copyFrom(noise.abs().add(0.5));
    else tensor.copyFrom(tensor.detach().add(noise.div(Math.sqrt(tensor.shape.at(-1) ?? 1))));
  }
  return layer;
}
