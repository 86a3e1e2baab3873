import { Dropout } from '@gmml/nn';
import { ArgumentError, Generator, manualSeed, ones, randn } from '@gmml/tensor';
import { gradcheck } from '@gmml/tensor/testing';
import { describe, expect, test } from 'vitest';

describe('Dropout', () => {
  test('drops a share p and scales the rest by 1/(1 − p)', () => {
    const y = new Dropout(0.25, { generator: new Generator(1) }).forward(
      ones([100, 100], { dtype: 'float64' }),
    );
    const kept = y.data.filter((value) => value !== 0);
    expect(new Set(kept)).toEqual(new Set([1 / 0.75]));
    // 10,000 draws: a standard deviation of 43.
    expect(Math.abs(kept.length - 7500)).toBeLessThan(4 * 43);
  });

  test('returns x itself in evaluation, and without anything to drop', () => {
    const x = ones([5]);
    expect(new Dropout(0.5).eval().forward(x)).toBe(x);
    expect(new Dropout(0).forward(x)).toBe(x);
  });

  test('drops everything at p = 1', () => {
    expect(new Dropout(1).forward(ones([3])).toArray()).toEqual([0, 0, 0]);
  });

  test('draws a new mask each time, the same from the same seed', () => {
    const dropout = new Dropout(0.5);
    const draw = (): unknown => dropout.forward(ones([64])).toArray();
    manualSeed(3);
    const first = draw();
    expect(draw()).not.toEqual(first);
    manualSeed(3);
    expect(draw()).toEqual(first);
  });

  test('has the right gradient for a fixed mask', () => {
    const x = randn([4, 5], { dtype: 'float64', generator: new Generator(1) });
    gradcheck((t) => new Dropout(0.4, { generator: new Generator(2) }).forward(t), [x]);
  });

  test.each([-0.1, 1.5, Number.NaN])('refuses p = %d', (p) => {
    expect(() => new Dropout(p)).toThrow(new ArgumentError(`Dropout: p must be from 0 to 1: it is ${p}.`));
  });
});
