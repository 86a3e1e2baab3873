import { GaussianMixture, GMML, OpenSetClassifier } from '@gmml/gmm';
import { Flatten, Linear, Module, ReLU, Sequential } from '@gmml/nn';
import type { OnnxModel } from '@gmml/onnx';
import { ArgumentError, ShapeError, type Tensor } from '@gmml/tensor';
import { describe, expect, test } from 'vitest';
import { message } from './message.js';

class Foo extends Module {
  override forward(x: Tensor): Tensor {
    return x.exp();
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
