import { DTypeError, ScopeError } from './errors.js';
import type { Memory } from './memory.js';
import type { Shape } from './shape.js';
import { sizeOf } from './shape.js';

/** The number formats of tensors. */
export type DType = 'float32' | 'float64';

/** The flat arrays that hold a tensor's numbers. */
export type FloatArray = Float32Array | Float64Array;

/** What operations work on: flat row-major numbers and their shape. */
export interface View {
  readonly data: FloatArray;
  readonly shape: Shape;
}

/**
 * The place where a tensor's numbers live: the heap, a scope's arena, or a persistent block of kernel memory. Several
 * tensors may share one (a reshape does). `version` counts the changes made in place, so that a stale saved value is
 * noticed.
 */
export class Storage {
  readonly dtype: DType;
  version = 0;
  #numbers: FloatArray;
  /** The scope with whose end the numbers go; null if they stay. */
  #scope: Scope | null;

  constructor(data: FloatArray) {
    this.dtype = dtypeOf(data);
    this.#numbers = data;
    this.#scope = current;
  }

  /** @throws ScopeError when the scope that the numbers belonged to has ended */
  get data(): FloatArray {
    if (this.isReleased) {
      throw new ScopeError(
        'scope: a tensor of a scope can be used until the scope ends: it has ended. Return the tensor from the scope, or create it outside.',
      );
    }
    return this.#numbers;
  }

  /** Whether the numbers are gone. */
  get isReleased(): boolean {
    return this.#scope !== null && this.#scope.ended;
  }

  /** Whether the numbers go when this scope ends. */
  belongsTo(scope: Scope): boolean {
    return this.#scope === scope;
  }

  /** Moves the numbers to persistent memory, if there is any, and out of the scope: for parameters and other state. */
  persist(): void {
    this.#numbers = persistentCopy(this.data);
    this.#scope = null;
  }
}

/** One run of `scope`. */
export interface Scope {
  readonly ended: boolean;
}

let memory: Memory | null = null;
let current: (Scope & { readonly memory: Memory | null }) | null = null;
let overflows = 0;

/** Sets the kernel memory that arenas and persistent blocks are taken from; null for the heap. */
export function useMemory(chosen: Memory | null): void {
  memory = chosen;
}

/** How many arrays a full arena has left to the heap so far. */
export function arenaOverflows(): number {
  return overflows;
}

/** The innermost scope that is running. */
export function currentScope(): Scope | null {
  return current;
}

/**
 * Runs `fn` in a scope: what it allocates lies in the arena, if there is kernel memory, and is released at the end,
 * also by an exception. `keep` gets the result while it can still be read, and allocates outside.
 */
export function runInScope<T>(fn: () => T, keep: (result: T, scope: Scope) => T): T {
  const outer = current;
  const scope = { ended: false, memory };
  const mark = memory?.mark() ?? 0;
  current = scope;
  try {
    const result = fn();
    current = outer;
    return keep(result, scope);
  } finally {
    current = outer;
    scope.ended = true;
    scope.memory?.reset(mark);
  }
}

/** Runs `fn` as if no scope were running, for what is kept beyond it. */
export function outsideScopes<T>(fn: () => T): T {
  const inner = current;
  current = null;
  try {
    return fn();
  } finally {
    current = inner;
  }
}

/** The number format of an array. */
export function dtypeOf(data: FloatArray): DType {
  return data instanceof Float32Array ? 'float32' : 'float64';
}

/** @throws DTypeError for anything but 'float32' and 'float64' */
export function checkDType(op: string, dtype: DType): DType {
  if (dtype !== 'float32' && dtype !== 'float64') {
    throw new DTypeError(
      `${op}: the number format must be 'float32' or 'float64': it is '${String(dtype)}'.`,
    );
  }
  return dtype;
}

/** An array of arbitrary numbers, in the arena of the scope if one is running. */
export function allocate(dtype: DType, size: number): FloatArray {
  const isDouble = dtype === 'float64';
  const start = arenaStart(isDouble ? 2 * size : size);
  if (start === null) return isDouble ? new Float64Array(size) : new Float32Array(size);
  const { doubles, floats } = current!.memory!;
  return isDouble ? doubles.subarray(start / 2, start / 2 + size) : floats.subarray(start, start + size);
}

/** An array of arbitrary integers, in the arena of the scope if one is running. */
export function allocateInts(size: number): Int32Array {
  const start = arenaStart(size);
  return start === null ? new Int32Array(size) : current!.memory!.ints.subarray(start, start + size);
}

/** A view of arbitrary numbers with the number format of `like`. */
export function emptyView(like: View, shape: Shape): View {
  return { data: allocate(dtypeOf(like.data), sizeOf(shape)), shape };
}

/** A view of zeros with the number format of `like`. */
export function zerosView(like: View, shape: Shape): View {
  const view = emptyView(like, shape);
  view.data.fill(0);
  return view;
}

/** A copy in persistent memory, or on the heap if there is none or it is full. */
export function persistentCopy(data: FloatArray): FloatArray {
  const block = data instanceof Float32Array ? memory?.block(data.length) : null;
  if (!block) return data.slice();
  block.set(data);
  return block;
}

/** Takes floats of the arena; null without one, or when it is full. */
function arenaStart(size: number): number | null {
  const arena = current?.memory;
  if (!arena) return null;
  if (arena.hasRoom(size)) return arena.take(size);
  overflows++;
  return null;
}
