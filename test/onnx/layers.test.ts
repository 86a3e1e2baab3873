import {
  BatchNorm2d,
  Conv2d,
  Dropout,
  Flatten,
  LayerNorm,
  Linear,
  MaxPool2d,
  ReLU,
  Sequential,
  type Module,
} from '@gmml/nn';
import { toOnnx } from '@gmml/onnx';
import { Generator, noGrad, ones, randn, type Tensor } from '@gmml/tensor';
import { expect, test } from 'vitest';
import { atNormalScale, expectAnswers, expectSame, load } from './runtime.js';

const generator = new Generator(1);

/** Numbers other than those that training starts with. */
function disturbed<M extends Module>(module: M): M {
  for (const [name, value] of [...module.namedParameters(), ...module.namedBuffers()]) {
    const noise = randn(value.shape, { generator, dtype: value.dtype });
    value.copyFrom(name.endsWith('_var') ? noise.square().add(0.2) : value.add(noise));
  }
  return module;
}

const CASES: [name: string, layer: Module, inputShape: number[]][] = [
  ['Linear', new Linear(5, 3, { generator }), [5]],
  ['Linear without bias', new Linear(5, 3, { bias: false, generator }), [5]],
  ['Linear of the last of three dimensions', new Linear(5, 3, { generator }), [4, 5]],
  ['Linear of three dimensions without bias', new Linear(5, 3, { bias: false, generator }), [2, 4, 5]],
  ['Conv2d', new Conv2d(2, 3, 3, { generator }), [2, 7, 6]],
  ['Conv2d without bias', new Conv2d(2, 3, [2, 3], { bias: false, generator }), [2, 7, 6]],
  [
    'Conv2d with every option',
    new Conv2d(2, 3, [3, 2], { stride: [2, 1], padding: [1, 2], dilation: [1, 3], generator }),
    [2, 9, 8],
  ],
  ['MaxPool2d', new MaxPool2d(2), [3, 7, 6]],
  ['MaxPool2d with every option', new MaxPool2d([3, 2], { stride: [2, 1], padding: [1, 1] }), [3, 7, 6]],
  ['BatchNorm2d', disturbed(new BatchNorm2d(3)), [3, 4, 5]],
  ['BatchNorm2d without scale', disturbed(new BatchNorm2d(3, { affine: false, eps: 0.1 })), [3, 4, 5]],
  ['LayerNorm', disturbed(new LayerNorm(6)), [4, 6]],
  ['LayerNorm of two dimensions', disturbed(new LayerNorm([4, 6], { eps: 0.1 })), [3, 4, 6]],
  ['LayerNorm without scale', new LayerNorm([4, 6], { elementwiseAffine: false }), [4, 6]],
  ['ReLU', new ReLU(), [4, 3]],
  ['Flatten', new Flatten(), [3, 4, 2]],
  ['Flatten of one dimension', new Flatten(1, 1), [5]],
  ['Flatten of dimensions in the middle', new Flatten(2, 3), [2, 3, 4, 2]],
  ['Flatten of the last dimensions', new Flatten(-2), [2, 3, 4]],
  ['Dropout', new Dropout(), [3, 4]],
  [
    'Sequential in Sequential',
    new Sequential(new Sequential(new ReLU(), new Linear(4, 2, { generator })), new ReLU()),
    [4],
  ],
];

test.each(CASES)('%s, batch 1 and 7', async (_, layer, inputShape) => {
  layer.eval();
  const made = (x: Tensor): Tensor => noGrad(() => layer.forward(x).flatten(1));
  const size = made(ones([1, ...inputShape])).shape[1];
  // Sums with weights of their own show every number that the layer gives.
  const head = new Linear(size, 4, { generator });
  const answer = await load(toOnnx(new Sequential(layer, new Flatten(), head), { inputShape }));
  const cases = [1, 7].map((batch) => {
    const x = randn([batch, ...inputShape], { generator });
    const logits = noGrad(() => head.forward(made(x)));
    const expected = { logPosteriors: logits.logSoftmax(1), label: logits.argmax(1) };
    return { x, expected, tolerance: atNormalScale };
  });
  await expectAnswers(answer, cases);
});

test('layers are exported as they are in evaluation, whatever mode they are in, and stay in it', async () => {
  const layer = disturbed(new BatchNorm2d(2));
  const model = new Sequential(layer, new Dropout(), new Flatten(), new Linear(8, 3, { generator }));
  const before = layer.runningMean!.toArray();
  const answer = await load(toOnnx(model.train(), { inputShape: [2, 2, 2] }));
  expect(layer.training).toBe(true);
  expect(layer.runningMean!.toArray()).toEqual(before);
  const x = randn([4, 2, 2, 2], { generator });
  const logits = noGrad(() => model.eval().forward(x));
  expectSame(
    await answer(x),
    { logPosteriors: logits.logSoftmax(1), label: logits.argmax(1) },
    atNormalScale,
  );
});
