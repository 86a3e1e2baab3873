import { Conv2d, kaimingUniform, Linear, uniform } from '@gmml/nn';
import { ArgumentError, Generator, manualSeed, type Tensor } from '@gmml/tensor';
import { describe, expect, test } from 'vitest';

const largest = (x: Tensor): number => Math.max(...Array.from(x.data, Math.abs));

describe('kaimingUniform', () => {
  // The limits U(±bound) is drawn from, and its standard deviation bound/√3, at 4,000 numbers and a fixed seed.
  test.each([
    { shape: [40, 100], a: undefined, bound: 1 / 10 },
    { shape: [40, 4, 5, 5], a: undefined, bound: 1 / 10 },
    { shape: [40, 100], a: 0, bound: Math.sqrt(6 / 100) },
    { shape: [40, 100], a: 1, bound: Math.sqrt(3 / 100) },
  ])('draws $shape with a = $a from U(±$bound)', ({ shape, a, bound }) => {
    const x = kaimingUniform(shape, { a, generator: new Generator(1), dtype: 'float64' });
    expect(x.shape).toEqual(shape);
    expect(largest(x)).toBeLessThanOrEqual(bound);
    expect(largest(x)).toBeGreaterThan(0.99 * bound);
    expect(Math.abs(x.mean().item())).toBeLessThan(0.05 * bound);
    expect(Math.sqrt(x.square().mean().item())).toBeCloseTo(bound / Math.sqrt(3), 2);
  });

  test('refuses a shape without a fan-in', () => {
    expect(() => kaimingUniform([3])).toThrow(
      new ArgumentError(
        'kaimingUniform: the shape must have two dimensions or more, each at least 1: it is [3].',
      ),
    );
    expect(() => kaimingUniform([3, 0])).toThrow(
      new ArgumentError(
        'kaimingUniform: the shape must have two dimensions or more, each at least 1: it is [3, 0].',
      ),
    );
  });
});

describe('uniform', () => {
  test('takes one number of the generator an element, in row-major order', () => {
    const expected = new Generator(3);
    const x = uniform([2, 2], 0.5, { generator: new Generator(3), dtype: 'float64' });
    expect([...x.data]).toEqual(Array.from({ length: 4 }, () => (2 * expected.uniform() - 1) * 0.5));
  });

  test('refuses a negative bound', () => {
    expect(() => uniform([2], -1)).toThrow(
      new ArgumentError('uniform: bound must be a finite number of at least 0: it is -1.'),
    );
  });
});

describe('the initialisation of layers', () => {
  test("bounds weight and bias by 1/√fanIn, torch's default", () => {
    const linear = new Linear(25, 200, { generator: new Generator(1) });
    const conv = new Conv2d(4, 100, [5, 5], { generator: new Generator(1) });
    for (const [x, bound] of [
      [linear.weight, 1 / 5],
      [linear.bias, 1 / 5],
      [conv.weight, 1 / 10],
      [conv.bias, 1 / 10],
    ] as const) {
      expect(largest(x!)).toBeLessThanOrEqual(bound * (1 + 1e-7));
      expect(largest(x!)).toBeGreaterThan(0.95 * bound);
    }
  });

  test('depends on the seed only', () => {
    const draw = (): number[] => [...new Linear(3, 2).weight.data];
    manualSeed(5);
    const first = draw();
    expect(draw()).not.toEqual(first);
    manualSeed(5);
    expect(draw()).toEqual(first);
    expect([...new Linear(3, 2, { generator: new Generator(5) }).weight.data]).toEqual(first);
  });
});
