import type { Kernels } from '../kernels.js';
import { Engine } from './engine.js';
import { createWasmKernels } from './index.js';
import { bestFlavour, validates } from './probe.js';
import { availableCores, obstacleToThreads } from './threads/workers.js';

/** Threads that 'auto' uses at most: more share the work of a step too finely. */
const MOST_THREADS = 16;

/** Kernels with the engine behind them, and what they were made for. */
export interface WasmBackend {
  readonly threads: number;
  readonly relaxed: boolean;
  readonly engine: Engine;
  readonly kernels: Kernels;
  /** Why there is one thread instead of several, where that was not asked for. */
  readonly notice: () => string | null;
}

/**
 * A backend with as many threads, if they can be had: the one `before`, if it is such a one and has lost no thread, or
 * a new one in its place.
 * @throws where WebAssembly or its SIMD is missing or forbidden
 */
export async function selectWasm(
  wanted: number | 'auto',
  relaxed: boolean,
  before: WasmBackend | null,
): Promise<WasmBackend> {
  const flavour = bestFlavour({ relaxed });
  const missing = wanted === 1 ? null : whyOneThread();
  const threads = missing === null ? threadsFor(wanted) : 1;
  const obstacle = missing !== null && wanted !== 'auto' ? `${missing}: running on one thread` : null;
  const isSuch =
    before?.threads === threads && before.relaxed === relaxed && before.engine.threads === threads;
  const engine = isSuch ? before.engine : new Engine({ flavour, threads });
  const kernels = isSuch ? before.kernels : createWasmKernels(engine);
  if (!isSuch) {
    // Not earlier: where there is no other, it is still the one that computes.
    before?.engine.end();
    await engine.start();
  }
  return { threads, relaxed, engine, kernels, notice: () => engine.notice ?? obstacle };
}

function threadsFor(wanted: number | 'auto'): number {
  return wanted === 'auto' ? Math.min(availableCores(), MOST_THREADS) : wanted;
}

function whyOneThread(): string | null {
  const missing = obstacleToThreads();
  if (missing !== null) return missing;
  return validates({ relaxed: false, shared: true }) ? null : 'WebAssembly has no shared memory';
}
