import { GmmlError } from '../../../errors.js';
import type { Emitted, WasmMemory } from '../webAssembly.js';
import { FunctionTable, LAYOUT, Mailbox, type Call } from './workerMailbox.js';
import { startWorker, type RunningWorker } from './workers.js';

/** Times that tests shorten. */
export interface Patience {
  /** How long a worker looks for its next part before it sleeps. */
  readonly spinMilliseconds: number;
  /** How long the calling thread looks for the end of a worker's part before it sleeps. */
  readonly callerSpinMilliseconds: number;
  /** How long all of them may take to start. */
  readonly startMilliseconds: number;
  /** How long a worker may take longer than the calling thread with a part before it counts as lost. */
  readonly lostMilliseconds: number;
}

const PATIENCE: Patience = {
  spinMilliseconds: 0.05,
  callerSpinMilliseconds: 0.1,
  startMilliseconds: 10_000,
  lostMilliseconds: 10_000,
};

/** How long it sleeps at a time. */
const SLEEP_MILLISECONDS = 100;

/** Loads of a state between two looks at the clock. */
const LOADS = 50;

/** `work` with nothing left to other threads. */
const direct: Call = (fn, ...args) => void fn(...args);

/**
 * Threads that run parts of the calling thread's work on shared memory. Each worker has a mailbox; a part that the
 * worker has not taken when the calling thread is through with its own is taken back, so that a worker which sleeps,
 * is late or has died never holds it up. When one is lost, the pool runs on one thread from then on and `notice` says why.
 */
export class ThreadPool {
  private readonly memory: WasmMemory;
  private readonly wanted: number;
  private readonly patience: Patience;
  private readonly table = new FunctionTable();
  private readonly maySleep: boolean;
  private workers: RunningWorker[] = [];
  private mailboxes: Mailbox[] = [];
  private lostBecause: string | null = null;
  private ended = false;

  /** @param threads how many threads there are with the calling one, which is alone until `start()` */
  constructor(memory: WasmMemory, threads: number, patience: Partial<Patience> = {}) {
    this.memory = memory;
    this.wanted = threads;
    this.patience = { ...PATIENCE, ...patience };
    this.maySleep = threads > 1 && mayThreadSleep();
  }

  /** How many threads share the work now. */
  get threads(): number {
    return this.mailboxes.length + 1;
  }

  /** Why there is one thread instead of several; null if nothing went wrong. */
  get notice(): string | null {
    return this.lostBecause;
  }

  /** Starts the workers and waits until they serve; without them if that fails. */
  async start(): Promise<void> {
    try {
      const mailboxes = Array.from({ length: this.wanted - 1 }, () => this.startOne());
      const { startMilliseconds } = this.patience;
      await within(
        startMilliseconds,
        this.workers.map(({ ready }) => ready),
      );
      if (!this.ended) this.mailboxes = mailboxes;
    } catch (error) {
      this.lose(error instanceof Error ? error.message : String(error));
    }
  }

  /** Makes the functions of a module known, so that parts can call them. */
  add(bytes: Uint8Array<ArrayBuffer>, exports: Record<string, Emitted>): void {
    if (this.wanted > 1) this.table.add(bytes, exports);
  }

  /**
   * Calls `work` for each part with a `call` that runs emitted functions, one after another within the part. Part 0
   * runs on this thread, each other one on the worker of its number or on this thread. Parts must write to different
   * places and read nothing that another writes. Not to be nested.
   * @param repeatable whether a part gives the same when run once more, which it is if its worker is lost
   * @throws what a part throws, when all of them have ended; GmmlError when a part that is not repeatable was lost
   */
  run(parts: number, work: (call: Call, part: number) => void, repeatable = true): void {
    const mailboxes = this.mailboxes.slice(0, Math.max(0, parts - 1));
    for (const [i, mailbox] of mailboxes.entries()) {
      mailbox.clear();
      work(mailbox.record, i + 1);
    }
    for (const mailbox of mailboxes) mailbox.publish();
    const errors: unknown[] = [];
    const attempt = (run: () => void): boolean => {
      try {
        run();
        return true;
      } catch (error) {
        errors.push(error);
        return false;
      }
    };
    attempt(() => {
      if (parts > 0) work(direct, 0);
      for (let part = mailboxes.length + 1; part < parts; part++) work(direct, part);
    });
    const elsewhere = mailboxes.filter((mailbox) => {
      const mine = mailbox.takeBack();
      if (mine) attempt(() => mailbox.runHere());
      return !mine;
    });
    for (const mailbox of elsewhere) {
      const problem = this.waitFor(mailbox);
      if (problem === null) continue;
      // What throws here as well is the part's own error.
      if (!repeatable || attempt(() => mailbox.runHere())) this.lose(problem);
      if (!repeatable) errors.push(new GmmlError(`${problem}: what it changed in place is incomplete.`));
    }
    if (errors.length > 0) throw errors[0];
  }

  /** Ends the workers. */
  end(): void {
    this.ended = true;
    for (const worker of this.workers) worker.end();
    this.workers = [];
    this.mailboxes = [];
  }

  private startOne(): Mailbox {
    const mailbox = new Mailbox(this.table);
    const { memory } = this;
    const { spinMilliseconds } = this.patience;
    const start = { memory, buffer: mailbox.buffer, layout: LAYOUT, spinMilliseconds };
    this.workers.push(startWorker(start, (reason) => this.lose(reason)));
    return mailbox;
  }

  private lose(reason: string): void {
    if (this.ended) return;
    this.lostBecause = `${reason}: running on one thread`;
    this.end();
  }

  /** Waits for the part that a worker took; says what went wrong, or null. */
  private waitFor(mailbox: Mailbox): string | null {
    const { callerSpinMilliseconds, lostMilliseconds } = this.patience;
    // Where another worker was lost just now, this one was ended too.
    const spin = this.maySleep || this.ended ? callerSpinMilliseconds : lostMilliseconds;
    // Counted in sleeps: a clock may go on while the machine is suspended.
    const sleeps = this.maySleep && !this.ended ? Math.ceil(lostMilliseconds / SLEEP_MILLISECONDS) : 0;
    let done = spinUntilDone(mailbox, spin);
    for (let i = 0; i < sleeps && !done; i++) {
      mailbox.sleep(SLEEP_MILLISECONDS);
      ({ done } = mailbox);
    }
    if (!done) {
      const problem = `a worker did not finish a part within ${lostMilliseconds} ms`;
      // Before the part is run here, so that the worker writes no more.
      this.lose(problem);
      return problem;
    }
    const error = mailbox.outcome();
    return error === null ? null : `a worker failed (${error})`;
  }
}

function spinUntilDone(mailbox: Mailbox, milliseconds: number): boolean {
  const { performance } = globalThis as unknown as { performance: { now(): number } };
  const end = performance.now() + milliseconds;
  do {
    for (let i = 0; i < LOADS; i++) if (mailbox.done) return true;
  } while (performance.now() < end);
  return false;
}

/** Whether this thread may sleep: the main thread of a page may not. */
function mayThreadSleep(): boolean {
  try {
    // Returns at once, because the value is not 1.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1);
    return true;
  } catch {
    return false;
  }
}

async function within(milliseconds: number, all: readonly Promise<void>[]): Promise<void> {
  const { setTimeout, clearTimeout } = globalThis as unknown as {
    readonly setTimeout: (callback: () => void, milliseconds: number) => unknown;
    readonly clearTimeout: (timer: unknown) => void;
  };
  let timer: unknown;
  const late = new Promise<never>((_, reject) => {
    const error = new Error(`the workers did not start within ${milliseconds} ms`);
    timer = setTimeout(() => reject(error), milliseconds);
  });
  try {
    await Promise.race([Promise.all(all), late]);
  } finally {
    clearTimeout(timer);
  }
}
