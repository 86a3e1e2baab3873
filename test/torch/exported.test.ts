// What toGram gives, and what gmml export --format torch writes: torch loads it by its names and predicts the same.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadNetwork } from '@gmml/cli';
import { GaussianMixture, GMML, OpenSetClassifier, type CovType } from '@gmml/gmm';
import { modelToSafetensors, type FittedModel } from '@gmml/gmm/statistics';
import { toGram } from '@gmml/gmm/torch';
import { loadSafetensors, saveSafetensors } from '@gmml/nn';
import { Generator, noGrad, randn, type Tensor } from '@gmml/tensor';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { gmml, gmmlTrain } from '../cli/process.js';
import { findTorch, runPython } from './python.js';

/** A hang guard, not a speed limit. */
const LONG = 5 * 60_000;

const COV_TYPES = ['diag', 'tril', 'full'] as const;

/** A class of `exported.py` with its arguments. */
type Twin = readonly (string | number | boolean | Twin)[];

interface Model {
  readonly name: string;
  readonly twin: Twin;
  readonly x: Tensor;
  /** Writes what torch is to load, and gives what it must say of x. */
  write(path: string): Promise<ArrayLike<number>>;
}

const python = findTorch();
const folder = mkdtempSync(join(tmpdir(), 'gmml-exported-'));
const file = (i: number, kind: string): string => join(folder, `${i}.${kind}`);
const generator = new Generator(1);

const models: Model[] = [
  ...COV_TYPES.flatMap((covType) =>
    [false, true].flatMap((logStretchTrick) =>
      [1, 2].flatMap((nComponent) =>
        [4, 6].map((inputDim) => gram(inputDim, covType, nComponent, logStretchTrick)),
      ),
    ),
  ),
  ...COV_TYPES.map((covType) =>
    network(['--cov-type', covType, '--components', '2'], ['Mixture', 12, 10, 2, covType]),
  ),
  network(['--linear-classifier'], ['Linear', 12, 10]),
  exportedGram(),
  ...(['full', 'tied', 'diag', 'spherical'] as const).map((covariance) =>
    normals(new GaussianMixture({ components: 3, covariance, generator }).fit(randn([60, 4], { generator }))),
  ),
  ...(['full', 'tied', 'diag'] as const).map((covariance) => {
    const classifier = new OpenSetClassifier({ features: 4, covariance, priors: 'counts' });
    classifier.addExamples('a', randn([40, 4], { generator }));
    classifier.addExamples('b', randn([20, 4], { generator }).mul(0.5).add(2));
    return normals(classifier);
  }),
];

const expected: ArrayLike<number>[] = [];

beforeAll(async () => {
  if (python === undefined) return;
  for (const [i, { x }] of models.entries()) saveSafetensors(file(i, 'x'), { x });
  expected.push(...(await Promise.all(models.map((model, i) => model.write(file(i, 'state'))))));
  writeFileSync(join(folder, 'models.json'), JSON.stringify(models.map(({ twin }) => twin)));
  await runPython(python, fileURLToPath(new URL('exported.py', import.meta.url)), [folder]);
}, LONG);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeEach((context) => {
  context.skip(python === undefined, 'no Python with torch');
});

test.each(models.map(({ name }, i) => [name, i] as const))('torch predicts the same: %s', (_name, i) => {
  const { output } = loadSafetensors(file(i, 'answer')).tensors;
  expect(output.data).toBeAllClose(Float64Array.from(expected[i]), { rtol: 1e-5, atol: 1e-5 });
});

test('a layer as gram has the names of the original layer, a network those of its modules', () => {
  const namesOf = (name: string): string[] => {
    const i = models.findIndex((model) => model.name === name);
    return Object.keys(loadSafetensors(file(i, 'state')).tensors).toSorted();
  };
  expect(namesOf('gmml export --parametrization gram')).toEqual([
    'bottleneck.weight',
    'mu_p',
    'omega_p',
    'sigma_p',
  ]);
  expect(namesOf('gmml export of gmml-train --linear-classifier')).toEqual(
    ['conv1', 'conv2', 'head', 'linear'].flatMap((layer) => [`${layer}.bias`, `${layer}.weight`]),
  );
});

/** A layer of which 'gram' has the same mixture: covariances near the identity. */
function layerOf(inputDim: number, covType: CovType, nComponent: number, logStretchTrick: boolean): GMML {
  const options = { covType, nComponent, logStretchTrick, temperature: false, generator };
  const layer = new GMML(inputDim, 4, 3, options);
  layer.sigma.copyFrom(layer.sigma.detach().add(randn(layer.sigma.shape, { generator }).mul(0.1)));
  layer.initOmega(randn([3, nComponent], { generator }).mul(0.3));
  return layer;
}

function gram(inputDim: number, covType: CovType, nComponent: number, logStretchTrick: boolean): Model {
  const layer = layerOf(inputDim, covType, nComponent, logStretchTrick);
  const x = randn([20, inputDim], { generator });
  return {
    name: `toGram, ${covType}, ${nComponent} components, ${inputDim} → 4 features${logStretchTrick ? ', log stretch' : ''}`,
    twin: ['Gram', inputDim, 4, 3, nComponent, covType, logStretchTrick],
    x,
    write: async (path) => {
      saveSafetensors(path, toGram(layer).stateDict(), { format: 'pt' });
      return noGrad(() => layer.forward(x)).data;
    },
  };
}

function network(args: readonly string[], head: Twin): Model {
  const x = randn([7, 1, 28, 28], { generator });
  return {
    name: `gmml export of gmml-train ${args.join(' ')}`,
    twin: ['ReferenceNetwork', 12, head],
    x,
    write: async (path) => {
      const trained = `${path}.trained`;
      const run = await gmmlTrain(
        '--dry-run',
        '--no-open-set',
        '--dim',
        '12',
        '--save-model',
        trained,
        ...args,
      );
      expect(run).toMatchObject({ code: 0, stderr: '' });
      await exported(trained, path);
      return noGrad(() => loadNetwork(trained).network.forward(x)).data;
    },
  };
}

function exportedGram(): Model {
  const layer = layerOf(6, 'full', 2, false);
  const x = randn([20, 6], { generator });
  return {
    name: 'gmml export --parametrization gram',
    twin: ['Gram', 6, 4, 3, 2, 'full'],
    x,
    write: async (path) => {
      await exportedModel(layer, path, '--parametrization', 'gram');
      return noGrad(() => layer.forward(x)).data;
    },
  };
}

/** A model whose log density torch.distributions gives. */
function normals(model: GaussianMixture | OpenSetClassifier): Model {
  const x = randn([20, 4], { generator, dtype: 'float64' });
  return {
    name: `gmml export of ${model.constructor.name}, ${model.covariance}`,
    twin: ['Normals'],
    x,
    write: async (path) => {
      await exportedModel(model, path);
      if (model instanceof GaussianMixture) return model.scoreSamples(x).data;
      return [model.predict(x)].flat().map(({ logDensity }) => logDensity);
    },
  };
}

async function exportedModel(model: FittedModel, to: string, ...args: readonly string[]): Promise<void> {
  const path = `${to}.fitted`;
  writeFileSync(path, modelToSafetensors(model));
  await exported(path, to, ...args);
}

async function exported(path: string, to: string, ...args: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await gmml(['export', path, '--format', 'torch', ...args]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  writeFileSync(to, stdout);
}
