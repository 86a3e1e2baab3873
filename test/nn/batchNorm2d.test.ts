import { BatchNorm2d } from '@gmml/nn';
import { ArgumentError, Generator, noGrad, ones, randn, ShapeError, tensor } from '@gmml/tensor';
import { gradcheck } from '@gmml/tensor/testing';
import { describe, expect, test } from 'vitest';

const draws = (seed = 1) => ({ dtype: 'float64', generator: new Generator(seed) }) as const;
/** Two channels of four values: 1, 2, 3, 4 and 10, 10, 10, 30. */
const batch = () => tensor([1, 2, 10, 10, 3, 4, 10, 30], { shape: [2, 2, 1, 2], dtype: 'float64' });

describe('BatchNorm2d', () => {
  test('normalises every channel by the mean and biased variance of the batch', () => {
    const norm = new BatchNorm2d(2, { eps: 0.75, dtype: 'float64' });
    norm.weight!.copyFrom([2, 1]);
    norm.bias!.copyFrom([0, 5]);
    const roots = [Math.sqrt(1.25 + 0.75), Math.sqrt(75 + 0.75)];
    const [a, b] = [2 / roots[0], 1 / roots[1]];
    expect(norm.forward(batch())).toBeAllClose(
      [
        [[[-1.5 * a, -0.5 * a]], [[5 - 5 * b, 5 - 5 * b]]],
        [[[0.5 * a, 1.5 * a]], [[5 - 5 * b, 5 + 15 * b]]],
      ],
      { rtol: 1e-14 },
    );
  });

  test('moves the running statistics by momentum, with the unbiased variance', () => {
    const norm = new BatchNorm2d(2, { momentum: 0.25, dtype: 'float64' });
    norm.forward(batch());
    expect(norm.runningMean).toBeAllClose([0.25 * 2.5, 0.25 * 15], { rtol: 1e-15 });
    expect(norm.runningVar).toBeAllClose([0.75 + (0.25 * 5) / 3, 0.75 + 0.25 * 100], { rtol: 1e-15 });
    expect(norm.numBatchesTracked?.item()).toBe(1);
  });

  test('with momentum null averages over all batches', () => {
    const norm = new BatchNorm2d(2, { momentum: null, dtype: 'float64' });
    norm.forward(batch());
    expect(norm.runningMean).toBeAllClose([2.5, 15]);
    norm.forward(batch().add(3));
    norm.forward(batch().add(6));
    expect(norm.runningMean).toBeAllClose([5.5, 18]);
    expect(norm.runningVar).toBeAllClose([5 / 3, 100]);
    expect(norm.numBatchesTracked?.item()).toBe(3);
  });

  test('uses the running statistics in evaluation, and leaves them', () => {
    const norm = new BatchNorm2d(1, { eps: 0.5, dtype: 'float64' }).eval();
    norm.runningMean!.copyFrom([3]);
    norm.runningVar!.copyFrom([3.5]);
    const y = norm.forward(tensor([3, 5], { shape: [2, 1, 1, 1], dtype: 'float64' }));
    expect([...y.data]).toEqual([0, 1]);
    expect(norm.runningMean?.item()).toBe(3);
    expect(norm.numBatchesTracked?.item()).toBe(0);
  });

  test('without running statistics uses the batch in evaluation too', () => {
    const norm = new BatchNorm2d(2, { trackRunningStats: false, dtype: 'float64' });
    expect(Object.keys(norm.stateDict())).toEqual(['weight', 'bias']);
    const trained = norm.forward(batch()).toArray();
    expect(norm.eval().forward(batch()).toArray()).toEqual(trained);
  });

  test("has torch's state names and starting values", () => {
    const state = new BatchNorm2d(2).stateDict();
    expect(Object.fromEntries(Object.entries(state).map(([name, value]) => [name, value.toArray()]))).toEqual(
      {
        weight: [1, 1],
        bias: [0, 0],
        running_mean: [0, 0],
        running_var: [1, 1],
        num_batches_tracked: 0,
      },
    );
    expect(state.num_batches_tracked.dtype).toBe('float64');
    const plain = new BatchNorm2d(2, { affine: false }).stateDict();
    expect(Object.keys(plain)).toEqual(['running_mean', 'running_var', 'num_batches_tracked']);
  });

  test('tracks under noGrad, as it does with gradients', () => {
    const [recorded, silent] = [new BatchNorm2d(2), new BatchNorm2d(2)];
    recorded.forward(batch().to('float32'));
    noGrad(() => silent.forward(batch().to('float32')));
    expect(silent.runningVar?.toArray()).toEqual(recorded.runningVar?.toArray());
  });

  test.each([{}, { affine: false }, { trackRunningStats: false }])(
    'has the right gradients while training with %j',
    (options) => {
      const norm = new BatchNorm2d(3, { ...options, dtype: 'float64' });
      norm.weight?.copyFrom(randn([3], draws()));
      const x = randn([2, 3, 2, 2], draws(2));
      gradcheck(() => norm.forward(x), [x, ...norm.parameters()]);
    },
  );

  test('has the right gradients in evaluation', () => {
    const norm = new BatchNorm2d(3, { dtype: 'float64' });
    norm.forward(randn([4, 3, 2, 2], draws()));
    norm.eval();
    const x = randn([2, 3, 2, 2], draws(2));
    gradcheck(() => norm.forward(x), [x, ...norm.parameters()]);
  });

  test('takes one image in evaluation and an empty batch too', () => {
    const norm = new BatchNorm2d(2).eval();
    expect(norm.forward(ones([1, 2, 1, 1])).shape).toEqual([1, 2, 1, 1]);
    expect(norm.forward(ones([0, 2, 3, 3])).shape).toEqual([0, 2, 3, 3]);
  });

  test('refuses what does not fit', () => {
    expect(() => new BatchNorm2d(2).forward(ones([4, 3, 2, 2]))).toThrow(
      new ShapeError('BatchNorm2d: x must be [N, 2, H, W]: x is [4, 3, 2, 2].'),
    );
    expect(() => new BatchNorm2d(2).forward(ones([4, 2]))).toThrow(
      new ShapeError('BatchNorm2d: x must be [N, 2, H, W]: x is [4, 2].'),
    );
    expect(() => new BatchNorm2d(2).forward(ones([1, 2, 1, 1]))).toThrow(
      new ShapeError(
        'BatchNorm2d: a batch needs two values or more a channel for its variance: x is [1, 2, 1, 1]. ' +
          'Call eval() to use the running statistics.',
      ),
    );
    expect(() => new BatchNorm2d(0)).toThrow(
      new ArgumentError('BatchNorm2d: numFeatures must be an integer of at least 1: it is 0.'),
    );
    expect(() => new BatchNorm2d(2, { momentum: 1.5 })).toThrow(
      new ArgumentError('BatchNorm2d: momentum must be from 0 to 1: it is 1.5.'),
    );
    expect(() => new BatchNorm2d(2, { eps: Number.NaN })).toThrow(
      new ArgumentError('BatchNorm2d: eps must be a finite number of at least 0: it is NaN.'),
    );
  });
});
