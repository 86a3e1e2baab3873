import { IndexError, ShapeError } from '../errors.js';
import { kernels } from '../kernels/backend.js';
import { rowsAround, show, sizeOf, stridesOf, type Shape } from '../shape.js';
import { zerosView, type View } from '../storage.js';
import type { Op } from './op.js';

/** Entries index[0], index[1], … along dim; index is [K]. Derivative: adds back to where it read. */
export const indexSelect: Op<{ dim: number; index: View }, Int32Array> = {
  name: 'indexSelect',
  shape([x], { dim, index }) {
    if (index.shape.length !== 1) {
      throw new ShapeError(`indexSelect: the index must have one dimension: it is ${show(index.shape)}.`);
    }
    return x.shape.with(dim, index.shape[0]);
  },
  forward([x], out, { dim, index }) {
    const { outer, length, inner } = rowsAround(x.shape, dim);
    const chosen = checkedIndices('indexSelect', index, length, `dimension ${dim} of ${show(x.shape)}`);
    const positions = new Int32Array(outer * chosen.length);
    for (let i = 0; i < positions.length; i++) {
      positions[i] = Math.floor(i / chosen.length) * length + chosen[i % chosen.length];
    }
    kernels().takeBlocks(x.data, positions, inner, out.data);
    return positions;
  },
  backward(g, { shapes: [shape], extra: positions, attributes: { dim } }) {
    const out = zerosView(g, shape);
    kernels().addBlocks(g.data, positions, rowsAround(shape, dim).inner, out.data);
    return [out];
  },
};

/** out[i, j, k] = x[i, index[i, j, k], k] for dim 1, and so on. Derivative: adds back to where it read. */
export const gather: Op<{ dim: number; index: View }, Int32Array> = {
  name: 'gather',
  shape([x], { dim, index }) {
    const fits =
      index.shape?.length === x.shape.length && index.shape.every((n, i) => i === dim || n <= x.shape[i]);
    if (!fits) {
      throw new ShapeError(
        `gather: the index must fit inside x but for dimension ${dim}: x is ${show(x.shape)}, the index is ${show(index.shape)}.`,
      );
    }
    return index.shape;
  },
  forward([x], out, { dim, index }) {
    const chosen = checkedIndices('gather', index, x.shape[dim], `dimension ${dim} of ${show(x.shape)}`);
    const positions = gatherPositions(x.shape, index.shape, dim, chosen);
    kernels().takeBlocks(x.data, positions, 1, out.data);
    return positions;
  },
  backward(g, { shapes: [shape], extra: positions }) {
    const out = zerosView(g, shape);
    kernels().addBlocks(g.data, positions, 1, out.data);
    return [out];
  },
};

/**
 * The entries of an index or label tensor of any number format as integers.
 * @throws IndexError naming the first that is not an integer from 0 to limit − 1
 */
export function checkedIndices(op: string, index: View, limit: number, what: string): Int32Array {
  const chosen = new Int32Array(sizeOf(index.shape));
  for (let i = 0; i < chosen.length; i++) {
    const value = index.data[i];
    if (!Number.isInteger(value) || value < 0 || value >= limit) {
      throw new IndexError(
        `${op}: indices must be integers from 0 to ${limit - 1} (${what}): entry ${i} is ${value}.`,
      );
    }
    chosen[i] = value;
  }
  return chosen;
}

function gatherPositions(from: Shape, to: Shape, dim: number, chosen: Int32Array): Int32Array {
  const strides = stridesOf(from);
  const stridesOut = stridesOf(to);
  return chosen.map((value, i) => {
    let position = value * strides[dim];
    for (let d = 0; d < to.length; d++) {
      if (d !== dim) position += (Math.floor(i / stridesOut[d]) % to[d]) * strides[d];
    }
    return position;
  });
}
