import { GMML, OpenSetClassifier } from '@gmml/gmm';
import {
  BatchNorm2d,
  Conv2d,
  Dropout,
  Flatten,
  LayerNorm,
  Linear,
  MaxPool2d,
  Module,
  ReLU,
  Sequential,
} from '@gmml/nn';
import { ArgumentError, NotFiniteError, ShapeError, tensor, type Tensor } from '@gmml/tensor';
import { describe, expect, test } from 'vitest';
import { message } from './message.js';

class Foo extends Module {
  override forward(x: Tensor): Tensor {
    return x.exp();
  }
}

/** A layer of ours that computes something else. */
class Clipped extends ReLU {
  override forward(x: Tensor): Tensor {
    return super.forward(x).minimum(6);
  }
}

class Skip extends Sequential {
  override forward(x: Tensor): Tensor {
    return x.add(super.forward(x));
  }
}

const to = 'Use layers of @gmml/nn, or give a module with a forward of its own a method layers().';

describe('a layer without an ONNX form is named with its place', () => {
  test.each([
    [new Foo(), "'Foo'"],
    [
      new Sequential(new Linear(4, 4), new ReLU(), new Dropout(), new Foo(), new Linear(4, 2)),
      "layers[3] 'Foo'",
    ],
    [new Sequential(new Sequential(new ReLU(), new Foo()), new Linear(4, 2)), "layers[0].layers[1] 'Foo'"],
    [
      { features: [new ReLU(), new Sequential(new Foo())], head: new Linear(4, 2) },
      "features[1].layers[0] 'Foo'",
    ],
    [{ features: new Foo(), head: new Linear(4, 2) }, "features 'Foo'"],
    [new Sequential(new Clipped(), new Linear(4, 2)), "layers[0] 'Clipped'"],
    [new Sequential(new Skip(new Linear(4, 4)), new Linear(4, 2)), "layers[0] 'Skip'"],
  ] as const)('%#: %s', (model, place) => {
    expect(message(model, { inputShape: [4] })).toEqual([
      ArgumentError,
      `toOnnx: ${place} has no ONNX form: its forward is its own. ${to}`,
    ]);
  });

  test('a mixture in the middle', () => {
    const model = new Sequential(new GMML(4, 4, 3), new Linear(3, 2));
    expect(message(model, { inputShape: [4] })).toEqual([
      ArgumentError,
      `toOnnx: layers[0] 'GMML' has no ONNX form: a mixture must be the last layer. ${to}`,
    ]);
  });

  test('a normalisation by the batch', () => {
    const model = new Sequential(
      new BatchNorm2d(2, { trackRunningStats: false }),
      new Flatten(),
      new Linear(8, 2),
    );
    expect(message(model, { inputShape: [2, 2, 2] })).toEqual([
      ArgumentError,
      "toOnnx: layers[0] 'BatchNorm2d' must have running statistics: it has none, so that an answer would depend on the other inputs of its batch. Build it with trackRunningStats.",
    ]);
  });
});

describe('a layer that does not fit to what it gets', () => {
  const end = 'Check inputShape and the layers before.';
  test.each<[Module, number[], string]>([
    [new Sequential(new Linear(4, 2)), [5], `layers[0] 'Linear' must get [N, ..., 4]: it gets [N, 5]`],
    [
      new Sequential(new Conv2d(1, 2, 3), new Flatten()),
      [3, 28, 28],
      `layers[0] 'Conv2d' must get [N, 1, H, W]: it gets [N, 3, 28, 28]`,
    ],
    [
      new Sequential(new Conv2d(1, 2, 5)),
      [1, 4, 28],
      `layers[0] 'Conv2d' must get images of at least [5, 5] with padding [0, 0]: it gets [N, 1, 4, 28]`,
    ],
    [new Sequential(new MaxPool2d(2)), [4], `layers[0] 'MaxPool2d' must get [N, C, H, W]: it gets [N, 4]`],
    [
      new Sequential(new MaxPool2d(3)),
      [1, 2, 2],
      `layers[0] 'MaxPool2d' must get images of at least [3, 3] with padding [0, 0]: it gets [N, 1, 2, 2]`,
    ],
    [
      new Sequential(new BatchNorm2d(2)),
      [3, 2, 2],
      `layers[0] 'BatchNorm2d' must get [N, 2, H, W]: it gets [N, 3, 2, 2]`,
    ],
    [
      new Sequential(new LayerNorm([2, 3])),
      [3],
      `layers[0] 'LayerNorm' must get [N, ..., 2, 3]: it gets [N, 3]`,
    ],
    [
      new Sequential(new Flatten(0)),
      [3, 2],
      `layers[0] 'Flatten' must get dimensions 0 to -1 after the batch: it gets [N, 3, 2]`,
    ],
    [
      new Sequential(new Flatten(1, 3)),
      [3, 2],
      `layers[0] 'Flatten' must get dimensions 1 to 3 after the batch: it gets [N, 3, 2]`,
    ],
    [
      new Sequential(new Flatten(), new GMML(4, 4, 2)),
      [3, 2],
      `layers[1] 'GMML' must get [N, 4]: it gets [N, 6]`,
    ],
    [new GMML(4, 4, 2), [2, 2], `'GMML' must get [N, 4]: it gets [N, 2, 2]`],
    [
      new Sequential(new Linear(4, 2)),
      [3, 4],
      `layers[0] 'Linear' must give one vector an input: it gives [N, 3, 2]`,
    ],
  ])('%#', (model, inputShape, text) => {
    const [kind, said] = message(model, { inputShape });
    const remedy = text.includes('must get') ? end : 'Flatten before it.';
    expect([kind, said]).toEqual([ShapeError, `toOnnx: ${text}. ${remedy}`]);
  });

  test('a classifier of other features', () => {
    const head = new OpenSetClassifier({ features: 3 });
    head.addExamples('a', [[1, 2, 3]]);
    expect(message({ features: new Flatten(), head }, { inputShape: [2, 2] })).toEqual([
      ShapeError,
      `toOnnx: head 'OpenSetClassifier' must get [N, 3]: it gets [N, 4]. ${end}`,
    ]);
    expect(message(head, { inputShape: [4] })).toEqual([
      ShapeError,
      `toOnnx: 'OpenSetClassifier' must get [N, 3]: it gets [N, 4]. ${end}`,
    ]);
  });
});

describe('numbers that are not finite', () => {
  const remedy = 'Train with a lower learning rate, or load other weights.';

  test.each([
    ['NaN', NaN],
    ['Infinity', Infinity],
  ])('%s in a parameter', (shown, value) => {
    const layer = new Linear(2, 2);
    layer.weight.copyFrom(
      tensor([
        [1, value],
        [0, 1],
      ]),
    );
    expect(message(new Sequential(new ReLU(), layer), { inputShape: [2] })).toEqual([
      NotFiniteError,
      `toOnnx: 1.weight must be finite in float32: entry 1 is ${shown}. ${remedy}`,
    ]);
  });

  test('float64 beyond float32', () => {
    const head = new GMML(2, 2, 2, { dtype: 'float64' });
    head.initMu(tensor(Float64Array.of(0, 1e39, 0, 0), { shape: [2, 2] }));
    expect(message({ features: [], head }, { inputShape: [2] })).toEqual([
      NotFiniteError,
      `toOnnx: head.mean must be finite in float32: entry 1 is 1e+39. ${remedy}`,
    ]);
  });
});
