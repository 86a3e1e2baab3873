import type { CovType, GMMLOptions, Parametrization } from '@gmml/gmm';
import { toOnnx } from '@gmml/onnx';
import { Generator, noGrad, randn } from '@gmml/tensor';
import { describe, test } from 'vitest';
import { body, FEATURES, IMAGE, mixture, network } from './networks.js';
import { atNormalScale, expectAnswers, load, mixtureAnswers, ofLargest } from './runtime.js';

const CASES: [CovType, Parametrization, nComponent: number, d: number][] = (
  ['diag', 'tril', 'full'] as const
).flatMap((covType) =>
  (['cholesky', 'gram'] as const).flatMap((parametrization) =>
    [1, 3].flatMap((nComponent) =>
      [FEATURES, 6].map((d): [CovType, Parametrization, number, number] => [
        covType,
        parametrization,
        nComponent,
        d,
      ]),
    ),
  ),
);

/** Compares a file with the network at normal scale, at a hundred times it, and far away. */
async function check(d: number, options: GMMLOptions, seed = 1): Promise<void> {
  const generator = new Generator(seed);
  const features = body(generator).eval();
  const head = mixture(d, { ...options, generator });
  const answer = await load(toOnnx(network(features, head), { inputShape: IMAGE }));
  const cases = [1, 7].flatMap((batch) => {
    const x = randn([batch, ...IMAGE], { generator });
    return [x, x.mul(100), x.add(1e4)].map((input, i) => {
      const made = noGrad(() => features.forward(input));
      const likelihoods = noGrad(() => head.classLogLikelihood(made));
      const tolerance = i === 0 ? atNormalScale : ofLargest(likelihoods);
      return { x: input, expected: mixtureAnswers(head, made), tolerance };
    });
  });
  await expectAnswers(answer, cases);
}

describe('a convolutional network with a mixture head answers as ours does', () => {
  test.each(CASES)('%s, %s, %i components, D = %i', async (covType, parametrization, nComponent, d) => {
    await check(d, { covType, parametrization, nComponent });
  });

  test.each([
    ['with learned priors', { learnPriors: true }],
    ['without a temperature', { temperature: false }],
    ['with a projection of the same size', { projection: 'always' }],
    ['with heavy tails', { logStretchTrick: true }],
    ['with heavy tails and gram', { logStretchTrick: true, parametrization: 'gram' }],
  ] satisfies [string, GMMLOptions][])('%s', async (_, options) => {
    const checks = [1, 2].map((nComponent) =>
      check(FEATURES, { covType: 'tril', nComponent, ...options }, 2),
    );
    await Promise.all(checks);
  });
});
