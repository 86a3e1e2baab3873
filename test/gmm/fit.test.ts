import { describe, expect, it } from 'vitest';
import { GMML, MultivariateNormal, type CovType, type GMMLOptions } from '@gmml/gmm';
import {
  ArgumentError,
  Generator,
  IndexError,
  noGrad,
  NotFiniteError,
  ShapeError,
  tensor,
  zeros,
  type Tensor,
} from '@gmml/tensor';
import { blobs } from './samples.js';

const covTypes: readonly CovType[] = ['diag', 'tril', 'full'];

/** Classes 6 apart with correlated features, as float64 rows. */
function examples(
  rows: number,
  features: number,
  classes: number,
  seed = 1,
): { x: number[][]; labels: number[] } {
  const { x, labels } = blobs({ seed, rows, features, components: classes, apart: 6 });
  const correlated = x.map((row, n) =>
    row.map((value, j) => (1 + 0.3 * labels[n]) * (value + 0.5 * row[(j + 1) % features])),
  );
  return { x: correlated, labels };
}

function layer(inputDim: number, d: number, nClass: number, options: GMMLOptions = {}): GMML {
  return new GMML(inputDim, d, nClass, { generator: new Generator(5), ...options });
}

/** Class means, and covariances (1 − ρ)·S + ρ·T with the ridge, in float64. */
function closedForm(
  x: number[][],
  labels: number[],
  classes: number,
  amount: number,
  isDiag: boolean,
): { means: number[][]; covariances: number[][][] } {
  const d = x[0].length;
  const own = Array.from({ length: classes }, (_, k) => x.filter((_row, n) => labels[n] === k));
  const means = own.map((rows) =>
    Array.from({ length: d }, (_, j) => rows.reduce((sum, row) => sum + row[j], 0) / rows.length),
  );
  const each = (entry: (k: number, i: number, j: number) => number): number[][][] =>
    means.map((_, k) =>
      Array.from({ length: d }, (_r, i) =>
        Array.from({ length: d }, (_c, j) => (isDiag && i !== j ? 0 : entry(k, i, j))),
      ),
    );
  const s = each((k, i, j) => {
    const product = (row: number[]): number => (row[i] - means[k][i]) * (row[j] - means[k][j]);
    return own[k].reduce((sum, row) => sum + product(row), 0) / own[k].length;
  });
  const tied = (i: number, j: number): number =>
    s.reduce((sum, matrix, k) => sum + (own[k].length / x.length) * matrix[i][j], 0);
  const shrunk = each((k, i, j) => (1 - amount) * s[k][i][j] + amount * tied(i, j));
  const ridge = shrunk.map((matrix) => (1e-6 * matrix.reduce((sum, row, i) => sum + row[i], 0)) / d);
  return { means, covariances: each((k, i, j) => shrunk[k][i][j] + (i === j ? ridge[k] : 0)) };
}

const float64 = (values: number[][] | number[][][]): Tensor => tensor(values, { dtype: 'float64' });

describe.each(covTypes)('GMML.fit with %s covariances', (covType) => {
  it.each([
    ['float64', 1e-10],
    ['float32', 1e-4],
  ] as const)('has the closed form for its values in %s', (dtype, tolerance) => {
    const { x, labels } = examples(90, 4, 3);
    for (const shrinkage of [0, 0.3, 1]) {
      const head = layer(4, 4, 3, { covType, dtype });
      expect(head.fit(x, labels, { shrinkage })).toEqual({ shrinkage });
      const expected = closedForm(x, labels, 3, shrinkage, covType === 'diag');
      const [means, covariances] = [float64(expected.means), float64(expected.covariances)];
      const close = { rtol: tolerance, atol: tolerance };
      expect(head.means().squeeze(1).to('float64')).toBeAllClose(means, close);
      expect(head.covariances().squeeze(1).to('float64')).toBeAllClose(covariances, close);
      const normal = new MultivariateNormal(means, { covariance: covariances });
      const logProb = normal.logProb(float64(x).unsqueeze(1));
      const found = noGrad(() => head.classLogLikelihood(tensor(x, { dtype })));
      expect(found.to('float64')).toBeAllClose(logProb, close);
      const posterior = logProb.logSoftmax(1);
      const answer = noGrad(() => head.forward(tensor(x, { dtype })));
      expect(answer.to('float64')).toBeAllClose(posterior, { rtol: tolerance, atol: 20 * tolerance });
      expect(head.predict(tensor(x, { dtype })).toArray()).toEqual(labels);
    }
  });

  it('fits what a projection gives', () => {
    const { x, labels } = examples(60, 8, 2);
    const head = layer(8, 3, 2, { covType, dtype: 'float64' });
    head.fit(float64(x), tensor(labels), { shrinkage: 0.1 });
    const inside = noGrad(() => head.project(float64(x))).toArray() as number[][];
    const expected = closedForm(inside, labels, 2, 0.1, covType === 'diag');
    expect(head.covariances().squeeze(1)).toBeAllClose(float64(expected.covariances), {
      rtol: 1e-9,
      atol: 1e-12,
    });
  });

  it('finds the groups within classes by EM', () => {
    const { x, labels: groups } = blobs({ seed: 3, rows: 240, features: 3, components: 4, apart: 12 });
    const labels = groups.map((g) => g % 2);
    const head = layer(3, 3, 2, { covType, nComponent: 2, dtype: 'float64' });
    head.fit(x, labels, { shrinkage: 0, generator: new Generator(1) });
    const own = closedForm(x, groups, 4, 0, covType === 'diag');
    const means = head.means().toArray() as number[][][];
    for (const [g, mean] of own.means.entries()) {
      const distances = means[g % 2].map((found) => Math.hypot(...found.map((value, j) => value - mean[j])));
      expect(Math.min(...distances)).toBeLessThan(1e-6);
    }
    expect(head.mixtureWeights()).toBeAllClose(
      float64([
        [0.25, 0.25],
        [0.25, 0.25],
      ]),
      { rtol: 1e-6 },
    );
    expect(head.predict(float64(x)).toArray()).toEqual(labels);
  });

  it('chooses the shrinkage whose densities of rows left out are largest', () => {
    const { x, labels } = examples(24, 4, 3, 2);
    const scores = [0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1].map((amount) => {
      const each = x.map((row, left) => {
        const others = x.filter((_row, n) => n !== left);
        const rest = labels.filter((_label, n) => n !== left);
        const { means, covariances } = closedForm(others, rest, 3, amount, covType === 'diag');
        const k = labels[left];
        const normal = new MultivariateNormal(float64([means[k]]).squeeze(0), {
          covariance: float64(covariances[k]),
        });
        return normal.logProb(float64([row])).item();
      });
      return { amount, score: each.reduce((sum, value) => sum + value, 0) };
    });
    const best = scores.reduce((a, b) => (b.score > a.score ? b : a));
    const head = layer(4, 4, 3, { covType, dtype: 'float64' });
    expect(head.fit(x, labels).shrinkage).toBe(best.amount);
  });

  it('is finite with fewer rows than features, one row of a class, and constant features', () => {
    const { x, labels } = examples(9, 20, 2);
    const flat = x.map((row) => row.map((value, j) => (j === 3 ? 7 : value)));
    for (const rows of [x, flat]) {
      const few = layer(20, 20, 3, { covType, dtype: 'float64' });
      few.fit([...rows, rows[0].map((value) => value + 9)], [...labels, 2]);
      const density = noGrad(() => few.logDensity(float64(rows)));
      expect(density.data.every(Number.isFinite)).toBe(true);
    }
  });
});

describe('GMML.fit', () => {
  const { x, labels } = examples(30, 3, 2);

  it('sets the temperature to 1 and the priors to the shares of rows where they are learned', () => {
    const uneven = labels.map((_, n) => (n < 6 ? 0 : 1));
    const learned = layer(3, 3, 2, { learnPriors: true });
    learned.fit(x, uneven);
    expect(learned.logTemperature!.item()).toBe(0);
    expect(learned.mixtureWeights()).toBeAllClose([[0.2], [0.8]]);
    const fixed = layer(3, 3, 2);
    fixed.fit(x, uneven);
    expect(fixed.mixtureWeights()).toBeAllClose([[0.5], [0.5]]);
  });

  it('leaves parameters that can be trained on', () => {
    const head = layer(3, 3, 2, { covType: 'tril' });
    head.fit(x, labels);
    head.logDensity(tensor(x)).mean().neg().backward();
    expect(head.sigma.grad!.data.every(Number.isFinite)).toBe(true);
  });

  const one: [string, () => unknown, new (...args: never[]) => Error, string][] = [
    [
      'gram',
      () => layer(3, 3, 2, { parametrization: 'gram' }).fit(x, labels),
      ArgumentError,
      "GMML.fit: the parametrization must be 'cholesky': it is 'gram', which cannot express every covariance. Make the layer with { parametrization: 'cholesky' }.",
    ],
    [
      'shrinkage out of range',
      () => layer(3, 3, 2).fit(x, labels, { shrinkage: 2 }),
      ArgumentError,
      "GMML.fit: shrinkage, unless it is 'auto', must be from 0 to 1: it is 2.",
    ],
    [
      'another width',
      () => layer(4, 4, 2).fit(x, labels),
      ShapeError,
      'GMML.fit: features must be [M, 4]: they are [30, 3].',
    ],
    [
      'labels of another number',
      () => layer(3, 3, 2).fit(x, [0, 1]),
      ShapeError,
      'GMML.fit: one label per row: features are [30, 3], labels [2].',
    ],
    [
      'a label that is no class',
      () => layer(3, 3, 1).fit(x, labels),
      IndexError,
      'GMML.fit: labels must be integers from 0 to 0: label 1 is 1.',
    ],
    [
      'rows that are all the same',
      () => layer(2, 2, 1).fit(zeros([5, 2]).add(0.1), zeros([5])),
      ArgumentError,
      'GMML.fit: features must vary within classes: every row equals the mean of its class. Give different rows of a class.',
    ],
    [
      'fewer rows than components',
      () => layer(3, 3, 2, { nComponent: 3 }).fit(x.slice(0, 5), [0, 0, 0, 1, 1]),
      ArgumentError,
      'GMML.fit: every class needs as many rows as components, 3: class 1 has 2. Give more rows or use fewer components.',
    ],
  ];
  it.each(one)('refuses %s', (_what, act, kind, message) => {
    expect(act).toThrow(kind);
    expect(act).toThrow(message);
  });

  it('changes nothing when it refuses', () => {
    const head = layer(3, 3, 3);
    const before = head.stateDict();
    expect(() => head.fit(x, labels)).toThrow(
      'GMML.fit: every class needs an example: there is none of 2. Give more rows.',
    );
    const bad = x.map((row, n) => (n === 4 ? [NaN, 0, 0] : row));
    expect(() => head.fit(bad, labels)).toThrow(NotFiniteError);
    expect(() => head.fit(bad, labels)).toThrow('GMML.fit: features must be finite: row 4, column 0 is NaN.');
    const projecting = layer(3, 2, 2);
    const other = x.map((row, n) => (n === 4 ? [0, 0, NaN] : row));
    expect(() => projecting.fit(other, labels)).toThrow('row 4, column 2 is NaN.');
    expect(() => projecting.initFromData(tensor(other), tensor(labels))).toThrow('row 4, column 2 is NaN.');
    for (const [name, value] of Object.entries(head.stateDict()))
      expect(value).toBeAllClose(before[name], { rtol: 0, atol: 0 });
  });
});
