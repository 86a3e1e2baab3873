import { ArgumentError, ShapeError } from '../errors.js';
import { kernels } from '../kernels/backend.js';
import type { Walk } from '../kernels/kernels.js';
import {
  broadcastStrides,
  checkShape,
  inferShape,
  sameShape,
  show,
  sizeOf,
  stridesOf,
  type Shape,
} from '../shape.js';
import { emptyView, zerosView } from '../storage.js';
import type { Op } from './op.js';

/** The same numbers in row-major order under another shape. Derivative: reshapes back. */
export const reshape: Op<{ shape: Shape }> = {
  name: 'reshape',
  alias: true,
  shape: ([x], { shape }) => inferShape('reshape', x.shape, shape),
  forward() {},
  backward: (g, { shapes: [shape] }) => [{ data: g.data, shape }],
};

/** Dimension i of the output is dimension dims[i] of x. Derivative: the inverse permutation. */
export const permute: Op<{ dims: readonly number[] }> = movement('permute', (shape, { dims }) => {
  if (dims.length !== shape.length || dims.toSorted((a, b) => a - b).some((dim, i) => dim !== i)) {
    throw new ShapeError(
      `permute: dims must name each dimension once: dims are ${show(dims)}, the shape is ${show(shape)}.`,
    );
  }
  const strides = stridesOf(shape);
  return { shape: dims.map((d) => shape[d]), strides: dims.map((d) => strides[d]), offset: 0 };
});

/** x repeated along dimensions of size 1, or new ones in front; −1 keeps a size. Derivative: sums over the repeats. */
export const expand: Op<{ shape: Shape }> = movement('expand', (from, { shape }) => {
  const skip = shape.length - from.length;
  checkShape(
    'expand',
    shape.map((n) => (n === -1 ? 0 : n)),
  );
  const to = shape.map((n, i) => (n === -1 && i >= skip ? from[i - skip] : n));
  const fits =
    skip >= 0 && to.every((n, i) => n >= 0 && (i < skip || from[i - skip] === n || from[i - skip] === 1));
  if (!fits) {
    throw new ShapeError(`expand: only sizes of 1 can be repeated: ${show(from)} to ${show(shape)}.`);
  }
  return { shape: to, strides: broadcastStrides(from, to), offset: 0 };
});

/** Every step-th entry from start up to end along dim (all counted from the front). Derivative: 0 outside. */
export const slice: Op<{ dim: number; start: number; end: number; step: number }> = movement(
  'slice',
  (from, { dim, start, end, step }) => {
    if (![start, end, step].every(Number.isSafeInteger) || step < 1) {
      throw new ArgumentError(
        `slice: start and end must be integers and step at least 1: they are ${start}, ${end}, ${step}.`,
      );
    }
    const strides = stridesOf(from);
    const length = Math.max(0, Math.ceil((end - start) / step));
    return {
      shape: from.with(dim, length),
      strides: strides.with(dim, strides[dim] * step),
      offset: length === 0 ? 0 : start * strides[dim],
    };
  },
);

/** The offset-th diagonal of each matrix in the last two dimensions. Derivative: embeds back. */
export const diagonal: Op<{ offset: number }> = movement('diagonal', (from, { offset }) => {
  if (from.length < 2) throw new ShapeError(`diagonal: at least two dimensions: the shape is ${show(from)}.`);
  checkOffset('diagonal', offset);
  return diagonalWalk(from, offset);
});

/** Square matrices, 0 but for the offset-th diagonal, which is the last dimension of x. Derivative: the diagonal. */
export const diagEmbed: Op<{ offset: number }> = {
  name: 'diagEmbed',
  shape([x], { offset }) {
    if (x.shape.length < 1) throw new ShapeError('diagEmbed: at least one dimension: x is a scalar, [].');
    checkOffset('diagEmbed', offset);
    const n = x.shape[x.shape.length - 1] + Math.abs(offset);
    return [...x.shape.slice(0, -1), n, n];
  },
  forward([x], out, { offset }) {
    out.data.fill(0);
    kernels().writeStrided(x.data, diagonalWalk(out.shape, offset), out.data);
  },
  backward(g, { shapes: [shape], attributes: { offset } }) {
    const out = emptyView(g, shape);
    kernels().readStrided(g.data, diagonalWalk(g.shape, offset), out.data);
    return [out];
  },
};

/** The matrices of x with d [..., length] in the place of the offset-th diagonal. Derivatives: g without the diagonal, and the diagonal. */
export const diagonalScatter: Op<{ offset: number }> = {
  name: 'diagonalScatter',
  shape([x, d], { offset }) {
    if (x.shape.length < 2) {
      throw new ShapeError(`diagonalScatter: at least two dimensions: the shape is ${show(x.shape)}.`);
    }
    checkOffset('diagonalScatter', offset);
    const wanted = diagonalWalk(x.shape, offset).shape;
    if (!sameShape(d.shape, wanted)) {
      throw new ShapeError(`diagonalScatter: the diagonal must be ${show(wanted)}: it is ${show(d.shape)}.`);
    }
    return x.shape;
  },
  forward([x, d], out, { offset }) {
    out.data.set(x.data);
    kernels().writeStrided(d.data, diagonalWalk(x.shape, offset), out.data);
  },
  backward(g, { shapes: [, shape], needs, attributes: { offset } }) {
    const walk = diagonalWalk(g.shape, offset);
    const dx = needs[0] ? emptyView(g, g.shape) : null;
    const dd = needs[1] ? emptyView(g, shape) : null;
    if (dx) {
      dx.data.set(g.data);
      kernels().writeStrided(zerosView(g, shape).data, walk, dx.data);
    }
    if (dd) kernels().readStrided(g.data, walk, dd.data);
    return [dx, dd];
  },
};

/** The tensors joined along dim. Derivative: each gets its part back. */
export const cat: Op<{ dim: number }> = {
  name: 'cat',
  shape(inputs, { dim }) {
    const first = inputs[0].shape;
    for (const [i, { shape }] of inputs.entries()) {
      if (shape.length !== first.length || !sameShape(shape.with(dim, 0), first.with(dim, 0))) {
        throw new ShapeError(
          `cat: all but dimension ${dim} must agree: tensor 0 is ${show(first)}, tensor ${i} is ${show(shape)}.`,
        );
      }
    }
    return first.with(
      dim,
      inputs.reduce((total, x) => total + x.shape[dim], 0),
    );
  },
  forward(inputs, out, { dim }) {
    const walks = partsOf(
      out.shape,
      dim,
      inputs.map((x) => x.shape[dim]),
    );
    inputs.forEach((x, i) => kernels().writeStrided(x.data, walks[i], out.data));
  },
  backward(g, { shapes, needs, attributes: { dim } }) {
    const walks = partsOf(
      g.shape,
      dim,
      shapes.map((shape) => shape[dim]),
    );
    return shapes.map((shape, i) => {
      if (!needs[i]) return null;
      const out = emptyView(g, shape);
      kernels().readStrided(g.data, walks[i], out.data);
      return out;
    });
  },
};

/** What lies on and below diagonal k of each matrix; 0 elsewhere. Derivative: the same of g. */
export const tril = triangle('tril', false);

/** What lies on and above diagonal k of each matrix; 0 elsewhere. Derivative: the same of g. */
export const triu = triangle('triu', true);

/** An op that only picks elements: forward reads along a walk over x, backward adds along it. */
function movement<A>(name: string, walkOf: (shape: Shape, attributes: A) => Walk): Op<A> {
  return {
    name,
    shape: ([x], attributes) => walkOf(x.shape, attributes).shape,
    forward: ([x], out, attributes) => kernels().readStrided(x.data, walkOf(x.shape, attributes), out.data),
    backward(g, { shapes: [shape], attributes }) {
      const out = zerosView(g, shape);
      kernels().addStrided(g.data, walkOf(shape, attributes), out.data);
      return [out];
    },
  };
}

function triangle(name: 'tril' | 'triu', upper: boolean): Op<{ k: number }> {
  const copy: Op<{ k: number }>['forward'] = ([x], out, { k }) => {
    if (sizeOf(x.shape) === 0) return;
    const [rows, columns] = x.shape.slice(-2);
    kernels().triangle(x.data, rows, columns, k, upper, out.data);
  };
  return {
    name,
    shape([x], { k }) {
      if (x.shape.length < 2)
        throw new ShapeError(`${name}: at least two dimensions: the shape is ${show(x.shape)}.`);
      checkOffset(name, k);
      return x.shape;
    },
    forward: copy,
    backward(g, { attributes }) {
      const out = emptyView(g, g.shape);
      copy([g], out, attributes);
      return [out];
    },
  };
}

function diagonalWalk(matrices: Shape, offset: number): Walk {
  const [rows, columns] = matrices.slice(-2);
  const length = Math.max(
    0,
    offset >= 0 ? Math.min(rows, columns - offset) : Math.min(rows + offset, columns),
  );
  return {
    shape: [...matrices.slice(0, -2), length],
    strides: [...stridesOf(matrices).slice(0, -2), columns + 1],
    offset: length === 0 ? 0 : offset >= 0 ? offset : -offset * columns,
  };
}

/** The walks over `whole` of parts with the given lengths along dim. */
function partsOf(whole: Shape, dim: number, lengths: readonly number[]): Walk[] {
  const strides = stridesOf(whole);
  let start = 0;
  return lengths.map((length) => {
    const walk = { shape: whole.with(dim, length), strides, offset: start * strides[dim] };
    start += length;
    return walk;
  });
}

function checkOffset(op: string, offset: number): void {
  if (!Number.isSafeInteger(offset)) {
    throw new ArgumentError(`${op}: the diagonal's offset must be an integer: it is ${offset}.`);
  }
}
