import type { Shape } from './shape.js';
import { sizeOf } from './shape.js';

/** The number formats of tensors. */
export type DType = 'float32' | 'float64';

/** The flat arrays that hold a tensor's numbers. */
export type FloatArray = Float32Array | Float64Array;

/**
 * The place where a tensor's numbers live. Several tensors may share one (a reshape does).
 * `version` counts the changes made in place, so that a stale saved value is noticed.
 */
export class Storage {
  readonly data: FloatArray;
  version = 0;

  constructor(data: FloatArray) {
    this.data = data;
  }
}

/** What operations work on: flat row-major numbers and their shape. */
export interface View {
  readonly data: FloatArray;
  readonly shape: Shape;
}

export function dtypeOf(data: FloatArray): DType {
  return data instanceof Float32Array ? 'float32' : 'float64';
}

/** A zeroed array on the heap. */
export function allocate(dtype: DType, size: number): FloatArray {
  return dtype === 'float32' ? new Float32Array(size) : new Float64Array(size);
}

/** A zeroed view with the number format of `like`. */
export function emptyView(like: View, shape: Shape): View {
  return { data: allocate(dtypeOf(like.data), sizeOf(shape)), shape };
}
