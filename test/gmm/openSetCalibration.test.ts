import { describe, expect, it } from 'vitest';
import { OpenSetClassifier } from '@gmml/gmm';
import { Generator, tensor } from '@gmml/tensor';
import { combinedScore } from '../../packages/gmm/src/openSet/calibration.js';
import { Ranking } from '../../packages/gmm/src/openSet/ranking.js';
import { LABELS, trained, vectorsOf } from './openSetExamples.js';

const COVARIANCES = ['tied', 'full', 'diag'] as const;

describe('calibration', () => {
  it.each(COVARIANCES)('keeps known samples with the probability asked for: %s', (covariance) => {
    const classifier = trained(250, { covariance });
    const generator = new Generator(7);
    const held = LABELS.flatMap((_, k) => vectorsOf(k, 2000, 4, generator));
    for (const keep of [0.8, 0.95]) {
      classifier.calibrate({ keep });
      const kept = classifier.predict(held).filter(({ label }) => label !== null).length / held.length;
      // 750 calibration and 6,000 held-out samples: three standard errors of both.
      const error = 3 * Math.sqrt(keep * (1 - keep) * (1 / 750 + 1 / 6000));
      expect(Math.abs(kept - keep)).toBeLessThan(error);
    }
  });

  it.each(COVARIANCES)('does so from few examples of many features: %s', (covariance) => {
    const generator = new Generator(12);
    let kept = 0;
    for (let run = 0; run < 40; run++) {
      const classifier = trained(10, { covariance, features: 20 }, 100 + run);
      classifier.calibrate({ keep: 0.9 });
      const held = LABELS.flatMap((_, k) => vectorsOf(k, 50, 20, generator));
      kept += classifier.predict(held).filter(({ label }) => label !== null).length / held.length / 40;
    }
    // 1,200 calibration and 6,000 held-out samples: four standard errors, and p-values are steps of 1/31.
    expect(Math.abs(kept - 0.9)).toBeLessThan(4 * Math.sqrt(0.09 * (1 / 1200 + 1 / 6000)) + 0.5 / 31);
  });

  it.each([['relative'], ['density'], [['relative', 'density']]] as const)(
    'gives p-values that are uniform for known samples, by held-out examples: %j',
    (score) => {
      const classifier = trained(60, { score });
      const generator = new Generator(8);
      const drawHeld = (count: number): Float64Array[] =>
        LABELS.flatMap((_, k) => vectorsOf(k, count, 4, generator));
      classifier.calibrate({
        examples: drawHeld(400),
        labels: LABELS.flatMap((label) => Array(400).fill(label)),
      });
      const p = classifier.predict(drawHeld(400)).map(({ typicality }) => typicality!);
      expect(Math.min(...p)).toBeGreaterThan(0);
      expect(Math.max(...p)).toBeLessThanOrEqual(1);
      const sorted = p.toSorted((a, b) => a - b);
      const distance = Math.max(...sorted.map((value, i) => Math.abs(value - (i + 0.5) / sorted.length)));
      // Kolmogorov–Smirnov for two samples of 1,200 at 0.001.
      expect(distance).toBeLessThan(1.95 * Math.sqrt(2 / 1200));
    },
  );

  it('ranks: p = (1 + number as typical or less)/(n + 1)', () => {
    const classifier = new OpenSetClassifier({ features: 1, score: 'density' });
    classifier.addExamples('a', [[-1], [1], [0.5], [-0.5]]);
    classifier.calibrate({ keep: 0.75, examples: [[0.1], [1], [2], [3]] });
    expect(classifier.predict([[0], [0.5], [1], [1.5], [2.5], [3], [9]]).map((a) => a.typicality)).toEqual([
      1, 0.8, 0.8, 0.6, 0.4, 0.4, 0.2,
    ]);
    expect(classifier.predict([[3], [9]]).map(({ label }) => label)).toEqual(['a', null]);
  });

  it.each(COVARIANCES)(
    'by all examples, left out, is that by the kept ones when all are kept: %s',
    (covariance) => {
      const generator = new Generator(1);
      const [byKept, byAll] = [trained(60, { covariance }), trained(60, { covariance })];
      const examples = LABELS.flatMap((_, k) => vectorsOf(k, 60, 4, generator));
      const labels = LABELS.flatMap((label) => Array.from(examples.slice(0, 60), () => label));
      byKept.calibrate();
      byAll.calibrate({ examples, labels, leaveOut: true });
      const probes = [0, 1, 2, 3].flatMap((k) => vectorsOf(k, 20, 4, generator));
      expect(byAll.predict(probes)).toEqual(byKept.predict(probes));
    },
  );

  it('combines scores by the harmonic mean of their p-values', () => {
    const ranked = (...values: number[]): Ranking => new Ranking([Float64Array.from(values)]);
    // p-values of three values: of none, one, two and all three below them 1/4, 2/4, 3/4 and 1.
    const rankings = { density: ranked(1, 2, 3), norm: ranked(10, 20, 30) };
    const columns = { density: Float64Array.of(0, 2, 9), norm: Float64Array.of(40, 25, 0) };
    const combined = [0, 1, 2].map((row) => combinedScore(rankings, ['density', 'norm'], columns, row));
    expect(combined).toEqual([-(4 + 1), Math.fround(-(4 / 3 + 4 / 3)), -(1 + 4)]);
    // The value of one score by itself, whose order is that of its p-values.
    expect(combinedScore(rankings, ['density'], columns, 2)).toBe(9);
  });

  it('makes no difference between scores, nor by rounding', () => {
    const nine = Float64Array.from({ length: 9 }, (_, n) => n + 1);
    const names = ['density', 'nearest', 'norm'] as const;
    const rankings = Object.fromEntries(names.map((name) => [name, new Ranking([nine])]));
    // p-values of 1/10, 1/10 and 3/10: added in one order and in another, 10, 10 and 10/3 are not the same.
    const combined = [
      [0, 0, 2],
      [2, 0, 0],
    ].map((values) => {
      const columns = Object.fromEntries(names.map((name, n) => [name, Float64Array.of(values[n])]));
      return combinedScore(rankings, names, columns, 0);
    });
    expect(10 + 10 + 10 / 3).not.toBe(10 / 3 + 10 + 10);
    expect(combined[0]).toBe(combined[1]);
  });

  it('ranks each label among its own samples where there are 50 of it', () => {
    const generator = new Generator(3);
    const around = (x: number, scale: number, count: number): number[][] =>
      Array.from({ length: count }, () => [x + scale * generator.normal(), scale * generator.normal()]);
    // The label 'wide' has lower densities everywhere; among its own samples its typical ones are typical.
    const typicalityOfWide = (count: number): number => {
      const classifier = new OpenSetClassifier({ features: 2, covariance: 'full', score: 'density' });
      classifier.addExamples('narrow', around(-50, 0.01, 180));
      classifier.addExamples('wide', around(50, 10, count));
      classifier.calibrate();
      const answers = classifier.predict(around(50, 3, 200));
      return answers.reduce((sum, { typicality }) => sum + typicality!, 0) / answers.length;
    };
    expect(typicalityOfWide(49)).toBeLessThan(0.4);
    expect(typicalityOfWide(60)).toBeGreaterThan(0.8);
  });

  it('takes the columns of a posterior in the order of classes', () => {
    const generator = new Generator(2);
    const held = LABELS.flatMap((_, k) => vectorsOf(k, 100, 4, generator));
    const labels = LABELS.flatMap((label) => Array.from({ length: 100 }, () => label));
    const posterior = labels.map((label) =>
      LABELS.map((name) => Math.log(name === label ? 0.8 : 0.1 * generator.uniform())),
    );
    const classes = ['bee', 'elk', 'cat', 'ant'];
    const widened = posterior.map(([ant, bee, cat]) => [bee, -30, cat, ant]);
    const [sorted, named] = [trained(60), trained(60)];
    sorted.calibrate({ examples: held, labels, posterior });
    named.calibrate({ examples: held, labels, posterior: widened, classes });
    expect(named.predict(held, { posterior: widened, classes })).toEqual(sorted.predict(held, { posterior }));
  });

  it('is made anew from the kept examples when examples come or go', () => {
    const generator = new Generator(6);
    const more = vectorsOf(3, 50, 4, generator);
    const change = [
      (c: OpenSetClassifier) => c.addExamples('dog', more),
      (c: OpenSetClassifier) => c.removeLabel('ant'),
      (c: OpenSetClassifier) => c.merge(trained(40, {}, 5)),
    ];
    for (const act of change) {
      const [stale, fresh] = [trained(50), trained(50)];
      // Held-out examples that are all far away make everything typical, until they are out of date.
      stale.calibrate({ examples: more.map((vector) => vector.map((value) => value + 40)) });
      expect(stale.predict([9, 9, 9, 9])).toMatchObject({ typicality: 1 });
      act(stale);
      act(fresh);
      fresh.calibrate();
      const probes = vectorsOf(1, 5, 4, generator);
      expect(stale.predict(probes)).toEqual(fresh.predict(probes));
    }
  });

  it('says null again when the kept examples have become too few, and comes back with new ones', () => {
    const classifier = trained(10);
    classifier.calibrate();
    classifier.removeLabel('cat');
    classifier.removeLabel('bee');
    expect(classifier.predict([99, 99, 99, 99])).toMatchObject({ label: 'ant', typicality: null });
    classifier.addExamples('bee', vectorsOf(1, 20, 4, new Generator(3)));
    expect(classifier.predict([99, 99, 99, 99])).toMatchObject({ label: null });
  });

  it('is taken over from the other one when only that was calibrated', () => {
    const [a, b] = [trained(30), trained(30, {}, 2)];
    b.calibrate({ keep: 0.9 });
    a.merge(b);
    expect(a.keep).toBe(0.9);
    expect(a.predict([9, 9, 9, 9]).label).toBe(null);
  });

  it('sees what is far along a direction in which labels do not differ', () => {
    const generator = new Generator(5);
    const drawn = (x: number, count: number): number[][] =>
      Array.from({ length: count }, () => [x + generator.normal(), generator.normal()]);
    const classifier = new OpenSetClassifier({ features: 2 });
    classifier.addExamples('left', drawn(-5, 100));
    classifier.addExamples('right', drawn(5, 100));
    classifier.calibrate();
    expect(classifier.predict([-5, 20]).label).toBe(null);
    expect(classifier.predict([0, 0]).label).toBe(null);
    expect(classifier.predict([-5, 1]).label).toBe('left');
  });

  it('tells directions apart by more than rounding', () => {
    const generator = new Generator(4);
    const classifier = new OpenSetClassifier({ features: 1, score: 'nearest' });
    for (const [label, x] of [
      ['low', -3],
      ['high', 7],
    ] as const) {
      classifier.addExamples(
        label,
        Array.from({ length: 60 }, () => [x + generator.normal()]),
      );
    }
    classifier.calibrate();
    // On a line there are two directions, and all of them have been seen.
    const answers = classifier.predict(Array.from({ length: 40 }, (_, i) => [i - 20.3]));
    expect(new Set(answers.map(({ typicality }) => typicality))).toEqual(new Set([1]));
  });

  it('of one label ranks the density', () => {
    const classifier = new OpenSetClassifier({ features: 4, score: 'relative' });
    classifier.addExamples('only', vectorsOf(0, 100, 4, new Generator(1)));
    classifier.calibrate();
    expect(classifier.predict([5, 0, 0, 0]).label).toBe('only');
    expect(classifier.predict([-5, 9, 0, 0]).label).toBe(null);
  });

  it('leaves out labels of one example, of which nothing can be left out', () => {
    const classifier = trained(8);
    for (let i = 0; i < 30; i++) classifier.addExamples(`single ${i}`, [i, i, i, i]);
    classifier.calibrate({ keep: 0.95 });
    expect(() => classifier.calibrate({ keep: 0.97 })).toThrow(
      'OpenSetClassifier.calibrate: keep 0.97 needs at least 33 calibration samples: there are 24. ',
    );
  });

  it("combines the posterior of a network's head with scores of features", () => {
    const classifier = trained(60, { scoreWithPosterior: ['density', 'posterior'] });
    const generator = new Generator(8);
    const held = LABELS.flatMap((_, k) => vectorsOf(k, 100, 4, generator));
    const posteriorOf = (share: number): number[] => [
      Math.log(share),
      Math.log((1 - share) / 2),
      Math.log((1 - share) / 2),
    ];
    const posterior = held.map(() => posteriorOf(0.9 + 0.1 * generator.uniform()));
    classifier.calibrate({ examples: held, posterior });
    const probe = vectorsOf(0, 1, 4, generator)[0];
    const sure = classifier.predict(probe, { posterior: posteriorOf(0.99) });
    const torn = classifier.predict(probe, { posterior: tensor(posteriorOf(0.4)) });
    expect(sure.typicality!).toBeGreaterThan(torn.typicality! + 0.2);
    expect(sure.label).toBe('ant');
    // Without a posterior the features decide.
    expect(classifier.predict(probe).label).toBe('ant');
    // Fresh known samples are still uniform.
    const fresh = LABELS.flatMap((_, k) => vectorsOf(k, 300, 4, generator));
    const p = classifier.predict(fresh, {
      posterior: fresh.map(() => posteriorOf(0.9 + 0.1 * generator.uniform())),
    });
    const kept = p.filter(({ label }) => label !== null).length / p.length;
    expect(Math.abs(kept - 0.95)).toBeLessThan(3 * Math.sqrt(0.95 * 0.05 * (1 / 300 + 1 / 900)));
    classifier.addExamples('ant', probe);
    expect(() => classifier.predict(probe, { posterior: posteriorOf(0.9) })).toThrow(
      'OpenSetClassifier.predict: the calibration must have a posterior where one is given: it has none. Call calibrate with examples and posterior after the last change.',
    );
  });
});
