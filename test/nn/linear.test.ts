import { Linear } from '@gmml/nn';
import { ArgumentError, Generator, ones, randn, ShapeError, tensor, zeros } from '@gmml/tensor';
import { gradcheck } from '@gmml/tensor/testing';
import { describe, expect, test } from 'vitest';

const options = () => ({ dtype: 'float64', generator: new Generator(1) }) as const;

describe('Linear', () => {
  test('multiplies by the transposed weight and adds the bias', () => {
    const linear = new Linear(2, 3);
    linear.weight.copyFrom([1, 2, 3, 4, 5, 6]);
    linear.bias!.copyFrom([10, 20, 30]);
    expect(
      linear
        .forward(
          tensor([
            [1, 1],
            [1, -1],
          ]),
        )
        .toArray(),
    ).toEqual([
      [13, 27, 41],
      [9, 19, 29],
    ]);
  });

  test('does without bias', () => {
    const linear = new Linear(2, 3, { bias: false });
    expect(linear.bias).toBeNull();
    expect(Object.keys(linear.stateDict())).toEqual(['weight']);
    expect(linear.forward(zeros([1, 2])).toArray()).toEqual([[0, 0, 0]]);
  });

  test.each([
    { x: [2], y: [3] },
    { x: [0, 2], y: [0, 3] },
    { x: [4, 5, 2], y: [4, 5, 3] },
    { x: [0, 5, 2], y: [0, 5, 3] },
  ])('keeps leading dimensions: $x to $y', ({ x, y }) => {
    expect(new Linear(2, 3).forward(ones(x)).shape).toEqual(y);
  });

  test.each([[[2]], [[3, 2]], [[2, 3, 2]]])('has the right gradients at an input of %j', (shape) => {
    const linear = new Linear(2, 4, options());
    const x = randn(shape, options());
    gradcheck(() => linear.forward(x), [x, ...linear.parameters()]);
  });

  test('says which size is wrong', () => {
    const linear = new Linear(4, 2);
    expect(() => linear.forward(ones([2, 3]))).toThrow(
      new ShapeError('Linear: the last dimension of x must be inFeatures = 4: x is [2, 3].'),
    );
    expect(() => linear.forward(ones([]))).toThrow(
      new ShapeError('Linear: the last dimension of x must be inFeatures = 4: x is [].'),
    );
    expect(() => linear.forward([[1, 2, 3, 4]] as never)).toThrow(
      new ShapeError('Linear: the last dimension of x must be inFeatures = 4: x is not a tensor.'),
    );
    expect(() => new Linear(0, 2)).toThrow(
      new ArgumentError('Linear: inFeatures must be an integer of at least 1: it is 0.'),
    );
    expect(() => new Linear(2, 1.5)).toThrow(
      new ArgumentError('Linear: outFeatures must be an integer of at least 1: it is 1.5.'),
    );
  });
});
