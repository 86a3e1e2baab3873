import { ArgumentError } from '../errors.js';
import type { Kernels } from './kernels.js';
import { reference } from './reference/index.js';

/** The names `useBackend` takes; 'auto' is the fastest there is here. */
export type BackendName = 'auto' | 'wasm' | 'reference';

/** What was chosen. */
export interface BackendChoice {
  readonly backend: string;
  /** How many threads the kernels run on. */
  readonly threads: number;
}

const selected: Kernels = reference;

/** The routines of the selected backend. */
export function kernels(): Kernels {
  return selected;
}

/**
 * Selects what computes: 'auto' takes the fastest backend that runs here, and any other name takes
 * that one or fails. Everything after it is synchronous. This version has the reference backend
 * only, which runs on one thread.
 *
 * @param options.threads how many threads to use if the backend can, at least 1; default 'auto'
 * @returns what was chosen, which may have fewer threads than asked for
 * @throws ArgumentError for an unknown or missing backend or a number of threads that is none
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
  if (name === 'wasm') {
    throw new ArgumentError("useBackend: this version has no 'wasm' backend. Use 'auto' or 'reference'.");
  }
  if (name !== 'auto' && name !== 'reference') {
    throw new ArgumentError(
      `useBackend: the backend must be 'auto', 'wasm' or 'reference': it is '${String(name)}'.`,
    );
  }
  return backendReport();
}

/** What computes now. */
export function backendReport(): BackendChoice {
  return { backend: selected.name, threads: selected.threads };
}
