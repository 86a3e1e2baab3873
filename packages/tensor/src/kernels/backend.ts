import { ArgumentError } from '../errors.js';
import { arenaOverflows, useMemory } from '../storage.js';
import type { Kernels } from './kernels.js';
import { reference } from './reference/index.js';
import { Engine } from './wasm/engine.js';
import { createWasmKernels } from './wasm/index.js';
import { bestFlavour, validates } from './wasm/probe.js';
import { availableCores, obstacleToThreads } from './wasm/threads/workers.js';

/** The names `useBackend` takes; 'auto' is the fastest that runs here. */
export type BackendName = 'auto' | 'wasm' | 'reference';

/** How the backend is to compute. */
export interface BackendOptions {
  /**
   * How many threads to use if the backend can, at least 1. Default 'auto': one for each core, at most 16, and one in
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
  /** Routines and functions that run on the reference because this backend has none of its own; float64 always does. */
  readonly onReference: readonly string[];
  /** Arrays that did not fit into the arena of their scope and went to the heap, since the start. */
  readonly arenaOverflows: number;
  /** Why there is one thread instead of several, where that was not asked for. */
  readonly notice?: string;
}

/** Threads that 'auto' uses at most: more share the work of a step too finely. */
const MOST_THREADS = 16;

/** The kernels that were chosen last, kept for when they are chosen again. */
interface Made {
  readonly threads: number;
  readonly relaxed: boolean;
  readonly engine: Engine;
  readonly kernels: Kernels;
}

let selected: Kernels = reference;
let made: Made | null = null;
/** Why fewer threads than asked for were tried. */
let obstacle: string | null = null;
/** Choices take effect one after another. */
let settled: Promise<unknown> = Promise.resolve();

/** The routines of the selected backend. */
export function kernels(): Kernels {
  return selected;
}

/**
 * Selects what computes from now on; until then it is the reference. 'wasm' has SIMD kernels for float32, on one
 * thread or several, and leaves to the reference what `backendReport()` lists; 'auto' is 'wasm' where
 * WebAssembly's SIMD runs, else 'reference', which has one thread. Everything after it is synchronous. The same
 * backend and threads give the same bits. Where threads cannot be had or one of them ends, it is one thread, and
 * `backendReport()` says why.
 *
 * @returns what was chosen, which may have fewer threads than asked for
 * @throws ArgumentError for an unknown backend, one that does not run here, or a number of threads that is none
 */
export async function useBackend(
  name: BackendName,
  { threads = 'auto', relaxed = true }: BackendOptions = {},
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
  const { name, threads } = selected;
  const routines = Object.keys(reference) as (keyof Kernels)[];
  const shared = routines.filter(
    (key) => typeof reference[key] === 'function' && selected[key] === reference[key],
  );
  const onReference = selected === reference ? [] : [...shared, ...selected.functionsOnReference];
  const notice = selected === made?.kernels ? (made.engine.notice ?? obstacle) : null;
  const counted = { backend: name, threads, onReference, arenaOverflows: arenaOverflows() };
  return { ...counted, ...(notice === null ? {} : { notice }) };
}

async function wasmKernels(
  name: 'auto' | 'wasm',
  threads: number | 'auto',
  relaxed: boolean,
): Promise<Kernels> {
  try {
    made = await engineFor(threads, relaxed);
    return made.kernels;
  } catch (error) {
    if (name === 'auto') return reference;
    const reason = error instanceof Error ? error.message : String(error);
    throw new ArgumentError(`useBackend: 'wasm' does not run here: ${reason} Use 'auto' or 'reference'.`, {
      cause: error,
    });
  }
}

/** The engine that there is, if it is such a one and has lost no thread, or a new one in its place. */
async function engineFor(wanted: number | 'auto', relaxed: boolean): Promise<Made> {
  const flavour = bestFlavour({ relaxed });
  const missing = wanted === 1 ? null : whyOneThread();
  const threads = missing === null ? threadsFor(wanted) : 1;
  obstacle = missing !== null && wanted !== 'auto' ? `${missing}: running on one thread` : null;
  if (made?.threads === threads && made.relaxed === relaxed && made.engine.threads === threads) return made;
  made?.engine.end();
  made = null;
  const engine = new Engine({ flavour, threads });
  const created = createWasmKernels(engine);
  await engine.start();
  return { threads, relaxed, engine, kernels: created };
}

function threadsFor(wanted: number | 'auto'): number {
  return wanted === 'auto' ? Math.min(availableCores(), MOST_THREADS) : wanted;
}

function whyOneThread(): string | null {
  const missing = obstacleToThreads();
  if (missing !== null) return missing;
  return validates({ relaxed: false, shared: true }) ? null : 'WebAssembly has no shared memory';
}
