import { LINE } from '../../memory.js';
import type { FloatArray } from '../../storage.js';
import type { Allocate, Engine, Output } from './engine.js';

/** Whether an array has the format that all kernels but those of products and triangular solves are for. */
export function isFloat32(x: FloatArray): x is Float32Array {
  return x instanceof Float32Array;
}

/** n rounded up to a multiple of step. */
export function roundUp(n: number, step: number): number {
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

/** How many floats pieces of these lengths take when they are allocated: whole cache lines each. */
export function roomFor(lengths: readonly number[]): number {
  return lengths.reduce((sum, length) => sum + roundUp(length, LINE), 0);
}

/** How many floats `engine.input` and `engine.output` take for these arrays: those that lie outside kernel memory. */
export function outside(engine: Engine, ...arrays: readonly (FloatArray | Int32Array)[]): number {
  return roomFor(arrays.map((x) => (engine.memory.holds(x) ? 0 : x.byteLength / 4)));
}

/** Whether there is room for those of the arrays that do not lie in kernel memory, and for `more` numbers. */
export function fits(engine: Engine, arrays: readonly (Float32Array | Int32Array)[], more = 0): boolean {
  return engine.hasRoom(outside(engine, ...arrays) + more);
}

/** An array that is this many times longer than what is used of it is not worth its copy. */
const SPARSE = 4;

/** Whether an array lies in kernel memory, or is worth its copy where so many of its numbers are read or written. */
export function isWorthCopying(engine: Engine, x: Float32Array, used: number): boolean {
  return engine.memory.holds(x) || x.length <= SPARSE * used;
}

/** As `engine.output` for an array that a kernel adds to: the memory holds its numbers. */
export function inOut(engine: Engine, x: Float32Array, allocate: Allocate): Output {
  const target = engine.output(x, allocate);
  if (!engine.memory.holds(x)) engine.floats.set(x, target.address / 4);
  return target;
}
