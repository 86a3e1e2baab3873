import { GaussianMixture, type CovarianceType } from '@gmml/gmm';
import { toOnnx } from '@gmml/onnx';
import { Generator, noGrad, randn, tensor, type Tensor } from '@gmml/tensor';
import { describe, expect, test } from 'vitest';
import { blobs } from '../gmm/samples.js';
import { body, FEATURES, IMAGE } from './networks.js';
import { atNormalScale, decoded, expectAnswers, load, ofLargest, type Answer } from './runtime.js';

/** What the mixture says, as the file must say it. */
function answersOf(mixture: GaussianMixture, x: Tensor): Record<string, Answer> {
  const logs = Array.from(mixture.predictProba(x).data, Math.log);
  return {
    logPosteriors: { shape: [x.shape[0], mixture.components], data: logs },
    label: mixture.predict(x),
    logDensity: mixture.scoreSamples(x),
  };
}

function fitted(covariance: CovarianceType, components: number, features: number): GaussianMixture {
  const { x } = blobs({ seed: 3, rows: 300, features, components, apart: 4 });
  return new GaussianMixture({ components, covariance, generator: new Generator(1) }).fit(x);
}

describe('a Gaussian mixture answers as ours does', () => {
  test.each(
    (['full', 'tied', 'diag', 'spherical'] as const).flatMap((covariance) =>
      [1, 4].flatMap((components) =>
        [1, 6].map((features): [CovarianceType, number, number] => [covariance, components, features]),
      ),
    ),
  )('%s, %i components, D = %i', async (covariance, components, features) => {
    const mixture = fitted(covariance, components, features);
    const answer = await load(toOnnx(mixture, { inputShape: [features] }));
    const generator = new Generator(9);
    const cases = [1, 7, 40].flatMap((batch) => {
      const x = randn([batch, features], { generator }).mul(5);
      return [x, x.mul(100), x.add(1e4)].map((input, i) => {
        const expected = answersOf(mixture, input);
        return { x: input, expected, tolerance: i === 0 ? atNormalScale : ofLargest(expected.logDensity) };
      });
    });
    await expectAnswers(answer, cases);
  });

  test('with a component of weight 0', async () => {
    const init = { weights: [0, 1], means: [[0], [1]], precisions: [[[1]], [[1]]] };
    const mixture = new GaussianMixture({ components: 2, init, maxIterations: 0 }).fit([[0], [1]]);
    expect(Array.from(mixture.weights.data)).toEqual([0, 1]);
    const answer = await load(toOnnx(mixture, { inputShape: [1] }));
    const x = tensor([[0], [3]]);
    await expectAnswers(answer, [{ x, expected: answersOf(mixture, x), tolerance: atNormalScale }]);
  });

  test('behind a network', async () => {
    const generator = new Generator(5);
    const features = body(generator).eval();
    const made = (x: Tensor): Tensor => noGrad(() => features.forward(x));
    const mixture = new GaussianMixture({ components: 3, covariance: 'tied', generator });
    mixture.fit(made(randn([90, ...IMAGE], { generator })));
    const bytes = toOnnx(
      { features, head: mixture },
      { inputShape: IMAGE, labels: ['a', 'b', 'c'], outputs: ['label', 'logDensity'] },
    );
    const answer = await load(bytes);
    const x = randn([7, ...IMAGE], { generator });
    const { logDensity, label } = answersOf(mixture, made(x));
    const answers = await answer(x);
    expect(answers.label.data).toEqual(Float64Array.from(label.data));
    expect(answers.logDensity.data).toBeAllClose(logDensity.data, { rtol: 1e-4, atol: 1e-4 });
    const metadata = decoded(bytes).metadataProps.map(({ key, value }) => [key, value]);
    expect(metadata).toEqual([
      ['head', 'GaussianMixture'],
      ['labels', '["a","b","c"]'],
    ]);
    expect(made(x).shape).toEqual([7, FEATURES]);
  });
});
