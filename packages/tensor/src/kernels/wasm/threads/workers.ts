// Starting threads in Node and in a page. Neither Node's types nor the DOM's are assumed.

import type { WorkerStart } from './workerMailbox.js';

/** A started worker. */
export interface RunningWorker {
  /** Fulfilled when it serves; rejected when it ends before or is refused. From then on it does not keep the process alive. */
  readonly ready: Promise<void>;
  end(): void;
}

interface NodeWorker {
  on(event: 'message', listener: () => void): void;
  on(event: 'error', listener: (error: unknown) => void): void;
  on(event: 'exit', listener: (code: number) => void): void;
  postMessage(message: WorkerStart): void;
  unref(): void;
  terminate(): unknown;
}

interface PageWorker {
  addEventListener(type: 'message', listener: () => void): void;
  addEventListener(type: 'error', listener: (event: ErrorEvent) => void): void;
  postMessage(message: WorkerStart): void;
  terminate(): void;
}

/** Its message is missing where the script could not be loaded. */
interface ErrorEvent {
  readonly message?: string;
  preventDefault(): void;
}

interface NodeThreads {
  readonly Worker: new (script: object, options: { execArgv: string[]; name: string }) => NodeWorker;
}

interface Builtin {
  (id: 'node:worker_threads'): NodeThreads | undefined;
  (id: 'node:os'): { availableParallelism(): number } | undefined;
}

const platform = globalThis as {
  readonly process?: { readonly getBuiltinModule?: Builtin };
  readonly navigator?: { readonly hardwareConcurrency?: number };
  readonly crossOriginIsolated?: boolean;
  readonly Worker?: unknown;
};

declare const Worker: new (script: object, options: { type: 'module'; name: string }) => PageWorker;
declare const URL: new (path: string, base: string) => object;

/** How many threads run at the same time here. */
export function availableCores(): number {
  const os = platform.process?.getBuiltinModule?.('node:os');
  return os?.availableParallelism() ?? platform.navigator?.hardwareConcurrency ?? 1;
}

/** Why threads cannot share memory here; null if they can. */
export function obstacleToThreads(): string | null {
  if (platform.crossOriginIsolated === false) return 'the page is not cross-origin isolated';
  if (typeof SharedArrayBuffer === 'undefined') return 'there is no SharedArrayBuffer';
  if (nodeThreads() === undefined && platform.Worker === undefined) return 'there are no workers';
  return null;
}

/**
 * Starts a worker.
 * @param lost called with the reason when it ends, by `end()` too
 */
export function startWorker(start: WorkerStart, lost: (reason: string) => void): RunningWorker {
  const threads = nodeThreads();
  let worker: NodeWorker | PageWorker | undefined;
  const ready = new Promise<void>((resolve, reject) => {
    const fail = (reason: string): void => {
      reject(new Error(reason));
      lost(reason);
    };
    worker = threads ? inNode(threads, resolve, fail) : inPage(resolve, fail);
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker's takes none
    worker.postMessage(start);
  });
  // Whoever waits hears of it; nobody has to.
  ready.catch(() => {});
  return { ready, end: () => void worker?.terminate() };
}

function nodeThreads(): NodeThreads | undefined {
  return platform.process?.getBuiltinModule?.('node:worker_threads');
}

function inNode(threads: NodeThreads, ready: () => void, fail: (reason: string) => void): NodeWorker {
  // In a variable, so that bundlers, which know the other form, leave it alone.
  const here = (import.meta as { url: string }).url;
  // Without the options of this process: loaders that it may have are no use there.
  const worker = new threads.Worker(new URL('./gmmlThread.js', here), { execArgv: [], name: 'gmml' });
  worker.on('message', () => {
    worker.unref();
    ready();
  });
  worker.on('error', (error) => fail(`a worker failed (${String(error)})`));
  worker.on('exit', (code) => fail(`a worker ended (exit code ${code})`));
  return worker;
}

function inPage(ready: () => void, fail: (reason: string) => void): PageWorker {
  // Written as bundlers expect it.
  const worker = new Worker(new URL('./gmmlThread.js', (import.meta as { url: string }).url), {
    type: 'module',
    name: 'gmml',
  });
  worker.addEventListener('message', ready);
  worker.addEventListener('error', (event) => {
    event.preventDefault();
    fail(`a worker failed (${event.message ?? 'its script did not load'})`);
  });
  return worker;
}
