import {
  arange,
  ArgumentError,
  cat,
  conv2d,
  DTypeError,
  maxPool2d,
  ones,
  ShapeError,
  stack,
  type Tensor,
  tensor,
  zeros,
} from '@gmml/tensor';
import { describe, expect, test } from 'vitest';

describe('reading', () => {
  test('item gives the only number', () => {
    expect([tensor(3), tensor([[4]])].map((x) => x.item())).toEqual([3, 4]);
    expect(() => tensor([1, 2]).item()).toThrow(
      new ShapeError('item: exactly one element: the shape is [2].'),
    );
    expect(() => zeros([0]).item()).toThrow(new ShapeError('item: exactly one element: the shape is [0].'));
  });

  test('toArray nests as the shape does', () => {
    expect(tensor(3).toArray()).toBe(3);
    expect(arange(6).reshape([3, 1, 2]).toArray()).toEqual([[[0, 1]], [[2, 3]], [[4, 5]]]);
    expect(zeros([2, 0]).toArray()).toEqual([[], []]);
  });

  test('size, ndim and data describe the numbers', () => {
    const x = arange(6).reshape([2, 3]);
    expect([x.size, x.ndim, [...x.data]]).toEqual([6, 2, [0, 1, 2, 3, 4, 5]]);
  });
});

describe('printing', () => {
  test('shows numbers, shape and what is not the default', () => {
    const x = tensor(
      [
        [1, -2.5],
        [1e-8, 123456.789],
      ],
      { dtype: 'float64', requiresGrad: true },
    );
    expect(`\n${String(x)}`).toMatchInlineSnapshot(`
      "
      tensor([[     1,   -2.5],
              [  1e-8, 123457]], [2, 2], float64, requiresGrad)"
    `);
  });

  test('shows scalars, nothing, and what is not finite', () => {
    expect([tensor(0.1), zeros([0, 3]), tensor([NaN, Infinity, -Infinity])].map(String))
      .toMatchInlineSnapshot(`
      [
        "tensor(0.1, [])",
        "tensor([], [0, 3])",
        "tensor([NaN,   ∞,  -∞], [3])",
      ]
    `);
  });

  test('separates matrices, without blanks at the ends of lines', () => {
    const printed = String(arange(8).reshape([2, 2, 2]));
    expect(printed).not.toMatch(/ $/m);
    expect(`\n${printed}`).toMatchInlineSnapshot(`
      "
      tensor([[[0, 1],
               [2, 3]],

              [[4, 5],
               [6, 7]]], [2, 2, 2])"
    `);
  });

  test('shortens what is large', () => {
    expect(`\n${String(arange(10_000).reshape([100, 100]))}`).toMatchInlineSnapshot(`
      "
      tensor([[   0,    1,    2, …,   97,   98,   99],
              [ 100,  101,  102, …,  197,  198,  199],
              [ 200,  201,  202, …,  297,  298,  299],
              …,
              [9700, 9701, 9702, …, 9797, 9798, 9799],
              [9800, 9801, 9802, …, 9897, 9898, 9899],
              [9900, 9901, 9902, …, 9997, 9998, 9999]], [100, 100])"
    `);
  });
});

describe('moving', () => {
  test('reshape shares the numbers and infers one size', () => {
    const x = arange(6);
    const y = x.reshape([2, -1]);
    expect(y).toBeAllClose([
      [0, 1, 2],
      [3, 4, 5],
    ]);
    expect(y.data).toBe(x.data);
  });

  test('slice counts from the end and cuts what is beyond', () => {
    const x = arange(6);
    expect(x.slice(0, -2)).toBeAllClose([4, 5]);
    expect(x.slice(0, 1, -1)).toBeAllClose([1, 2, 3, 4]);
    expect(x.slice(0, -100, 100, 4)).toBeAllClose([0, 4]);
    expect(x.slice(0, 4, 2).shape).toEqual([0]);
  });

  test('cat and stack join', () => {
    expect(cat([tensor([1]), tensor([2, 3])])).toBeAllClose([1, 2, 3]);
    expect(stack([tensor([1, 2]), tensor([3, 4])], 1)).toBeAllClose([
      [1, 3],
      [2, 4],
    ]);
  });

  test('argmax and argmin keep the dimension on request', () => {
    const x = tensor([
      [1, 5, 2],
      [7, 0, 3],
    ]);
    expect(x.argmax(1, { keepDim: true })).toBeAllClose([[1], [0]]);
    expect(x.argmin(0, { keepDim: true })).toBeAllClose([[0, 1, 0]]);
    expect(x.argmax(undefined, { keepDim: true })).toBeAllClose([[3]]);
  });
});

describe('number formats', () => {
  test('to converts and rounds', () => {
    const x = tensor(new Float64Array([0.1]));
    expect(x.to('float32')).toBeAllClose([Math.fround(0.1)], { rtol: 0, atol: 0 });
    expect(x.to('float32').to('float64').dtype).toBe('float64');
    expect(() => x.to('int8' as 'float32')).toThrow(
      new DTypeError("to: the number format must be 'float32' or 'float64': it is 'int8'."),
    );
  });

  test('a number takes the format of the tensor beside it', () => {
    expect(tensor([1], { dtype: 'float64' }).add(0.1)).toBeAllClose([1.1], { rtol: 0, atol: 0 });
    expect(tensor([1]).add(0.1)).toBeAllClose([Math.fround(1 + Math.fround(0.1))], { rtol: 0, atol: 0 });
  });

  test('are not mixed', () => {
    expect(() => tensor([1]).add(tensor([1], { dtype: 'float64' }))).toThrow(
      new DTypeError(
        "add: number formats must agree: input 0 is float32, input 1 is float64. Convert one with .to('float32').",
      ),
    );
  });

  test('an operand is a tensor or a number', () => {
    expect(() => tensor([1]).add('2' as unknown as number)).toThrow(
      new ArgumentError('add: the other operand must be a tensor or a number: it is 2.'),
    );
  });
});

describe('an array in the place of a tensor', () => {
  const array = [
    [1, 2],
    [3, 4],
  ] as unknown as Tensor;
  const x = ones([2, 2]);

  test.each<[() => unknown, Error]>([
    [
      () => x.matmul(array),
      new ShapeError('matmul: at least one dimension each: a is [2, 2], b is not a tensor.'),
    ],
    [
      () => x.gather(0, array),
      new ShapeError(
        'gather: the index must fit inside x but for dimension 0: x is [2, 2], the index is not a tensor.',
      ),
    ],
    [() => cat([x, array]), new ArgumentError('cat: inputs must be tensors: input 1 is none.')],
    [
      () => conv2d(ones([1, 1, 2, 2]), array),
      new ArgumentError('conv2d: inputs must be tensors: input 1 is none.'),
    ],
    [
      () => maxPool2d(ones([1, 1, 2, 2]), undefined as never),
      new ArgumentError(
        'maxPool2d: kernelSize must be an integer of at least 1 or a pair [height, width] of them: it is undefined.',
      ),
    ],
  ])('is said to be none: %s', (call, error) => {
    expect(call).toThrow(error);
  });
});
