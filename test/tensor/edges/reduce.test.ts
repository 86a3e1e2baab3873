import { tensor } from '@gmml/tensor';
import { describe, expect, test } from 'vitest';
import { valueAndGradient } from './gradient.js';

describe('ties', () => {
  test('of maximum and minimum share the gradient in halves', () => {
    const results = (['maximum', 'minimum'] as const).map((name) => {
      const [a, b] = [
        [1, 2, 5],
        [3, 2, 4],
      ].map((data) => tensor(data, { dtype: 'float64', requiresGrad: true }));
      a[name](b).sum().backward();
      return [a.grad!.toArray(), b.grad!.toArray()];
    });
    expect(results).toEqual([
      [
        [0, 0.5, 1],
        [1, 0.5, 0],
      ],
      [
        [1, 0.5, 0],
        [0, 0.5, 1],
      ],
    ]);
  });

  test('of max and min share the gradient equally', () => {
    const x = [
      [2, 5, 5, 5],
      [1, 1, 3, 0],
    ];
    expect(valueAndGradient(x, (t) => t.max(1)).dx).toBeAllClose([
      [0, 1 / 3, 1 / 3, 1 / 3],
      [0, 0, 1, 0],
    ]);
    expect(valueAndGradient(x, (t) => t.min()).dx).toBeAllClose([
      [0, 0, 0, 0],
      [0, 0, 0, 1],
    ]);
    expect(valueAndGradient(x, (t) => t.max([0, 1])).dx).toBeAllClose([
      [0, 1 / 3, 1 / 3, 1 / 3],
      [0, 0, 0, 0],
    ]);
  });

  test('of argmax and argmin go to the first', () => {
    const x = tensor([
      [2, 5, 5],
      [1, 1, 3],
    ]);
    expect(x.argmax(1)).toBeAllClose([1, 2]);
    expect(x.argmin(1)).toBeAllClose([0, 0]);
    expect(x.argmax()).toBeAllClose(1);
  });

  test('max, min, maximum, minimum, argmax and argmin take NaN first', () => {
    const x = tensor([1, NaN, 3]);
    expect([x.max(), x.min(), x.argmax(0), x.argmin(0)].map((y) => y.item())).toEqual([NaN, NaN, 1, 1]);
    expect(x.maximum(2)).toBeAllClose([2, NaN, 3]);
    expect(x.minimum(2)).toBeAllClose([1, NaN, 2]);
  });
});

describe('statistics', () => {
  test('variance is right far from 0, where E[x²] − μ² is not', () => {
    // In float32 the raw formula gives −8 for these.
    expect(tensor([9999, 9999, 9999.5]).variance(0, { correction: 0 })).toBeAllClose((0.5 ** 2 * 2) / 9, {
      rtol: 1e-6,
    });
  });

  test('the mean and the variance of nothing, and of one corrected, are NaN', () => {
    const nothing = tensor([], { shape: [0, 2] });
    expect(nothing.mean(0)).toBeAllClose([NaN, NaN]);
    expect(nothing.variance(0)).toBeAllClose([NaN, NaN]);
    expect(tensor([3]).variance()).toBeAllClose(NaN);
  });

  test('float32 sums are kept in float64', () => {
    // 2²⁴ + 1 is no float32: adding the ones one by one would lose them all.
    const x = tensor([2 ** 24, ...Array.from({ length: 1000 }, () => 1)]);
    expect(x.sum().item()).toBe(2 ** 24 + 1000);
  });
});
