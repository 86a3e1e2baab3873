import { OpenSetClassifier, type OpenSetCovariance } from '@gmml/gmm';
import { toOnnx } from '@gmml/onnx';
import { cat, Generator, noGrad, randn, tensor, type Tensor } from '@gmml/tensor';
import { describe, expect, test } from 'vitest';
import { body, FEATURES, IMAGE } from './networks.js';
import { answersOf, classifierOf, examples, queries } from './openSetSamples.js';
import { atNormalScale, expectAnswers, expectSame, load, ofLargest } from './runtime.js';

const COVARIANCES: OpenSetCovariance[] = ['tied', 'full', 'diag'];

/** Compares the file with the classifier at normal scale, at a hundred times it, and far away. */
async function check(classifier: OpenSetClassifier): Promise<void> {
  const d = classifier.features;
  const generator = new Generator(9);
  const answer = await load(toOnnx(classifier, { inputShape: [d] }));
  const cases = [1, 7, 60].flatMap((batch) => {
    const x = queries(batch, d, generator);
    return [x, x.mul(100), x.add(1e4)].map((input, i) => {
      const expected = answersOf(classifier, input);
      return { x: input, expected, tolerance: i === 0 ? atNormalScale : ofLargest(expected.logDensity) };
    });
  });
  await expectAnswers(answer, cases);
}

describe('an open-set classifier answers as ours does', () => {
  test.each(COVARIANCES)('%s, not calibrated', async (covariance) => {
    await check(classifierOf([80, 60, 70], { covariance }));
  });

  test.each(COVARIANCES)(
    '%s, calibrated by kept examples, each label ranked by itself',
    async (covariance) => {
      const classifier = classifierOf([80, 60, 70], { covariance });
      classifier.calibrate({ keep: 0.9 });
      await check(classifier);
    },
  );

  test.each(COVARIANCES)('%s, calibrated, few examples: all labels ranked together', async (covariance) => {
    const classifier = classifierOf([12, 20, 25], { covariance, priors: 'counts' });
    classifier.calibrate();
    await check(classifier);
  });

  test.each(COVARIANCES)('%s, calibrated, labels with many and with few examples', async (covariance) => {
    const classifier = classifierOf([60, 9, 300, 14, 55, 1], { covariance });
    classifier.calibrate({ keep: 0.8 });
    await check(classifier);
  });

  test.each(COVARIANCES)('%s, calibrated by held-out samples', async (covariance) => {
    const classifier = classifierOf([80, 60, 70], { covariance });
    const generator = new Generator(3);
    const labels = [0, 1, 2].flatMap((k) => Array.from({ length: 30 }, () => `label ${k}`));
    const held = cat([0, 1, 2].map((k) => examples(k, 30, 5, generator)));
    classifier.calibrate({ examples: held, labels });
    await check(classifier);
  });

  test.each(['density', 'relative', 'regularized', 'nearest', 'norm'] as const)(
    'by %s alone',
    async (score) => {
      const checks = [
        [80, 60, 70],
        [10, 12, 14],
      ].map((counts) => {
        const classifier = classifierOf(counts, { covariance: 'full', score });
        classifier.calibrate({ keep: 0.9 });
        return check(classifier);
      });
      await Promise.all(checks);
    },
  );

  test.each(COVARIANCES)('%s, one label', async (covariance) => {
    const classifier = classifierOf([80], { covariance });
    classifier.calibrate();
    await check(classifier);
  });

  test.each(COVARIANCES)('%s, one feature', async (covariance) => {
    // Without 'nearest': directions are the same or opposite, and ranks of their cosines those of rounding. And with few
    // examples: near the mode densities of many lie within rounding of each other.
    const classifier = classifierOf([30, 25], {
      covariance,
      features: 1,
      score: ['density', 'relative', 'norm'],
    });
    classifier.calibrate();
    await check(classifier);
  });

  test.each(COVARIANCES)('%s, for the calibration samples, which tie with themselves', async (covariance) => {
    const generator = new Generator(3);
    const d = 40;
    const classifier = classifierOf([60, 60, 60], { covariance, features: d }, generator);
    const samples = cat([0, 1, 2].map((k) => examples(k, 100, d, generator)));
    const labels = [0, 1, 2].flatMap((k) => Array.from({ length: 100 }, () => `label ${k}`));
    classifier.calibrate({ examples: samples, labels });
    const answer = await load(toOnnx(classifier, { inputShape: [d] }));
    const [actual, expected] = [await answer(samples), answersOf(classifier, samples)];
    expect(actual.label.data).toEqual(Float64Array.from(expected.label.data));
    const off = Array.from(expected.typicality.data, (p, i) => Math.abs(p - actual.typicality.data[i]));
    // Rounding to float32 moves one in a hundred by a few ranks.
    expect(off.filter((difference) => difference > 1e-4).length).toBeLessThan(9);
    expect(Math.max(...off)).toBeLessThan(0.03);
  });

  test.each([0.5, 0.9, 0.95])('keep %d, a share that whole numbers of samples meet', async (keep) => {
    const classifier = classifierOf([19], { score: 'density' });
    classifier.calibrate({ keep });
    await check(classifier);
  });

  test('vectors of one length', async () => {
    const generator = new Generator(4);
    const classifier = new OpenSetClassifier({ features: 4 });
    const unit = (count: number): Tensor => {
      const x = randn([count, 4], { generator });
      return x.div(x.square().sum(1, { keepDim: true }).sqrt());
    };
    for (const label of ['a', 'b']) classifier.addExamples(label, unit(60));
    classifier.calibrate({ keep: 0.9 });
    const answer = await load(toOnnx(classifier, { inputShape: [4] }));
    const x = cat([unit(20), unit(5).mul(1.1)]);
    expectSame(await answer(x), answersOf(classifier, x), atNormalScale);
  });

  test('a vector without a direction', async () => {
    const classifier = new OpenSetClassifier({ features: 2, score: ['nearest', 'norm'] });
    const corners = [-1, 1].flatMap((x) => [-1, 1].map((y) => [x, y]));
    classifier.addExamples('inner', corners);
    classifier.addExamples(
      'outer',
      corners.map(([x, y]) => [4 * x, 2 * y]),
    );
    classifier.calibrate({ keep: 0.5 });
    const answer = await load(toOnnx(classifier, { inputShape: [2] }));
    const x = tensor([
      [0, 0],
      [1, 2],
    ]);
    expectSame(await answer(x), answersOf(classifier, x), atNormalScale);
  });

  test('behind a network', async () => {
    const generator = new Generator(5);
    const features = body(generator).eval();
    const made = (x: Tensor): Tensor => noGrad(() => features.forward(x));
    const classifier = new OpenSetClassifier({ features: FEATURES, covariance: 'full' });
    for (const k of [0, 1, 2]) {
      classifier.addExamples(`label ${k}`, made(randn([70, ...IMAGE], { generator }).add(k)));
    }
    classifier.calibrate({ keep: 0.9 });
    const answer = await load(toOnnx({ features, head: classifier }, { inputShape: IMAGE }));
    const cases = [1, 7].map((batch) => {
      const x = randn([batch, ...IMAGE], { generator }).add(1);
      return { x, expected: answersOf(classifier, made(x)), tolerance: atNormalScale };
    });
    await expectAnswers(answer, cases);
  });
});
