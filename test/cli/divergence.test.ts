// Where a network stopped being finite, and what is said of it.
import { join } from 'node:path';
import { ReferenceNetwork, train } from '@gmml/cli';
import type { ReferenceNetworkOptions } from '@gmml/cli';
import { Generator, NotFiniteError, rand, type Tensor } from '@gmml/tensor';
import { describe, expect, test } from 'vitest';
import { brokenParameters, findBroken } from '../../packages/cli/src/training/divergence.js';
import { temporaryFolder } from '../data/idxFiles.js';
import { small } from './checkpointRuns.js';
import { tinyDigits } from './tinyDigits.js';

const images = rand([2, 1, 28, 28], { generator: new Generator(3) });

/** A network with numbers of one parameter multiplied. */
function networkWith(name: string, factor: number, options: ReferenceNetworkOptions = {}): ReferenceNetwork {
  const network = new ReferenceNetwork({ dim: 4, generator: new Generator(2), ...options });
  const [, parameter] = [...network.namedParameters()].find(([known]) => known === name)! as [string, Tensor];
  parameter.copyFrom(parameter.detach().mul(factor));
  return network;
}

describe('the first layer that is not finite', () => {
  test.each([
    ['conv1.weight', NaN, 'the parameters of conv1'],
    ['conv2.bias', Infinity, 'the parameters of conv2'],
    ['linear.weight', NaN, 'the parameters of linear'],
    ['head.mean', NaN, 'the parameters of head'],
    ['head.mean', 1e30, 'the output of head'],
  ])('with %s times %d is %s', (name, factor, expected) => {
    expect(findBroken(networkWith(name, factor), images)).toBe(expected);
  });

  test('is the first whose output is too large, where parameters are finite', () => {
    const network = networkWith('conv1.weight', 1e10);
    expect(findBroken(network, images.mul(1e30))).toBe('the output of conv1');
  });

  test('is none where all are finite, and the network is as it was', () => {
    const network = networkWith('conv1.weight', 1, { linearClassifier: true });
    const before = network.forward(images);
    expect(findBroken(network, images)).toBe(undefined);
    expect(Object.keys(network.conv1)).not.toContain('forward');
    expect(network.forward(images)).toBeAllClose(before, { rtol: 0, atol: 0 });
  });

  test('by parameters alone is the first of the state dict', () => {
    expect(brokenParameters(networkWith('linear.bias', NaN))).toBe('the parameters of linear');
    expect(brokenParameters(networkWith('linear.bias', 1))).toBe(undefined);
  });
});

describe('a run that diverges', () => {
  test('says in which epoch and batch, where, and what is kept', async () => {
    const data = tinyDigits();
    const folder = temporaryFolder();
    const options = { data, lr: 1e30, linearClassifier: true };
    const alone = train({ ...small, ...options });
    await expect(alone).rejects.toThrow(NotFiniteError);
    await expect(alone).rejects.toThrow(
      /^epoch 1, batch 2: .* The first that is not finite: the (output|parameters) of \w+\. Training has diverged: try a smaller --lr\.$/,
    );
    const first = join(folder, 'epoch-0001-batch-000001.safetensors');
    await expect(train({ ...small, ...options, checkpoint: folder, checkpointEvery: 0 })).rejects.toThrow(
      ` The last good checkpoint is kept: ${first}.`,
    );
  });
});
