import {
  BatchNorm2d,
  Conv2d,
  Dropout,
  Flatten,
  LayerNorm,
  Linear,
  MaxPool2d,
  Module,
  ReLU,
  Sequential,
} from '@gmml/nn';
import { ArgumentError, Generator, ones, randn, tensor } from '@gmml/tensor';
import { gradcheck } from '@gmml/tensor/testing';
import { describe, expect, test } from 'vitest';

describe('Sequential', () => {
  test('passes each result on to the next module', () => {
    const [first, second] = [new Linear(1, 1, { bias: false }), new Linear(1, 1, { bias: false })];
    first.weight.copyFrom([-2]);
    second.weight.copyFrom([3]);
    const x = tensor([[-1], [1]]);
    expect(new Sequential(first, new ReLU(), second).forward(x).toArray()).toEqual([[6], [0]]);
    expect(new Sequential(first, second, new ReLU()).forward(x).toArray()).toEqual([[6], [0]]);
    expect(new Sequential(new ReLU(), first, second).forward(x).toArray()).toEqual([[0], [-6]]);
  });

  test('names by position, nested too', () => {
    const model = new Sequential(new ReLU(), new Sequential(new Linear(1, 1), new Linear(1, 1)));
    expect(Object.keys(model.stateDict())).toEqual(['1.0.weight', '1.0.bias', '1.1.weight', '1.1.bias']);
  });

  test('keeps the names of fields of its own', () => {
    class WithMore extends Sequential {
      readonly sublayers = [new Linear(1, 1)];
    }
    expect(Object.keys(new WithMore(new Linear(1, 1)).stateDict())).toEqual([
      '0.weight',
      '0.bias',
      'sublayers.0.weight',
      'sublayers.0.bias',
    ]);
  });

  test('without modules returns its input', () => {
    const x = ones([2]);
    expect(new Sequential().forward(x)).toBe(x);
  });

  test('gives the same numbers and gradients as ReLU before max-pool, whichever it computes first', () => {
    const values = Array.from({ length: 2 * 36 }, (_, i) => [-2, 0, 3, -0, 3, NaN, -1, 1][(i * 5) % 8]);
    const [found, expected] = [true, false].map((together) => {
      const x = tensor(values, { shape: [2, 1, 6, 6], requiresGrad: true });
      const pool = new MaxPool2d(3, { stride: 2, padding: 1 });
      const y = together
        ? new Sequential(new ReLU(), pool, new ReLU(), new MaxPool2d(1)).forward(x)
        : pool.forward(x.relu()).relu();
      y.mul(y).sum().backward();
      return [y.toArray(), x.grad!.toArray()];
    });
    expect(found).toEqual(expected);
  });

  test('has the right gradients through all layers together', () => {
    const draws = { dtype: 'float64', generator: new Generator(1) } as const;
    const model = new Sequential(
      new Conv2d(1, 2, 3, { padding: 1, ...draws }),
      new BatchNorm2d(2, draws),
      new ReLU(),
      new MaxPool2d(2),
      new Flatten(),
      new Linear(8, 3, draws),
      new LayerNorm(3, draws),
      new Dropout(0),
    );
    const x = randn([3, 1, 4, 4], draws);
    gradcheck(() => model.forward(x), [x, ...model.parameters()]);
  });

  test('refuses what is not a module', () => {
    expect(() => new Sequential(new ReLU(), 'relu' as unknown as Module)).toThrow(
      new ArgumentError('Sequential: layers must be modules: layer 1 is relu.'),
    );
  });
});
