import type { Kernels } from '../kernels.js';
import type { Engine } from './engine.js';

/** The name of a routine of the contract. */
export type Routine = {
  [K in keyof Kernels]: Kernels[K] extends (...args: never[]) => unknown ? K : never;
}[keyof Kernels];

/**
 * A routine of this backend, on the memory and the threads of an engine: the routine's result (true where it has none), or
 * false where it leaves all of its output to the reference.
 */
export type Kernel<K extends Routine> = (
  engine: Engine,
  ...args: Parameters<Kernels[K]>
) => (void extends ReturnType<Kernels[K]> ? true : ReturnType<Kernels[K]>) | false;
