import { ArgumentError, DTypeError, tensor } from '@gmml/tensor';
import { fromNdarray, toNdarray } from '@gmml/tensor/ndarray';
import ndarray, { type NdArray } from 'ndarray';
import { describe, expect, test } from 'vitest';

describe('toNdarray', () => {
  const x = tensor([
    [1, 2, 3],
    [4, 5, 6],
  ]);

  test.each(['auto', 'never'] as const)('shares the numbers with copy: %s', (copy) => {
    const array = toNdarray(x, { copy });
    expect(array.data).toBe(x.data);
    expect([array.shape, array.get(1, 0), array.dtype]).toEqual([[2, 3], 4, 'float32']);
  });

  test('copies them on request', () => {
    const array = toNdarray(x, { copy: 'always' });
    array.set(0, 0, 100);
    expect(x).toBeAllClose([
      [1, 2, 3],
      [4, 5, 6],
    ]);
  });

  test('takes scalars, and nothing', () => {
    expect(toNdarray(tensor(5)).get()).toBe(5);
    expect(toNdarray(tensor([], { shape: [0, 3] })).shape).toEqual([0, 3]);
  });

  test('does not lend its shape', () => {
    toNdarray(x).shape[0] = 7;
    expect(x.shape).toEqual([2, 3]);
  });
});

describe('fromNdarray', () => {
  const six = (): Float64Array => Float64Array.of(1, 2, 3, 4, 5, 6);

  test.each<[string, NdArray, unknown]>([
    [
      'a dense one',
      ndarray(six(), [2, 3]),
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
    ],
    ['a float32 one', ndarray(Float32Array.from(six()), [6]), [1, 2, 3, 4, 5, 6]],
    [
      'rows of one',
      ndarray(six(), [3, 2]).lo(1),
      [
        [3, 4],
        [5, 6],
      ],
    ],
    ['an entry', ndarray(six(), [6]).pick(4), 5],
    ['a strange stride where the size is 1', ndarray(six(), [1, 3], [77, 1]), [[1, 2, 3]]],
    ['nothing', ndarray(new Float64Array(0), [0]), []],
  ])('shares the numbers of %s', (_, array, expected) => {
    const x = fromNdarray(array, { copy: 'never' });
    expect(x).toBeAllClose(expected as number[]);
    expect(x.data.buffer).toBe((array.data as Float64Array).buffer);
    expect(x.dtype).toBe(array.dtype);
    x.data.fill(-1);
    expect(array.size === 0 || [...(array.data as Float64Array)].includes(-1)).toBe(true);
  });

  test.each<[string, NdArray, unknown, string, string]>([
    [
      'a transposed one',
      ndarray(six(), [2, 3]).transpose(1, 0),
      [
        [1, 4],
        [2, 5],
        [3, 6],
      ],
      'float64',
      'its shape is [3, 2], its strides [1, 3]',
    ],
    [
      'columns',
      ndarray(six(), [2, 3]).hi(2, 2),
      [
        [1, 2],
        [4, 5],
      ],
      'float64',
      'its shape is [2, 2], its strides [3, 1]',
    ],
    ['a stepped one', ndarray(six(), [6]).step(2), [1, 3, 5], 'float64', 'its shape is [3], its strides [2]'],
    [
      'a reversed one',
      ndarray(six(), [6]).step(-1),
      [6, 5, 4, 3, 2, 1],
      'float64',
      'its shape is [6], its strides [-1]',
    ],
    [
      'one number repeated',
      ndarray(six(), [2, 2], [0, 0], 3),
      [
        [4, 4],
        [4, 4],
      ],
      'float64',
      'its shape is [2, 2], its strides [0, 0]',
    ],
    ['integers', ndarray(Uint8Array.of(1, 255), [2]), [1, 255], 'float32', 'its numbers are uint8'],
    ['a plain array', ndarray([1, 2], [2]), [1, 2], 'float32', 'its numbers are array'],
  ])('copies %s, or refuses to', (_, array, expected, dtype, obstacle) => {
    const x = fromNdarray(array);
    expect(x).toBeAllClose(expected as number[]);
    expect(x.dtype).toBe(dtype);
    const before = [...(array.data as Float64Array)];
    x.data.fill(-1);
    expect([...(array.data as Float64Array)]).toEqual(before);
    expect(() => fromNdarray(array, { copy: 'never' })).toThrow(
      new ArgumentError(
        `fromNdarray: without a copy the ndarray must be dense, row-major and ${dtype}: ${obstacle}. Use { copy: 'auto' }.`,
      ),
    );
  });

  test('copies a dense one on request', () => {
    const array = ndarray(six(), [2, 3]);
    fromNdarray(array, { copy: 'always' }).data.fill(0);
    expect(array.get(1, 2)).toBe(6);
  });

  test('converts to the number format asked for, which copies', () => {
    const array = ndarray(six(), [6]);
    expect(fromNdarray(array, { dtype: 'float32' }).dtype).toBe('float32');
    expect(fromNdarray(ndarray([0.1], [1]), { dtype: 'float64' })).toBeAllClose([0.1], { rtol: 0, atol: 0 });
    expect(() => fromNdarray(array, { dtype: 'float32', copy: 'never' })).toThrow(
      new ArgumentError(
        "fromNdarray: without a copy the ndarray must be dense, row-major and float32: its numbers are float64. Use { copy: 'auto' }.",
      ),
    );
  });

  test('refuses bigints and unknown ways of copying', () => {
    expect(() => fromNdarray(ndarray(new BigInt64Array(2) as never, [2]))).toThrow(
      new DTypeError('fromNdarray: the numbers must not be bigints: the ndarray is bigint64.'),
    );
    expect(() => fromNdarray(ndarray(six(), [6]), { copy: 'maybe' as 'auto' })).toThrow(
      new ArgumentError("fromNdarray: copy must be one of 'never', 'auto', 'always': it is 'maybe'."),
    );
    expect(() => toNdarray(tensor([1]), { copy: 'maybe' as 'auto' })).toThrow(
      new ArgumentError("toNdarray: copy must be one of 'never', 'auto', 'always': it is 'maybe'."),
    );
  });

  test('goes round through toNdarray without a copy', () => {
    const x = tensor([
      [1, 2],
      [3, 4],
    ]);
    const again = fromNdarray(toNdarray(x, { copy: 'never' }), { copy: 'never' });
    expect(again.data.buffer).toBe(x.data.buffer);
    expect(again).toBeAllClose(x);
  });
});
