import { GMML } from '@gmml/gmm';
import { Dropout, Flatten, Linear, MaxPool2d, Module, ReLU, Sequential } from '@gmml/nn';
import { toOnnx, type Layered } from '@gmml/onnx';
import { Generator, noGrad, randn, tensor, type Tensor } from '@gmml/tensor';
import { describe, expect, test } from 'vitest';
import { ReferenceNetwork } from '../../packages/cli/src/training/networks/referenceNetwork.js';
import { body, FEATURES, IMAGE, mixture, network } from './networks.js';
import {
  atNormalScale,
  decoded,
  expectAnswers,
  expectSame,
  load,
  mixtureAnswers,
  ofLargest,
  type Answer,
} from './runtime.js';

/** What logits say, as the file must say it. */
function linearAnswers(logits: Tensor): Record<string, Answer> {
  return { logPosteriors: logits.logSoftmax(1), label: logits.argmax(1) };
}

describe('a linear head', () => {
  test.each([true, false])('has log-posteriors and labels (bias: %s)', async (bias) => {
    const generator = new Generator(1);
    const model = network(body(generator), new Linear(FEATURES, 4, { bias, generator }));
    const answer = await load(toOnnx(model, { inputShape: IMAGE }));
    const cases = [1, 7].flatMap((batch) => {
      const x = randn([batch, ...IMAGE], { generator });
      return [x, x.mul(100), x.add(1e4)].map((input, i) => {
        const logits = noGrad(() => model.forward(input));
        return {
          x: input,
          expected: linearAnswers(logits),
          tolerance: i === 0 ? atNormalScale : ofLargest(logits),
        };
      });
    });
    await expectAnswers(answer, cases);
  });

  test('may be followed by dropout', async () => {
    const model = new Sequential(new Linear(3, 2), new Dropout()).eval();
    const x = randn([4, 3]);
    const answer = await load(toOnnx(model, { inputShape: [3] }));
    expectSame(await answer(x), linearAnswers(noGrad(() => model.forward(x))), atNormalScale);
  });

  test('keeps far logits apart, and says −∞ of a masked class', async () => {
    const model = new Linear(2, 3);
    model.weight.copyFrom(
      tensor([
        [1, 0],
        [0, 1],
        [0, 0],
      ]),
    );
    model.bias!.copyFrom(tensor([0, 0, -Infinity]));
    const answer = await load(toOnnx(model, { inputShape: [2] }));
    const { logPosteriors, label } = await answer(
      tensor([
        [5000, -3000],
        [-(2 ** 101), 2 ** 100],
      ]),
    );
    expect(Array.from(logPosteriors.data)).toEqual([0, -8000, -Infinity, -3 * 2 ** 100, 0, -Infinity]);
    expect(Array.from(label.data)).toEqual([0, 1]);
  });
});

test('a mixture by itself takes features', async () => {
  const generator = new Generator(2);
  const head = mixture(FEATURES, { covType: 'full', generator });
  const answer = await load(toOnnx(head, { inputShape: [FEATURES] }));
  const x = randn([7, FEATURES], { generator });
  expectSame(await answer(x), mixtureAnswers(head, x), atNormalScale);
});

test('a component without weight (gram), and a class that is far from everything', async () => {
  const generator = new Generator(3);
  const head = new GMML(3, 3, 2, { nComponent: 2, parametrization: 'gram', generator });
  head.initOmega(
    tensor([
      [0, 1],
      [2, 0],
    ]),
  );
  const answer = await load(toOnnx(head, { inputShape: [3] }));
  const x = randn([5, 3], { generator }).mul(2);
  expectSame(await answer(x), mixtureAnswers(head, x), atNormalScale);
});

test('a mixture of float64 is rounded to float32', async () => {
  const generator = new Generator(4);
  const head = mixture(FEATURES, { covType: 'tril', nComponent: 2, dtype: 'float64', generator });
  const answer = await load(toOnnx(head, { inputShape: [FEATURES] }));
  const x = randn([7, FEATURES], { generator });
  const wide = tensor(Float64Array.from(x.data), { shape: x.shape });
  expectSame(await answer(x), mixtureAnswers(head, wide), atNormalScale);
});

test('a mixture that was fitted to correlated features of many dimensions', async () => {
  const generator = new Generator(5);
  const d = 64;
  const mixing = randn([d, d], { generator }).div(4);
  const rows = (count: number): Tensor => randn([count, d], { generator }).matmul(mixing).add(20);
  const labels = Array.from({ length: 900 }, (_, n) => n % 3);
  const shift = tensor(labels.map((label) => [label]));
  const head = new GMML(d, d, 3, { covType: 'tril', generator });
  head.fit(rows(900).add(shift), labels);
  const answer = await load(toOnnx(head, { inputShape: [d] }));
  const x = rows(20).add(1);
  expectSame(await answer(x), mixtureAnswers(head, x), atNormalScale);
  const far = x.mul(100);
  expectSame(
    await answer(far),
    mixtureAnswers(head, far),
    ofLargest(noGrad(() => head.classLogLikelihood(far))),
  );
});

describe('a network whose forward is its own', () => {
  /** As the reference network, with what its forward is made of. */
  class Network extends Module implements Layered {
    readonly hidden = new Linear(3, 8, { generator: new Generator(6) });
    readonly head = new GMML(8, 8, 2, { generator: new Generator(7) });

    layers(): Module[] {
      return [new Flatten(), this.hidden, new ReLU(), this.head];
    }

    override forward(x: Tensor): Tensor {
      return this.head.forward(this.hidden.forward(x.flatten(1)).relu());
    }
  }

  test('says what it is made of', async () => {
    const model = new Network();
    const bytes = toOnnx(model, { inputShape: [3, 1] });
    const x = randn([7, 3, 1]);
    const answer = await load(bytes);
    const inside = noGrad(() => model.hidden.forward(x.flatten(1)).relu());
    expectSame(await answer(x), mixtureAnswers(model.head, inside), atNormalScale);
    const names = decoded(bytes).graph!.initializer.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['hidden.weight', 'hidden.bias', 'head.mean']));
  });

  test('stands in a Sequential, where it ends the model', async () => {
    const model = new Sequential(new ReLU(), new Network());
    const bytes = toOnnx(model, { inputShape: [3] });
    const names = decoded(bytes).graph!.initializer.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['1.hidden.weight', '1.head.mean']));
    const x = randn([2, 3]);
    const { logPosteriors } = await (await load(bytes))(x);
    expect(Array.from(logPosteriors.data)).toBeAllClose(noGrad(() => model.forward(x)).data, { atol: 1e-4 });
  });
});

test.each([true, false])(
  'the layers of the reference network in a list (linear: %s)',
  async (linearClassifier) => {
    const generator = new Generator(8);
    const model = new ReferenceNetwork({ linearClassifier, generator });
    const { conv1, conv2, linear, head } = model;
    const half = (): Module[] => [new MaxPool2d(2), new ReLU()];
    const features = [conv1, ...half(), conv2, ...half(), new Flatten(), linear];
    const bytes = toOnnx({ features, head }, { inputShape: [1, 28, 28] });
    const x = randn([7, 1, 28, 28], { generator });
    const made = noGrad(() => model.features(x));
    const expected =
      head instanceof GMML ? mixtureAnswers(head, made) : linearAnswers(noGrad(() => head.forward(made)));
    expectSame(await (await load(bytes))(x), expected, atNormalScale);
  },
);

test('a layer that is used twice has its numbers once', async () => {
  const shared = new Linear(3, 3);
  const model = new Sequential(shared, new ReLU(), shared);
  const bytes = toOnnx(model, { inputShape: [3] });
  expect(decoded(bytes).graph!.initializer.filter(({ name }) => name.includes('weight'))).toHaveLength(1);
  const x = randn([2, 3]);
  expectSame(await (await load(bytes))(x), linearAnswers(noGrad(() => model.forward(x))), atNormalScale);
});
