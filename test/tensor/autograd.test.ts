import {
  DTypeError,
  full,
  GradientError,
  isGradEnabled,
  noGrad,
  ones,
  ShapeError,
  Tensor,
  tensor,
  where,
} from '@gmml/tensor';
import { describe, expect, test } from 'vitest';

function leaf(data: number | number[] | number[][]): Tensor {
  return tensor(data, { dtype: 'float64', requiresGrad: true });
}

describe('backward', () => {
  test('fills grad of the leaves it depends on and of nothing else', () => {
    const [x, y, constant] = [leaf([1, 2]), leaf([3, 4]), tensor([5, 6], { dtype: 'float64' })];
    const product = x.mul(constant);
    product.sum().backward();
    expect(x.grad).toBeAllClose([5, 6]);
    expect([y.grad, constant.grad, product.grad]).toEqual([null, null, null]);
  });

  test('adds to the gradient that is there', () => {
    const x = leaf([1, 2]);
    x.square().sum().backward();
    x.mul(10).sum().backward();
    expect(x.grad).toBeAllClose([12, 14]);
    x.zeroGrad();
    expect(x.grad).toBeNull();
    x.square().sum().backward();
    expect(x.grad).toBeAllClose([2, 4]);
  });

  test('adds up both sides of a diamond before passing them on', () => {
    // y = h² + 3h with h = eˣ, so y' = (2h + 3) h.
    const x = leaf([0, 1]);
    const h = x.exp();
    h.square().add(h.mul(3)).sum().backward();
    expect(x.grad).toBeAllClose([5, (2 * Math.E + 3) * Math.E], { rtol: 1e-14 });
  });

  test('refuses a gradient set by hand that does not fit', () => {
    const x = leaf([1, 2]);
    expect(() => (x.grad = leaf([1, 2, 3]))).toThrow(
      new ShapeError("grad: the gradient must have the tensor's shape [2]: it has [3]."),
    );
    expect(() => (x.grad = tensor([1, 2]))).toThrow(
      new DTypeError('grad: the gradient must be float64: it is float32.'),
    );
    expect(x.grad).toBeNull();
  });

  test('counts a tensor as often as an operation takes it', () => {
    const x = leaf([3]);
    x.mul(x).mul(x).sum().backward();
    expect(x.grad).toBeAllClose([27]);
  });

  test('reaches an early value through short and long paths', () => {
    // The short path from x to the end must wait for the long one.
    const x = leaf([2]);
    const early = x.mul(3);
    let late = early;
    for (let i = 0; i < 5; i++) late = late.mul(2);
    early.mul(late).sum().backward();
    // y = 3x · 96x
    expect(x.grad).toBeAllClose([2 * 288 * 2]);
  });

  test('sums a gradient over the dimensions along which an operand was broadcast', () => {
    const [row, column] = [leaf([1, 2, 3]), leaf([[10], [20]])];
    row.mul(column).sum().backward();
    expect(row.grad).toBeAllClose([30, 30, 30]);
    expect(column.grad).toBeAllClose([[6], [6]]);
  });

  test('takes a gradient for a tensor that is no scalar', () => {
    const x = leaf([
      [1, 2],
      [3, 4],
    ]);
    x.square().backward(
      tensor(
        [
          [1, 0],
          [0, 10],
        ],
        { dtype: 'float64' },
      ),
    );
    expect(x.grad).toBeAllClose([
      [2, 0],
      [0, 80],
    ]);
  });

  test('of a leaf is the gradient itself', () => {
    const x = leaf([1, 2]);
    x.backward(tensor([3, 4], { dtype: 'float64' }));
    expect(x.grad).toBeAllClose([3, 4]);
  });

  test('needs no gradient for one element, whatever its shape', () => {
    const x = leaf([[3]]);
    x.square().backward();
    expect(x.grad).toBeAllClose([[6]]);
  });

  test('goes back through 20,000 operations without a deep stack', () => {
    const x = leaf([1]);
    let y = x;
    for (let i = 0; i < 20_000; i++) y = y.mul(1.0001);
    y.sum().backward();
    expect(x.grad).toBeAllClose([1.0001 ** 20_000], { rtol: 1e-10 });
  });

  test('gives gradients in the number format of the leaf', () => {
    const x = tensor([1, 2], { requiresGrad: true });
    x.to('float64').square().sum().backward();
    expect(x.grad?.dtype).toBe('float32');
    expect(x.grad).toBeAllClose([2, 4]);
  });

  test('gives each leaf numbers of its own', () => {
    const [a, b, c] = [leaf([1, 2]), leaf([3, 4]), leaf([5, 6])];
    const seed = tensor([1, 1], { dtype: 'float64' });
    a.add(b).backward(seed);
    c.reshape([2]).backward(seed);
    seed.data[0] = 100;
    a.grad!.data[1] = 50;
    expect([a, b, c].map((x) => x.grad!.toArray())).toEqual([
      [1, 50],
      [1, 1],
      [1, 1],
    ]);
  });

  test('takes losses that were added up', () => {
    const x = leaf([1, 2]);
    const h = x.exp();
    h.sum().add(h.square().sum()).backward();
    expect(x.grad).toBeAllClose(
      [1, 2].map((v) => Math.exp(v) + 2 * Math.exp(2 * v)),
      { rtol: 1e-14 },
    );
  });

  test('passes nothing through a comparison or a condition', () => {
    const x = leaf([1, -2]);
    const positive = x.greater(0);
    expect(positive.requiresGrad).toBe(false);
    where(positive, x, x.mul(10)).sum().backward();
    expect(x.grad).toBeAllClose([1, 10]);
  });
});

describe('backward refuses', () => {
  test('a tensor that depends on nothing that requires a gradient', () => {
    expect(() => tensor([1]).mul(2).backward()).toThrow(
      new GradientError('backward: nothing requires a gradient. Create a leaf with { requiresGrad: true }.'),
    );
  });

  test('several elements without a gradient', () => {
    expect(() =>
      leaf([[1, 2, 3]])
        .exp()
        .backward(),
    ).toThrow(
      new GradientError(
        'backward: a tensor of shape [1, 3] needs a gradient of that shape. Pass it, or call sum() or mean() first.',
      ),
    );
  });

  test('a gradient of another shape', () => {
    expect(() =>
      leaf([1, 2])
        .exp()
        .backward(ones([2, 1], { dtype: 'float64' })),
    ).toThrow(new ShapeError("backward: the gradient must have the tensor's shape [2]: it has [2, 1]."));
  });

  test('a gradient in another number format', () => {
    expect(() =>
      leaf([1, 2])
        .exp()
        .backward(ones([2])),
    ).toThrow(new DTypeError('backward: the gradient must be float64: it is float32.'));
  });

  test('a second pass, saying what to do', () => {
    const x = leaf([1, 2]);
    const y = x.mul(x).sum();
    y.backward();
    expect(() => y.backward()).toThrow(
      new GradientError(
        'backward: the saved values of sum were released by an earlier backward. Run the forward pass again, or add the losses up and call backward once.',
      ),
    );
    expect(x.grad).toBeAllClose([2, 4]);
  });

  test('a second pass through a shared part, before any gradient is added', () => {
    const [x, other] = [leaf([1, 2]), leaf([1, 1])];
    const shared = x.exp();
    shared.sum().backward();
    expect(() => shared.mul(other).sum().backward()).toThrow(
      'backward: the saved values of exp were released by an earlier backward.',
    );
    expect(other.grad).toBeNull();
  });

  test('a saved input that was overwritten', () => {
    const [x, y] = [leaf([1, 2]), leaf([3, 4])];
    const product = x.mul(y).sum();
    y.copyFrom([5, 6]);
    expect(() => product.backward()).toThrow(
      new GradientError(
        'backward: a value saved by mul was changed in place after the forward pass (version 1, saved at 0). Call backward before changing it.',
      ),
    );
    expect(x.grad).toBeNull();
  });

  test('a saved output that was changed through a tensor that shares its numbers', () => {
    const y = leaf([1, 2]).exp();
    y.detach().copyFrom([0, 0]);
    expect(() => y.sum().backward()).toThrow('backward: a value saved by exp was changed in place');
  });

  test('a value changed by hand and said to be', () => {
    const x = leaf([1, 2]);
    const y = x.square().sum();
    x.data[0] = 7;
    x.markChanged();
    expect(() => y.backward()).toThrow('backward: a value saved by square was changed in place');
  });
});

test('a value may be overwritten when nothing saved it, or after backward', () => {
  const x = leaf([1, 2]);
  const doubled = x.add(x).sum();
  x.copyFrom([5, 6]);
  doubled.backward();
  expect(x.grad).toBeAllClose([2, 2]);
  x.square().sum().backward();
  x.copyFrom([0, 0]);
  expect(x.grad).toBeAllClose([12, 14]);
});

describe('noGrad', () => {
  test('records nothing', () => {
    const x = leaf([1, 2]);
    const y = noGrad(() => x.exp());
    expect([y.requiresGrad, y.isLeaf]).toEqual([false, true]);
    expect(x.exp().requiresGrad).toBe(true);
  });

  test('nests, and ends with an exception', () => {
    const states: boolean[] = [];
    noGrad(() => {
      noGrad(() => states.push(isGradEnabled()));
      states.push(isGradEnabled());
    });
    expect(() =>
      noGrad(() => {
        throw new Error('inside');
      }),
    ).toThrow('inside');
    states.push(isGradEnabled());
    expect(states).toEqual([false, false, true]);
  });

  test('refuses a callback that goes on later', () => {
    expect(() => noGrad(async () => {})).toThrow(
      'noGrad: the callback must be synchronous: it returned a promise.',
    );
    expect(isGradEnabled()).toBe(true);
  });
});

describe('leaves', () => {
  test('detach shares the numbers and stops the gradient', () => {
    const x = leaf([1, 2]);
    const cut = x.exp().detach();
    expect([cut.requiresGrad, cut.isLeaf]).toEqual([false, true]);
    x.mul(cut).sum().backward();
    expect(x.grad).toBeAllClose([Math.E, Math.exp(2)]);
    const shared = x.detach();
    expect(shared.data).toBe(x.data);
  });

  test('clone copies the numbers and passes the gradient', () => {
    const x = leaf([1, 2]);
    const copy = x.clone();
    expect(copy.data).not.toBe(x.data);
    copy.mul(3).sum().backward();
    expect(x.grad).toBeAllClose([3, 3]);
  });

  test('requiresGrad can be set on a leaf only', () => {
    const x = full([2], 1);
    x.requiresGrad = true;
    const y = x.mul(2);
    expect(y.requiresGrad).toBe(true);
    expect(() => {
      y.requiresGrad = false;
    }).toThrow(
      new GradientError(
        'requiresGrad: only a leaf can be set: this tensor was computed by mul. Use detach().',
      ),
    );
  });

  test('copyFrom overwrites a leaf only', () => {
    const x = leaf([1, 2]);
    expect(() => x.exp().copyFrom([1, 2])).toThrow(
      new GradientError('copyFrom: only a leaf can be overwritten: this tensor was computed by exp.'),
    );
    expect(() => x.copyFrom(tensor([[1, 2]]))).toThrow(
      new ShapeError('copyFrom: the source must fit [2]: it is [1, 2].'),
    );
    expect(() => x.copyFrom([1, 2, 3])).toThrow(
      new ShapeError('copyFrom: the source must fit [2]: it is 3 numbers.'),
    );
    expect(x.copyFrom(tensor([7, 8]))).toBe(x);
    expect(x).toBeAllClose([7, 8]);
  });
});
