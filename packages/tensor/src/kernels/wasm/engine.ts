import { Memory } from '../../memory.js';
import { ModuleBuilder, type Flavour } from './assembler/assembler.js';
import { ThreadPool, type Patience } from './threads/threads.js';
import { webAssembly, type Emitted, type WasmMemory } from './webAssembly.js';
import type { Call } from './threads/workerMailbox.js';

export type { Call } from './threads/workerMailbox.js';

/** Bytes of a page of WebAssembly memory. */
const PAGE = 65536;

/** Bytes reserved for tensors and kernels, the most that can be had. Only what is touched becomes resident. */
const CAPACITIES = [1024, 512, 256, 128].map((mebibytes) => mebibytes * 1024 * 1024);

/** Takes `floats` numbers of kernel memory and gives the index of the first. */
export type Allocate = (floats: number) => number;

/** What an engine is made for. */
export interface EngineOptions {
  /** What emitted modules may rely on; memory is shared where there is more than one thread. */
  readonly flavour: Pick<Flavour, 'relaxed'>;
  /** How many threads share the work of `parallel`, once they are started. Default 1. */
  readonly threads?: number;
  /** Bytes of memory. Default 1 GiB, or less where that cannot be reserved. */
  readonly capacity?: number;
  /** How long workers are waited for. */
  readonly patience?: Partial<Patience>;
}

/** What kernels read and write. */
type Numbers = Float32Array | Float64Array | Int32Array;

/** Where the numbers of an array are written. */
export interface Output {
  readonly address: number;
  /** Copies what was written to the array, if that lies outside kernel memory. */
  readonly copyBack: () => void;
}

/** The memory that kernels work in and the modules emitted so far. */
export class Engine {
  readonly flavour: Flavour;
  /** Where tensors' numbers may lie, and what `scratch` hands out. */
  readonly memory: Memory;
  /** All of the memory as float32. */
  readonly floats: Float32Array;
  private readonly imported: WasmMemory;
  private readonly modules = new Map<string, Record<string, Emitted>>();
  private readonly wasm = webAssembly();
  private readonly pool: ThreadPool;

  /** @throws RangeError when the memory cannot be reserved */
  constructor({ flavour, threads = 1, capacity, patience }: EngineOptions) {
    const shared = threads > 1;
    this.flavour = { relaxed: flavour.relaxed, shared };
    this.imported = reserve(capacity === undefined ? CAPACITIES : [capacity], shared);
    this.memory = new Memory(this.imported.buffer);
    this.floats = this.memory.floats;
    this.pool = new ThreadPool(this.imported, threads, patience);
  }

  /** Starts the threads and waits until they serve; there is one if that fails, and `notice` says why. */
  start(): Promise<void> {
    return this.pool.start();
  }

  /** Ends the other threads; this one goes on alone. */
  end(): void {
    this.pool.end();
  }

  /** The exports of a module, emitted and compiled at the first call with this key. */
  module(key: string, write: (module: ModuleBuilder) => void): Record<string, Emitted> {
    const made = this.modules.get(key);
    if (made) return made;
    const builder = new ModuleBuilder(this.flavour);
    write(builder);
    const bytes = builder.bytes();
    const { exports } = new this.wasm.Instance(new this.wasm.Module(bytes), {
      env: { memory: this.imported },
    });
    this.pool.add(bytes, exports);
    this.modules.set(key, exports);
    return exports;
  }

  /** The address of numbers that a kernel reads: where they lie if that is kernel memory, otherwise of a copy. */
  input(x: Numbers, allocate: Allocate): number {
    if (this.memory.holds(x)) return x.byteOffset;
    const start = allocate(x.byteLength / 4);
    this.memory.at(start, x).set(x);
    return 4 * start;
  }

  /** Where a kernel writes what `out` is to hold. */
  output(out: Numbers, allocate: Allocate): Output {
    if (this.memory.holds(out)) return { address: out.byteOffset, copyBack: () => {} };
    const start = allocate(out.byteLength / 4);
    return { address: 4 * start, copyBack: () => out.set(this.memory.at(start, out)) };
  }

  /** How many threads share the work of `parallel` now. */
  get threads(): number {
    return this.pool.threads;
  }

  /** Why there is one thread instead of several; null if nothing went wrong. */
  get notice(): string | null {
    return this.pool.notice;
  }

  /**
   * Shares work between threads: `work` is called for each of `parts` (at most `threads`) with the `call` that runs
   * emitted functions there, one after another. Returns when all are done. Parts write to different places, and none
   * reads what another writes.
   * @param options.repeatable whether a part gives the same when run once more, as it is if its thread is lost; default
   *   true. If not, as where numbers are changed in place, the loss is an error.
   */
  parallel(
    parts: number,
    work: (call: Call, part: number) => void,
    { repeatable = true }: { repeatable?: boolean } = {},
  ): void {
    this.pool.run(parts, work, repeatable);
  }

  /** Whether this many numbers can be handed out at once. */
  hasRoom(floats: number): boolean {
    return this.memory.hasRoom(floats);
  }

  /** Runs `use`, which may take memory; all of it is taken back afterwards. */
  scratch<T>(use: (allocate: Allocate) => T): T {
    const mark = this.memory.mark();
    try {
      return use((floats) => this.memory.take(floats));
    } finally {
      this.memory.reset(mark);
    }
  }
}

/** Memory that never grows, of the first size that can be reserved. */
function reserve(capacities: readonly number[], shared: boolean): WasmMemory {
  const { Memory: Reserved } = webAssembly();
  const [bytes, ...smaller] = capacities;
  const pages = Math.ceil(bytes / PAGE);
  try {
    return new Reserved({ initial: pages, maximum: pages, shared });
  } catch (error) {
    if (smaller.length === 0) throw error;
    return reserve(smaller, shared);
  }
}
