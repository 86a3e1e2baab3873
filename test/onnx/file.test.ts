import { readFileSync } from 'node:fs';
import { GMML, OpenSetClassifier } from '@gmml/gmm';
import { Conv2d, Flatten, Linear, ReLU, Sequential } from '@gmml/nn';
import { toOnnx, type OnnxModel, type OutputName } from '@gmml/onnx';
import { Generator, randn, type Tensor } from '@gmml/tensor';
import { describe, expect, test } from 'vitest';
import { file_onnx, type GraphProto, type TensorProto } from '../../packages/onnx/src/protobuf/onnx_pb.js';
import { body, FEATURES, IMAGE, mixture, network } from './networks.js';
import { decoded, load } from './runtime.js';

function graphOf(model: OnnxModel, inputShape = IMAGE, outputs?: OutputName[]): GraphProto {
  return decoded(toOnnx(model, { inputShape, outputs })).graph!;
}

function numbersOf({ rawData }: TensorProto): number[] {
  return Array.from(new Float32Array(rawData.slice().buffer));
}

function calibrated(generator: Generator): OpenSetClassifier {
  const classifier = new OpenSetClassifier({ features: FEATURES, covariance: 'full' });
  for (const label of ['ant', 'bee', 'cat'])
    classifier.addExamples(label, randn([60, FEATURES], { generator }));
  classifier.calibrate({ keep: 0.9 });
  return classifier;
}

/** Models with every kind of node. */
function models(): OnnxModel[] {
  const generator = new Generator(1);
  const features = body(generator);
  return [
    ...(['diag', 'tril', 'full'] as const).map((covType) =>
      network(features, mixture(6, { covType, nComponent: 2, generator })),
    ),
    network(
      features,
      mixture(6, { parametrization: 'gram', logStretchTrick: true, nComponent: 2, generator }),
    ),
    network(features, new Linear(FEATURES, 3, { generator })),
    { features, head: calibrated(generator) },
  ];
}

describe('the file', () => {
  test('says who wrote it, for which operators, and leaves the batch open', () => {
    const generator = new Generator(2);
    const model = decoded(toOnnx(models()[0], { inputShape: IMAGE }));
    expect(model.producerName).toBe('gmml');
    expect(model.irVersion).toBe(8n);
    expect(model.opsetImport.map(({ domain, version }) => [domain, version])).toEqual([['', 17n]]);
    expect(model.docString).toBe('A network with a GMML head for 5 classes, written by gmml.');
    const graph = graphOf({ features: body(generator), head: calibrated(generator) });
    const shapes = [...graph.input, ...graph.output].map(({ name, type }) => {
      const { elemType, shape } = type!.value.value!;
      return [name, elemType, shape!.dim.map(({ value }) => value.value)];
    });
    expect(shapes).toEqual([
      ['input', 1, ['N', 2n, 10n, 10n]],
      ['logPosteriors', 1, ['N', 3n]],
      ['label', 7, ['N']],
      ['logDensity', 1, ['N']],
      ['typicality', 1, ['N']],
    ]);
    expect(graph.output.map(({ docString }) => docString)).toEqual([
      'log p(class | x).',
      'The most probable class; -1 for none of them.',
      'log p(x), a density that may exceed 0.',
      'The p-value of x among known samples.',
    ]);
  });

  test('has the numbers of the state dict under their names', () => {
    const generator = new Generator(3);
    const head = mixture(6, { covType: 'tril', parametrization: 'gram', generator });
    const model = network(body(generator), head);
    const { initializer } = graphOf(model);
    const known = new Map(initializer.map((tensor) => [tensor.name, tensor]));
    const state: Record<string, Tensor> = model.stateDict();
    const isKept = (name: string): boolean => !/num_batches_tracked|sigma_p|omega_p/.test(name);
    for (const name of Object.keys(state).filter(isKept)) {
      expect(known.get(name)?.dims.map(Number), name).toEqual([...state[name].shape]);
      expect(numbersOf(known.get(name)!), name).toEqual(Array.from(state[name].data));
    }
    expect(Object.keys(state)).toEqual(expect.arrayContaining(['0.weight', '7.mu_p', '7.bottleneck.weight']));
  });

  test('names nodes after their layers', () => {
    const { node } = graphOf(
      { features: new Sequential(new Conv2d(2, 3, 3), new ReLU(), new Flatten()), head: new Linear(192, 2) },
      IMAGE,
      ['logPosteriors'],
    );
    expect(node.map(({ name, opType }) => `${opType} ${name}`)).toEqual([
      'Conv features.0.Conv',
      'Relu features.1.Relu',
      'Flatten features.2.Flatten',
      'Gemm head.Gemm',
      'ReduceMax head.largest',
      'Max head.shift',
      'Sub head.shifted',
      'Exp head.exponentials',
      'Less head.isLess',
      'Cast head.counted',
      'Mul head.ofLess',
      'Not head.isLargest',
      'Cast head.counted_2',
      'ReduceSum head.sum',
      'Sub head.otherLargest',
      'ReduceSum head.sum_2',
      'Add head.others',
      'Add head.onePlus',
      'Log head.logSum',
      'Sub head.rounded',
      'Div head.slope',
      'Equal head.isOne',
      'Where head.slopeOrOne',
      'Mul head.logOnePlus',
      'Sub logPosteriors',
    ]);
  });

  test('sums exponentials after the largest was subtracted, and squares what was centred', () => {
    for (const model of models()) {
      const { node } = graphOf(model);
      const makerOf = (name: string): string | undefined =>
        node.find(({ output }) => output[0] === name)?.opType;
      const types = node.map(({ opType }) => opType);
      expect(types.filter((type) => /LogSumExp|Softmax|Inverse|SumSquare/.test(type))).toEqual([]);
      const summed = node.filter(({ opType }) => opType === 'Exp');
      const multiplied = node.filter(({ opType, name }) => opType === 'MatMul' && name.endsWith('whitened'));
      for (const { input } of [...summed, ...multiplied]) expect(makerOf(input[0])).toBe('Sub');
      expect(types).toContain('Exp');
    }
  });

  test('holds no node that no output needs, and every name once', () => {
    for (const model of models()) {
      const { node, initializer, output } = graphOf(model);
      const used = new Set([...node.flatMap(({ input }) => input), ...output.map(({ name }) => name)]);
      const made = [...node.flatMap((each) => each.output), ...initializer.map(({ name }) => name)];
      expect(made.filter((name) => !used.has(name))).toEqual([]);
      expect(new Set(made).size).toBe(made.length);
    }
  });

  test('has metadata: head, labels, threshold and what else is given', () => {
    const entriesOf = (bytes: Uint8Array): [string, string][] =>
      decoded(bytes).metadataProps.map(({ key, value }) => [key, value]);
    const generator = new Generator(4);
    expect(entriesOf(toOnnx(calibrated(generator), { inputShape: [FEATURES] }))).toEqual([
      ['head', 'OpenSetClassifier'],
      ['labels', '["ant","bee","cat"]'],
      ['keep', '0.9'],
    ]);
    const options = { inputShape: [4], labels: ['no', 'yes'], metadata: { pixelMean: '0.13' } };
    expect(entriesOf(toOnnx(new Linear(4, 2), options))).toEqual([
      ['head', 'Linear'],
      ['labels', '["no","yes"]'],
      ['pixelMean', '0.13'],
    ]);
    expect(entriesOf(toOnnx(new GMML(4, 4, 2), { inputShape: [4] }))).toEqual([['head', 'GMML']]);
  });

  test('is the same for the same model', () => {
    const [first, second] = [models(), models()].map((all) =>
      all.map((model) => toOnnx(model, { inputShape: IMAGE })),
    );
    expect(first).toEqual(second);
  });
});

describe('outputs', () => {
  test.each(['logPosteriors', 'label', 'logDensity', 'typicality'] as const)('%s alone', async (name) => {
    const generator = new Generator(5);
    const classifier = calibrated(generator);
    const x = randn([3, FEATURES], { generator });
    const all = await (await load(toOnnx(classifier, { inputShape: [FEATURES] })))(x);
    const one = await (await load(toOnnx(classifier, { inputShape: [FEATURES], outputs: [name] })))(x);
    expect(one).toEqual({ [name]: all[name] });
  });

  test('come in the order of the documentation', () => {
    const { output } = graphOf(new GMML(3, 3, 2), [3], ['logDensity', 'label']);
    expect(output.map(({ name }) => name)).toEqual(['label', 'logDensity']);
  });
});

test('the generated code is that of onnx.proto', () => {
  const source = readFileSync(
    new URL('../../packages/onnx/src/protobuf/onnx.proto', import.meta.url),
    'utf8',
  );
  const written = Array.from(
    source.matchAll(/^ *(?:optional |repeated )?[\w.]+ (\w+) = (\d+);/gm),
    ([, name, number]) => `${name} = ${number}`,
  );
  const described = [...messagesIn(file_onnx.messages)].flatMap(({ fields }) =>
    fields.map(({ name, number }) => `${name} = ${number}`),
  );
  expect(described.toSorted()).toEqual(written.toSorted());
  expect(described).toHaveLength(41);
});

function* messagesIn(messages: typeof file_onnx.messages): Iterable<(typeof file_onnx.messages)[number]> {
  for (const message of messages) {
    yield message;
    yield* messagesIn(message.nestedMessages);
  }
}
