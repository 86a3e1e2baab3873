import { GmmlError } from '../errors.js';
import { onMessage, packError, unpackError, type Message, type Port } from './messages.js';
import type { Task, TaskContext } from './serveTasks.js';
import { pack, unpack } from './transfer.js';

/** A worker that could not start, failed outside of a task, or was closed. */
export class WorkerError extends GmmlError {
  override get name(): string {
    return 'WorkerError';
  }
}

declare function structuredClone(value: unknown, options: { transfer: ArrayBuffer[] }): unknown;

/** What an AbortSignal is. */
export interface Abortable {
  readonly aborted: boolean;
  readonly reason: unknown;
  /** Calls the listener when the signal is aborted. */
  addEventListener(type: 'abort', listener: () => void): void;
  /** Calls it no more. */
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** How a task is run. */
export interface RunOptions<P = unknown> {
  /** Ends the task at its next `pause`; the promise is rejected with the signal's reason at once. */
  readonly signal?: Abortable;
  /** Is called with what the task sends, in order. What it throws ends the task as an abort does. */
  readonly onProgress?: (value: P) => void;
}

type Argument<T> = T extends Task<infer A> ? A : never;
type Result<T> = T extends Task ? Awaited<ReturnType<T>> : never;
type Progress<T> = T extends (argument: never, context: TaskContext<infer P>) => unknown ? P : unknown;

interface Pending {
  resolve(value: unknown): void;
  reject(reason: unknown): void;
  progress(value: unknown): void;
}

/**
 * A worker whose script calls `serveTasks`, so that long work leaves the page free. Several tasks may run at once: they
 * take turns at their pauses.
 *
 * @typeParam T the tasks, as in `TaskWorker<typeof tasks>`: names, arguments, results and progress are checked by it
 * @example
 * const x = randn([100, 2]);
 * const worker = new TaskWorker(new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }));
 * const controller = new AbortController();
 * const result = await worker.run('fit', { x, iterations: 50 }, {
 *   signal: controller.signal,
 *   onProgress: (value) => console.log(value),
 * });
 * worker.close();
 */
export class TaskWorker<T extends Readonly<Record<string, Task>> = Readonly<Record<string, Task>>> {
  readonly #port: Port;
  readonly #pending = new Map<number, Pending>();
  /** What waits until the worker serves, as it was when it was asked, by the number of its task; null from then on. */
  #waiting: Map<number, unknown> | null = new Map();
  #lost: WorkerError | null = null;
  #next = 0;

  /** @param port a Worker of a page, or a MessagePort; for Node's Worker its `workerPort(worker)` */
  constructor(port: Port) {
    this.#port = port;
    onMessage(port, (message) => this.#receive(message));
    port.addEventListener('error', (event) => {
      const { message } = event as { readonly message?: string };
      this.#lose(`TaskWorker: the worker must run: it failed (${message || 'its script did not load'}).`);
    });
    port.addEventListener('messageerror', () =>
      this.#lose('TaskWorker: messages must be readable: one was not.'),
    );
    port.postMessage({ kind: 'hello' } satisfies Message, []);
  }

  /**
   * Runs a task and gives its result. Tensors in the argument stay usable here.
   * @throws (rejects) what the task throws, its class kept where it is an error of this package; the signal's reason;
   *   WorkerError when there is no worker any more; a DataCloneError for what cannot be posted, such as a function
   */
  run<N extends keyof T & string>(
    name: N,
    argument: Argument<T[N]>,
    { signal, onProgress }: RunOptions<Progress<T[N]>> = {},
  ): Promise<Result<T[N]>> {
    return new Promise((resolve, reject) => {
      if (this.#lost) return reject(this.#lost);
      if (signal?.aborted) return reject(signal.reason);
      const id = this.#next++;
      const abort = (): void => this.#abort(id, signal!.reason);
      const { value, buffers } = pack({ kind: 'run', id, name, argument } satisfies Message);
      if (this.#waiting) this.#waiting.set(id, structuredClone(value, { transfer: buffers }));
      else this.#port.postMessage(value, buffers);
      signal?.addEventListener('abort', abort);
      const release = (): void => signal?.removeEventListener('abort', abort);
      this.#pending.set(id, {
        resolve: (result) => {
          release();
          resolve(result as Result<T[N]>);
        },
        reject: (reason) => {
          release();
          reject(reason);
        },
        progress: (sentValue) => onProgress?.(sentValue as Progress<T[N]>),
      });
    });
  }

  /** Ends the worker, whatever it does; tasks that run are rejected with a WorkerError. */
  close(): void {
    this.#lose('TaskWorker: the worker must be open: it was closed.');
  }

  #receive(message: Message): void {
    if (message.kind === 'ready') this.#begin();
    else if (message.kind === 'progress') {
      try {
        this.#pending.get(message.id)?.progress(unpack(message.value));
      } catch (error) {
        this.#abort(message.id, error);
      }
    } else if (message.kind === 'done' || message.kind === 'failed') {
      const pending = this.#pending.get(message.id);
      this.#pending.delete(message.id);
      try {
        if (message.kind === 'failed') pending?.reject(unpackError(message.error));
        else pending?.resolve(unpack(message.value));
      } catch (error) {
        pending?.reject(error);
      }
    }
  }

  /** Hands over what waits. */
  #begin(): void {
    for (const message of this.#waiting?.values() ?? []) this.#port.postMessage(message, []);
    this.#waiting = null;
  }

  #abort(id: number, reason: unknown): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    const hasStarted = !this.#waiting?.delete(id);
    if (hasStarted)
      this.#port.postMessage({ kind: 'abort', id, reason: packError(reason) } satisfies Message, []);
    pending?.reject(reason);
  }

  /** Ends the worker: one that failed in a page goes on otherwise, with nobody to hear it. */
  #lose(reason: string): void {
    this.#lost ??= new WorkerError(reason);
    for (const pending of this.#pending.values()) pending.reject(this.#lost);
    this.#pending.clear();
    this.#waiting?.clear();
    if (this.#port.terminate) this.#port.terminate();
    else this.#port.close?.();
  }
}

/** The parts of Node's Worker that are needed. */
interface NodeWorker {
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  on(event: string, listener: (value: unknown) => void): unknown;
  terminate(): unknown;
}

/** A port for `TaskWorker` of a Worker of `node:worker_threads`. */
export function workerPort(worker: NodeWorker): Port {
  return {
    postMessage: (message, transfer) => worker.postMessage(message, transfer),
    terminate: () => worker.terminate(),
    addEventListener(type, listener) {
      if (type === 'message') worker.on('message', (data) => listener({ data }));
      else worker.on(type, (error) => listener({ message: String(error) }));
      if (type === 'error')
        worker.on('exit', (code) => listener({ message: `it ended with exit code ${String(code)}` }));
    },
  };
}
