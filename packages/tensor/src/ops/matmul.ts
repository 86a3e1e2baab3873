import { ShapeError } from '../errors.js';
import { kernels } from '../kernels/backend.js';
import { broadcastLeading, sameShape, show, sizeOf, type Shape } from '../shape.js';
import { emptyView, type View } from '../storage.js';
import type { Op } from './op.js';
import { expandTo, sumTo } from './views.js';

/** Whether an operand is read with its last two dimensions swapped. */
export interface Transposes {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

/** How operands are read, and whether only the lower triangle of the product is wanted. */
export interface ProductFlags extends Transposes {
  readonly lower: boolean;
}

/**
 * op(A) op(B) over the last two dimensions, the others broadcast; with `lower` zeros above the diagonal.
 * Derivatives, with Ḡ for G restricted to what is wanted: Ḡ op(B)ᵀ and op(A)ᵀ Ḡ, transposed where the operand was, summed over broadcast dimensions.
 * (Giles, "Collected matrix derivative results for forward and reverse mode AD", 2008, §2.2.2.)
 */
export const matmul: Op<ProductFlags> = {
  name: 'matmul',
  saves: 'inputs',
  shape: ([a, b], flags) => productShape(a.shape, b.shape, flags),
  forward([a, b], out, flags) {
    multiplyInto(a, b, flags, out);
    if (flags.lower) clearAbove(out);
  },
  backward(given, { inputs: [a, b], needs, attributes: { transposeA: ta, transposeB: tb, lower } }) {
    const g = lower ? emptyView(given, given.shape) : given;
    if (lower) {
      g.data.set(given.data);
      clearAbove(g);
    }
    return [
      needs[0] ? sumTo(ta ? multiply(b, g, tb, true) : multiply(g, b, false, !tb), a.shape) : null,
      needs[1] ? sumTo(tb ? multiply(g, a, true, ta) : multiply(a, g, !ta, false), b.shape) : null,
    ];
  },
};

/** Sets what stands above the diagonals to 0. */
function clearAbove({ data, shape }: View): void {
  const [rows, columns] = shape.slice(-2);
  for (let at = 0, row = 0; at < data.length; at += columns, row = (row + 1) % rows) {
    if (row + 1 < columns) data.fill(0, at + row + 1, at + columns);
  }
}

/** op(A) op(B) of two views; with `lower`, what stands above the diagonal may be any numbers. */
export function multiply(a: View, b: View, transposeA: boolean, transposeB: boolean, lower = false): View {
  const flags = { transposeA, transposeB };
  const out = emptyView(a, productShape(a.shape, b.shape, flags));
  multiplyInto(a, b, { ...flags, lower }, out);
  return out;
}

function multiplyInto(a: View, b: View, flags: Transposes & { lower?: boolean }, out: View): void {
  const [m, n] = out.shape.slice(-2);
  const k = a.shape[a.shape.length - (flags.transposeA ? 2 : 1)];
  const lead = out.shape.slice(0, -2);
  const [left, strideA] = alongBatch(a, lead);
  const [right, strideB] = alongBatch(b, lead);
  kernels().matmul(
    left.data,
    right.data,
    { batch: sizeOf(lead), m, k, n, ...flags, strideA, strideB },
    out.data,
  );
}

/** A matrix shared by the whole batch is read with stride 0; any other broadcast is written out. */
function alongBatch(x: View, lead: Shape): [View, number] {
  const own = x.shape.slice(0, -2);
  const matrix = x.shape.slice(-2);
  if (sizeOf(own) === 1) return [x, 0];
  const whole = sameShape(own, lead) ? x : expandTo(x, [...lead, ...matrix]);
  return [whole, sizeOf(matrix)];
}

/** The product's shape for operands of at least two dimensions. */
function productShape(a: Shape, b: Shape, flags: Transposes): Shape {
  checkProduct(a, b, flags);
  const m = a[a.length - (flags.transposeA ? 1 : 2)];
  const n = b[b.length - (flags.transposeB ? 2 : 1)];
  return [...broadcastLeading('matmul', a, b), m, n];
}

/** @throws ShapeError unless the shapes can be multiplied; a vector counts as a row on the left, a column on the right */
export function checkProduct(a: Shape, b: Shape, { transposeA, transposeB }: Transposes): void {
  const shown = `a is ${show(a)}${transposeA ? ' transposed' : ''}, b is ${show(b)}${transposeB ? ' transposed' : ''}`;
  if (!a?.length || !b?.length) throw new ShapeError(`matmul: at least one dimension each: ${shown}.`);
  const k = a[a.length - (transposeA && a.length > 1 ? 2 : 1)];
  const l = b[b.length - (transposeB || b.length === 1 ? 1 : 2)];
  if (k !== l) throw new ShapeError(`matmul: inner sizes differ: ${shown} (${k} ≠ ${l}).`);
  broadcastLeading('matmul', a, b);
}
