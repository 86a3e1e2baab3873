import { LinearProbe, makeNetwork, MultilayerPerceptron, ReferenceNetwork } from '@gmml/cli';
import type { Network, NetworkDescription } from '@gmml/cli';
import { GMML } from '@gmml/gmm';
import { Linear, Sequential } from '@gmml/nn';
import { ArgumentError, Generator, rand, type Tensor } from '@gmml/tensor';
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';

const small = { dim: 6, nClass: 4, linearClassifier: false, covType: 'tril', components: 1 } as const;
const networks: NetworkDescription[] = [
  { ...small, network: 'reference-cnn', imageShape: [1, 28, 28] },
  { ...small, network: 'reference-cnn', imageShape: [3, 13, 10] },
  { ...small, network: 'mlp', imageShape: [1, 28, 28], hidden: [12, 9] },
  { ...small, network: 'mlp', imageShape: [2, 3, 5], hidden: [7], linearClassifier: true },
  { ...small, network: 'linear-probe', imageShape: [1, 8, 8], components: 2, covType: 'diag' },
  { ...small, network: 'linear-probe', imageShape: [1, 28, 28], linearClassifier: true },
];

const shapes = (network: Network) =>
  Object.fromEntries(Object.entries(network.stateDict()).map(([name, { shape }]) => [name, [...shape]]));

function hashOf(network: Network): string {
  const hash = createHash('sha256');
  for (const [name, { data }] of Object.entries(network.stateDict())) {
    hash.update(name);
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest('hex');
}

describe.each(networks)(
  'a network $network of images $imageShape, linear: $linearClassifier',
  (description) => {
    const make = () => makeNetwork(description, new Generator(3));
    const images = (): Tensor => rand([5, ...description.imageShape], { generator: new Generator(1) });

    test('gives posteriors that sum to one', () => {
      const network = make();
      expect(network.features(images()).shape).toEqual([5, 6]);
      const posteriors = network.forward(images()).exp();
      expect(posteriors.shape).toEqual([5, 4]);
      expect(posteriors.sum(1)).toBeAllClose([1, 1, 1, 1, 1], { rtol: 0, atol: 1e-6 });
    });

    test('computes what its layers do one after the other', () => {
      const network = make();
      const scores = new Sequential(...network.layers()).forward(images());
      const expected = network.head instanceof GMML ? scores : scores.logSoftmax(1);
      expect(network.forward(images())).toBeAllClose(expected, { rtol: 1e-6, atol: 1e-6 });
    });

    test('starts a mixture head at the features, and leaves a linear head alone', () => {
      const network = make();
      const before = hashOf(network);
      const labels = rand([5], { generator: new Generator(1) }).mul(0);
      labels.data.set([0, 1, 2, 3, 0]);
      network.initHead({ images: images(), labels }, new Generator(2));
      expect(hashOf(network) === before).toBe(description.linearClassifier);
    });

    test('trains every parameter', () => {
      const network = make();
      network.forward(images()).square().sum().backward();
      for (const [name, parameter] of network.namedParameters())
        expect([name, parameter.grad === null]).toEqual([name, false]);
    });
  },
);

test('networks have their parameters under these names', () => {
  expect(shapes(new MultilayerPerceptron({ dim: 16, linearClassifier: true }))).toEqual({
    'hidden.0.weight': [256, 784],
    'hidden.0.bias': [256],
    'hidden.1.weight': [256, 256],
    'hidden.1.bias': [256],
    'linear.weight': [16, 256],
    'linear.bias': [16],
    'head.weight': [10, 16],
    'head.bias': [10],
  });
  expect(shapes(new LinearProbe({ imageShape: [1, 32, 20], linearClassifier: true }))).toEqual({
    'linear.weight': [128, 640],
    'linear.bias': [128],
    'head.weight': [10, 128],
    'head.bias': [10],
  });
  expect(shapes(new ReferenceNetwork({ imageShape: [3, 33, 31], linearClassifier: true }))).toMatchObject({
    'conv1.weight': [16, 3, 5, 5],
    'linear.weight': [128, 32 * 8 * 7],
  });
});

test('a linear probe with a linear head is linear in the pixels, up to the sum of the posteriors', () => {
  const network = new LinearProbe({
    imageShape: [1, 2, 2],
    dim: 3,
    linearClassifier: true,
    generator: new Generator(1),
  });
  const { linear, head } = network;
  const x = rand([4, 1, 2, 2], { generator: new Generator(2) });
  const weight = (head as Linear).weight.matmul(linear.weight);
  const bias = (head as Linear).weight
    .matmul(linear.bias!.reshape([3, 1]))
    .reshape([10])
    .add((head as Linear).bias!);
  const expected = x.flatten(1).matmul(weight.t()).add(bias).logSoftmax(1);
  expect(network.forward(x)).toBeAllClose(expected, { rtol: 1e-5, atol: 1e-6 });
});

test('the same generator gives the same weights; those of the reference network are what they always were', () => {
  const make = (linearClassifier: boolean) =>
    new ReferenceNetwork({ generator: new Generator(7), dim: 16, nClass: 4, linearClassifier });
  expect(hashOf(make(false))).toBe('6b5c6bf8c55069d511ec691e6c4ab3c09125b6808f49cb2cf89b46aff89a577d');
  expect(hashOf(make(true))).toBe('f84160e7c400a00956964924fe3f7e4cc7e5d1e63a77c4cf80e252d41ef4917c');
});

test('convolutions refuse images that two max-pools leave nothing of', () => {
  expect(() => new ReferenceNetwork({ imageShape: [1, 3, 28] })).toThrow(
    new ArgumentError('cnn: images must be at least 4 × 4: they are 3 × 28. Take mlp or linear-probe.'),
  );
});

test('makeNetwork refuses a network that there is not', () => {
  const description = { ...networks[0], network: 'toString' } as unknown as NetworkDescription;
  expect(() => makeNetwork(description)).toThrow(
    new ArgumentError(
      'makeNetwork: network must be one of reference-cnn, mlp, linear-probe: it is toString.',
    ),
  );
});
