import { GmmlError } from '../errors.js';
import { onMessage, received, sent, type Port } from './messages.js';
import type { Task, TaskContext } from './serveTasks.js';
import { pack, unpack } from './transfer.js';

/** A worker that could not start, failed outside of a task, or was closed. */
export class WorkerError extends GmmlError {}

/** What an AbortSignal is. */
export interface Abortable {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** How a task is run. */
export interface RunOptions<P = unknown> {
  /** Ends the task at its next `pause`; the promise is rejected with the signal's reason at once. */
  readonly signal?: Abortable;
  /** Is called with what the task sends, in order. */
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
 * const worker = new TaskWorker(new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }));
 * const controller = new AbortController();
 * const { means } = await worker.run('fit', { x, iterations: 50 }, {
 *   signal: controller.signal,
 *   onProgress: ({ iteration, loss }) => draw(iteration, loss),
 * });
 * worker.close();
 */
export class TaskWorker<T extends Readonly<Record<string, Task>> = Readonly<Record<string, Task>>> {
  readonly #port: Port;
  readonly #pending = new Map<number, Pending>();
  #lost: WorkerError | null = null;
  #next = 0;

  /** @param port a Worker of a page, or a MessagePort; for Node's Worker its `workerPort(worker)` */
  constructor(port: Port) {
    this.#port = port;
    onMessage(port, (message) => {
      if (message.kind === 'run' || message.kind === 'abort') return;
      const pending = this.#pending.get(message.id);
      if (message.kind === 'progress') {
        pending?.progress(unpack(message.value));
        return;
      }
      this.#pending.delete(message.id);
      if (message.kind === 'done') pending?.resolve(unpack(message.value));
      else pending?.reject(received(message.error));
    });
    port.addEventListener('error', (event) => {
      const { message = 'its script did not load' } = event as { readonly message?: string };
      this.#lose(`TaskWorker: the worker must run: it failed (${message}).`);
    });
    port.addEventListener('messageerror', () =>
      this.#lose('TaskWorker: messages must be readable: one was not.'),
    );
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
      const abort = (): void => {
        this.#pending.delete(id);
        this.#port.postMessage({ kind: 'abort', id, reason: sent(signal!.reason) }, []);
        reject(signal!.reason);
      };
      const { value, buffers } = pack({ kind: 'run', id, name, argument });
      this.#port.postMessage(value, buffers);
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
    if (this.#port.terminate) this.#port.terminate();
    else this.#port.close?.();
  }

  #lose(reason: string): void {
    this.#lost ??= new WorkerError(reason);
    for (const pending of this.#pending.values()) pending.reject(this.#lost);
    this.#pending.clear();
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
