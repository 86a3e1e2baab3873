import { GMML, type OpenSetClassifier, type OpenSetCovariance, type OpenSetOptions } from '@gmml/gmm';
import { Linear, type Module } from '@gmml/nn';
import { toOnnx } from '@gmml/onnx';
import { cat, Generator, noGrad, type Tensor } from '@gmml/tensor';
import { describe, expect, test } from 'vitest';
import { answersOf, classifierOf, examples, queries } from './openSetSamples.js';
import { atNormalScale, expectAnswers, load, ofLargest } from './runtime.js';

const D = 5;

const HEADS: [string, (generator: Generator, nClass: number) => Module][] = [
  ['linear', (generator, nClass) => new Linear(D, nClass, { generator })],
  ['mixture', (generator, nClass) => new GMML(D, D, nClass, { covType: 'tril', generator })],
  ['mixture of pairs', (generator, nClass) => new GMML(D, 3, nClass, { nComponent: 2, generator })],
];

function posteriorOf(head: Module, x: Tensor): Tensor {
  return noGrad(() => (head instanceof GMML ? head.forward(x) : head.forward(x).logSoftmax(1)));
}

/** A classifier that is calibrated with the head's posterior for 40 more samples of each of the labels 0 to 2. */
function calibrated(
  head: Module,
  classes: readonly string[] | undefined,
  options: Partial<OpenSetOptions> = {},
): OpenSetClassifier {
  const classifier = classifierOf([80, 60, 70], options);
  const generator = new Generator(3);
  const held = cat([0, 1, 2].map((k) => examples(k, 55, D, generator)));
  const labels = [0, 1, 2].flatMap((k) => Array.from({ length: 55 }, () => `label ${k}`));
  classifier.calibrate({ keep: 0.9, examples: held, labels, posterior: posteriorOf(head, held), classes });
  return classifier;
}

/** Compares the file with the classifier at normal scale, at a hundred times it, and far away. */
async function check(
  head: Module,
  classes: readonly string[] | undefined,
  options: Partial<OpenSetOptions>,
): Promise<void> {
  const classifier = calibrated(head, classes, options);
  const model = { features: [], head: classifier, posterior: head, classes };
  const answer = await load(toOnnx(model, { inputShape: [D] }));
  const generator = new Generator(9);
  const cases = [1, 7, 60].flatMap((batch) => {
    const x = queries(batch, D, generator);
    return [x, x.mul(100), x.add(1e4)].map((input, i) => {
      const expected = answersOf(classifier, input, { posterior: posteriorOf(head, input), classes });
      return { x: input, expected, tolerance: i === 0 ? atNormalScale : ofLargest(expected.logDensity) };
    });
  });
  await expectAnswers(answer, cases);
}

describe('typicality by the features and the posterior of a trained head', () => {
  describe.each(HEADS)('%s', (_, make) => {
    test.each(['tied', 'full', 'diag'] satisfies OpenSetCovariance[])('%s', async (covariance) => {
      await check(make(new Generator(2), 3), undefined, { covariance });
    });

    test('whose classes are in another order, some of them no labels, and a label no class', async () => {
      await check(make(new Generator(2), 4), ['label 2', 'other', 'label 0', 'another'], {});
    });

    test('by the posterior alone', async () => {
      await check(make(new Generator(2), 3), undefined, { scoreWithPosterior: 'posterior' });
    });
  });

  test('of a head that is nearly certain of most', async () => {
    const head = new Linear(D, 3, { generator: new Generator(2) });
    for (const parameter of head.parameters()) parameter.copyFrom(parameter.mul(15));
    const classifier = calibrated(head, undefined);
    const x = queries(120, D, new Generator(9));
    const posterior = posteriorOf(head, x);
    const best = Array.from(posterior.max(1).data);
    expect(best.filter((value) => value > -6e-8 && value < -1e-15).length).toBeGreaterThan(20);
    const model = { features: [], head: classifier, posterior: head };
    const answer = await load(toOnnx(model, { inputShape: [D] }));
    const expected = answersOf(classifier, x, { posterior });
    await expectAnswers(answer, [{ x, expected, tolerance: atNormalScale }]);
  });

  test('the file differs from that of the features alone in typicality', async () => {
    const head = new Linear(D, 3, { generator: new Generator(2) });
    const classifier = calibrated(head, undefined);
    const [alone, together] = await Promise.all(
      [undefined, head].map((posterior) =>
        load(toOnnx({ features: [], head: classifier, posterior }, { inputShape: [D] })),
      ),
    );
    const x = queries(60, D, new Generator(9));
    const [a, b] = await Promise.all([alone(x), together(x)]);
    expect(a.logDensity).toEqual(b.logDensity);
    expect(a.typicality.data).not.toEqual(b.typicality.data);
  });
});
