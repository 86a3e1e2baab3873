import { checkBoolean, checkInteger, checkOneOf } from '../checks.js';
import { ArgumentError } from '../errors.js';
import { arenaOverflows, useMemory } from '../storage.js';
import type { Kernels } from './kernels.js';
import { reference } from './reference/index.js';
import type { WasmBackend } from './wasm/select.js';

/** The names `useBackend` takes; 'auto' is the fastest that runs here. */
export type BackendName = 'auto' | 'wasm' | 'reference';

/** How the backend is to compute. */
export interface BackendOptions {
  /**
   * How many threads to use if the backend can, from 1 to 256. Default 'auto': one for each core, at most 16, and one in
   * a page that is not cross-origin isolated.
   */
  readonly threads?: number | 'auto';
  /**
   * Whether 'wasm' may use the fused multiply-add of relaxed SIMD where the engine has it: faster and with one
   * rounding less, but other machines may round otherwise. Default true.
   */
  readonly relaxed?: boolean;
}

/** What was chosen. */
export interface BackendChoice {
  readonly backend: string;
  /** How many threads the kernels run on. */
  readonly threads: number;
}

/** What computes now, and what part of it is left to the reference. */
export interface BackendReport extends BackendChoice {
  /** Routines and functions that run on the reference because this backend has none of its own; float64 does, but for
   * products and triangular solves. */
  readonly onReference: readonly string[];
  /** Arrays that did not fit into the arena of their scope and went to the heap, since the start. */
  readonly arenaOverflows: number;
  /** Why there is one thread instead of several, where that was not asked for. */
  readonly notice?: string;
}

let selected: Kernels = reference;
/** The WASM backend that was chosen last, kept for when it is chosen again. */
let wasm: WasmBackend | null = null;
/** Choices take effect one after another. */
let settled: Promise<unknown> = Promise.resolve();

/** The routines of the selected backend. */
export function kernels(): Kernels {
  return selected;
}

/**
 * Selects what computes from now on; until then it is the reference. 'wasm' has SIMD kernels for float32, and for products
 * and triangular solves of float64, on one thread or several, and leaves to the reference what `backendReport()` lists; 'auto' is 'wasm' where
 * WebAssembly's SIMD runs, else 'reference', which has one thread. Everything after it is synchronous. The same
 * backend and threads give the same bits. Where threads cannot be had or one of them ends, it is one thread, and
 * `backendReport()` says why.
 *
 * @returns what was chosen, which may have fewer threads than asked for
 * @throws ArgumentError for an unknown backend, one that does not run here, or an option that is none
 */
export async function useBackend(
  name: BackendName,
  { threads = 'auto', relaxed = true }: BackendOptions = {},
): Promise<BackendChoice> {
  if (threads !== 'auto') checkInteger('useBackend', 'threads', threads, 1, 256);
  checkBoolean('useBackend', 'relaxed', relaxed);
  checkOneOf('useBackend', 'the backend', name, ['auto', 'wasm', 'reference']);
  const choice = settled.then(async () => {
    selected = name === 'reference' ? reference : await wasmKernels(name, threads, relaxed);
    useMemory(selected.memory);
    return { backend: selected.name, threads: selected.threads };
  });
  settled = choice.catch(() => {});
  return choice;
}

/** What computes now. */
export function backendReport(): BackendReport {
  const routines = Object.keys(reference) as (keyof Kernels)[];
  const shared = routines.filter(
    (key) => typeof reference[key] === 'function' && selected[key] === reference[key],
  );
  const notice = selected === wasm?.kernels ? wasm.notice() : null;
  return {
    backend: selected.name,
    threads: selected.threads,
    onReference: selected === reference ? [] : [...shared, ...selected.functionsOnReference],
    arenaOverflows: arenaOverflows(),
    ...(notice !== null && { notice }),
  };
}

async function wasmKernels(
  name: 'auto' | 'wasm',
  threads: number | 'auto',
  relaxed: boolean,
): Promise<Kernels> {
  try {
    // Loaded when it is wanted: a page that computes on the reference does without the kernels.
    const { selectWasm } = await import('./wasm/select.js');
    wasm = await selectWasm(threads, relaxed, wasm);
    return wasm.kernels;
  } catch (error) {
    if (name === 'auto') return reference;
    const reason = error instanceof Error ? error.message : String(error);
    throw new ArgumentError(`useBackend: 'wasm' does not run here: ${reason} Use 'auto' or 'reference'.`, {
      cause: error,
    });
  }
}
