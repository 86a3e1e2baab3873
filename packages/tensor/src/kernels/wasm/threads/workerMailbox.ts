import { ArgumentError } from '../../../errors.js';
import type { Emitted, WasmMemory } from '../webAssembly.js';

/** Calls an emitted function on some thread, after the calls before it. */
export type Call = (fn: Emitted, ...args: number[]) => void;

/** What a worker is told when it starts. */
export interface WorkerStart {
  readonly memory: WasmMemory;
  /** The mailbox. */
  readonly buffer: SharedArrayBuffer;
  readonly layout: typeof LAYOUT;
  /** How long it looks for the next part before it sleeps. */
  readonly spinMilliseconds: number;
}

/**
 * How a mailbox is laid out: int32 words, the text of an error, and the calls as float64: for each its number, how
 * many arguments, and these. A module that the worker has not seen comes before the first call into it: `define`, its
 * length in bytes, the number of its first function, and the bytes.
 */
export const LAYOUT = {
  words: 16,
  /** The words: a state, the length of the calls, whether one of them threw, and the length of the error's text. */
  state: 0,
  used: 1,
  failed: 2,
  messageLength: 3,
  textLength: 400,
  commandsAt: 1024,
  define: -1,
  /**
   * Without a part: idle, or asleep and to be notified. With one: ready for whoever is first, taken by the worker, and
   * the same with the caller asleep until it is done.
   */
  states: { idle: 0, sleeping: 1, ready: 2, taken: 3, awaited: 4 },
} as const;

const { states } = LAYOUT;

/** Bytes for the calls of a part and the modules that come with them. Only what is touched becomes resident. */
const COMMAND_BYTES = 2 ** 20;

interface NumberedModule {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The number of its first function. */
  readonly first: number;
}

/** The emitted functions, numbered as calls name them. */
export class FunctionTable {
  readonly functions: Emitted[] = [];
  private readonly entries = new Map<Emitted, { number: number; module: NumberedModule }>();

  add(bytes: Uint8Array<ArrayBuffer>, exports: Record<string, Emitted>): void {
    const module = { bytes, first: this.functions.length };
    for (const fn of Object.values(exports)) {
      this.entries.set(fn, { number: this.functions.length, module });
      this.functions.push(fn);
    }
  }

  find(fn: Emitted): { number: number; module: NumberedModule } {
    const entry = this.entries.get(fn);
    if (entry === undefined) {
      throw new ArgumentError('parallel: the function must come from a module of this engine: it does not.');
    }
    return entry;
  }
}

/** What the calling thread and one worker share: the calls of a part, and how far they are. */
export class Mailbox {
  readonly buffer: SharedArrayBuffer;
  private readonly words: Int32Array;
  private readonly text: Uint16Array;
  private readonly commands: Float64Array;
  private readonly bytes: Uint8Array;
  private readonly table: FunctionTable;
  /** The modules that the worker has, and those that come with this part. */
  private readonly known = new Set<NumberedModule>();
  private sent: NumberedModule[] = [];
  private used = 0;

  constructor(table: FunctionTable, commandBytes = COMMAND_BYTES) {
    const { words, textLength, commandsAt } = LAYOUT;
    this.buffer = new SharedArrayBuffer(commandsAt + commandBytes);
    this.words = new Int32Array(this.buffer, 0, words);
    this.text = new Uint16Array(this.buffer, 4 * words, textLength);
    this.commands = new Float64Array(this.buffer, commandsAt);
    this.bytes = new Uint8Array(this.buffer, commandsAt);
    this.table = table;
  }

  /** Begins a part without calls. */
  clear(): void {
    this.used = 0;
    this.sent = [];
    this.words[LAYOUT.failed] = 0;
  }

  /** Adds a call to the part. What no longer fits makes the calls before it run here and now. */
  readonly record: Call = (fn, ...args) => {
    if (this.write(fn, args)) return;
    this.runHere();
    this.clear();
    if (!this.write(fn, args)) fn(...args);
  };

  /** Leaves the part for whoever takes it first. */
  publish(): void {
    if (this.used === 0) return;
    this.words[LAYOUT.used] = this.used;
    const before = Atomics.exchange(this.words, LAYOUT.state, states.ready);
    if (before === states.sleeping) Atomics.notify(this.words, LAYOUT.state);
  }

  /** Whether the part was still there: then the worker does not get it. */
  takeBack(): boolean {
    const { ready, idle } = states;
    return Atomics.compareExchange(this.words, LAYOUT.state, ready, idle) === ready;
  }

  /** Whether the worker is through with the part that it took. */
  get done(): boolean {
    return Atomics.load(this.words, LAYOUT.state) < states.ready;
  }

  /** Sleeps until the worker is through with its part, or so long. */
  sleep(milliseconds: number): void {
    const { taken, awaited } = states;
    Atomics.compareExchange(this.words, LAYOUT.state, taken, awaited);
    Atomics.wait(this.words, LAYOUT.state, awaited, milliseconds);
  }

  /** What a call threw in the worker; null if all went well, and then the worker has the modules that came along. */
  outcome(): string | null {
    if (this.words[LAYOUT.failed] !== 0) {
      return String.fromCharCode(...this.text.subarray(0, this.words[LAYOUT.messageLength]));
    }
    for (const module of this.sent) this.known.add(module);
    return null;
  }

  /** Runs the part on this thread. */
  runHere(): void {
    const { commands } = this;
    for (let at = 0; at < this.used;) {
      const [number, count] = [commands[at], commands[at + 1]];
      at += 2;
      if (number === LAYOUT.define) {
        at += 1 + Math.ceil(count / 8);
      } else {
        this.table.functions[number](...commands.subarray(at, at + count));
        at += count;
      }
    }
  }

  /** Whether there was room for the call and its module. */
  private write(fn: Emitted, args: readonly number[]): boolean {
    const { number, module } = this.table.find(fn);
    const news = !this.known.has(module) && !this.sent.includes(module);
    const moduleLength = news ? 3 + Math.ceil(module.bytes.length / 8) : 0;
    if (this.used + moduleLength + 2 + args.length > this.commands.length) return false;
    if (news) {
      this.commands.set([LAYOUT.define, module.bytes.length, module.first], this.used);
      this.bytes.set(module.bytes, 8 * (this.used + 3));
      this.used += moduleLength;
      this.sent.push(module);
    }
    this.commands[this.used++] = number;
    this.commands[this.used++] = args.length;
    for (const arg of args) this.commands[this.used++] = arg;
    return true;
  }
}
