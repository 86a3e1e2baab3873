import { checkNumber } from '../checks.js';
import { ShapeError } from '../errors.js';
import { kernels } from '../kernels/backend.js';
import {
  broadcastStrides,
  reducedShape,
  rowsAround,
  show,
  sizeOf,
  stridesOf,
  type Rows,
  type Shape,
} from '../shape.js';
import { emptyView, zerosView, type FloatArray, type View } from '../storage.js';
import type { Op } from './op.js';
import { expandTo } from './views.js';

/** The dimensions to reduce, counted from the front and ascending, and whether they stay as 1. */
export interface Reduction {
  readonly dims: readonly number[];
  readonly keepDim: boolean;
}

/** Σ x over dims, in float64. Derivative: 1. */
export const sum: Op<Reduction> = {
  name: 'sum',
  shape: ([x], { dims, keepDim }) => reducedShape(x.shape, dims, keepDim),
  forward([x], out, { dims }) {
    const strides = broadcastStrides(reducedShape(x.shape, dims, true), x.shape);
    out.data.fill(0);
    kernels().addStrided(x.data, { shape: x.shape, strides, offset: 0 }, out.data);
  },
  backward: (g, { shapes: [shape], attributes: { dims } }) => [
    expandTo({ data: g.data, shape: reducedShape(shape, dims, true) }, shape),
  ],
};

/** The largest over dims; NaN wins. Derivative: equal shares to all elements that attain it. */
export const max = extremum('max', 1);

/** The smallest over dims; NaN wins. Derivative: equal shares to all elements that attain it. */
export const min = extremum('min', -1);

/** Where the largest first stands along one dimension. No derivative. */
export const argmax = argExtremum('argmax', 1);

/** Where the smallest first stands along one dimension. No derivative. */
export const argmin = argExtremum('argmin', -1);

/** Σ (x − mean)²/(n − correction) over dims. Derivative: 2(x − mean)/(n − correction). */
export const variance: Op<Reduction & { correction: number }> = {
  name: 'variance',
  saves: 'inputs',
  shape([x], { dims, keepDim, correction }) {
    checkNumber('variance', 'correction', correction, { from: 0 });
    return reducedShape(x.shape, dims, keepDim);
  },
  forward([x], out, { dims, correction }) {
    const { data, rows } = rowsOf(x, dims);
    kernels().variance(data, rows, correction, out.data);
  },
  backward(g, { inputs: [x], attributes: { dims, correction } }) {
    const { data, rows, restore } = rowsOf(x, dims);
    const out = emptyView(x, x.shape);
    kernels().varianceBackward(data, g.data, rows, correction, out.data);
    return [restore(out.data)];
  },
};

/**
 * log Σ eˣ over dims, shifted by the largest so that nothing overflows; −∞ where all are −∞.
 * Derivative: e^(x − y), and 0 where y is −∞ (the limit is not unique; torch and tfjs give NaN).
 */
export const logSumExp: Op<Reduction> = {
  name: 'logSumExp',
  saves: 'both',
  shape: ([x], { dims, keepDim }) => reducedShape(x.shape, dims, keepDim),
  forward([x], out, { dims }) {
    const { data, rows } = rowsOf(x, dims);
    kernels().logSumExp(data, rows, out.data);
  },
  backward(g, { inputs: [x], output, attributes: { dims } }) {
    const { data, rows, restore } = rowsOf(x, dims);
    const out = emptyView(x, x.shape);
    kernels().logSumExpBackward(data, output.data, g.data, rows, out.data);
    return [restore(out.data)];
  },
};

/** eˣ/Σ eˣ along dim. Derivative: y(g − Σ g·y). */
export const softmax = normalization('softmax');

/** x − log Σ eˣ along dim. Derivative: g − eʸ Σ g. */
export const logSoftmax = normalization('logSoftmax');

function extremum(name: 'max' | 'min', sign: 1 | -1): Op<Reduction> {
  return {
    name,
    saves: 'both',
    shape([x], { dims, keepDim }) {
      const shape = reducedShape(x.shape, dims, keepDim);
      refuseEmpty(name, x.shape, dims, shape);
      return shape;
    },
    forward([x], out, { dims }) {
      const { data, rows } = rowsOf(x, dims);
      kernels().extremum(sign, data, rows, out.data);
    },
    backward(g, { inputs: [x], output, attributes: { dims } }) {
      const { data, rows, restore } = rowsOf(x, dims);
      const out = emptyView(x, x.shape);
      kernels().extremumBackward(data, output.data, g.data, rows, out.data);
      return [restore(out.data)];
    },
  };
}

function argExtremum(name: 'argmax' | 'argmin', sign: 1 | -1): Op<{ dim: number; keepDim: boolean }> {
  return {
    name,
    shape([x], { dim, keepDim }) {
      const shape = reducedShape(x.shape, [dim], keepDim);
      refuseEmpty(name, x.shape, [dim], shape);
      if (x.data instanceof Float32Array && x.shape[dim] > 2 ** 24) {
        throw new ShapeError(
          `${name}: float32 cannot number ${x.shape[dim]} positions exactly. Use float64.`,
        );
      }
      return shape;
    },
    forward: ([x], out, { dim }) => kernels().argExtremum(sign, x.data, rowsAround(x.shape, dim), out.data),
  };
}

function normalization(name: 'softmax' | 'logSoftmax'): Op<{ dim: number }> {
  const adjoint = name === 'softmax' ? 'softmaxBackward' : 'logSoftmaxBackward';
  return {
    name,
    saves: 'output',
    shape: ([x]) => x.shape,
    forward: ([x], out, { dim }) => kernels()[name](x.data, rowsAround(x.shape, dim), out.data),
    backward(g, { output, attributes: { dim } }) {
      const out = emptyView(g, g.shape);
      kernels()[adjoint](output.data, g.data, rowsAround(g.shape, dim), out.data);
      return [out];
    },
  };
}

function refuseEmpty(op: string, shape: Shape, dims: readonly number[], out: Shape): void {
  if (sizeOf(shape) === 0 && sizeOf(out) > 0) {
    throw new ShapeError(
      `${op}: nothing to choose from: the shape is ${show(shape)}, the dims ${show(dims)}.`,
    );
  }
}

/**
 * x laid out as rows to reduce. Dims that are neighbours are read in place; others are copied to the
 * end, and `restore` brings a gradient in that layout back.
 */
function rowsOf(
  x: View,
  dims: readonly number[],
): { data: FloatArray; rows: Rows; restore: (g: FloatArray) => View } {
  const first = dims[0] ?? x.shape.length;
  const past = (dims.at(-1) ?? first - 1) + 1;
  if (past - first === dims.length) {
    const rows = {
      outer: sizeOf(x.shape.slice(0, first)),
      length: sizeOf(x.shape.slice(first, past)),
      inner: sizeOf(x.shape.slice(past)),
    };
    return { data: x.data, rows, restore: (g) => ({ data: g, shape: x.shape }) };
  }
  const strides = stridesOf(x.shape);
  const order = [...x.shape.keys()].filter((dim) => !dims.includes(dim)).concat(dims);
  const walk = {
    shape: order.map((dim) => x.shape[dim]),
    strides: order.map((dim) => strides[dim]),
    offset: 0,
  };
  const moved = emptyView(x, walk.shape);
  kernels().readStrided(x.data, walk, moved.data);
  const length = sizeOf(dims.map((dim) => x.shape[dim]));
  const outer = sizeOf(x.shape.filter((_, dim) => !dims.includes(dim)));
  return {
    data: moved.data,
    rows: { outer, length, inner: 1 },
    restore: (g) => {
      const back = zerosView(x, x.shape);
      kernels().addStrided(g, walk, back.data);
      return back;
    },
  };
}
