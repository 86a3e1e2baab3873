import {
  arange,
  ArgumentError,
  DTypeError,
  eye,
  full,
  type NestedArray,
  ones,
  ShapeError,
  tensor,
  zeros,
} from '@gmml/tensor';
import { describe, expect, test } from 'vitest';

describe('tensor', () => {
  test('takes its shape from the nesting', () => {
    expect(
      [tensor(5), tensor([]), tensor([1, 2]), tensor([[1], [2]]), tensor([[], []])].map((x) => x.shape),
    ).toEqual([[], [0], [2], [2, 1], [2, 0]]);
  });

  test('takes a shape for flat and nested numbers', () => {
    expect(tensor([1, 2, 3, 4], { shape: [2, 2] })).toBeAllClose([
      [1, 2],
      [3, 4],
    ]);
    expect(
      tensor(
        [
          [1, 2],
          [3, 4],
        ],
        { shape: [4] },
      ),
    ).toBeAllClose([1, 2, 3, 4]);
    expect(tensor([], { shape: [0, 3] }).shape).toEqual([0, 3]);
  });

  test('is float32, but for a Float64Array, unless told otherwise', () => {
    const dtypes = [
      tensor([1]),
      tensor(new Float32Array(1)),
      tensor(new Float64Array(1)),
      tensor(new Int32Array(1)),
      tensor([1], { dtype: 'float64' }),
      tensor(new Float64Array(1), { dtype: 'float32' }),
    ].map((x) => x.dtype);
    expect(dtypes).toEqual(['float32', 'float32', 'float64', 'float32', 'float64', 'float32']);
  });

  test('copies what it is given', () => {
    const data = new Float32Array([1, 2]);
    const x = tensor(data);
    data[0] = 9;
    expect(x).toBeAllClose([1, 2]);
  });

  test('keeps its shape when the array that gave it changes', () => {
    const shape = [2, 2];
    const x = zeros(shape);
    shape[0] = 7;
    expect(x.shape).toEqual([2, 2]);
  });

  test.each<[string, unknown, object, new (message: string) => Error, string]>([
    [
      'rows of different lengths',
      [
        [1, 2],
        [3, 4, 5],
      ],
      {},
      ShapeError,
      'tensor: nested arrays must be rectangular: data[1] should have 2 entries: it is an array of 3.',
    ],
    [
      'a number among rows',
      [[1, 2], 3],
      {},
      ShapeError,
      'tensor: nested arrays must be rectangular: data[1] should have 2 entries: it is 3.',
    ],
    [
      'a row among numbers',
      [1, [2]],
      {},
      ArgumentError,
      'tensor: entries must be numbers: data[1] is an array of 1.',
    ],
    [
      'a deep one',
      [[[1, 2]], [[1]]],
      {},
      ShapeError,
      'tensor: nested arrays must be rectangular: data[1][0] should have 2 entries: it is an array of 1.',
    ],
    ['a string', [[1, 'a']], {}, ArgumentError, "tensor: entries must be numbers: data[0][1] is 'a'."],
    ['null', [null], {}, ArgumentError, 'tensor: entries must be numbers: data[0] is null.'],
    // oxlint-disable-next-line no-sparse-arrays -- the hole is the point.
    ['a hole', [1, , 3], {}, ArgumentError, 'tensor: entries must be numbers: data[1] is undefined.'],
    ['nothing', undefined, {}, ArgumentError, 'tensor: entries must be numbers: data is undefined.'],
    [
      'a shape that does not fit',
      [1, 2, 3],
      { shape: [2, 2] },
      ShapeError,
      'tensor: [2, 2] needs 4 numbers: there are 3.',
    ],
    [
      'a negative size',
      [1, 2],
      { shape: [-1, 2] },
      ShapeError,
      'tensor: sizes must be non-negative integers: the shape is [-1, 2].',
    ],
    [
      'another number format',
      [1],
      { dtype: 'int8' },
      DTypeError,
      "tensor: the number format must be 'float32' or 'float64': it is 'int8'.",
    ],
  ])('refuses %s', (_, data, options, error, message) => {
    expect(() => tensor(data as NestedArray, options)).toThrow(new error(message));
  });
});

describe('creation', () => {
  test('zeros, ones, full and eye', () => {
    expect(zeros([2, 1])).toBeAllClose([[0], [0]]);
    expect(ones([2], { dtype: 'float64' }).dtype).toBe('float64');
    expect(full([], 2.5)).toBeAllClose(2.5);
    expect(full([0, 2], 1).shape).toEqual([0, 2]);
    expect(eye(2)).toBeAllClose([
      [1, 0],
      [0, 1],
    ]);
    expect(eye(0).shape).toEqual([0, 0]);
    expect(ones([1], { requiresGrad: true }).requiresGrad).toBe(true);
  });

  test('arange counts up, down and in fractions, without the end', () => {
    expect(arange(3)).toBeAllClose([0, 1, 2]);
    expect(arange(2, 5)).toBeAllClose([2, 3, 4]);
    expect(arange(5, 0, -2)).toBeAllClose([5, 3, 1]);
    expect(arange(0, 1, 0.1).shape).toEqual([10]);
    expect(arange(2, 2).shape).toEqual([0]);
  });

  test.each([
    [5, 0, 1],
    [0, -0.5, 1],
    [0, 5, 0],
    [0, Infinity, 1],
  ])('arange refuses %d to %d by %d', (start, end, step) => {
    expect(() => arange(start, end, step)).toThrow(
      new ArgumentError(`arange: step must lead from start to end: they are ${start}, ${end}, step ${step}.`),
    );
  });

  test('refuses sizes that are none, by the name that was called', () => {
    const message = 'sizes must be non-negative integers: the shape is';
    expect(() => zeros([1.5])).toThrow(new ShapeError(`zeros: ${message} [1.5].`));
    expect(() => ones([-1])).toThrow(new ShapeError(`ones: ${message} [-1].`));
    expect(() => full([NaN], 0)).toThrow(new ShapeError(`full: ${message} [NaN].`));
    expect(() => eye(-2)).toThrow(new ShapeError(`eye: ${message} [-2, -2].`));
  });
});
