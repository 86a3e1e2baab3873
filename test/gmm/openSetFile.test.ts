import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OpenSetClassifier } from '@gmml/gmm';
import { parseSafetensors, serializeSafetensors } from '@gmml/nn';
import { FormatError, Generator, tensor, type Tensor } from '@gmml/tensor';
import { trained, vectorsOf } from './openSetExamples.js';

const PREFIX = 'OpenSetClassifier.fromSafetensors: ';
const SUFFIX = '. Give the bytes that toSafetensors gave.';

/** What a file holds, open to changes. */
interface Parts {
  readonly tensors: Record<string, Tensor>;
  readonly metadata: Record<string, string>;
}

describe('toSafetensors and fromSafetensors', () => {
  it.each(['tied', 'full', 'diag'] as const)('bring everything back to the bit: %s', (covariance) => {
    const generator = new Generator(2);
    const probes = vectorsOf(1, 20, 4, generator);
    const fresh = trained(300, { covariance, shrinkage: 0.1, priors: 'counts', score: 'density' });
    // One label is nothing but its few examples.
    fresh.addExamples('few', vectorsOf(3, 5, 4, generator));
    const held = vectorsOf(0, 40, 4, generator);
    const states: ((c: OpenSetClassifier) => void)[] = [
      () => {},
      (c) => c.calibrate({ keep: 0.9 }),
      (c) =>
        c.calibrate({
          examples: held,
          posterior: held.map((_, i) => [-1 / (i + 1), -3]),
          classes: ['few', 'ant'],
        }),
      (c) => c.addExamples('new', vectorsOf(2, 3, 4, generator)),
    ];
    for (const change of states) {
      change(fresh);
      const bytes = fresh.toSafetensors();
      const back = OpenSetClassifier.fromSafetensors(bytes);
      expect(back.toSafetensors()).toEqual(bytes);
      expect([back.features, back.covariance, back.keep]).toEqual([4, covariance, fresh.keep]);
      expect(back.counts).toEqual(fresh.counts);
      expect(back.predict(probes)).toEqual(fresh.predict(probes));
    }
  });

  it('keep on where the first one was', () => {
    const first = trained(300);
    const back = OpenSetClassifier.fromSafetensors(first.toSafetensors());
    for (const classifier of [first, back]) {
      classifier.addExamples('ant', vectorsOf(0, 100, 4, new Generator(4)));
      classifier.removeLabel('bee');
      classifier.merge(trained(20, {}, 3));
    }
    expect(back.toSafetensors()).toEqual(first.toSafetensors());
  });

  it('take a classifier without examples', () => {
    const empty = new OpenSetClassifier({ features: 7 });
    const back = OpenSetClassifier.fromSafetensors(empty.toSafetensors());
    expect([back.features, back.labels]).toEqual([7, []]);
  });

  it('write examples as float32 where that holds them', () => {
    const classifier = new OpenSetClassifier({ features: 2 });
    classifier.addExamples('halves', [0.5, -0.25]);
    classifier.addExamples('tenths', [0.1, 0.2]);
    const { tensors } = parseSafetensors(classifier.toSafetensors());
    expect([tensors['examples.0'].dtype, tensors['examples.1'].dtype]).toEqual(['float32', 'float64']);
  });
});

describe('fromSafetensors refuses', () => {
  const calibrated = trained(20);
  calibrated.calibrate();
  const good = calibrated.toSafetensors();
  const float64 = (shape: readonly number[], ...values: number[]): Tensor =>
    tensor(Float64Array.from(values), { shape });

  /** The good file with a change. */
  const changed = (change: (parts: Parts) => void): Uint8Array => {
    const parts = parseSafetensors(good);
    change(parts);
    return serializeSafetensors(parts.tensors, parts.metadata);
  };

  it.each<[string, (parts: Parts) => void, string]>([
    [
      'another format',
      ({ metadata }) => (metadata.format = 'pt'),
      `the format must be 'gmml.OpenSetClassifier.2': it is "pt"`,
    ],
    ['no options', ({ metadata }) => delete metadata.options, 'options must be JSON: it is missing'],
    [
      'options that are none',
      ({ metadata }) => (metadata.options = '3'),
      'options must be an object: they are "3"',
    ],
    [
      'a bad option',
      ({ metadata }) => (metadata.options = '{"features":-1}'),
      'options must be allowed: OpenSetClassifier: features must be an integer of at least 1: it is -1.',
    ],
    [
      'an option that is no string',
      ({ metadata }) => (metadata.options = '{"features":4,"score":{"toString":1,"valueOf":1}}'),
      'options must be allowed: Cannot convert object to primitive value',
    ],
    [
      'labels that are none',
      ({ metadata }) => (metadata.labels = '[1,2,3]'),
      'labels must be different strings: they are "[1,2,3]"',
    ],
    [
      'a label twice',
      ({ metadata }) => (metadata.labels = '["a","b","a"]'),
      String.raw`labels must be different strings: they are "[\"a\",\"b\",\"a\"]"`,
    ],
    [
      'more labels',
      ({ metadata }) => (metadata.labels = '["a","b","c","d"]'),
      'counts must be [4]: it is [3]',
    ],
    ['no counts', ({ tensors }) => delete tensors.counts, 'there must be counts: there is none'],
    [
      'a negative count',
      ({ tensors }) => (tensors.counts = float64([3], -20, 20, 20)),
      'counts must be integers of at least 1: that of "ant" is -20',
    ],
    [
      'a fraction of a count',
      ({ tensors }) => (tensors.counts = float64([3], 20.5, 20, 20)),
      'counts must be integers of at least 1: that of "ant" is 20.5',
    ],
    [
      'a count that is NaN',
      ({ tensors }) => (tensors.counts = float64([3], NaN, 20, 20)),
      'counts must be finite: entry 0 is NaN',
    ],
    [
      'fewer examples than the count',
      ({ tensors }) => (tensors.counts = float64([3], 21, 20, 20)),
      'examples.0 must be [21, 4]: it is [20, 4]',
    ],
    [
      'an example that is infinite',
      ({ tensors }) => (tensors['examples.1'].data[3] = Infinity),
      'examples.1 must be finite: entry 3 is Infinity',
    ],
    ['no mean', ({ tensors }) => delete tensors['mean.0'], 'there must be mean.0: there is none'],
    ['a short mean', ({ tensors }) => (tensors['mean.0'] = float64([1], 0)), 'mean.0 must be [4]: it is [1]'],
    [
      'a square scatter',
      ({ tensors }) => (tensors['scatter.0'] = float64([4, 4], ...new Float64Array(16))),
      'scatter.0 must be [10]: it is [4, 4]',
    ],
    [
      'a negative scatter',
      ({ tensors }) => (tensors['scatter.0'].data[2] = -1),
      'the scatter of "ant" must not be negative: that of feature 1 is',
    ],
    [
      'a scatter that is none',
      ({ tensors }) => (tensors['scatter.0'].data[1] = 1e9),
      'the scatter of "ant" must be one: entry [1, 0] exceeds its diagonal',
    ],
    [
      'no calibration',
      ({ metadata }) => delete metadata.calibration,
      'calibration must be JSON: it is missing',
    ],
    [
      'a calibration that is none',
      ({ metadata }) => (metadata.calibration = '{"keep":2,"isStale":false,"isMade":true}'),
      String.raw`calibration must be keep, isStale and isMade: it is "{\"keep\":2,\"isStale\":false,\"isMade\":true}"`,
    ],
    [
      'too few calibration samples',
      ({ tensors }) => (tensors.combined = float64([2], -3, -2)),
      'the calibration must have enough samples for keep 0.95: there are 2',
    ],
    [
      'a ranking that is missing',
      ({ tensors }) => delete tensors['ranking.nearest'],
      'there must be ranking.nearest: there is none',
    ],
    [
      'rankings of different lengths',
      ({ tensors }) => (tensors['ranking.relative'] = float64([2], 1, 2)),
      'ranking.relative must be [60]: it is [2]',
    ],
    [
      'a ranking that is NaN',
      ({ tensors }) => (tensors['ranking.density'].data[7] = NaN),
      'ranking.density must be finite: entry 7 is NaN',
    ],
    [
      'a ranking that falls',
      ({ tensors }) => tensors['ranking.density'].data.set([5, 4]),
      'ranking.density must rise: 4 comes after 5',
    ],
    [
      'a group that is none',
      ({ tensors }) => (tensors.groups.data[2] = 1),
      'groups must be below 1: entry 2 is 1',
    ],
    [
      'half a group',
      ({ tensors }) => (tensors.groups.data[2] = 0.5),
      'groups must be counts: entry 2 is 0.5',
    ],
    [
      'another tensor',
      ({ tensors }) => (tensors.more = float64([1], 1)),
      'there must be no other tensors: there is "more"',
    ],
  ])('%s', (_, change, message) => {
    const bytes = changed(change);
    expect(() => OpenSetClassifier.fromSafetensors(bytes)).toThrow(
      new FormatError(`${PREFIX}${message}${SUFFIX}`),
    );
  });

  it('what is no safetensors file', () => {
    expect(() => OpenSetClassifier.fromSafetensors(Uint8Array.of(1, 2, 3))).toThrow(FormatError);
    for (let length = 0; length < good.length; length += 97) {
      expect(() => OpenSetClassifier.fromSafetensors(good.subarray(0, length))).toThrow(FormatError);
    }
  });

  it('or takes: any bytes changed', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        (changes) => {
          const bytes = good.slice();
          for (const [at, value] of changes) bytes[at] = value;
          expect(outcome(bytes)).toMatch(/^(FormatError|3 labels)$/);
        },
      ),
      { numRuns: 1500, seed: 1 },
    );
  });

  /** 'FormatError', or how many labels there are; any other error goes on to the test. */
  function outcome(bytes: Uint8Array): string {
    try {
      return `${OpenSetClassifier.fromSafetensors(bytes).labels.length} labels`;
    } catch (error) {
      if (error instanceof FormatError) return 'FormatError';
      throw error;
    }
  }
});
