// Models as files: a mixture's own, and the loader that says what a file holds.
import { describe, expect, test } from 'vitest';
import { GaussianMixture, GMML, OpenSetClassifier, type CovarianceType } from '@gmml/gmm';
import {
  EMStatistics,
  modelFromSafetensors,
  modelToSafetensors,
  mixtureFromSafetensors,
  mixtureToSafetensors,
} from '@gmml/gmm/statistics';
import { parseSafetensors, serializeSafetensors } from '@gmml/nn';
import { ArgumentError, FormatError, Generator, randn, tensor } from '@gmml/tensor';
import { blobs } from './samples.js';

const TYPES: readonly CovarianceType[] = ['full', 'tied', 'diag', 'spherical'];
const { x } = blobs({ seed: 1, rows: 200, features: 3, components: 2, apart: 3 });

function fitted(covariance: CovarianceType = 'full', more = {}): GaussianMixture {
  return new GaussianMixture({ components: 2, covariance, generator: new Generator(1), ...more }).fit(x);
}

describe('mixtureToSafetensors', () => {
  test.each(TYPES)('gives back every number and answer: %s', (covariance) => {
    const mixture = fitted(covariance, {
      shrinkage: { toward: covariance === 'tied' ? 'spherical' : 'tied', amount: 0.1 },
    });
    const bytes = mixtureToSafetensors(mixture);
    const read = mixtureFromSafetensors(bytes);
    expect(mixtureToSafetensors(read)).toEqual(bytes);
    expect([read.components, read.covariance]).toEqual([2, covariance]);
    for (const name of ['weights', 'means', 'covariances', 'precisions'] as const) {
      expect(Array.from(read[name].data), name).toEqual(Array.from(mixture[name].data));
      expect(read[name].shape).toEqual(mixture[name].shape);
    }
    for (const name of ['converged', 'iterations', 'lowerBound', 'lowerBounds'] as const) {
      expect(read[name], name).toEqual(mixture[name]);
    }
    expect(Array.from(read.scoreSamples(x).data)).toEqual(Array.from(mixture.scoreSamples(x).data));
  });

  test('a mixture that is read fits on, with other options if they are given', () => {
    const options = { tolerance: 1e-6, maxIterations: 3 };
    const mixture = fitted('full', { ...options, init: 'randomFromData', warmStart: true });
    const read = mixtureFromSafetensors(mixtureToSafetensors(mixture));
    expect(Array.from(read.fit(x).means.data)).toEqual(Array.from(mixture.fit(x).means.data));
    const longer = mixtureFromSafetensors(mixtureToSafetensors(mixture), {
      tolerance: 0,
      maxIterations: 4,
    });
    expect(longer.fit(x).iterations).toBe(4);
    expect(() => mixtureFromSafetensors(mixtureToSafetensors(mixture), { tolerance: -1 })).toThrow(
      ArgumentError,
    );
    // Where it started from numbers, it is read without them.
    const init = { weights: mixture.weights, means: mixture.means, precisions: mixture.precisions };
    const given = fitted('full', { init, warmStart: true });
    expect(mixtureFromSafetensors(mixtureToSafetensors(given)).partialFit(x).isFitted).toBe(true);
  });

  test('is for fitted mixtures', () => {
    expect(() => mixtureToSafetensors(new GaussianMixture())).toThrow(
      'mixtureToSafetensors: the mixture must be fitted: it is not. Call fit first.',
    );
    expect(() => modelToSafetensors(new GaussianMixture())).toThrow(
      'modelToSafetensors: the mixture must be fitted',
    );
    expect(() => new EMStatistics(new GaussianMixture())).toThrow('EMStatistics: the mixture must be fitted');
  });

  test.each<[string, (file: ReturnType<typeof parseSafetensors>) => void, string]>([
    [
      'another format',
      ({ metadata }) => (metadata.format = 'pt'),
      `the format must be 'gmml.GaussianMixture.1': it is "pt"`,
    ],
    [
      'unknown options',
      ({ metadata }) => (metadata.options = '{"components":0}'),
      'options must be allowed: options: components must be an integer of at least 1: it is 0.',
    ],
    [
      'other sizes',
      ({ metadata }) => (metadata.options = '{"components":3}'),
      'weights must be [3]: it is [2]',
    ],
    [
      'weights that are none',
      ({ tensors }) => (tensors.weights = tensor(Float64Array.of(0.5, 0.6))),
      'weights must sum to 1: they sum to 1.1',
    ],
    [
      'a covariance that is none',
      ({ tensors }) => (tensors.covariances = tensor(new Float64Array(18), { shape: [2, 3, 3] })),
      'covariances must be positive definite',
    ],
    ['no means', ({ tensors }) => delete tensors.means, 'there must be means: there is none'],
    [
      'more tensors',
      ({ tensors }) => (tensors.more = tensor([1])),
      'there must be no other tensors: there is "more"',
    ],
    [
      'no count of iterations',
      ({ metadata }) => delete metadata.iterations,
      'iterations and rows must be numbers: they are NaN and 200',
    ],
  ])('refuses a file with %s', (_, change, message) => {
    const file = parseSafetensors(mixtureToSafetensors(fitted()));
    change(file);
    expect(() => mixtureFromSafetensors(serializeSafetensors(file.tensors, file.metadata))).toThrow(
      new FormatError(`mixtureFromSafetensors: ${message}. Give the bytes that toSafetensors gave.`),
    );
  });
});

describe('modelFromSafetensors', () => {
  test('tells mixtures, classifiers and layers, with their labels', () => {
    const mixture = modelFromSafetensors(modelToSafetensors(fitted(), ['b', 'a']));
    expect(mixture.model).toBeInstanceOf(GaussianMixture);
    expect(mixture.labels).toEqual(['b', 'a']);
    expect(modelFromSafetensors(mixtureToSafetensors(fitted())).labels).toBeNull();
    const classifier = new OpenSetClassifier({ features: 3 });
    classifier.addExamples('one', x);
    const open = modelFromSafetensors(modelToSafetensors(classifier));
    expect((open.model as OpenSetClassifier).counts).toEqual({ one: 200 });
    expect(open.labels).toEqual(['one']);
  });

  test('is not given what it would refuse: as many labels as there are components or classes', () => {
    const layer = new GMML(3, 3, 2);
    const classifier = new OpenSetClassifier({ features: 3 });
    classifier.addExamples('one', x);
    const cases = [
      [() => modelToSafetensors(layer, ['a']), 'labels must be 2 strings: they are ["a"]'],
      [
        () => modelToSafetensors(fitted(), ['a', 'b', 'c']),
        'labels must be 2 strings: they are ["a","b","c"]',
      ],
      [
        () => modelToSafetensors(layer, [1, 2] as unknown as string[]),
        'labels must be 2 strings: they are [1,2]',
      ],
    ] as const;
    for (const [act, message] of cases)
      expect(act).toThrow(new ArgumentError(`modelToSafetensors: ${message}.`));
    expect(modelFromSafetensors(modelToSafetensors(layer, ['a', 'b'])).labels).toEqual(['a', 'b']);
    expect(modelFromSafetensors(modelToSafetensors(classifier, ['other'])).labels).toEqual(['one']);
  });

  test.each([
    { covType: 'tril' },
    { nComponent: 2, covType: 'full', learnPriors: true, dtype: 'float64' },
    { projection: 'always', temperature: false },
    { parametrization: 'gram' },
    { logStretchTrick: true },
  ] as const)('builds the layer again: %j', (options) => {
    const generator = new Generator(5);
    const layer = new GMML(3, 3, 2, { ...options, generator });
    const { model, labels } = modelFromSafetensors(modelToSafetensors(layer));
    const read = model as GMML;
    expect(labels).toBeNull();
    const names = (of: GMML): string[] => [...of.namedParameters()].map(([name]) => name);
    expect(names(read)).toEqual(names(layer));
    const { dtype } = layer.mean;
    const input = randn([4, 3], { generator, dtype });
    expect(Array.from(read.forward(input).data)).toEqual(Array.from(layer.forward(input).data));
  });

  test('refuses other files', () => {
    const layer = parseSafetensors(
      modelToSafetensors(new GMML(3, 3, 2, { generator: new Generator(1) }), ['a', 'b']),
    );
    const of = (metadata: Record<string, string>): Uint8Array =>
      serializeSafetensors(layer.tensors, { ...layer.metadata, ...metadata });
    expect(() => modelFromSafetensors(of({ format: 'pt' }))).toThrow(
      new FormatError(
        `modelFromSafetensors: the format must be 'gmml.GaussianMixture.1', 'gmml.OpenSetClassifier.2' or 'gmml.GMML.1': it is "pt". Give the bytes that toSafetensors gave.`,
      ),
    );
    expect(() => modelFromSafetensors(of({ labels: '[1]' }))).toThrow(
      'modelFromSafetensors: labels must be 2 strings: they are "[1]". Give the bytes that toSafetensors gave.',
    );
    expect(() => modelFromSafetensors(of({ made: '{"inputDim":3,"d":3,"nClass":5}' }))).toThrow(
      'modelFromSafetensors: the layer must fit its tensors: mean must be [5, 1, 3]: it is [2, 1, 3]. Give the bytes that toSafetensors gave.',
    );
    expect(() => modelFromSafetensors(of({ labels: '["a"]' }))).toThrow(
      'modelFromSafetensors: labels must be 2 strings: they are "[\\"a\\"]". Give the bytes that toSafetensors gave.',
    );
    expect(() => modelFromSafetensors(of({ made: '3' }))).toThrow(
      /^modelFromSafetensors: the layer must fit/,
    );
  });

  test.each([
    [{ nClass: 1e9 }, 'mean must be [1000000000, 1, 3]: it is [2, 1, 3]'],
    [{ options: { nComponent: 1e9 } }, 'mean must be [2, 1000000000, 3]: it is [2, 1, 3]'],
    [{ options: { covType: 'full' } }, 'sigma must be [2, 1, 3, 3]: it is [2, 1, 3]'],
    [{ inputDim: 1e9 }, 'projection must be [3, 1000000000]: there is none'],
    [{ options: { projection: 'always' } }, 'projection must be [3, 3]: there is none'],
    [{ options: { parametrization: 'gram' } }, 'mu_p must be [2, 1, 3]: there is none'],
    [
      { options: { learnPriors: true, temperature: false } },
      'loadStateDict: the entries must fit the model: unexpected: logTemperature. Nothing was loaded. Build the model with the options that the state dict was saved with',
    ],
  ])('looks at sizes before it makes a layer of them: %j', (changes, problem) => {
    const { tensors, metadata } = parseSafetensors(modelToSafetensors(new GMML(3, 3, 2)));
    const made = JSON.stringify({ ...(JSON.parse(metadata.made) as object), ...changes });
    expect(() => modelFromSafetensors(serializeSafetensors(tensors, { ...metadata, made }))).toThrow(
      new FormatError(
        `modelFromSafetensors: the layer must fit its tensors: ${problem}. Give the bytes that toSafetensors gave.`,
      ),
    );
  });
});
