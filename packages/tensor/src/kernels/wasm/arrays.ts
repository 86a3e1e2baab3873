import type { FloatArray } from '../../storage.js';

/** Whether kernels can read and write an array. */
export function isFloat32(x: FloatArray): x is Float32Array {
  return x instanceof Float32Array;
}

/** n rounded up to a multiple of step. */
export function up(n: number, step: number): number {
  return Math.ceil(n / step) * step;
}

/** The part-th of `parts` nearly equal pieces of 0 … count − 1: from (included) and to (excluded). */
export function pieceOf(count: number, part: number, parts: number): { from: number; to: number } {
  return { from: Math.floor((count * part) / parts), to: Math.floor((count * (part + 1)) / parts) };
}
