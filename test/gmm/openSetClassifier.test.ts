import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OpenSetClassifier, type OpenSetAnswer, type OpenSetOptions } from '@gmml/gmm';
import { Generator, NotPositiveDefiniteError, tensor } from '@gmml/tensor';
import { LABELS, partsOf, trained, vectorsOf } from './openSetExamples.js';

const COVARIANCES = ['tied', 'full', 'diag'] as const;

describe('OpenSetClassifier', () => {
  it('says the label, or that it is none of these', () => {
    const classifier = new OpenSetClassifier({ features: 2 });
    classifier.addExamples('left', [
      [-2, 0],
      [-2, 1],
      [-3, 0],
    ]);
    classifier.addExamples('right', [
      [2, 0],
      [2, 1],
      [3, 0],
    ]);
    expect(classifier.predict([2.5, 0.5])).toMatchObject({
      label: 'right',
      nearest: 'right',
      typicality: null,
    });
    expect(classifier.labels).toEqual(['left', 'right']);
    expect(classifier.counts).toEqual({ left: 3, right: 3 });
    expect(classifier.keep).toBe(null);
    classifier.calibrate({ keep: 0.8 });
    expect(classifier.keep).toBe(0.8);
    expect(classifier.predict([2.3, 0.3]).label).toBe('right');
    const far = classifier.predict([0, 40]);
    expect(far).toMatchObject({ label: null, typicality: 1 / 7 });
    expect(LABELS).not.toContain(far.label);
  });

  it.each(COVARIANCES)('rejects what is far from all labels: %s', (covariance) => {
    const classifier = trained(100, { covariance });
    classifier.calibrate();
    const generator = new Generator(9);
    for (const [k, label] of LABELS.entries()) {
      const answers = classifier.predict(vectorsOf(k, 50, 4, generator));
      expect(answers.filter(({ nearest }) => nearest === label).length).toBeGreaterThanOrEqual(48);
      expect(answers.filter((answer) => answer.label === label).length).toBeGreaterThanOrEqual(42);
    }
    const strangers = classifier.predict(vectorsOf(3, 100, 4, generator));
    expect(strangers.filter(({ label }) => label === null).length).toBeGreaterThan(70);
  });

  it('takes a tensor, typed arrays or nested arrays, one vector or several', () => {
    const classifier = trained(30);
    const vectors = [
      [0.5, 1, 2, 0.25],
      [4, 0, 0, 1],
    ];
    const expected = classifier.predict(vectors);
    expect(expected.length).toBe(2);
    expect(classifier.predict(vectors.map((vector) => Float32Array.from(vector)))).toEqual(expected);
    expect(classifier.predict(vectors.map((vector) => Float64Array.from(vector)))).toEqual(expected);
    expect(classifier.predict(tensor(vectors))).toEqual(expected);
    expect(classifier.predict(tensor(vectors, { dtype: 'float64' }))).toEqual(expected);
    expectClose(classifier.predict(vectors[1]), expected[1]);
    expectClose(classifier.predict(Float32Array.from(vectors[1])), expected[1]);
    expectClose(classifier.predict(tensor(vectors[1])) as OpenSetAnswer, expected[1]);
    expect(classifier.predict([])).toEqual([]);
  });

  it.each(COVARIANCES)('gives the same for a vector whatever stands beside it: %s', (covariance) => {
    for (const features of [7, 20]) {
      const classifier = trained(40, { covariance, features });
      classifier.calibrate();
      const vectors = vectorsOf(1, 300, features, new Generator(5));
      const together = classifier.predict(vectors);
      for (const i of [0, 1, 2, 255, 256, 299]) expectClose(classifier.predict(vectors[i]), together[i]);
      const few = classifier.predict(vectors.slice(250, 260));
      for (const [i, answer] of few.entries()) expectClose(answer, together[250 + i]);
    }
  });

  it('gives probabilities that sum to 1, keyed by label', () => {
    const odd = ['__proto__', '7', 'constructor', 'ü'];
    const classifier = new OpenSetClassifier({ features: 4 });
    const generator = new Generator(2);
    for (const [k, label] of odd.entries()) classifier.addExamples(label, vectorsOf(k % 4, 20, 4, generator));
    for (const { probabilities } of classifier.predict(vectorsOf(0, 20, 4, generator))) {
      expect(Object.keys(probabilities).toSorted()).toEqual(odd.toSorted());
      expect(Object.values(probabilities).reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 12);
    }
  });

  it('takes priors equal, or from the counts', () => {
    const build = (priors: 'equal' | 'counts'): OpenSetAnswer => {
      const classifier = new OpenSetClassifier({ features: 1, priors, covariance: 'tied' });
      classifier.addExamples('few', [[-1], [-1.5], [-0.5]]);
      classifier.addExamples(
        'many',
        Array.from({ length: 27 }, (_, i) => [1 + ((i % 3) - 1) / 2]),
      );
      return classifier.predict([0]);
    };
    expect(build('equal').probabilities.few).toBeCloseTo(0.5, 10);
    expect(build('counts').probabilities.few).toBeCloseTo(0.1, 10);
  });

  it('works from one example a label, and says how sure it can be', () => {
    for (const covariance of COVARIANCES) {
      const classifier = new OpenSetClassifier({ features: 3, covariance });
      classifier.addExamples('a', [1, 2, 3]);
      expect(classifier.predict([1, 2, 2])).toMatchObject({ label: 'a', typicality: null, reliability: 0 });
      classifier.addExamples('b', [-1, 0, 3]);
      const answer = classifier.predict([-1, 0, 2]);
      expect(answer).toMatchObject({ label: 'b', nearest: 'b', reliability: 0 });
      expect(answer.probabilities.b).toBeGreaterThan(0.6);
      expect(Number.isFinite(answer.logDensity)).toBe(true);
    }
    const sure = [2, 20, 200].map((count) => trained(count).predict([0, 0, 0, 0]).reliability);
    expect(sure[0]).toBeGreaterThan(0);
    expect(sure[1]).toBeGreaterThan(sure[0]);
    expect(sure[2]).toBeGreaterThan(0.98);
    expect(sure[2]).toBeLessThan(1);
  });

  it.each(COVARIANCES)('has an answer for equal examples, zeros and constant features: %s', (covariance) => {
    const classifier = new OpenSetClassifier({ features: 3, covariance });
    classifier.addExamples('zero', [
      [0, 0, 0],
      [0, 0, 0],
    ]);
    expect(classifier.predict([0, 0, 0])).toMatchObject({ label: 'zero' });
    classifier.addExamples(
      'one',
      Array.from({ length: 30 }, () => [1, 1, 0]),
    );
    expect(classifier.predict([1, 1, 0])).toMatchObject({ label: 'one' });
    classifier.calibrate({ keep: 0.9 });
    expect(classifier.predict([1, 1, 0])).toMatchObject({ nearest: 'one' });
    expect(classifier.predict([1, 9, 4]).label).toBe(null);
  });

  it('names the label whose covariance is singular without shrinkage', () => {
    for (const covariance of COVARIANCES) {
      const classifier = new OpenSetClassifier({ features: 2, covariance, shrinkage: 0 });
      classifier.addExamples('flat', [
        [0, 1],
        [1, 1],
        [2, 1],
      ]);
      const what = covariance === 'tied' ? 'all labels' : "label 'flat'";
      const refused = (): unknown => classifier.predict([0, 0]);
      expect(refused).toThrow(NotPositiveDefiniteError);
      expect(refused).toThrow(
        `OpenSetClassifier: the covariance of ${what} must be positive definite: pivot 1 is not positive. Use more shrinkage (the default is 'auto'), give more examples, or leave out features that are constant or sums of others.`,
      );
    }
  });

  it('forgets a label that is removed', () => {
    const [three, two] = [trained(40), new OpenSetClassifier({ features: 4 })];
    const generator = new Generator(1);
    for (const [k, label] of LABELS.slice(0, 2).entries()) {
      two.addExamples(label, vectorsOf(k, 40, 4, generator));
    }
    three.removeLabel('cat');
    expect(three.labels).toEqual(['ant', 'bee']);
    expect(three.toSafetensors()).toEqual(two.toSafetensors());
  });

  it.each(COVARIANCES)('is the same model for any order, partition and tree of merges: %s', (covariance) => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 120 }), fc.integer({ min: 0, max: 1000 }), (count, seed) => {
        const generator = new Generator(seed);
        const options: OpenSetOptions = { features: 3, covariance };
        const all = LABELS.flatMap((label, k) =>
          vectorsOf(k, Math.ceil(count / (k + 1)), 3, generator).map((vector) => ({ label, vector })),
        );
        const whole = new OpenSetClassifier(options);
        for (const label of LABELS) {
          whole.addExamples(
            label,
            all.filter((one) => one.label === label).map(({ vector }) => vector),
          );
        }
        const parts = partsOf(all, generator).map((part) => {
          const classifier = new OpenSetClassifier(options);
          for (const { label, vector } of part) classifier.addExamples(label, vector);
          return classifier;
        });
        while (parts.length > 1) {
          const [a] = parts.splice(generator.integer(parts.length), 1);
          parts[generator.integer(parts.length)].merge(a);
        }
        expect(parts[0].counts).toEqual(whole.counts);
        if (count >= 20) for (const classifier of [parts[0], whole]) classifier.calibrate({ keep: 0.9 });
        const probes = vectorsOf(0, 10, 3, generator);
        const expected = whole.predict(probes);
        for (const [i, answer] of parts[0].predict(probes).entries()) expectSame(answer, expected[i]);
      }),
      { numRuns: 40, seed: 1 },
    );
  });

  it('leaves the other one as it is when merging, and can be merged with itself', () => {
    const [a, b] = [trained(30), trained(30, {}, 2)];
    const before = b.toSafetensors();
    a.merge(b);
    expect(b.toSafetensors()).toEqual(before);
    a.addExamples('ant', [1, 2, 3, 4]);
    expect(b.toSafetensors()).toEqual(before);
    const empty = new OpenSetClassifier({ features: 4 });
    empty.merge(b);
    expect(empty.toSafetensors()).toEqual(before);
    empty.addExamples('ant', [1, 2, 3, 4]);
    expect(b.toSafetensors()).toEqual(before);
    b.merge(b);
    expect(b.counts).toEqual({ ant: 60, bee: 60, cat: 60 });
  });

  it('takes −0 for 0', () => {
    const bytes = [0, -0].map((zero) => {
      const classifier = new OpenSetClassifier({ features: 2 });
      classifier.addExamples('a', [
        [zero, 1],
        [0.5, zero],
      ]);
      return classifier.toSafetensors();
    });
    expect(bytes[0]).toEqual(bytes[1]);
  });

  it.each(COVARIANCES)('keeps its digits far from the origin: %s', (covariance) => {
    const far = (vectors: readonly Float64Array[]): Float64Array[] =>
      vectors.map((vector) => vector.map((value) => value + 2 ** 20));
    const [near, away] = [0, 1].map(() => new OpenSetClassifier({ features: 4, covariance }));
    for (const [k, label] of LABELS.entries()) {
      // Multiples of 2⁻³⁰, so that moving them loses nothing.
      const vectors = vectorsOf(k, 40, 4, new Generator(k)).map((vector) =>
        vector.map((value) => Math.round(value * 2 ** 30) / 2 ** 30),
      );
      near.addExamples(label, vectors);
      away.addExamples(label, far(vectors));
    }
    const probes = [Float64Array.of(1, 2, 0.5, 0), Float64Array.of(4, 0, -0.25, 1)];
    const expected = near.predict(probes);
    for (const [i, { probabilities, logDensity }] of away.predict(far(probes)).entries()) {
      expect(logDensity).toBeCloseTo(expected[i].logDensity, 8);
      for (const label of LABELS) {
        expect(probabilities[label]).toBeCloseTo(expected[i].probabilities[label], 8);
      }
    }
  });

  it('does not grow with the data', () => {
    expect(trained(2000).toSafetensors().length).toBe(trained(300).toSafetensors().length);
  });
});

function expectSame(actual: OpenSetAnswer, expected: OpenSetAnswer): void {
  const { probabilities, logDensity, ...rest } = actual;
  expect(rest).toEqual({ ...expected, probabilities: undefined, logDensity: undefined });
  expect(logDensity).toBeAllClose(expected.logDensity, { rtol: 1e-10, atol: 1e-10 });
  const shares = (of: Readonly<Record<string, number>>): number[] => LABELS.map((label) => of[label] ?? 0);
  expect(shares(probabilities)).toBeAllClose(shares(expected.probabilities), { rtol: 0, atol: 1e-10 });
}

/** The same answer up to the rounding of sums in another order. */
function expectClose(actual: OpenSetAnswer, expected: OpenSetAnswer): void {
  const { logDensity, probabilities, ...rest } = actual;
  const { logDensity: wanted, probabilities: shares, ...others } = expected;
  expect(rest).toEqual(others);
  expect(Math.abs(logDensity - wanted)).toBeLessThanOrEqual(1e-12 * Math.max(1, Math.abs(wanted)));
  for (const [label, share] of Object.entries(shares)) {
    expect(Math.abs(probabilities[label] - share)).toBeLessThanOrEqual(1e-12);
  }
}
