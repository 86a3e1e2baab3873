import { Flatten, ReLU } from '@gmml/nn';
import { Generator, ones, randn, ShapeError, tensor } from '@gmml/tensor';
import { gradcheck } from '@gmml/tensor/testing';
import { describe, expect, test } from 'vitest';

describe('ReLU', () => {
  test('is max(x, 0), with derivative 0 at 0', () => {
    const x = tensor([-1, 0, 2], { requiresGrad: true });
    const y = new ReLU().forward(x);
    y.sum().backward();
    expect(y.toArray()).toEqual([0, 0, 2]);
    expect(x.grad?.toArray()).toEqual([0, 0, 1]);
  });

  test('has the right gradient', () => {
    const x = randn([3, 4], { dtype: 'float64', generator: new Generator(1) });
    gradcheck((t) => new ReLU().forward(t), [x]);
  });
});

describe('Flatten', () => {
  test.each([
    { flatten: new Flatten(), x: [8, 32, 7, 7], y: [8, 1568] },
    { flatten: new Flatten(), x: [8, 3], y: [8, 3] },
    { flatten: new Flatten(0), x: [2, 3, 4], y: [24] },
    { flatten: new Flatten(1, 2), x: [2, 3, 4, 5], y: [2, 12, 5] },
    { flatten: new Flatten(-2), x: [2, 3, 4], y: [2, 12] },
    { flatten: new Flatten(), x: [0, 3, 4], y: [0, 12] },
  ])('makes $y of $x', ({ flatten, x, y }) => {
    expect(flatten.forward(ones(x)).shape).toEqual(y);
  });

  test('has the right gradient', () => {
    const x = randn([2, 3, 2], { dtype: 'float64', generator: new Generator(1) });
    gradcheck((t) => new Flatten().forward(t).square(), [x]);
  });

  test('refuses a tensor without the dimension', () => {
    expect(() => new Flatten().forward(ones([3]))).toThrow(ShapeError);
  });
});
