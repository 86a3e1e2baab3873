import {
  ArgumentError,
  DTypeError,
  full,
  GradientError,
  manualSeed,
  NotFiniteError,
  rand,
  ShapeError,
  Tensor,
  tensor,
  zeros,
} from '@gmml/tensor';
import { allClose, gradcheck } from '@gmml/tensor/testing';
import { describe, expect, test } from 'vitest';
import type { Op } from '../../packages/tensor/src/ops/op.js';
import { apply } from '../../packages/tensor/src/tensor/tensor.js';

function leaf(data: number[] | number[][]): Tensor {
  return tensor(data, { dtype: 'float64' });
}

/** The square, with a gradient that is whatever `derivative` makes of x and the place. */
function squareWith(derivative: (x: number, i: number) => number): (x: Tensor) => Tensor {
  const op: Op = {
    name: 'square',
    saves: 'inputs',
    shape: ([x]) => x.shape,
    forward: ([x], out) => out.data.set(x.data.map((value) => value * value)),
    backward: (g, { inputs: [x] }) => [
      { data: g.data.map((value, i) => value * derivative(x.data[i], i)), shape: x.shape },
    ],
  };
  return function square(x) {
    return apply(op, [x]);
  };
}

describe('gradcheck', () => {
  test('accepts right gradients, of one output and several', () => {
    const [x, y] = [
      leaf([
        [0.5, -1],
        [2, 0.1],
      ]),
      leaf([1, -0.3]),
    ];
    expect(() => gradcheck((a, b) => a.mul(b).sin(), [x, y])).not.toThrow();
    expect(() => gradcheck((a, b) => [a.exp(), a.mul(b).sum()], [x, y])).not.toThrow();
  });

  test('names the worst entry of a small input', () => {
    // The error is largest, against the tolerance, at [1, 0].
    const wrong = squareWith((x, i) => 2 * x + [0, 1e-3, 0.1, 0][i]);
    let error: unknown;
    try {
      gradcheck(wrong, [
        leaf([
          [1, 2],
          [3, 4],
        ]),
      ]);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(GradientError);
    expect((error as Error).message).toMatch(
      /^gradcheck: the gradient of square must agree with central differences: input 0 at \[1, 0\]: analytic -?[\d.]+, numeric -?[\d.]+, error \d+ times the tolerance\.$/,
    );
  });

  test('names the entry in an input too large to check one by one', () => {
    const wrong = squareWith((x, i) => (i === 123 ? 2.01 : 2) * x);
    const x = leaf(Array.from({ length: 200 }, (_, i) => 1 + i / 100));
    expect(() => gradcheck(wrong, [x])).toThrow(/central differences: input 0 at \[123\]: analytic/);
  });

  test('names the input', () => {
    const wrong = squareWith((x) => -2 * x);
    expect(() => gradcheck((a, b) => a.add(wrong(b)), [leaf([1]), leaf([2])])).toThrow(
      /the gradient of fn must agree with central differences: input 1 at \[0\]/,
    );
  });

  test.each([
    ['a factor', (x: number) => 2.0001 * x],
    ['a sign', (x: number) => -2 * x],
    ['a shift', (x: number) => 2 * x + 1e-4],
    ['nothing', () => 0],
  ])('finds %s', (_, derivative) => {
    expect(() => gradcheck(squareWith(derivative), [leaf([0.3, -2, 1.5])])).toThrow(GradientError);
  });

  test('can be as tight as 1e-11 with a longer step', () => {
    const x = leaf([0.3, -0.8]);
    expect(() => gradcheck((a) => a.sin(), [x], { eps: 1e-3, rtol: 1e-11, atol: 1e-11 })).not.toThrow();
    const nearly = squareWith((value) => 2 * value * (1 + 1e-9));
    expect(() => gradcheck(nearly, [x], { eps: 1e-3, rtol: 1e-10, atol: 1e-10 })).toThrow(GradientError);
  });

  test('does not mistake the rounding of large inputs for an error', () => {
    expect(() => gradcheck((a) => a.sub(1e6), [leaf([1e6, 1e6 + 0.5])])).not.toThrow();
  });

  test('checks through what fn closes over, as a layer has its parameters', () => {
    const [x, weight] = [leaf([1, 2]), leaf([3, 4])];
    expect(() => gradcheck(() => x.mul(weight), [x, weight])).not.toThrow();
  });

  test('leaves inputs, their grad and requiresGrad as they were', () => {
    const [x, y] = [leaf([0.1, 0.2]), leaf([3, 4])];
    x.requiresGrad = true;
    x.grad = full([2], 7, { dtype: 'float64' });
    const before = x.grad;
    const look = (): unknown => [[...x.data], [...y.data], x.requiresGrad, y.requiresGrad, y.grad];
    const state = look();
    gradcheck((a, b) => a.mul(b), [x, y]);
    expect(look()).toEqual(state);
    expect(x.grad).toBe(before);
    expect(() => gradcheck((a, b) => squareWith(() => 0)(a.mul(b)), [x, y])).toThrow(GradientError);
    expect(() =>
      gradcheck(() => {
        throw new Error('inside');
      }, [x, y]),
    ).toThrow('inside');
    expect(look()).toEqual(state);
    expect(x.grad).toBe(before);
    expect(x.grad).toBeAllClose([7, 7]);
  });

  test('tries the same directions from the same seed', () => {
    const wrong = squareWith(() => 1);
    const x = leaf(Array.from({ length: 100 }, (_, i) => i));
    const messages = [3, 3, 4].map((seed) => {
      try {
        gradcheck(wrong, [x], { seed });
      } catch (error) {
        return (error as Error).message;
      }
      return '';
    });
    expect(messages[0]).toBe(messages[1]);
    expect(messages[0]).not.toBe(messages[2]);
  });

  test('accepts empty inputs', () => {
    expect(() =>
      gradcheck((a, b) => a.exp().sum().add(b), [zeros([0], { dtype: 'float64' }), leaf([1])]),
    ).not.toThrow();
  });

  const x = leaf([1, 2]);
  const constant = (): Tensor => leaf([1, 2]);
  test.each<[string, () => void, Error]>([
    [
      'float32 inputs',
      () => gradcheck((a) => a, [tensor([1])]),
      new DTypeError(
        "gradcheck: inputs must be float64: input 0 is float32. Create it with { dtype: 'float64' }.",
      ),
    ],
    [
      'no inputs',
      () => gradcheck(() => x, []),
      new ArgumentError('gradcheck: at least one input: the list is empty.'),
    ],
    [
      'results as inputs',
      () => gradcheck((a) => a, [tensor([1], { dtype: 'float64', requiresGrad: true }).exp()]),
      new ArgumentError(
        'gradcheck: inputs must be leaves: input 0 is the result of an operation. Pass its detach().',
      ),
    ],
    [
      'inputs that share memory',
      () => gradcheck((a, b) => a.mul(b), [x, x.detach()]),
      new ArgumentError('gradcheck: inputs must not share memory: inputs 0 and 1 do. Pass a clone() of one.'),
    ],
    [
      'an output without a gradient',
      () => gradcheck((a) => [a.exp(), a.detach()], [x]),
      new GradientError(
        'gradcheck: the outputs of fn must depend on its inputs: output 1 does not require grad. Look for a detach(), a noGrad(), or an op without a gradient.',
      ),
    ],
    [
      'an input that nothing depends on',
      () => gradcheck((a) => a.exp(), [x, constant()]),
      new GradientError(
        'gradcheck: the outputs of fn must depend on every input: no gradient reached input 1. Leave it out, or look for a detach().',
      ),
    ],
    [
      'a float32 output',
      () => gradcheck((a) => a.to('float32'), [x]),
      new DTypeError('gradcheck: outputs must be float64: output 0 of fn is float32.'),
    ],
    [
      'an infinite output',
      () => gradcheck((a) => a.sub(1).log(), [x]),
      new NotFiniteError(
        'gradcheck: the outputs of fn must be finite: output 0 at [0] is -Infinity. Choose inputs inside its domain.',
      ),
    ],
    [
      'an infinite gradient',
      () => gradcheck((a) => a.sub(1).sqrt(), [x]),
      new GradientError('gradcheck: the gradient of fn must be finite: input 0 at [0]: analytic Infinity.'),
    ],
    [
      'another output at every call',
      () => gradcheck((a) => a.mul(rand([2], { dtype: 'float64' })), [x]),
      new ArgumentError(
        'gradcheck: fn must give the same outputs every time: output 0 differed between two calls. Seed its generator inside it.',
      ),
    ],
    [
      'no step',
      () => gradcheck((a) => a, [x], { eps: 0 }),
      new ArgumentError('gradcheck: eps must be positive: it is 0.'),
    ],
    [
      'a negative tolerance',
      () => gradcheck((a) => a, [x], { atol: -1 }),
      new ArgumentError(
        'gradcheck: tolerances must not be negative: atol is -1, rtol is 1e-5.'.replace('1e-5', '0.00001'),
      ),
    ],
    [
      'no direction',
      () => gradcheck((a) => a, [x], { directions: 0 }),
      new ArgumentError('gradcheck: directions must be an integer of at least 1: it is 0.'),
    ],
  ])('refuses %s', (_, call, error) => {
    manualSeed(1);
    expect(call).toThrow(error);
  });
});

describe('allClose', () => {
  test('compares entry by entry, relative to the expected number', () => {
    expect(allClose([100, 1], [100.0009, 1]).ok).toBe(true);
    expect(allClose([100, 1], [100.002, 1]).ok).toBe(false);
    expect(allClose([0], [1e-9]).ok).toBe(true);
    expect(allClose([0], [1e-9], { atol: 0 }).ok).toBe(false);
    expect(allClose([1], [1.05], { rtol: 0.1 }).ok).toBe(true);
  });

  test.each([
    [NaN, NaN, true],
    [NaN, 1, false],
    [1, NaN, false],
    [Infinity, Infinity, true],
    [-Infinity, -Infinity, true],
    [Infinity, -Infinity, false],
    [1e308, Infinity, false],
    [Infinity, 1e308, false],
    [0, -0, true],
  ])('takes %d beside %d for %s', (a, b, ok) => {
    expect(allClose([a], [b]).ok).toBe(ok);
  });

  test('names the worst entry, both values, and error over tolerance', () => {
    const actual = tensor(
      [
        [1, 2],
        [3, 4.5],
      ],
      { dtype: 'float64' },
    );
    expect(
      allClose(
        actual,
        [
          [1, 2.01],
          [3, 4],
        ],
        { rtol: 0, atol: 0.001 },
      ).message,
    ).toBe(
      'allClose: 2 of 4 entries differ; worst at [1, 1]: actual 4.5, expected 4, error 500 times the tolerance.',
    );
    expect(allClose([1, NaN], [1, 2]).message).toBe(
      'allClose: 1 of 2 entries differs; worst at [1]: actual NaN, expected 2, error Infinity times the tolerance.',
    );
    expect(allClose(1, 1).message).toBe(
      'allClose: all entries agree; worst at []: actual 1, expected 1, error 0 times the tolerance.',
    );
  });

  test('compares shapes where both have one, and lengths', () => {
    expect(allClose(tensor([[1, 2]]), tensor([1, 2]))).toEqual({
      ok: false,
      message: 'allClose: the shapes differ: actual is [1, 2], expected is [2].',
    });
    expect(allClose(tensor([1]), 1).ok).toBe(false);
    expect(allClose(tensor([[1, 2]]), new Float32Array([1, 2])).ok).toBe(true);
    expect(allClose(new Int32Array([1, 2]), [1, 2]).ok).toBe(true);
    expect(allClose(new Float32Array(2), tensor([[1]])).message).toBe(
      'allClose: the sizes differ: actual has 2 entries, expected has 1.',
    );
    expect(allClose(zeros([2, 0]), [[], []]).ok).toBe(true);
    expect(allClose(zeros([2, 0]), zeros([0, 2])).ok).toBe(false);
  });

  test('refuses ragged arrays', () => {
    expect(() => allClose([[1, 2], [3]], [[1, 2], [3]])).toThrow(
      new ShapeError('allClose: nested arrays must not be ragged: entry 0 is [2], entry 1 is [1].'),
    );
  });
});

test('toBeAllClose fails with the message, and can be turned round', () => {
  expect(() => expect([1]).toBeAllClose([2])).toThrow('worst at [0]: actual 1, expected 2');
  expect([1]).not.toBeAllClose([2]);
  expect(() => expect([1]).not.toBeAllClose([1])).toThrow('allClose: all entries agree');
});
