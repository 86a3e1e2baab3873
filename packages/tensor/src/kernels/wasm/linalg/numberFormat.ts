import type { FloatArray } from '../../../storage.js';

/** A number format that linear algebra computes in, and the instructions for vectors of it. */
export interface NumberFormat {
  /** Bytes of a number. */
  readonly bytes: 4 | 8;
  /** Numbers of a vector. */
  readonly lanes: 4 | 2;
  /** What vector instructions of it begin with. */
  readonly shape: 'f32x4' | 'f64x2';
  readonly splat: 'v128.load32_splat' | 'v128.load64_splat';
  readonly loadOne: 'v128.load32_zero' | 'v128.load64_zero';
  readonly load: 'f32.load' | 'f64.load';
  readonly store: 'f32.store' | 'f64.store';
}

export const FLOAT32: NumberFormat = {
  bytes: 4,
  lanes: 4,
  shape: 'f32x4',
  splat: 'v128.load32_splat',
  loadOne: 'v128.load32_zero',
  load: 'f32.load',
  store: 'f32.store',
};

export const FLOAT64: NumberFormat = {
  bytes: 8,
  lanes: 2,
  shape: 'f64x2',
  splat: 'v128.load64_splat',
  loadOne: 'v128.load64_zero',
  load: 'f64.load',
  store: 'f64.store',
};

/** The format of arrays that all have the same; null where they differ. */
export function formatOf(...arrays: readonly FloatArray[]): NumberFormat | null {
  if (arrays.every((x) => x instanceof Float32Array)) return FLOAT32;
  return arrays.every((x) => x instanceof Float64Array) ? FLOAT64 : null;
}
