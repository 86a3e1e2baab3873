// OpenSetClassifier on data in which vectors come more than once.
import { OpenSetClassifier, type OpenSetCovariance } from '@gmml/gmm';
import { parseSafetensors, serializeSafetensors } from '@gmml/nn';
import { Generator, tensor } from '@gmml/tensor';
import { describe, expect, it } from 'vitest';
import { vectorsOf } from './openSetExamples.js';

const COVARIANCES: readonly OpenSetCovariance[] = ['tied', 'full', 'diag'];

/** Vectors of whole numbers. */
function wholeNumbers(k: number, count: number, generator: Generator): Float64Array[] {
  return vectorsOf(k, count, 2, generator).map((vector) => vector.map(Math.round));
}

/** The kept examples of the label number i, as text. */
function keptIn(classifier: OpenSetClassifier, i: number): string[] {
  const { data, shape } = parseSafetensors(classifier.toSafetensors()).tensors[`examples.${i}`];
  return Array.from({ length: shape[0] }, (_, n) => data.subarray(n * shape[1], (n + 1) * shape[1]).join());
}

describe('examples that come more than once', () => {
  it.each(COVARIANCES)('%s: known vectors are kept with about the probability asked for', (covariance) => {
    const generator = new Generator(3);
    const classifier = new OpenSetClassifier({ features: 2, covariance });
    for (const k of [0, 1]) classifier.addExamples(`${k}`, wholeNumbers(k, 3000, generator));
    classifier.calibrate({ keep: 0.95 });
    const known = [0, 1].flatMap((k) => wholeNumbers(k, 1000, generator));
    const coverage = classifier.predict(known).filter(({ label }) => label !== null).length / known.length;
    expect(coverage).toBeGreaterThan(0.93);
    expect(coverage).toBeLessThan(0.97);
    const far = classifier.predict([
      [40, -40],
      [-30, -30],
    ]);
    expect(far.map(({ label }) => label)).toEqual([null, null]);
  });

  it.each(COVARIANCES)('%s: so too where there are more different vectors than are kept', (covariance) => {
    const generator = new Generator(13);
    const wide = (k: number, count: number): Float64Array[] =>
      vectorsOf(k, count, 2, generator).map((vector) => vector.map((value) => Math.round(6 * value)));
    const classifier = new OpenSetClassifier({ features: 2, covariance });
    for (const k of [0, 1]) classifier.addExamples(`${k}`, wide(k, 3000));
    classifier.calibrate({ keep: 0.95 });
    expect(keptIn(classifier, 0).length).toBe(256);
    const known = [0, 1].flatMap((k) => wide(k, 1000));
    const coverage = classifier.predict(known).filter(({ label }) => label !== null).length / known.length;
    expect(coverage).toBeGreaterThan(0.93);
    expect(coverage).toBeLessThan(0.97);
    expect(classifier.predict([300, -300]).label).toBe(null);
  });

  it('are kept once, with their number', () => {
    const generator = new Generator(5);
    const vectors = wholeNumbers(0, 400, generator);
    const classifier = new OpenSetClassifier({ features: 2 });
    classifier.addExamples('a', vectors);
    classifier.addExamples('b', vectorsOf(1, 20, 2, generator));
    const contents = new Set(vectors.map((vector) => vector.join()));
    expect(contents.size).toBeLessThan(256);
    expect(keptIn(classifier, 0).toSorted()).toEqual([...contents].toSorted());
    expect(classifier.counts).toEqual({ a: 400, b: 20 });
    const { tensors } = parseSafetensors(classifier.toSafetensors());
    const mean = [0, 1].map((j) => vectors.reduce((sum, vector) => sum + vector[j] / 400, 0));
    expect(tensors['mean.0']).toBeAllClose(mean);
    const copies = Array.from(tensors['copies.0'].data);
    expect(copies.reduce((sum, value) => sum + value, 0)).toBe(400);
    expect(tensors['copies.1']).toBeUndefined();
    const variance = vectors.reduce((sum, [x]) => sum + (x - mean[0]) ** 2, 0);
    expect(tensors['scatter.0'].data[0]).toBeCloseTo(variance, 8);
  });

  it('merged parts that overlap keep what the whole keeps', () => {
    const generator = new Generator(7);
    const vectors = Array.from({ length: 900 }, () =>
      Float64Array.of(generator.integer(30), generator.integer(30)),
    );
    const of = (rows: readonly Float64Array[]): OpenSetClassifier => {
      const classifier = new OpenSetClassifier({ features: 2 });
      classifier.addExamples('a', rows);
      return classifier;
    };
    const merged = of(vectors.slice(600));
    // Parts that hold few, some and many, each with vectors of the others.
    merged.merge(of(vectors.slice(0, 7)));
    merged.merge(of(vectors.slice(7, 300)));
    merged.merge(of(vectors.slice(300, 600)));
    expect(keptIn(merged, 0)).toEqual(keptIn(of(vectors), 0));
    expect(keptIn(merged, 0).length).toBe(256);
    expect(new Set(keptIn(merged, 0)).size).toBe(256);
  });

  it('count in a label of few, in any order', () => {
    const rows = [
      [0, 0],
      [0, 0],
      [1, 2],
      [0, 0],
      [3, 1],
    ];
    const of = (order: readonly number[]): Uint8Array => {
      const classifier = new OpenSetClassifier({ features: 2 });
      for (const n of order) classifier.addExamples('few', [rows[n]]);
      return classifier.toSafetensors();
    };
    expect(of([4, 1, 0, 3, 2])).toEqual(of([0, 1, 2, 3, 4]));
    const { data, shape } = parseSafetensors(of([0, 1, 2, 3, 4])).tensors['examples.0'];
    expect(shape).toEqual([3, 2]);
    expect([...data].toSorted((a, b) => a - b)).toEqual([0, 0, 1, 1, 2, 3]);
  });

  it.each(['density', 'relative', 'regularized', 'nearest', 'norm'] as const)(
    'may all be one vector: %s stays a number',
    (score) => {
      const generator = new Generator(9);
      const classifier = new OpenSetClassifier({ features: 2, score: [score] });
      classifier.addExamples(
        'always',
        Array.from({ length: 40 }, () => [7, 7]),
      );
      classifier.addExamples('varied', vectorsOf(0, 60, 2, generator));
      classifier.calibrate({ keep: 0.9 });
      const [same, unknown] = classifier.predict([
        [7, 7],
        [-50, 90],
      ]);
      expect(same.label).toBe('always');
      expect(same.typicality).toBeGreaterThan(0.1);
      expect(unknown.typicality).toBeLessThanOrEqual(1);
    },
  );

  it('stand in a file, which loads to the same; one with copies, as files once had them, loads too', () => {
    const generator = new Generator(11);
    const vectors = wholeNumbers(0, 400, generator);
    const classifier = new OpenSetClassifier({ features: 2 });
    classifier.addExamples('a', vectors);
    const bytes = classifier.toSafetensors();
    expect(OpenSetClassifier.fromSafetensors(bytes).toSafetensors()).toEqual(bytes);
    const { tensors, metadata } = parseSafetensors(bytes);
    const { data: copies } = tensors['copies.0'];
    const old = Array.from(copies).flatMap((count, n) =>
      Array.from({ length: count }, () => [...tensors['examples.0'].data.subarray(2 * n, 2 * n + 2)]),
    );
    delete tensors['copies.0'];
    tensors['examples.0'] = tensor(old.slice(0, 256));
    const loaded = OpenSetClassifier.fromSafetensors(serializeSafetensors(tensors, metadata));
    expect(loaded.counts).toEqual({ a: 400 });
    loaded.calibrate({ keep: 0.95 });
    loaded.addExamples('a', vectors);
    expect(keptIn(loaded, 0)).toEqual(keptIn(classifier, 0));
    loaded.calibrate({ keep: 0.95 });
    expect(loaded.predict([0, 60]).label).toBe(null);
  });

  it.each([
    ['more than the count', [39, 2], 'copies.0 must sum to 40: it is 41'],
    ['a fraction', [38.5, 1.5], 'copies.0 must be counts: entry 0 is 38.5'],
    ['none', [40, 0], 'copies.0 must be counts: entry 1 is 0'],
    ['others than the examples', [20, 10, 10], 'examples.0 must be [3, 2]: it is [2, 2]'],
  ])('in a file are refused: %s', (_, copies, reason) => {
    const classifier = new OpenSetClassifier({ features: 2 });
    const rows = Array.from({ length: 40 }, (__, n) => (n < 39 ? [1, 2] : [3, 4]));
    classifier.addExamples('a', rows);
    const { tensors, metadata } = parseSafetensors(classifier.toSafetensors());
    tensors['copies.0'] = tensor(Float64Array.from(copies));
    const bytes = serializeSafetensors(tensors, metadata);
    expect(() => OpenSetClassifier.fromSafetensors(bytes)).toThrow(reason);
  });

  it('of a label of few must be all in its file', () => {
    const classifier = new OpenSetClassifier({ features: 1 });
    classifier.addExamples('a', [[1], [1], [2]]);
    const { tensors, metadata } = parseSafetensors(classifier.toSafetensors());
    tensors['copies.0'] = tensor(Float64Array.of(1, 1));
    const bytes = serializeSafetensors(tensors, metadata);
    expect(() => OpenSetClassifier.fromSafetensors(bytes)).toThrow('copies.0 must sum to 3: it is 2');
  });
});
