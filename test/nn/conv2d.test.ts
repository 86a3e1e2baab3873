import { Conv2d } from '@gmml/nn';
import { ArgumentError, Generator, ones, randn, ShapeError, zeros } from '@gmml/tensor';
import { gradcheck } from '@gmml/tensor/testing';
import { describe, expect, test } from 'vitest';

describe('Conv2d', () => {
  test('sums each window times the kernel and adds the bias of the channel', () => {
    const conv = new Conv2d(1, 2, 2);
    conv.weight.copyFrom([1, 0, 0, 0, 1, 1, 1, 1]);
    conv.bias!.copyFrom([0, 100]);
    const x = zeros([1, 1, 2, 3]).copyFrom([1, 2, 3, 4, 5, 6]);
    expect(conv.forward(x).toArray()).toEqual([[[[1, 2]], [[112, 116]]]]);
  });

  test.each([
    { options: {}, shape: [8, 3, 26, 24] },
    { options: { padding: [1, 2] }, shape: [8, 3, 28, 28] },
    { options: { stride: 2 }, shape: [8, 3, 13, 12] },
    { options: { dilation: [2, 1] }, shape: [8, 3, 24, 24] },
  ] as const)('gives $shape with $options', ({ options, shape }) => {
    expect(new Conv2d(1, 3, [3, 5], options).forward(zeros([8, 1, 28, 28])).shape).toEqual(shape);
  });

  test.each([{}, { bias: false }, { stride: 2, padding: 1 }, { padding: [2, 0], dilation: [2, 1] }] as const)(
    'has the right gradients with %j',
    (options) => {
      const draws = { dtype: 'float64', generator: new Generator(1) } as const;
      const conv = new Conv2d(2, 3, [3, 2], { ...options, ...draws });
      const x = randn([2, 2, 5, 4], draws);
      gradcheck(() => conv.forward(x), [x, ...conv.parameters()]);
    },
  );

  test('refuses images that do not fit', () => {
    expect(() => new Conv2d(2, 3, 3).forward(ones([1, 1, 5, 5]))).toThrow(ShapeError);
    expect(() => new Conv2d(1, 3, 3).forward(ones([1, 1, 2, 5]))).toThrow(ShapeError);
    expect(() => new Conv2d(1, 3, 3).forward(ones([1, 5, 5]))).toThrow(ShapeError);
  });

  test.each([
    [() => new Conv2d(0, 1, 1), 'inChannels must be an integer of at least 1: it is 0.'],
    [() => new Conv2d(1, -1, 1), 'outChannels must be an integer of at least 1: it is -1.'],
    [
      () => new Conv2d(1, 1, [3, 0]),
      'kernelSize must be an integer of at least 1 or a pair [height, width] of them: it is [3, 0].',
    ],
    [
      () => new Conv2d(1, 1, 3, { stride: 0 }),
      'stride must be an integer of at least 1 or a pair [height, width] of them: it is 0.',
    ],
    [
      () => new Conv2d(1, 1, 3, { padding: -1 }),
      'padding must be an integer of at least 0 or a pair [height, width] of them: it is -1.',
    ],
    [
      () => new Conv2d(1, 1, 3, { dilation: [1, 2, 3] as unknown as [number, number] }),
      'dilation must be an integer of at least 1 or a pair [height, width] of them: it is [1, 2, 3].',
    ],
  ])('refuses option %#', (build, message) => {
    expect(build).toThrow(new ArgumentError(`Conv2d: ${message}`));
  });
});
