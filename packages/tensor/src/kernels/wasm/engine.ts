import { ModuleBuilder, type Flavour } from './assembler.js';
import { webAssembly, type Emitted, type Memory } from './webAssembly.js';

/** Bytes of a page of WebAssembly memory. */
const PAGE = 65536;

/** Bytes reserved for kernels. Only what is touched becomes resident. */
const CAPACITY = 256 * 1024 * 1024;

/** Alignment may take a few numbers more than asked for. */
const SLACK = 64;

/** Takes `floats` numbers of kernel memory and gives the index of the first, a multiple of 4. */
export type Allocate = (floats: number) => number;

/** Calls an emitted function on some thread, after the calls before it. */
export type Call = (fn: Emitted, ...args: number[]) => void;

/**
 * The memory that kernels work in and the modules emitted so far. Memory is reserved once and never
 * grows, so `floats` stays valid; it is handed out by a bump pointer inside `scratch`.
 */
export class Engine {
  readonly flavour: Flavour;
  /** All of the memory as float32. */
  readonly floats: Float32Array;
  private readonly memory: Memory;
  private readonly modules = new Map<string, Record<string, Emitted>>();
  private readonly wasm = webAssembly();
  private top = 0;

  /** @throws RangeError when the memory cannot be reserved */
  constructor(flavour: Flavour, capacity = CAPACITY) {
    const pages = Math.ceil(capacity / PAGE);
    this.flavour = flavour;
    this.memory = new this.wasm.Memory({ initial: pages, maximum: pages });
    this.floats = new Float32Array(this.memory.buffer);
  }

  /** The exports of a module, emitted and compiled at the first call with this key. */
  module(key: string, write: (module: ModuleBuilder) => void): Record<string, Emitted> {
    const made = this.modules.get(key);
    if (made) return made;
    const builder = new ModuleBuilder(this.flavour);
    write(builder);
    const compiled = new this.wasm.Module(builder.bytes());
    const { exports } = new this.wasm.Instance(compiled, { env: { memory: this.memory } });
    this.modules.set(key, exports);
    return exports;
  }

  /** The address of numbers that a kernel reads: where they lie if that is kernel memory, otherwise of a copy. */
  input(x: Float32Array, allocate: Allocate): number {
    if (x.buffer === this.floats.buffer) return x.byteOffset;
    const start = allocate(x.length);
    this.floats.set(x, start);
    return 4 * start;
  }

  /** The address that a kernel writes its output to; `take` brings it to `out` if it is not there already. */
  output(out: Float32Array, allocate: Allocate): { address: number; take: () => void } {
    if (out.buffer === this.floats.buffer) return { address: out.byteOffset, take: () => {} };
    const start = allocate(out.length);
    return { address: 4 * start, take: () => out.set(this.floats.subarray(start, start + out.length)) };
  }

  /** How many threads share the work of `parallel`. */
  get threads(): number {
    return 1;
  }

  /**
   * Shares work between threads: `work` is called for each of `parts` (at most `threads`) with the `call` that runs
   * emitted functions there, one after another. Returns when all are done. Parts write to different places, and none
   * reads what another writes.
   */
  parallel(parts: number, work: (call: Call, part: number) => void): void {
    for (let part = 0; part < parts; part++) work((fn, ...args) => void fn(...args), part);
  }

  /** Whether this many numbers can be handed out at once. */
  hasRoom(floats: number): boolean {
    return this.top + floats + SLACK <= this.floats.length;
  }

  /** Runs `use`, which may take memory; all of it is taken back afterwards. */
  scratch<T>(use: (allocate: Allocate) => T): T {
    const before = this.top;
    try {
      return use((floats) => {
        const start = this.top;
        this.top += Math.ceil(floats / 4) * 4;
        return start;
      });
    } finally {
      this.top = before;
    }
  }
}
