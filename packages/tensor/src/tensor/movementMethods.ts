import { ShapeError } from '../errors.js';
import * as indexing from '../ops/indexing.js';
import * as movement from '../ops/movement.js';
import { normalizeDim, show, sizeOf, type Shape } from '../shape.js';
import type { Tensor } from './tensor.js';
import { Variable, viewOf } from './variable.js';

/** Indices along a dimension: integers in a tensor of any number format, or in an array. */
export type Indices = Tensor | readonly number[];

/** The same numbers in other places: shapes, slices, diagonals, indices. */
export abstract class MovementMethods extends Variable {
  /** The same numbers in row-major order under another shape, sharing memory. One size may be −1: what is left over. */
  reshape(shape: Shape): Tensor {
    return this.apply(movement.reshape, [], { shape });
  }
  /** Joins the dimensions from startDim (default the first) to endDim (default the last), both included. */
  flatten(startDim = 0, endDim = -1): Tensor {
    if (this.ndim === 0) return this.reshape([1]);
    const [start, end] = [
      normalizeDim('flatten', startDim, this.ndim),
      normalizeDim('flatten', endDim, this.ndim),
    ];
    if (start > end)
      throw new ShapeError(`flatten: startDim must not come after endDim: ${startDim}, ${endDim}.`);
    const joined = sizeOf(this.shape.slice(start, end + 1));
    return this.reshape([...this.shape.slice(0, start), joined, ...this.shape.slice(end + 1)]);
  }
  /** Swaps two dimensions; a copy. */
  transpose(dim0: number, dim1: number): Tensor {
    const [a, b] = [normalizeDim('transpose', dim0, this.ndim), normalizeDim('transpose', dim1, this.ndim)];
    return this.permute([...this.shape.keys()].with(a, b).with(b, a));
  }
  /** Swaps the last two dimensions. */
  t(): Tensor {
    if (this.ndim < 2) throw new ShapeError(`t: at least two dimensions: the shape is ${show(this.shape)}.`);
    return this.transpose(-2, -1);
  }
  /** Dimension i of the result is dimension dims[i] of this. */
  permute(dims: readonly number[]): Tensor {
    return this.apply(movement.permute, [], { dims: dims.map((d) => normalizeDim('permute', d, this.ndim)) });
  }
  /** Repeated along dimensions of size 1, and new ones in front; −1 keeps a size. */
  expand(shape: Shape): Tensor {
    return this.apply(movement.expand, [], { shape });
  }
  /** A new dimension of size 1 before `dim`. */
  unsqueeze(dim: number): Tensor {
    const at = normalizeDim('unsqueeze', dim, this.ndim + 1);
    return this.reshape(this.shape.toSpliced(at, 0, 1));
  }
  /** Without dimension `dim` if it is 1; without any dimension of 1 by default. */
  squeeze(dim?: number): Tensor {
    const at = dim === undefined ? null : normalizeDim('squeeze', dim, this.ndim);
    return this.reshape(this.shape.filter((n, i) => n !== 1 || (at !== null && i !== at)));
  }
  /** Entries start to end (excluded) of `dim`; negative ones count from the end, beyond it is cut. */
  slice(dim: number, start: number, end = Infinity, step = 1): Tensor {
    const at = normalizeDim('slice', dim, this.ndim);
    const n = this.shape[at];
    const clip = (i: number): number => Math.max(0, Math.min(n, i < 0 ? i + n : i));
    return this.apply(movement.slice, [], { dim: at, start: clip(start), end: clip(end), step });
  }
  /** out[i, j, k] = x[i, index[i, j, k], k] for dim 1, and so on; as large as `index`. @throws IndexError for an index that is not an integer in range */
  gather(dim: number, index: Tensor): Tensor {
    return this.apply(indexing.gather, [], {
      dim: normalizeDim('gather', dim, this.ndim),
      index: viewOf(index),
    });
  }
  /** Entries index[0], index[1], … along dim, which becomes as long as the index [K]. @throws IndexError for one that is not an integer in range */
  indexSelect(dim: number, index: Indices): Tensor {
    const view =
      index instanceof Variable ? viewOf(index) : { data: Float64Array.from(index), shape: [index.length] };
    return this.apply(indexing.indexSelect, [], {
      dim: normalizeDim('indexSelect', dim, this.ndim),
      index: view,
    });
  }
  /** What lies on and below diagonal k of each matrix; 0 elsewhere. */
  tril(k = 0): Tensor {
    return this.apply(movement.tril, [], { k });
  }
  /** What lies on and above diagonal k of each matrix; 0 elsewhere. */
  triu(k = 0): Tensor {
    return this.apply(movement.triu, [], { k });
  }
  /** The offset-th diagonal of each matrix in the last two dimensions. */
  diagonal(offset = 0): Tensor {
    return this.apply(movement.diagonal, [], { offset });
  }
  /** Square matrices with the last dimension on their offset-th diagonal, 0 elsewhere. */
  diagEmbed(offset = 0): Tensor {
    return this.apply(movement.diagEmbed, [], { offset });
  }
  /** A copy with `diagonal` [..., length] in the place of each matrix's offset-th diagonal. */
  diagonalScatter(diagonal: Tensor, offset = 0): Tensor {
    return this.apply(movement.diagonalScatter, [diagonal], { offset });
  }
  /** The sum of each matrix's diagonal. */
  trace(): Tensor {
    return this.diagonal().sum(-1);
  }
}
