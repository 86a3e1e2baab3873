import { LayerNorm } from '@gmml/nn';
import { ArgumentError, Generator, ones, randn, ShapeError, tensor } from '@gmml/tensor';
import { gradcheck } from '@gmml/tensor/testing';
import { describe, expect, test } from 'vitest';

const draws = () => ({ dtype: 'float64', generator: new Generator(1) }) as const;

describe('LayerNorm', () => {
  test('subtracts the mean and divides by the root of the biased variance plus eps', () => {
    const norm = new LayerNorm(4, { eps: 0.25, dtype: 'float64' });
    norm.weight!.copyFrom([1, 1, 2, 2]);
    norm.bias!.copyFrom([0, 10, 0, 10]);
    const y = norm.forward(tensor([[1, 2, 3, 4]], { dtype: 'float64' }));
    const root = Math.sqrt(1.25 + 0.25);
    expect(y).toBeAllClose([[-1.5 / root, -0.5 / root + 10, 1 / root, 3 / root + 10]], { rtol: 1e-14 });
  });

  test('normalises over all of normalizedShape', () => {
    const y = new LayerNorm([2, 3], { eps: 0, dtype: 'float64' }).forward(randn([4, 2, 3], draws()));
    expect(y.mean([1, 2])).toBeAllClose(Array(4).fill(0), { atol: 1e-14 });
    expect(y.square().mean([1, 2])).toBeAllClose(Array(4).fill(1), { rtol: 1e-13 });
  });

  test('has weight and bias of normalizedShape, or none', () => {
    const { weight, bias } = new LayerNorm([2, 1]).stateDict();
    expect(weight.toArray()).toEqual([[1], [1]]);
    expect(bias.toArray()).toEqual([[0], [0]]);
    expect(new LayerNorm(2, { elementwiseAffine: false }).stateDict()).toEqual({});
  });

  test('is right in float32 far from 0', () => {
    const norm = new LayerNorm(3, { eps: 0 });
    // Variance 1/18; E[x²] − μ² in float32 would give −8.
    const root = Math.sqrt(1 / 18);
    expect(norm.forward(tensor([9999, 9999, 9999.5]))).toBeAllClose(
      [-1 / 6 / root, -1 / 6 / root, 1 / 3 / root],
      { rtol: 5e-3 },
    );
  });

  test('takes an empty batch', () => {
    expect(new LayerNorm(3).forward(ones([0, 3])).shape).toEqual([0, 3]);
  });

  test.each([
    { size: 3, shape: [4, 3], affine: true },
    { size: [2, 3], shape: [2, 2, 2, 3], affine: true },
    { size: 3, shape: [3], affine: false },
  ])('has the right gradients over $size of $shape', ({ size, shape, affine }) => {
    const norm = new LayerNorm(size, { elementwiseAffine: affine, dtype: 'float64' });
    norm.weight?.copyFrom(randn(norm.weight.shape, draws()));
    const x = randn(shape, draws());
    gradcheck(() => norm.forward(x), [x, ...norm.parameters()]);
  });

  test('refuses what does not fit', () => {
    expect(() => new LayerNorm([2, 3]).forward(ones([2, 2]))).toThrow(
      new ShapeError('LayerNorm: the last dimensions of x must be [2, 3]: x is [2, 2].'),
    );
    expect(() => new LayerNorm(3).forward(ones([]))).toThrow(
      new ShapeError('LayerNorm: the last dimensions of x must be [3]: x is [].'),
    );
    expect(() => new LayerNorm([])).toThrow(
      new ArgumentError(
        'LayerNorm: the number of normalised dimensions must be an integer of at least 1: it is 0.',
      ),
    );
    expect(() => new LayerNorm([2, 0])).toThrow(
      new ArgumentError('LayerNorm: normalizedShape must be an integer of at least 1: it is 0.'),
    );
    expect(() => new LayerNorm(2, { eps: -1 })).toThrow(
      new ArgumentError('LayerNorm: eps must be a finite number of at least 0: it is -1.'),
    );
  });
});
