import { describe, expect, it } from 'vitest';
import { GMML, type CovType, type GMMLOptions } from '@gmml/gmm';
import {
  ArgumentError,
  Generator,
  IndexError,
  NotFiniteError,
  noGrad,
  ShapeError,
  tensor,
  zeros,
  type Tensor,
} from '@gmml/tensor';
import { blobs } from './samples.js';

const covTypes: readonly CovType[] = ['diag', 'tril', 'full'];
const { x: rows, labels: classes } = blobs({ seed: 6, rows: 120, features: 4, components: 3, apart: 6 });
const rowsOf = (k: number): number[][] => rows.filter((_, n) => classes[n] === k);
const float64 = (values: number[][]): Tensor => tensor(values, { dtype: 'float64' });

/** Fitted to the first `nClass` classes. */
function fitted(nClass: number, options: GMMLOptions = {}, d = 4): GMML {
  const head = new GMML(4, d, nClass, { dtype: 'float64', generator: new Generator(3), ...options });
  const used = rows.filter((_, n) => classes[n] < nClass);
  head.fit(
    used,
    classes.filter((k) => k < nClass),
    { shrinkage: 0, generator: new Generator(1) },
  );
  return head;
}

describe.each(covTypes)('GMML.addClass and removeClass with %s covariances', (covType) => {
  it('fit the new class alone and keep the others', () => {
    for (const options of [{}, { learnPriors: true }, { nComponent: 2 }, { projection: 'always' }] as const) {
      const two = fitted(2, { covType, ...options });
      two.logTemperature!.copyFrom(tensor(-0.5, { dtype: 'float64' }));
      const three = two.addClass(rowsOf(2), { shrinkage: 0, generator: new Generator(1) });
      expect(three.nClass).toBe(3);
      expect(three.logTemperature!.item()).toBe(-0.5);
      expect(three.mixtureWeights().sum()).toBeAllClose(1);
      const likelihood = noGrad(() => three.classLogLikelihood(float64(rows)));
      expect(likelihood.argmax(1)).toBeAllClose(
        noGrad(() =>
          fitted(3, { covType, ...options })
            .classLogLikelihood(float64(rows))
            .argmax(1),
        ),
        { rtol: 0, atol: 0 },
      );
      const back = three.removeClass(2);
      const state = back.stateDict();
      for (const [name, value] of Object.entries(two.stateDict()))
        expect(state[name]).toBeAllClose(value, { rtol: 1e-12 });
      const rest = three.removeClass(0);
      const left = noGrad(() => rest.classLogLikelihood(float64(rows)));
      for (const k of [0, 1]) {
        expect(left.slice(1, k, k + 1)).toBeAllClose(likelihood.slice(1, k + 1, k + 2), { rtol: 1e-12 });
      }
    }
  });

  it('gives one component what a fit of all classes together gives it', () => {
    const together = fitted(3, { covType });
    const three = fitted(2, { covType }).addClass(rowsOf(2), { shrinkage: 0 });
    expect(three.means()).toBeAllClose(together.means(), { rtol: 1e-12 });
    expect(three.covariances()).toBeAllClose(together.covariances(), { rtol: 1e-10, atol: 1e-12 });
  });

  it('shrinks a class of few rows toward the mean covariance of the others', () => {
    const two = fitted(2, { covType });
    const three = two.addClass(rowsOf(2).slice(0, 1));
    const covariances = two.covariances();
    const tied = covariances.mean(0);
    expect(three.covariances().slice(0, 2, 3).squeeze(0)).toBeAllClose(tied, { rtol: 1e-5, atol: 1e-6 });
    expect(three.means().toArray()).toEqual([...(two.means().toArray() as number[][][]), [rowsOf(2)[0]]]);
  });

  it('leaves the layer it came from as it was', () => {
    const two = fitted(2, { covType });
    const before = two.stateDict();
    two.addClass(rowsOf(2)).mean.copyFrom(zeros([3, 1, 4], { dtype: 'float64' }));
    two.removeClass(0).sigma.copyFrom(two.sigma.slice(0, 0, 1).mul(0));
    for (const [name, value] of Object.entries(two.stateDict()))
      expect(value).toBeAllClose(before[name], { rtol: 0, atol: 0 });
  });

  it('samples have the moments of the mixture', () => {
    const head = fitted(3, { covType }, 2);
    const generator = new Generator(8);
    for (const label of [0, 2]) {
      const { x, labels } = head.sample(4000, { label, generator });
      expect([...new Set(labels.data)]).toEqual([label]);
      const mean = head
        .means()
        .slice(0, label, label + 1)
        .reshape([2]);
      const away = x.sub(x.mean(0));
      const covariance = away.matmul(away, { transposeA: true }).div(4000);
      const expected = head
        .covariances()
        .slice(0, label, label + 1)
        .reshape([2, 2]);
      const scale = Math.sqrt(expected.trace().item());
      expect(x.mean(0)).toBeAllClose(mean, { rtol: 0, atol: (4 * scale) / Math.sqrt(4000) });
      expect(covariance).toBeAllClose(expected, { rtol: 0, atol: (6 * scale ** 2) / Math.sqrt(4000) });
    }
    const { x, labels } = head.sample(600, { generator });
    expect([x.shape, labels.shape]).toEqual([[600, 2], [600]]);
    for (const k of [0, 1, 2]) {
      const share = labels.data.filter((label) => label === k).length / 600;
      expect(Math.abs(share - 1 / 3)).toBeLessThan(4 * Math.sqrt(2 / 9 / 600));
    }
    const again = (): Tensor => head.sample(5, { generator: new Generator(1) }).x;
    expect(again()).toBeAllClose(again(), { rtol: 0, atol: 0 });
  });
});

describe('GMML', () => {
  const head = fitted(2);
  it.each<[string, () => unknown, new (...args: never[]) => Error, string]>([
    [
      'sample of none',
      () => head.sample(0),
      ArgumentError,
      'GMML.sample: n must be an integer of at least 1: it is 0.',
    ],
    [
      'sample of no class',
      () => head.sample(1, { label: 2 }),
      IndexError,
      'GMML.sample: the label must be an integer from 0 to 1: it is 2.',
    ],
    [
      'removal of no class',
      () => head.removeClass(-1),
      IndexError,
      'GMML.removeClass: the label must be an integer from 0 to 1: it is -1.',
    ],
    [
      'removal of the last class',
      () => head.removeClass(0).removeClass(0),
      ArgumentError,
      'GMML.removeClass: a class must remain: the layer has 1.',
    ],
    [
      'a class without rows',
      () => head.addClass(zeros([0, 4])),
      ArgumentError,
      'GMML.addClass: the class needs as many rows as components, 1: it has 0. Give more rows.',
    ],
    [
      'a class of another width',
      () => head.addClass([[1, 2]]),
      ShapeError,
      'GMML.addClass: features must be [M, 4]: they are [1, 2].',
    ],
    [
      'a class with NaN',
      () => head.addClass([[1, 2, NaN, 0]]),
      NotFiniteError,
      'GMML.addClass: features must be finite: row 0, column 2 is NaN.',
    ],
    [
      'a class of a gram layer',
      () => new GMML(4, 4, 2, { parametrization: 'gram' }).addClass(rows),
      ArgumentError,
      "GMML.addClass: the parametrization must be 'cholesky': it is 'gram', which cannot express every covariance. Make the layer with { parametrization: 'cholesky' }.",
    ],
  ])('refuses %s', (_what, act, kind, message) => {
    expect(act).toThrow(kind);
    expect(act).toThrow(message);
  });
});
