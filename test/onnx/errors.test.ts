import { GaussianMixture, GMML, OpenSetClassifier } from '@gmml/gmm';
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
import { toOnnx, type OnnxModel, type OnnxOptions } from '@gmml/onnx';
import { ArgumentError, NotFiniteError, ShapeError, tensor, type Tensor } from '@gmml/tensor';
import { describe, expect, test } from 'vitest';

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

class Endless extends Module {
  layers(): Module[] {
    return [new ReLU(), this];
  }

  override forward(x: Tensor): Tensor {
    return x;
  }
}

class Odd extends Foo {
  layers(): unknown[] {
    return [new ReLU(), Math.exp];
  }
}

function message(model: unknown, options: unknown): [unknown, string] {
  try {
    toOnnx(model as OnnxModel, options as OnnxOptions);
  } catch (error) {
    return [(error as Error).constructor, (error as Error).message];
  }
  return [null, 'nothing was thrown'];
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

  test('a pooling that its forward refuses', () => {
    expect(message(new Sequential(new MaxPool2d(2, { padding: 2 })), { inputShape: [1, 4, 4] })).toEqual([
      ArgumentError,
      "toOnnx: the padding of layers[0] 'MaxPool2d' must be at most half the kernel size: it is [2, 2], the kernel [2, 2].",
    ]);
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

describe('what is no model', () => {
  const give = 'Give { features, head }.';
  test.each<[unknown, string]>([
    [
      null,
      'the model must be a Module, an OpenSetClassifier, a GaussianMixture or { features, head }: it is null.',
    ],
    [
      [new ReLU()],
      'the model must be a Module, an OpenSetClassifier, a GaussianMixture or { features, head }: it is an object of Array.',
    ],
    [
      { features: new ReLU() },
      'the model must be a Module, an OpenSetClassifier, a GaussianMixture or { features, head }: it is an object of Object.',
    ],
    [
      { features: (x: Tensor) => x, head: new Linear(1, 1) },
      'features must be a module or an array of modules: it is a function. Give the layers in an array where features are a function.',
    ],
    [
      { features: [new ReLU(), 3], head: new Linear(1, 1) },
      'features must be a module or an array of modules: one is 3. Give the layers in an array where features are a function.',
    ],
    [
      { features: new ReLU(), head: undefined },
      'the head must be a Module, an OpenSetClassifier or a GaussianMixture: it is undefined.',
    ],
    [
      new Sequential(),
      `the model must end in a GMML, a Linear or an OpenSetClassifier: it has no layers. ${give}`,
    ],
    [
      new Sequential(new Linear(4, 2), new ReLU()),
      `the model must end in a GMML, a Linear or an OpenSetClassifier: it ends in layers[1] 'ReLU'. ${give}`,
    ],
    [new Sequential(new Odd()), 'layers[0].layers()[1] must be a module: it is a function.'],
    [new Endless(), 'a module must not contain itself: it does at layers()[1].'],
  ])('%#', (model, text) => {
    expect(message(model, { inputShape: [4] })).toEqual([ArgumentError, `toOnnx: ${text}`]);
  });

  test.each<[object, string]>([
    [
      { head: new Linear(4, 2), posterior: new Linear(4, 2) },
      'posterior and classes are for an OpenSetClassifier, whose typicality they count in: the head is an object of Linear. Leave them out.',
    ],
    [{ posterior: [new Linear(4, 2)] }, 'the posterior must be a Module: it is an object of Array.'],
    [{ classes: ['a', 'b'] }, 'the posterior must be a Module: it is undefined.'],
    [
      { posterior: new Sequential(new Linear(4, 2), new ReLU()) },
      "the posterior must end in a GMML or a Linear: it ends in posterior.layers[1] 'ReLU'. Give the network's trained head.",
    ],
    [
      { posterior: new Linear(4, 3) },
      'classes must name the label of each output of the posterior: there are 2 for 3 outputs. Give classes.',
    ],
    [
      { posterior: new Linear(4, 2), classes: ['a', 'b', 'c'] },
      'classes must name the label of each output of the posterior: there are 3 for 2 outputs.',
    ],
    [
      { posterior: new Linear(4, 2), classes: ['x', 'y'] },
      'classes must name labels of the classifier: they are ["x","y"], of which none is known.',
    ],
  ])('a posterior that does not count: %#', (parts, text) => {
    const head = withPosterior();
    expect(message({ features: [], head, ...parts }, { inputShape: [4] })).toEqual([
      expect.any(Function),
      `toOnnx: ${text}`,
    ]);
  });

  test('a posterior that the calibration did not have', () => {
    const head = withPosterior();
    head.calibrate({ keep: 0.5 });
    expect(message({ features: [], head, posterior: new Linear(4, 2) }, { inputShape: [4] })).toEqual([
      ArgumentError,
      'openSetParameters: the calibration must have a posterior where one is to count: it has none. Call calibrate with examples and posterior after the last change.',
    ]);
  });

  test('a mixture that is not fitted, or of other features', () => {
    expect(message(new GaussianMixture(), { inputShape: [2] })).toEqual([
      ArgumentError,
      'GaussianMixture.means: the mixture must be fitted: it is not. Call fit first.',
    ]);
    const head = new GaussianMixture().fit([[0], [1]]);
    expect(message({ features: new Flatten(), head }, { inputShape: [2, 2] })).toEqual([
      ShapeError,
      `toOnnx: head 'GaussianMixture' must get [N, 1]: it gets [N, 4]. Check inputShape and the layers before.`,
    ]);
  });

  test('a classifier without examples', () => {
    expect(message(new OpenSetClassifier({ features: 2 }), { inputShape: [2] })).toEqual([
      ArgumentError,
      'openSetParameters: there must be examples: there are none. Call addExamples first.',
    ]);
  });
});

describe('options', () => {
  const uncalibrated = new OpenSetClassifier({ features: 4 });
  uncalibrated.addExamples('a', [[1, 2, 3, 4]]);
  const sizes = 'inputShape must be the sizes of one input, without the batch, integers of at least 1';
  test.each<[OnnxModel, Record<string, unknown>, string]>([
    [new Linear(4, 2), {}, `${sizes}: it is undefined.`],
    [new Linear(4, 2), { inputShape: [] }, `${sizes}: it is [].`],
    [new Linear(4, 2), { inputShape: [4, -1] }, `${sizes}: it is [4,-1].`],
    [new Linear(4, 2), { inputShape: 4 }, `${sizes}: it is 4.`],
    [
      new Linear(4, 2),
      { inputShape: [4], outputs: ['logDensity'] },
      "outputs of a model with head Linear must be some of 'logPosteriors', 'label': one is 'logDensity'.",
    ],
    [
      new GMML(4, 4, 2),
      { inputShape: [4], outputs: [] },
      "outputs of a model with head GMML must be some of 'logPosteriors', 'label', 'logDensity': there are none.",
    ],
    [
      uncalibrated,
      { inputShape: [4], outputs: ['typicality'] },
      "outputs of a model with head OpenSetClassifier must be some of 'logPosteriors', 'label', 'logDensity': one is 'typicality'. Call calibrate first.",
    ],
    [
      new Linear(4, 2),
      { inputShape: [4], labels: ['a'] },
      'labels must be 2 strings, one for each class: they are ["a"].',
    ],
    [
      uncalibrated,
      { inputShape: [4], labels: ['a'] },
      'labels must be left out with an OpenSetClassifier, which has its own: they are ["a"].',
    ],
    [
      new Linear(4, 2),
      { inputShape: [4], metadata: { scale: 2 } },
      "metadata must be strings: 'scale' is 2.",
    ],
    [
      new Linear(4, 2),
      { inputShape: [4], metadata: { head: 'x' } },
      "metadata must not name what toOnnx writes itself: 'head' is there already.",
    ],
  ])('%#', (model, options, text) => {
    expect(message(model, options)).toEqual([ArgumentError, `toOnnx: ${text}`]);
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

/** A classifier of 'a' and 'b' by four features, calibrated with a posterior. */
function withPosterior(): OpenSetClassifier {
  const head = new OpenSetClassifier({ features: 4 });
  const [a, b] = [1, 5].map((place) =>
    [0, 1, 2, 3].map((i) => [0, 1, 2, 3].map((j) => place + Number(i === j))),
  );
  head.addExamples('a', a);
  head.addExamples('b', b);
  const posterior = [...a, ...b].map(() => [Math.log(0.5), Math.log(0.5)]);
  head.calibrate({ keep: 0.5, examples: [...a, ...b], posterior });
  return head;
}
