import {
  arange,
  ArgumentError,
  type BackendName,
  backendReport,
  cat,
  DTypeError,
  eye,
  full,
  type NestedArray,
  ones,
  randn,
  ShapeError,
  stack,
  tensor,
  useBackend,
  zeros,
} from '@gmml/tensor';
import { afterEach, describe, expect, test, vi } from 'vitest';

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

describe('useBackend', () => {
  const { backend: before, threads } = backendReport();
  afterEach(() => useBackend(before as BackendName, { threads }));

  test('says what it chose', async () => {
    expect(await useBackend('reference')).toEqual({ backend: 'reference', threads: 1 });
    expect(backendReport()).toEqual({ backend: 'reference', threads: 1, onReference: [], arenaOverflows: 0 });
    expect(await useBackend('wasm', { threads: 1 })).toEqual({ backend: 'wasm', threads: 1 });
    const { backend, onReference } = backendReport();
    expect(backend).toBe('wasm');
    expect(onReference).toEqual(['sin', 'cos', 'pow']);
    expect(onReference).not.toContain('matmul');
    expect(await useBackend('auto', { threads: 1 })).toEqual({ backend: 'wasm', threads: 1 });
    expect(backendReport()).toEqual({ backend: 'wasm', threads: 1, onReference, arenaOverflows: 0 });
  });

  test('computes the same on each', async () => {
    const [a, b] = [randn([37, 300]), randn([300, 19])];
    await useBackend('reference');
    const expected = a.matmul(b);
    await useBackend('wasm');
    const found = a.matmul(b);
    expect(found).toBeAllClose(expected, { rtol: 1e-4, atol: 1e-4 });
  });

  test("falls back where there is no WebAssembly, and refuses 'wasm' there", async () => {
    vi.resetModules();
    vi.stubGlobal('WebAssembly', undefined);
    try {
      const fresh = await import('@gmml/tensor');
      expect(await fresh.useBackend('auto')).toEqual({ backend: 'reference', threads: 1 });
      await expect(fresh.useBackend('wasm')).rejects.toThrow(
        "useBackend: 'wasm' does not run here: there is no WebAssembly. Use 'auto' or 'reference'.",
      );
    } finally {
      vi.unstubAllGlobals();
    }
  });

  test('refuses what there is not', async () => {
    await expect(useBackend('gpu' as 'auto')).rejects.toThrow(
      new ArgumentError("useBackend: the backend must be one of 'auto', 'wasm', 'reference': it is 'gpu'."),
    );
    await expect(useBackend('auto', { threads: 0 })).rejects.toThrow(
      new ArgumentError('useBackend: threads must be an integer of at least 1: it is 0.'),
    );
  });
});
