import { ArgumentError } from '../errors.js';
import type { Kernels } from './kernels.js';
import { reference } from './reference/index.js';
import { createWasmKernels } from './wasm/index.js';
import { arenaOverflows, useMemory } from '../storage.js';

/** The names `useBackend` takes; 'auto' is the fastest that runs here. */
export type BackendName = 'auto' | 'wasm' | 'reference';

/** What was chosen. */
export interface BackendChoice {
  readonly backend: string;
  /** How many threads the kernels run on. */
  readonly threads: number;
}

/** What computes now, and what part of it is left to the reference. */
export interface BackendReport extends BackendChoice {
  /** Routines that run on the reference because this backend has none of its own; float64 always does. */
  readonly onReference: readonly string[];
  /** Arrays that did not fit into the arena of their scope and went to the heap, since the start. */
  readonly arenaOverflows: number;
}

let selected: Kernels = reference;
let wasm: Kernels | null = null;

/** The routines of the selected backend. */
export function kernels(): Kernels {
  return selected;
}

/**
 * Selects what computes from now on; until then it is the reference. 'wasm' has SIMD kernels for float32, on one
 * thread, and leaves to the reference what `backendReport()` lists; 'auto' is 'wasm' where
 * WebAssembly's SIMD runs, else 'reference'. Everything after it is synchronous.
 *
 * @param options.threads how many threads to use if the backend can, at least 1; default 'auto'
 * @returns what was chosen, which may have fewer threads than asked for
 * @throws ArgumentError for an unknown backend, one that does not run here, or a number of threads that is none
 */
export async function useBackend(
  name: BackendName,
  { threads = 'auto' }: { threads?: number | 'auto' } = {},
): Promise<BackendChoice> {
  if (threads !== 'auto' && !(Number.isSafeInteger(threads) && threads >= 1)) {
    throw new ArgumentError(
      `useBackend: threads must be 'auto' or an integer of at least 1: it is ${threads}.`,
    );
  }
  if (name !== 'auto' && name !== 'wasm' && name !== 'reference') {
    throw new ArgumentError(
      `useBackend: the backend must be 'auto', 'wasm' or 'reference': it is '${String(name)}'.`,
    );
  }
  selected = name === 'reference' ? reference : wasmKernels(name);
  useMemory(selected.memory);
  return { backend: selected.name, threads: selected.threads };
}

/** What computes now. */
export function backendReport(): BackendReport {
  const { name, threads } = selected;
  const routines = Object.keys(reference) as (keyof Kernels)[];
  const shared = routines.filter(
    (key) => typeof reference[key] === 'function' && selected[key] === reference[key],
  );
  return {
    backend: name,
    threads,
    onReference: selected === reference ? [] : shared,
    arenaOverflows: arenaOverflows(),
  };
}

function wasmKernels(name: 'auto' | 'wasm'): Kernels {
  try {
    wasm ??= createWasmKernels();
    return wasm;
  } catch (error) {
    if (name === 'auto') return reference;
    const reason = error instanceof Error ? error.message : String(error);
    throw new ArgumentError(`useBackend: 'wasm' does not run here: ${reason} Use 'auto' or 'reference'.`, {
      cause: error,
    });
  }
}
