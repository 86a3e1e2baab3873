import type { Memory } from '../memory.js';
import type { Rows, Shape } from '../shape.js';
import type { FloatArray } from '../storage.js';

/** A function of one number and its derivative, written in terms of what is saved. */
export interface UnaryFunction {
  readonly name: string;
  /** Numbers that belong to the function (the bounds of a clamp), for backends that emit code. */
  readonly parameters?: readonly number[];
  readonly f: (x: number) => number;
  /** The derivative, from the input or from the output, whichever `saves` names. */
  readonly df: (saved: number) => number;
  readonly saves: 'inputs' | 'output';
}

/** A function of two numbers and both partial derivatives. */
export interface BinaryFunction {
  readonly name: string;
  readonly f: (a: number, b: number) => number;
  readonly da: (a: number, b: number) => number;
  readonly db: (a: number, b: number) => number;
}

/** How a row-major array of `shape` walks over another array: element i lies at offset + Σ index·stride. */
export interface Walk {
  readonly shape: Shape;
  readonly strides: readonly number[];
  readonly offset: number;
}

/** `batch` products of an [m, k] by a [k, n] matrix; a batch stride of 0 shares one matrix. */
export interface MatmulSizes {
  readonly batch: number;
  readonly m: number;
  readonly k: number;
  readonly n: number;
  /** The stored matrix is [k, m] and read transposed. */
  readonly transposeA: boolean;
  /** The stored matrix is [n, k] and read transposed. */
  readonly transposeB: boolean;
  readonly strideA: number;
  readonly strideB: number;
  /** What stands above the diagonal of each product is not needed: arbitrary numbers may be left there. Default false. */
  readonly lower?: boolean;
}

/** Sizes of a window that moves over [N, C, H, W]; O is the number of output channels. */
export interface WindowSizes {
  readonly n: number;
  readonly c: number;
  readonly h: number;
  readonly w: number;
  readonly kernelH: number;
  readonly kernelW: number;
  readonly strideH: number;
  readonly strideW: number;
  readonly padH: number;
  readonly padW: number;
  readonly dilationH: number;
  readonly dilationW: number;
  readonly outH: number;
  readonly outW: number;
}

/** A convolution's window and its number of output channels. */
export interface ConvSizes extends WindowSizes {
  readonly o: number;
}

/** op(A) X = B with A [n, n] and B [n, m], `batch` times; other triangle never read. */
export interface SolveSizes {
  readonly batch: number;
  readonly n: number;
  readonly m: number;
  readonly upper: boolean;
  readonly transpose: boolean;
  readonly unitDiagonal: boolean;
}

/** Where a Cholesky factorisation stopped. */
export interface FailedPivot {
  /** Which matrix of the batch, and which of its rows, counted from 0. */
  readonly matrix: number;
  readonly row: number;
  /** What was left there to take the root of: 0, less, or NaN. */
  readonly pivot: number;
}

/** What one SGD step needs beside the arrays. */
export interface SgdUpdate {
  readonly lr: number;
  readonly momentum: number;
  readonly dampening: number;
  readonly nesterov: boolean;
  readonly weightDecay: number;
  /** The momentum buffer holds nothing yet: it becomes the gradient, undamped. */
  readonly firstStep: boolean;
}

/** What one Adadelta step needs beside the arrays. */
export interface AdadeltaUpdate {
  readonly lr: number;
  readonly rho: number;
  readonly eps: number;
  readonly weightDecay: number;
}

/** What one Adam or AdamW step needs beside the arrays. */
export interface AdamUpdate {
  readonly lr: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  readonly weightDecay: number;
  /** AdamW: weight decay shrinks the parameter itself instead of entering the gradient. */
  readonly decoupled: boolean;
  /** The number of this step, counted from 1. */
  readonly step: number;
}

/**
 * The contract of a backend: routines on flat row-major arrays. Shapes are checked before, outputs
 * are allocated by the caller, of the inputs' number format, hold arbitrary numbers and never overlap an input.
 * A routine writes all of its output (writeStrided and those named add… change a part of it), nothing but its output (optimizer updates: parameter and state) and keeps no
 * reference. The reference backend defines what is correct; its sums are float64.
 */
export interface Kernels {
  /** As `useBackend` takes it and `backendReport` gives it. */
  readonly name: string;
  /** How many threads share the work now. */
  readonly threads: number;
  /** Memory whose arrays the routines use in place; null where it makes no difference. */
  readonly memory: Memory | null;
  /** Names of functions that `map` and `zip` leave to the reference. */
  readonly functionsOnReference: readonly string[];

  /** out[i] = f(x[i]). */
  map(fn: UnaryFunction, x: FloatArray, out: FloatArray): void;
  /** out[i] = g[i]·df(saved[i]); a derivative of 0 gives 0, even where g is infinite. */
  mapBackward(fn: UnaryFunction, saved: FloatArray, g: FloatArray, out: FloatArray): void;
  /** out = f(a, b) over `shape`, the operands read with strides (0 broadcasts). */
  zip(
    fn: Pick<BinaryFunction, 'name' | 'f'>,
    a: FloatArray,
    stridesA: readonly number[],
    b: FloatArray,
    stridesB: readonly number[],
    out: FloatArray,
    shape: Shape,
  ): void;
  /** out = g·∂f over `shape`, before any sum over broadcast dimensions; 0 stays 0 as in mapBackward. */
  zipBackward(
    fn: BinaryFunction,
    wrt: 'da' | 'db',
    a: FloatArray,
    stridesA: readonly number[],
    b: FloatArray,
    stridesB: readonly number[],
    g: FloatArray,
    out: FloatArray,
    shape: Shape,
  ): void;
  /** out[i] = condition[i] ≠ 0 ? a[i] : b[i]. */
  select(condition: FloatArray, a: FloatArray, b: FloatArray, out: FloatArray): void;

  /** out[i] = x[walk(i)]: permute, expand, slice, diagonal. */
  readStrided(x: FloatArray, walk: Walk, out: FloatArray): void;
  /** out[walk(i)] = x[i], no two in one place; the rest of out stays as it is. */
  writeStrided(x: FloatArray, walk: Walk, out: FloatArray): void;
  /** out[walk(i)] += x[i], to what `out` holds: the adjoint of readStrided; a stride of 0 sums. */
  addStrided(x: FloatArray, walk: Walk, out: FloatArray): void;
  /** Blocks of `block` numbers: out block i = x block positions[i]. */
  takeBlocks(x: FloatArray, positions: Int32Array, block: number, out: FloatArray): void;
  /** out block positions[i] += g block i, to what `out` holds: the adjoint of takeBlocks. */
  addBlocks(g: FloatArray, positions: Int32Array, block: number, out: FloatArray): void;
  /** Copies what lies on or below (`upper`: above) diagonal k of each [rows, columns] matrix; the rest is 0. */
  triangle(x: FloatArray, rows: number, columns: number, k: number, upper: boolean, out: FloatArray): void;

  /** The largest (sign 1) or smallest (−1) along the rows; NaN wins. */
  extremum(sign: 1 | -1, x: FloatArray, rows: Rows, out: FloatArray): void;
  /** The gradient in equal shares to all elements that equal the extremum y. */
  extremumBackward(x: FloatArray, y: FloatArray, g: FloatArray, rows: Rows, out: FloatArray): void;
  /** Where the extremum first stands along the rows; the first NaN wins. */
  argExtremum(sign: 1 | -1, x: FloatArray, rows: Rows, out: FloatArray): void;
  /** Σ (x − mean)² / (length − correction), centred first. */
  variance(x: FloatArray, rows: Rows, correction: number, out: FloatArray): void;
  /** 2·(x − mean)/(length − correction)·g. */
  varianceBackward(x: FloatArray, g: FloatArray, rows: Rows, correction: number, out: FloatArray): void;
  /** log Σ exp(x), shifted by the maximum; −∞ for rows of −∞ and for empty rows. */
  logSumExp(x: FloatArray, rows: Rows, out: FloatArray): void;
  /** g·exp(x − y), and 0 where y is −∞. */
  logSumExpBackward(x: FloatArray, y: FloatArray, g: FloatArray, rows: Rows, out: FloatArray): void;
  /** eˣ/Σ eˣ along the rows, shifted by the maximum. */
  softmax(x: FloatArray, rows: Rows, out: FloatArray): void;
  /** y·(g − Σ g·y). */
  softmaxBackward(y: FloatArray, g: FloatArray, rows: Rows, out: FloatArray): void;
  /** x − log Σ eˣ along the rows, shifted by the maximum. */
  logSoftmax(x: FloatArray, rows: Rows, out: FloatArray): void;
  /** g − eʸ·Σ g. */
  logSoftmaxBackward(y: FloatArray, g: FloatArray, rows: Rows, out: FloatArray): void;

  /** out [batch, m, n] = op(A) op(B). */
  matmul(a: FloatArray, b: FloatArray, sizes: MatmulSizes, out: FloatArray): void;

  /** Cross-correlation with zero padding plus bias: x [N, C, H, W], weight [O, C, KH, KW], bias [O]. */
  conv2d(x: FloatArray, weight: FloatArray, bias: FloatArray | null, sizes: ConvSizes, out: FloatArray): void;
  /** The gradient of conv2d's x from g [N, O, outH, outW]. */
  conv2dInputGradient(g: FloatArray, weight: FloatArray, sizes: ConvSizes, out: FloatArray): void;
  /** The gradient of conv2d's weight from g [N, O, outH, outW]. */
  conv2dWeightGradient(g: FloatArray, x: FloatArray, sizes: ConvSizes, out: FloatArray): void;
  /** The largest of each window; `positions` gets where in x it was first met in row-major order. NaN wins, the last one. */
  maxPool2d(x: FloatArray, sizes: WindowSizes, out: FloatArray, positions: Int32Array): void;
  /** Each window's g to its position, summed where positions repeat; 0 elsewhere. */
  maxPool2dBackward(g: FloatArray, positions: Int32Array, sizes: WindowSizes, out: FloatArray): void;
  /** The mean of each window, padding counted as zeros. */
  avgPool2d(x: FloatArray, sizes: WindowSizes, out: FloatArray): void;
  /** Each window's g/area to all of its pixels, added window after window; 0 where there is no window. */
  avgPool2dBackward(g: FloatArray, sizes: WindowSizes, out: FloatArray): void;

  /** The lower factor of `batch` symmetric [n, n] matrices, reading lower triangles only; or the first failure. */
  cholesky(a: FloatArray, batch: number, n: number, out: FloatArray): FailedPivot | null;
  /** X of op(A) X = B by substitution; a zero on the diagonal divides as IEEE does. */
  triangularSolve(a: FloatArray, b: FloatArray, sizes: SolveSizes, out: FloatArray): void;

  /** Stochastic gradient descent's update, in place; without momentum the buffer is null. */
  sgd(
    parameter: FloatArray,
    gradient: FloatArray,
    momentumBuffer: FloatArray | null,
    update: SgdUpdate,
  ): void;
  /** Adadelta's update, in place. */
  adadelta(
    parameter: FloatArray,
    gradient: FloatArray,
    squareAverage: FloatArray,
    accumulatedDelta: FloatArray,
    update: AdadeltaUpdate,
  ): void;
  /** Adam's (decoupled: AdamW's) update, in place. */
  adam(
    parameter: FloatArray,
    gradient: FloatArray,
    average: FloatArray,
    squareAverage: FloatArray,
    update: AdamUpdate,
  ): void;
}
