import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { serializeSafetensors } from '@gmml/nn';
import { loadNetwork, ReferenceNetwork } from '@gmml/cli';
import { ArgumentError, FormatError, Generator, randn, zeros, type Tensor } from '@gmml/tensor';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../data/idxFiles.js';

const METADATA = {
  format: 'gmml',
  network: 'reference-cnn',
  head: 'gmml',
  covType: 'tril',
  components: '2',
  dim: '4',
  nClass: '3',
  labels: '0 1 7',
};
const OPTIONS = { nClass: 3, dim: 4, components: 2 };

function file(tensors: Record<string, Tensor>, metadata: Record<string, string>): string {
  const path = join(temporaryFolder(), 'network.safetensors');
  writeFileSync(path, serializeSafetensors(tensors, metadata));
  return path;
}

function stateOf(options: object = {}): Record<string, Tensor> {
  return new ReferenceNetwork({ ...OPTIONS, generator: new Generator(1), ...options }).stateDict();
}

describe('a network from its file', () => {
  test.each([
    ['a mixture', {}, {}],
    ['a diagonal one', { covType: 'diag' }, { covType: 'diag' }],
    ['a linear head', { linearClassifier: true }, { head: 'linear' }],
  ] as const)('computes what was saved: %s', (_, options, changes) => {
    const network = new ReferenceNetwork({ ...OPTIONS, generator: new Generator(1), ...options });
    const metadata = { ...METADATA, ...changes };
    const loaded = loadNetwork(file(network.stateDict(), metadata));
    expect(loaded).toMatchObject({ inputShape: [1, 28, 28], labels: ['0', '1', '7'], metadata });
    expect(loaded.network.training).toBe(false);
    const x = randn([2, 1, 28, 28], { generator: new Generator(2) });
    expect(loaded.network.forward(x).data).toEqual(network.forward(x).data);
  });

  test('is made of its layers', () => {
    const network = new ReferenceNetwork({ ...OPTIONS, generator: new Generator(1) });
    const x = randn([2, 1, 28, 28], { generator: new Generator(2) });
    const made = network.layers().reduce((value, layer) => layer.forward(value), x);
    expect(made).toBeAllClose(network.forward(x), { rtol: 1e-6, atol: 1e-6 });
  });
});

describe('a file that does not fit', () => {
  const remedy = 'Give a file of gmml-train --save-model.';
  const state = stateOf();
  const { 'conv2.bias': _bias, ...lacking } = state;

  test.each<
    [what: string, tensors: Record<string, Tensor>, changes: Record<string, string>, problem: string]
  >([
    [
      'no network',
      state,
      { network: 'vgg' },
      'the network must be one of reference-cnn, mlp, linear-probe: it is "vgg"',
    ],
    [
      'a name of Object',
      state,
      { network: 'constructor' },
      'the network must be one of reference-cnn, mlp, linear-probe: it is "constructor"',
    ],
    ['no head', state, { head: '' }, 'head must be one of gmml, linear: it is ""'],
    ['no covariance', state, { covType: 'tied' }, 'covType must be one of diag, tril, full: it is "tied"'],
    ['no number', state, { dim: '1e3' }, 'dim must be an integer from 1 to 99999999: it is "1e3"'],
    ['no class', state, { nClass: '0' }, 'nClass must be an integer from 1 to 99999999: it is "0"'],
    ['a class without a label', state, { labels: '0 1' }, 'labels must be 3 different words: they are "0 1"'],
    ['a label twice', state, { labels: '0 1 1' }, 'labels must be 3 different words: they are "0 1 1"'],
    [
      'sizes that no memory has',
      state,
      { dim: '99999999' },
      'linear.weight must be [99999999, 1568], as the metadata say: it is [4, 1568]',
    ],
    [
      'components that no memory has',
      state,
      { components: '99999999' },
      'head.mean must be [3, 99999999, 4], as the metadata say: it is [3, 2, 4]',
    ],
    [
      'another head',
      state,
      { head: 'linear' },
      'head.weight must be [3, 4], as the metadata say: there is none',
    ],
    ['no image', state, { imageShape: '28 28' }, 'imageShape must be three sizes: it is "28 28"'],
    [
      'no hidden layers',
      state,
      { network: 'mlp' },
      'hidden must be integers from 1 to 99999999: they are missing',
    ],
    ['a tensor missing', lacking, {}, 'the entries must fit the model: missing: conv2.bias'],
    [
      'a tensor too many',
      { ...state, more: zeros([1]) },
      {},
      'the entries must fit the model: unexpected: more',
    ],
    [
      'a tensor of another shape',
      { ...state, 'conv1.weight': zeros([16, 1, 5, 6]) },
      {},
      'conv1.weight must be [16, 1, 5, 5], as the metadata say: it is [16, 1, 5, 6]',
    ],
  ])('%s', (_, tensors, changes, problem) => {
    const path = file(tensors, { ...METADATA, ...changes });
    expect(() => loadNetwork(path)).toThrow(new FormatError(`${path}: ${problem}. ${remedy}`));
  });

  test('one that is not there', () => {
    const path = join(temporaryFolder(), 'none');
    expect(() => loadNetwork(path)).toThrow(
      new ArgumentError(
        `loadSafetensors: the file must be readable: ${path}: ENOENT: no such file or directory.`,
      ),
    );
  });
});
