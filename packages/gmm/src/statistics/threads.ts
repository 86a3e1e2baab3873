// Starting a thread in Node and in a page. Neither Node's types nor the DOM's are assumed.
import type { WorkerAnswer, WorkerPart } from './fitWorker.js';

/** A thread that answers one message at a time. */
export interface Thread {
  /** @throws Error when it failed or ended */
  ask(mixture: Uint8Array): Promise<WorkerAnswer>;
  end(): void;
}

interface Worker {
  postMessage(message: WorkerPart | Uint8Array, transfer: readonly ArrayBuffer[]): void;
  terminate(): unknown;
}

interface NodeWorker extends Worker {
  on(event: 'message', listener: (answer: WorkerAnswer) => void): void;
  on(event: 'error', listener: (error: unknown) => void): void;
  on(event: 'exit', listener: (code: number) => void): void;
}

interface PageWorker extends Worker {
  addEventListener(type: 'message', listener: (event: { readonly data: WorkerAnswer }) => void): void;
  addEventListener(type: 'error', listener: (event: { readonly message?: string }) => void): void;
}

interface NodeThreads {
  readonly Worker: new (script: object, options: { execArgv: string[] }) => NodeWorker;
}

const platform = globalThis as {
  readonly process?: { getBuiltinModule?(id: string): NodeThreads | undefined };
};

declare const Worker: new (script: object, options: { type: 'module' }) => PageWorker;
declare const URL: new (path: string, base: string) => object;

/** Starts a thread with its rows, which are handed over. */
export function startThread(part: WorkerPart): Thread {
  let waiting: { resolve(answer: WorkerAnswer): void; reject(reason: Error): void } | null = null;
  let lost: Error | null = null;
  const answered = (answer: WorkerAnswer): void => waiting?.resolve(answer);
  const lose = (reason: string): void => {
    lost = new Error(reason);
    waiting?.reject(lost);
  };
  const worker = inNode(answered, lose) ?? inPage(answered, lose);
  worker.postMessage(part, [part.rows.buffer]);
  return {
    ask: (mixture) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        if (lost) return reject(lost);
        worker.postMessage(mixture, []);
      }),
    end: () => void worker.terminate(),
  };
}

function inNode(answered: (answer: WorkerAnswer) => void, lose: (reason: string) => void): Worker | null {
  const threads = platform.process?.getBuiltinModule?.('node:worker_threads');
  if (!threads) return null;
  // In a variable, so that bundlers, which know the other form, leave it alone.
  const here = (import.meta as { url: string }).url;
  const worker = new threads.Worker(new URL('./fitWorker.js', here), { execArgv: [] });
  worker.on('message', answered);
  worker.on('error', (error) => lose(`a thread failed (${String(error)})`));
  worker.on('exit', (code) => lose(`a thread ended (exit code ${code})`));
  return worker;
}

function inPage(answered: (answer: WorkerAnswer) => void, lose: (reason: string) => void): Worker {
  // Written as bundlers expect it.
  const worker = new Worker(new URL('./fitWorker.js', (import.meta as { url: string }).url), {
    type: 'module',
  });
  worker.addEventListener('message', ({ data }) => answered(data));
  worker.addEventListener('error', ({ message }) =>
    lose(`a thread failed (${message ?? 'its script did not load'})`),
  );
  return worker;
}
