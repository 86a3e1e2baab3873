import * as gmml from '@gmml/tensor';
import { type DType, DTypeError, Tensor } from '@gmml/tensor';
import { fromNdarray, toNdarray } from '@gmml/tensor/ndarray';
import { gradcheck } from '@gmml/tensor/testing';
import ndarray, { type NdArray } from 'ndarray';
import { describe, expect, test } from 'vitest';
import { allOps } from '../../packages/tensor/src/ops/index.js';
import { sameShape } from '../../packages/tensor/src/shape.js';
import { Grid, spread } from './opTable/grid.js';
import { opTable } from './opTable/index.js';
import type { Row, Sample } from './opTable/row.js';

const DTYPES: DType[] = ['float64', 'float32'];

/** Methods and functions that are no operations on numbers; everything else public must be a row. */
const NO_ROW = {
  methods: [
    'constructor',
    'accumulateGrad',
    'grad',
    'peekGrad',
    'zeroGrad',
    'detach',
    'copyFrom',
    'to',
    'apply',
    'applyWith',
  ],
  functions:
    'tensor zeros ones full eye arange rand randn noGrad scope isGradEnabled manualSeed defaultGenerator useBackend backendReport'.split(
      ' ',
    ),
};

/** The samples of two inputs and more; the first is tried with mixed number formats. */
const severalInputs = opTable
  .map((row) => ({ ...row, samples: row.samples.filter((sample) => sample.inputs.length > 1) }))
  .filter((row) => row.samples.length > 0);

/** ndarray-ops takes arrays of one shape: out and as many inputs as its function has parameters beside it. */
const ndarrayCases = opTable.flatMap((row) => {
  const compute = row.ndarrayOps;
  if (!compute) return [];
  const samples = row.samples.filter(
    ({ inputs }) =>
      inputs.length === compute.length - 1 && inputs.every((x) => sameShape(x.shape, inputs[0].shape)),
  );
  return [{ row, samples, compute }];
});

describe('the op table', () => {
  const names = opTable.map((row) => row.name);

  test('has every op constant', () => {
    expect([...new Set(opTable.flatMap((row) => row.ops))].toSorted()).toEqual(
      Object.keys(allOps).toSorted(),
    );
  });

  test('has each name once', () => {
    expect(names).toEqual([...new Set(names)]);
  });

  test('has every public method and function', () => {
    const methods = namesUpTo('Variable', Tensor.prototype).filter((name) => !NO_ROW.methods.includes(name));
    const functions = Object.entries(gmml)
      .filter(
        ([name, value]) =>
          typeof value === 'function' && /^[a-z]/.test(name) && !NO_ROW.functions.includes(name),
      )
      .map(([name]) => name);
    expect(names.toSorted()).toEqual([...new Set([...methods, ...functions])].toSorted());
  });

  test.each(Object.keys(allOps).filter((name) => name !== 'to'))(
    'op %s is a public method or function of its name',
    (name) => {
      expect(typeof ((Tensor.prototype as never)[name] ?? (gmml as Record<string, unknown>)[name])).toBe(
        'function',
      );
    },
  );

  test.each(opTable.filter((row) => row.noEmpty === undefined))(
    '$name has an empty sample and one of size 1',
    (row) => {
      const sizes = row.samples.flatMap((sample) => sample.inputs.map((x) => x.values.length));
      expect(sizes).toContain(0);
      expect(sizes).toContain(1);
    },
  );
});

describe.each(opTable)('$name', (row) => {
  describe.each(DTYPES)('in %s', (dtype) => {
    test.each(row.samples)('gives what the definition gives: $label', (sample) => {
      const inputs = rounded(sample, dtype);
      const actual = sample.call(...inputs.map((x) => x.tensor(dtype)));
      expect(actual.dtype).toBe(dtype);
      expect(actual).toBeAllClose(sample.reference(...inputs).tensor(), forwardTolerance(row, dtype));
    });
  });

  test.each(row.samples)('leaves its inputs as they were: $label', (sample) => {
    const tensors = sample.inputs.map((x) => x.tensor('float64', row.differentiable));
    const y = sample.call(...tensors);
    if (row.differentiable) y.backward(spread(y.shape).tensor());
    tensors.forEach((x, i) => {
      expect(Array.from(x.data)).toEqual(sample.inputs[i].values);
      expect(x.shape).toEqual(sample.inputs[i].shape);
    });
  });

  test.each([...row.bad])('refuses $label', ({ call, error, message }) => {
    const thrown = errorOf(call);
    expect(thrown?.message).toBe(message);
    expect(thrown).toBeInstanceOf(error);
  });
});

describe.each(opTable.filter((row) => row.differentiable))('the gradient of $name', (row) => {
  test.each(row.samples.filter((sample) => !sample.infinite))(
    'is that of finite differences: $label',
    (sample) => {
      const options = { eps: 1e-3, atol: 1e-9, rtol: 1e-8, ...row.gradcheck };
      const inputs = sample.inputs.map((x) => x.tensor());
      expect(() => gradcheck(sample.call, inputs, options)).not.toThrow();
    },
  );

  test.each(row.samples)('is nearly the same in float32: $label', (sample) => {
    const inputs = rounded(sample, 'float32');
    const [single, double] = (['float32', 'float64'] as const).map((dtype) =>
      gradientsOf(sample, inputs, dtype),
    );
    single.forEach((gradient, i) => {
      expect(gradient).toBeAllClose(double[i], { rtol: 1e-5, atol: 1e-5, ...row.float32Gradient });
    });
  });

  test('comes from the ops its row names', () => {
    const sample = row.samples[0];
    const run = opsBehind(sample.call(...sample.inputs.map((x) => x.tensor('float64', true))));
    expect(run).toEqual(expect.arrayContaining([...row.ops]));
  });
});

describe.each(opTable.filter((row) => !row.differentiable))('$name', (row) => {
  test.each(row.samples)('has no gradient: $label', (sample) => {
    expect(sample.call(...sample.inputs.map((x) => x.tensor('float64', true))).requiresGrad).toBe(false);
  });
});

describe.each(severalInputs.filter((row) => row.differentiable))('$name of several inputs', (row) => {
  test.each(row.samples)('gives each input its gradient alone: $label', (sample) => {
    const together = gradientsOf(sample, sample.inputs, 'float64');
    sample.inputs.forEach((_, i) => {
      const alone = gradientsOf(sample, sample.inputs, 'float64', [i]);
      expect(alone[i]).toBeAllClose(together[i], { rtol: 0, atol: 0 });
    });
  });
});

describe.each(severalInputs)('$name of several inputs', ({ samples: [sample] }) => {
  test.each(sample.inputs.map((_, i) => i))('refuses a float32 input %i among float64 ones', (odd) => {
    const tensors = sample.inputs.map((x, i) => x.tensor(i === odd ? 'float32' : 'float64'));
    const [first, other] = odd === 0 ? ['float32', 'float64'] : ['float64', 'float32'];
    const error = errorOf(() => sample.call(...tensors));
    expect(error).toBeInstanceOf(DTypeError);
    expect(error?.message.replace(/^\w+/, 'op')).toBe(
      `op: number formats must agree: input 0 is ${first}, input ${odd || 1} is ${other}. Convert one with .to('${first}').`,
    );
  });
});

describe.each(ndarrayCases)('$row.name', ({ row, samples, compute }) => {
  test.each(samples)('gives what ndarray-ops gives: $label', (sample) => {
    const tensors = sample.inputs.map((x) => x.tensor());
    const out = ndarray(new Float64Array(tensors[0].size), [...tensors[0].shape]);
    compute(out, ...tensors.map((x) => toNdarray(x, { copy: 'never' }) as NdArray));
    const expected = fromNdarray(out, { copy: 'never' });
    expect(sample.call(...tensors)).toBeAllClose(expected, { rtol: 1e-15, atol: 0, ...row.float64 });
  });
});

function rounded(sample: Sample, dtype: DType): Grid[] {
  return sample.inputs.map((x) => (dtype === 'float32' ? x.map(Math.fround) : x));
}

function forwardTolerance(row: Row, dtype: DType): Row['float64'] {
  return dtype === 'float64'
    ? { rtol: 1e-12, atol: 1e-13, ...row.float64 }
    : { rtol: 1e-6, atol: 1e-6, ...row.float32 };
}

/** The gradients of a weighted sum of the outputs, with those inputs requiring grad that `which` names. */
function gradientsOf(
  sample: Sample,
  inputs: readonly Grid[],
  dtype: DType,
  which = inputs.map((_, i) => i),
): Tensor[] {
  const tensors = inputs.map((x, i) => x.tensor(dtype, which.includes(i)));
  const y = sample.call(...tensors);
  y.backward(spread(y.shape, -1, 1, 5).tensor(dtype));
  return tensors.map((x) => x.grad ?? gmml.zeros(x.shape, { dtype }));
}

/** The names of the ops a tensor was computed by. */
function opsBehind(y: Tensor): string[] {
  const { node } = y;
  if (!node) return [];
  return [node.op.name, ...node.inputs.flatMap((input) => opsBehind(input as Tensor))];
}

/** The names that a class and those it extends, up to one of a name, add to instances. */
function namesUpTo(base: string, prototype: object): string[] {
  if (prototype.constructor.name === base) return [];
  const inherited = namesUpTo(base, Object.getPrototypeOf(prototype) as object);
  return [...Object.getOwnPropertyNames(prototype), ...inherited];
}

function errorOf(call: () => unknown): Error | undefined {
  try {
    call();
  } catch (error) {
    return error as Error;
  }
  return undefined;
}
