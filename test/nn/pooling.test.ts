import { MaxPool2d } from '@gmml/nn';
import { ArgumentError, Generator, ones, randn, ShapeError, zeros } from '@gmml/tensor';
import { gradcheck } from '@gmml/tensor/testing';
import { describe, expect, test } from 'vitest';

describe('MaxPool2d', () => {
  const x = zeros([1, 1, 3, 4]).copyFrom([1, 2, 3, 4, 8, 7, 6, 5, 9, 0, 0, 0]);

  test('takes the largest of each window, moving by the kernel size', () => {
    expect(new MaxPool2d(2).forward(x).toArray()).toEqual([[[[8, 6]]]]);
  });

  test('moves by the stride and pads with −∞', () => {
    expect(new MaxPool2d(2, { stride: 1 }).forward(x).toArray()).toEqual([
      [
        [
          [8, 7, 6],
          [9, 7, 6],
        ],
      ],
    ]);
    const negative = x.add(1).neg();
    expect(new MaxPool2d([2, 2], { padding: [1, 0] }).forward(negative).toArray()).toEqual([
      [
        [
          [-2, -4],
          [-1, -1],
        ],
      ],
    ]);
  });

  test('gives the gradient of a tie to the first in row-major order', () => {
    const tie = zeros([1, 1, 2, 2], { requiresGrad: true });
    new MaxPool2d(2).forward(tie).sum().backward();
    expect(tie.grad?.toArray()).toEqual([
      [
        [
          [1, 0],
          [0, 0],
        ],
      ],
    ]);
  });

  test.each([{}, { stride: 1 }, { stride: [1, 2], padding: 1 }] as const)(
    'has the right gradient with %j',
    (options) => {
      const input = randn([2, 2, 5, 5], { dtype: 'float64', generator: new Generator(1) });
      const pool = new MaxPool2d(3, options);
      gradcheck((t) => pool.forward(t), [input]);
    },
  );

  test('refuses what does not fit', () => {
    expect(() => new MaxPool2d(3).forward(ones([1, 1, 2, 2]))).toThrow(ShapeError);
    expect(() => new MaxPool2d(0)).toThrow(
      new ArgumentError(
        'MaxPool2d: kernelSize must be an integer of at least 1 or a pair [height, width] of them: it is 0.',
      ),
    );
    expect(() => new MaxPool2d([3, 2], { padding: [1, 2] })).toThrow(
      new ArgumentError(
        'MaxPool2d: padding must be at most half the kernel size: padding is [1, 2], the kernel [3, 2].',
      ),
    );
    expect(() => new MaxPool2d(2, { stride: 0 })).toThrow(
      new ArgumentError(
        'MaxPool2d: stride must be an integer of at least 1 or a pair [height, width] of them: it is 0.',
      ),
    );
  });
});
