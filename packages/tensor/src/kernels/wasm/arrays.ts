import type { FloatArray } from '../../storage.js';

/** Whether kernels can read and write an array. */
export function isFloat32(x: FloatArray): x is Float32Array {
  return x instanceof Float32Array;
}

/** n rounded up to a multiple of step. */
export function up(n: number, step: number): number {
  return Math.ceil(n / step) * step;
}
