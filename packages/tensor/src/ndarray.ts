/**
 * To and from `ndarray`, without a copy where the memory allows it.
 *
 * @module @gmml/tensor/ndarray
 */

import ndarray from 'ndarray';
import type { Data, NdArray } from 'ndarray';
import ops from 'ndarray-ops';
import { checkOneOf } from './checks.js';
import { ArgumentError, DTypeError } from './errors.js';
import { show, sizeOf } from './shape.js';
import { allocate, type DType, type FloatArray } from './storage.js';
import { type Tensor, tensorFromStorage } from './tensor/tensor.js';

/** Whether the numbers are shared (`'never'` copy), copied only where they must be, or always copied. */
export type CopyMode = 'never' | 'auto' | 'always';

const COPY_MODES: readonly CopyMode[] = ['never', 'auto', 'always'];

/**
 * A tensor's numbers as an ndarray of the same shape.
 *
 * With `'auto'` (the default) and `'never'` both see the same memory: what is written through the ndarray changes the
 * tensor, behind the back of any gradient that is still to be computed. With `'always'` they are independent. Gradients
 * do not pass into an ndarray.
 *
 * @throws ArgumentError for an unknown copy mode.
 *
 * @example
 * const a = toNdarray(tensor([[1, 2], [3, 4]]));
 * a.get(1, 0); // 3
 */
export function toNdarray(x: Tensor, { copy = 'auto' }: { copy?: CopyMode } = {}): NdArray<FloatArray> {
  checkOneOf('toNdarray', 'copy', copy, COPY_MODES);
  return ndarray(copy === 'always' ? x.data.slice() : x.data, [...x.shape]);
}

/**
 * An ndarray's numbers as a tensor of the same shape, which does not require grad.
 *
 * The tensor shares the ndarray's memory where that is a Float32Array or a Float64Array in dense row-major order (any
 * offset), of the asked `dtype`. Everything else (transposed, stepped or reversed views, integers, plain arrays) is
 * copied with ndarray-ops.
 *
 * @param array of any strides and number format but bigints
 * @param options whether memory is shared, and what the numbers are
 * @param options.copy `'auto'` (default) copies only where it must, `'never'` throws there, `'always'` shares nothing.
 * @param options.dtype default: that of the ndarray if it has floats, else `'float32'`.
 * @throws ArgumentError when `'never'` meets an ndarray that must be copied, or for an unknown copy mode.
 * @throws DTypeError for an ndarray of bigints.
 *
 * @example
 * import ndarray from 'ndarray';
 *
 * const view = ndarray(new Float64Array([1, 2, 3, 4]), [2, 2]).transpose(1, 0);
 * fromNdarray(view).toArray(); // [[1, 3], [2, 4]]
 */
export function fromNdarray(
  array: NdArray,
  { copy = 'auto', dtype }: { copy?: CopyMode; dtype?: DType } = {},
): Tensor {
  checkOneOf('fromNdarray', 'copy', copy, COPY_MODES);
  if (array.dtype.startsWith('big')) {
    throw new DTypeError(`fromNdarray: the numbers must not be bigints: the ndarray is ${array.dtype}.`);
  }
  const wanted = dtype ?? (array.dtype === 'float64' ? 'float64' : 'float32');
  const obstacle = whyCopy(array, wanted);
  if (obstacle === null && copy !== 'always') {
    const { data, offset, shape } = array as NdArray<FloatArray>;
    return tensorFromStorage(data.subarray(offset, offset + sizeOf(shape)), [...shape]);
  }
  if (obstacle !== null && copy === 'never') {
    throw new ArgumentError(
      `fromNdarray: without a copy the ndarray must be dense, row-major and ${wanted}: ${obstacle}. Use { copy: 'auto' }.`,
    );
  }
  const target = ndarray(allocate(wanted, sizeOf(array.shape)), [...array.shape]);
  ops.assign(target, array);
  return tensorFromStorage(target.data, [...array.shape]);
}

/** What keeps the ndarray's memory from being a tensor's, in words; null when nothing does. */
function whyCopy(array: NdArray, wanted: DType): string | null {
  if (!isFloats(array.data) || array.dtype !== wanted) return `its numbers are ${array.dtype}`;
  let stride = 1;
  for (let dim = array.dimension - 1; dim >= 0; dim--) {
    const moves = array.shape[dim] > 1;
    if (moves && array.stride[dim] !== stride) {
      return `its shape is ${show(array.shape)}, its strides ${show(array.stride)}`;
    }
    stride *= array.shape[dim];
  }
  return null;
}

function isFloats(data: Data): data is FloatArray {
  return data instanceof Float32Array || data instanceof Float64Array;
}
