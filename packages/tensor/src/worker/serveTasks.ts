import { ArgumentError } from '../errors.js';
import { onMessage, packError, unpackError, type Message, type Port } from './messages.js';
import { pack, unpack } from './transfer.js';

/** What a task can do besides computing. */
export interface TaskContext<P = unknown> {
  /** Sends the caller a value, which may hold tensors as arguments may. */
  readonly progress: (value: P) => void;
  /**
   * Gives messages a turn. To be awaited now and then in long work, or nothing of the caller is heard before its end.
   * @throws the reason of the caller's signal once it is aborted
   */
  readonly pause: () => Promise<void>;
  /** Whether the caller's signal is aborted, as of the last `pause`. */
  readonly aborted: boolean;
}

/** Work that a worker does when it is asked: of an argument, giving a result. */
// oxlint-disable-next-line typescript/no-explicit-any -- a task of any argument is one
export type Task<A = any, R = any, P = any> = (argument: A, context: TaskContext<P>) => R | Promise<R>;

/**
 * Makes a worker do tasks for `TaskWorker`, which waits until this is called: the script may await a backend before. Tensors in arguments, results and progress cross as tensors (a copy is handed over
 * without being cloned; gradients and history stay behind); everything else crosses as `structuredClone` has it.
 *
 * @param port default the worker's own scope, in Node `parentPort`
 * @throws ArgumentError where there is no port
 * @example
 * const tasks = {
 *   async sumOfPowers({ x, powers }: { x: Tensor; powers: number }, { progress, pause }: TaskContext) {
 *     let total = zeros(x.shape);
 *     for (let power = 1; power <= powers; power++) {
 *       total = total.add(x.pow(power));
 *       progress({ power });
 *       await pause();
 *     }
 *     return { total };
 *   },
 * };
 * const { port1, port2 } = new MessageChannel(); // a worker calls serveTasks(tasks) alone
 * serveTasks(tasks, port1);
 * const worker = new TaskWorker<typeof tasks>(port2);
 * const { total } = await worker.run('sumOfPowers', { x: tensor([1, 2]), powers: 3 });
 * total.toArray(); // [3, 14]
 * worker.close();
 */
export function serveTasks(tasks: Readonly<Record<string, Task>>, port: Port = ownPort()): void {
  const running = new Map<number, { reason: Error | null }>();
  const answer = (message: Message): void => {
    const { value, buffers } = pack(message);
    port.postMessage(value, buffers);
  };
  const run = async (id: number, name: string, argument: unknown): Promise<void> => {
    const state: { reason: Error | null } = { reason: null };
    running.set(id, state);
    const context: TaskContext = {
      progress: (value) => answer({ kind: 'progress', id, value }),
      pause: async () => {
        await nextTurn();
        if (state.reason) throw state.reason;
      },
      get aborted() {
        return state.reason !== null;
      },
    };
    try {
      if (!Object.hasOwn(tasks, name)) {
        throw new ArgumentError(
          `serveTasks: the task must be one of ${Object.keys(tasks).join(', ')}: it is '${name}'.`,
        );
      }
      answer({ kind: 'done', id, value: await tasks[name](unpack(argument), context) });
    } catch (error) {
      answer({ kind: 'failed', id, error: packError(error) });
    } finally {
      running.delete(id);
    }
  };
  onMessage(port, (message) => {
    if (message.kind === 'hello') answer({ kind: 'ready' });
    else if (message.kind === 'run') void run(message.id, message.name, message.argument);
    else if (message.kind === 'abort') {
      const state = running.get(message.id);
      if (state) state.reason = unpackError(message.reason);
    }
  });
  answer({ kind: 'ready' });
}

/** The parts of a global scope that tell what runs here. */
interface GlobalScope {
  readonly process?: { getBuiltinModule?(id: string): { readonly parentPort: Port | null } | undefined };
  readonly postMessage?: unknown;
  readonly document?: unknown;
}

function ownPort(): Port {
  const scope = globalThis as GlobalScope;
  const inNode = scope.process?.getBuiltinModule?.('node:worker_threads')?.parentPort;
  if (inNode) return inNode;
  if (scope.postMessage !== undefined && scope.document === undefined) return scope as unknown as Port;
  throw new ArgumentError('serveTasks: there must be a port: this is no worker. Give one.');
}

interface Channel {
  readonly port1: {
    addEventListener(type: 'message', listener: () => void): void;
    start(): void;
    close(): void;
  };
  readonly port2: { postMessage(message: null): void };
}

declare const MessageChannel: new () => Channel;

/** Ends after the messages that have come. Not by a timer: pages make those wait for 4 milliseconds. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.addEventListener('message', () => {
      port1.close();
      resolve();
    });
    port1.start();
    port2.postMessage(null);
  });
}
