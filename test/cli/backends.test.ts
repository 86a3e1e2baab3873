// One program, several backends: the same training within rounding, and the same bits where that is promised.
import { ReferenceNetwork, silentReporter, train } from '@gmml/cli';
import type { BackendName } from '@gmml/tensor';
import { Adadelta, nllLoss } from '@gmml/nn';
import { backendReport, manualSeed, randn, scope, tensor, useBackend } from '@gmml/tensor';
import { afterEach, describe, expect, test } from 'vitest';
import { tinyDigits } from './tinyDigits.js';

const before = backendReport().backend as BackendName;
afterEach(() => useBackend(before));

/** The losses of every batch of an epoch, and of the test after it. */
async function lossesOfAnEpoch(data: string, backend: BackendName, threads: number): Promise<number[]> {
  const losses: number[] = [];
  const reporter = { ...silentReporter, batch: ({ loss }: { loss: number }) => losses.push(loss) };
  // At a rate of 1, Adadelta's first steps are so large for the smallest gradients that rounding alone drives runs apart.
  const options = { data, backend, threads, epochs: 1, batchSize: 16, lr: 0.3, seed: 3, logInterval: 1 };
  const { epochs } = await train({ ...options, openSet: false }, reporter);
  return [...losses, epochs[0].testLoss];
}

describe('an epoch of training', () => {
  test.each([1, 2])('has the losses of the reference on wasm, %i threads', async (threads) => {
    const data = tinyDigits();
    const expected = await lossesOfAnEpoch(data, 'reference', 1);
    const found = await lossesOfAnEpoch(data, 'wasm', threads);
    expect(found.length).toBe(6);
    expect(found).toBeAllClose(expected, { rtol: 1e-3, atol: 1e-4 });
  });

  test.each([1, 2])('has the same bits each time, %i threads', async (threads) => {
    const data = tinyDigits();
    const once = await lossesOfAnEpoch(data, 'wasm', threads);
    expect(await lossesOfAnEpoch(data, 'wasm', threads)).toEqual(once);
  });
});

interface Training {
  readonly network: ReferenceNetwork;
  readonly step: () => void;
}

/** A step on ten images; a network of 32 features. */
function training(): Training {
  manualSeed(2);
  const network = new ReferenceNetwork({ dim: 32 });
  const optimizer = new Adadelta(network.parameters(), { lr: 0.5 });
  const images = randn([10, 1, 28, 28]);
  const labels = tensor(Array.from({ length: 10 }, (_, n) => n));
  const step = (): void => {
    optimizer.zeroGrad();
    nllLoss(network.forward(images), labels).backward();
    optimizer.step();
  };
  return { network, step };
}

/** The parameters after three steps, each inside `around`. */
function trained(around: (fn: () => void) => void): number[][] {
  const { network, step } = training();
  for (let i = 0; i < 3; i++) around(step);
  return [...network.parameters()].map(({ data }) => [...data]);
}

test.each(['reference', 'wasm'] as const)('a scope changes no bit of training on %s', async (backend) => {
  await useBackend(backend);
  expect(trained(scope)).toEqual(trained((fn) => fn()));
});

test('a step inside a scope takes next to nothing of the heap', async () => {
  await useBackend('wasm');
  const { step } = training();
  for (let i = 0; i < 3; i++) scope(step);
  const { arenaOverflows } = backendReport();
  const taken = Array.from({ length: 10 }, () => {
    const start = process.memoryUsage().arrayBuffers;
    scope(step);
    return process.memoryUsage().arrayBuffers - start;
  });
  // Without a scope it is megabytes.
  expect(Math.max(...taken)).toBeLessThan(32_768);
  expect(backendReport().arenaOverflows).toBe(arenaOverflows);
});
