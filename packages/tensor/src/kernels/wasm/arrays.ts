import type { FloatArray } from '../../storage.js';
import type { Allocate, Engine } from './engine.js';

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

/** Numbers that a thread should at least get: fewer are done before it is awake. */
const SHARE = 65536;

/** Into how many parts to split work that moves this many numbers. */
export function partsFor(engine: Engine, numbers: number): number {
  return Math.max(1, Math.min(engine.threads, Math.floor(numbers / SHARE)));
}

/** How many floats `engine.input` and `engine.output` take for these arrays: those that lie outside kernel memory. */
export function outside(engine: Engine, ...arrays: readonly (FloatArray | Int32Array)[]): number {
  return arrays.reduce((sum, x) => (engine.memory.holds(x) ? sum : sum + up(x.byteLength / 4, 16)), 0);
}

/** Whether there is room for those of the arrays that do not lie in kernel memory, and for `more` numbers. */
export function fits(engine: Engine, arrays: readonly (Float32Array | Int32Array)[], more = 0): boolean {
  return engine.hasRoom(outside(engine, ...arrays) + more);
}

/** As `engine.output` for an array that a kernel adds to: the memory holds its numbers. */
export function inOut(
  engine: Engine,
  x: Float32Array,
  allocate: Allocate,
): { address: number; take: () => void } {
  const target = engine.output(x, allocate);
  if (!engine.memory.holds(x)) engine.floats.set(x, target.address / 4);
  return target;
}
