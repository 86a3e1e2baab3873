import { ArgumentError, ShapeError } from './errors.js';
import * as arithmetic from './ops/arithmetic.js';
import * as conv from './ops/conv.js';
import * as movement from './ops/movement.js';
import { toPair } from './checks.js';
import { normalizeDim, show, type Dims } from './shape.js';
import type { Operand } from './tensor/elementwiseMethods.js';
import type { SolveOptions } from './tensor/linalgMethods.js';
import type { KeepDim } from './tensor/reductionMethods.js';
import { apply, Tensor } from './tensor/tensor.js';
import { viewOf } from './tensor/variable.js';
import { full } from './create.js';

/** A number for both, or [height, width]. */
export type Size2d = number | readonly [number, number];

/** How a convolution moves; numbers mean the same in both directions. */
export interface Conv2dOptions {
  /** [O], added per output channel. */
  readonly bias?: Tensor;
  /** Default 1. */
  readonly stride?: Size2d;
  /** Zeros around the image; default 0. */
  readonly padding?: Size2d;
  /** Distance between the kernel's taps; default 1. */
  readonly dilation?: Size2d;
}

/** How a pooling window moves. */
export interface Pool2dOptions {
  readonly kernelSize: Size2d;
  /** Default: the kernel size. */
  readonly stride?: Size2d;
  /** At most half the kernel size; default 0. */
  readonly padding?: Size2d;
}

/**
 * Cross-correlation of x [N, C, H, W] with weight [O, C, KH, KW] → [N, O, H', W'],
 * H' = ⌊(H + 2·padding − dilation·(KH − 1) − 1)/stride⌋ + 1. Derivatives: see `ops/conv.ts`.
 * @throws ShapeError when channels differ or the kernel does not fit; ArgumentError for bad options
 */
export function conv2d(x: Tensor, weight: Tensor, options: Conv2dOptions = {}): Tensor {
  const { bias, stride = 1, padding = 0, dilation = 1 } = options;
  return apply(conv.conv2d, bias === undefined ? [x, weight] : [x, weight, bias], {
    stride: toPair('conv2d', 'stride', stride, 1),
    padding: toPair('conv2d', 'padding', padding, 0),
    dilation: toPair('conv2d', 'dilation', dilation, 1),
  });
}

/** The largest of each window of x [N, C, H, W]; the gradient goes to the first that attains it. */
export function maxPool2d(x: Tensor, options: Pool2dOptions): Tensor {
  return apply(conv.maxPool2d, [x], poolGeometry('maxPool2d', options));
}

/** The mean of each window of x [N, C, H, W], padding counted as zeros. */
export function avgPool2d(x: Tensor, options: Pool2dOptions): Tensor {
  return apply(conv.avgPool2d, [x], poolGeometry('avgPool2d', options));
}

/** The tensors joined along `dim`; all other sizes agree. */
export function cat(tensors: readonly Tensor[], dim = 0): Tensor {
  if (tensors.length === 0) throw new ArgumentError('cat: at least one tensor: the list is empty.');
  return apply(movement.cat, tensors, { dim: normalizeDim('cat', dim, tensors[0].ndim) });
}

/** Tensors of one shape joined along a new dimension. */
export function stack(tensors: readonly Tensor[], dim = 0): Tensor {
  if (tensors.length === 0) throw new ArgumentError('stack: at least one tensor: the list is empty.');
  const first = tensors[0].shape;
  for (const [i, { shape }] of tensors.entries()) {
    if (show(shape) === show(first)) continue;
    throw new ShapeError(
      `stack: shapes must agree: tensor 0 is ${show(first)}, tensor ${i} is ${show(shape)}.`,
    );
  }
  const at = normalizeDim('stack', dim, first.length + 1);
  return cat(
    tensors.map((x) => x.unsqueeze(at)),
    at,
  );
}

/** condition ≠ 0 ? a : b, all three broadcast; the condition may have any number format. */
export function where(condition: Tensor, a: Operand, b: Operand): Tensor {
  const like = a instanceof Tensor ? a : b instanceof Tensor ? b : condition;
  const [x, y] = [a, b].map((v) => (v instanceof Tensor ? v : full([], v, { dtype: like.dtype })));
  return apply(arithmetic.where, [x, y], { condition: viewOf(condition) });
}

/** The lower triangular L with a = L Lᵀ for symmetric positive definite a [..., D, D]. @throws NotPositiveDefiniteError */
export function cholesky(a: Tensor): Tensor {
  return a.cholesky();
}

/** X of op(l) X = b for triangular l [..., D, D] and b [..., D, M]; see `SolveOptions`. */
export function triangularSolve(l: Tensor, b: Tensor, options?: SolveOptions): Tensor {
  return l.triangularSolve(b, options);
}

/** log |a| of symmetric positive definite a [..., D, D] → [...]. Derivative: a⁻¹. */
export function logDet(a: Tensor): Tensor {
  return a.logDet();
}

/** log Σ eˣ over dims (default all), right at ±1e4 and −∞. */
export function logSumExp(x: Tensor, dim?: Dims, options?: KeepDim): Tensor {
  return x.logSumExp(dim, options);
}

/** eˣ/Σ eˣ along dim. */
export function softmax(x: Tensor, dim: number): Tensor {
  return x.softmax(dim);
}

/** x − log Σ eˣ along dim. */
export function logSoftmax(x: Tensor, dim: number): Tensor {
  return x.logSoftmax(dim);
}

function poolGeometry(
  op: string,
  { kernelSize, stride = kernelSize, padding = 0 }: Pool2dOptions = {} as Pool2dOptions,
): conv.PoolGeometry {
  return {
    kernelSize: toPair(op, 'kernelSize', kernelSize, 1),
    stride: toPair(op, 'stride', stride, 1),
    padding: toPair(op, 'padding', padding, 0),
  };
}
