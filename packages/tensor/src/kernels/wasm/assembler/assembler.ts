import { float32, float64, section, signed, text, unsigned, vector } from './encoding.js';
import {
  INSTRUCTIONS,
  MEMORY_INSTRUCTIONS,
  type Instruction,
  type MemoryInstruction,
} from './instructions.js';

/** The types of values that kernels use. */
export type ValueType = keyof typeof TYPE_CODES;

const TYPE_CODES = { i32: 0x7f, f32: 0x7d, f64: 0x7c, v128: 0x7b } as const;

/** A parameter or a local variable of the function being built. */
export interface Local {
  readonly index: number;
  readonly type: ValueType;
}

/** What a module may rely on. */
export interface Flavour {
  /** Fused multiply-add of relaxed SIMD; without it a multiplication and an addition take its place. */
  readonly relaxed: boolean;
  /** The imported memory is shared between threads. */
  readonly shared: boolean;
}

/** Pages of 64 KiB that a shared memory may have at most: all of 4 GiB. */
const MOST_PAGES = 65536;

/**
 * The code of one function, written in the order of execution on WebAssembly's stack of values.
 * Each method appends instructions and returns the builder.
 */
export class FunctionBuilder {
  readonly flavour: Flavour;
  readonly parameters: readonly Local[];
  private readonly locals: Local[] = [];
  private readonly code: number[] = [];

  constructor(flavour: Flavour, parameters: readonly ValueType[]) {
    this.flavour = flavour;
    this.parameters = parameters.map((type, index) => ({ index, type }));
  }

  /** A new local variable, 0 at first. */
  local(type: ValueType): Local {
    const local = { index: this.parameters.length + this.locals.length, type };
    this.locals.push(local);
    return local;
  }

  /** Several new local variables. */
  localArray(type: ValueType, count: number): Local[] {
    return Array.from({ length: count }, () => this.local(type));
  }

  /** Pushes a local. */
  get(local: Local): this {
    return this.emit(0x20, ...unsigned(local.index));
  }

  /** Pops into a local. */
  set(local: Local): this {
    return this.emit(0x21, ...unsigned(local.index));
  }

  /** Copies the top of the stack into a local. */
  tee(local: Local): this {
    return this.emit(0x22, ...unsigned(local.index));
  }

  /** Pushes an integer. */
  i32(value: number): this {
    return this.emit(0x41, ...signed(value));
  }

  /** Pushes a float. */
  f32(value: number): this {
    return this.emit(0x43, ...float32(value));
  }

  /** Pushes four equal floats. Inside a loop it costs; put it into a local before. */
  f32x4(value: number): this {
    const lane = float32(value);
    return this.emit(0xfd, ...unsigned(12), ...lane, ...lane, ...lane, ...lane);
  }

  /** Pushes four integers. As `f32x4`, not for the inside of a loop. */
  i32x4(...lanes: readonly [number, number, number, number]): this {
    const bytes = lanes.flatMap((lane) => [0, 8, 16, 24].map((shift) => (lane >>> shift) & 0xff));
    return this.emit(0xfd, ...unsigned(12), ...bytes);
  }

  /** Pushes two equal float64. As `f32x4`, not for the inside of a loop. */
  f64x2(value: number): this {
    const lane = float64(value);
    return this.emit(0xfd, ...unsigned(12), ...lane, ...lane);
  }

  /** An instruction without immediates. */
  op(name: Instruction): this {
    return this.emit(...INSTRUCTIONS[name]);
  }

  /** Pushes what lies at the address in `pointer` plus `offset` bytes. */
  load(name: MemoryInstruction, pointer: Local, offset = 0): this {
    return this.get(pointer).memory(name, offset);
  }

  /** Pops a value and an address below it, and writes the value `offset` bytes after the address. */
  store(name: MemoryInstruction, offset = 0): this {
    return this.memory(name, offset);
  }

  /** Pops a vector and an address below it, and writes one of its four lanes `offset` bytes after the address. */
  storeLane(lane: number, offset = 0): this {
    return this.emit(0xfd, ...unsigned(90), 2, ...unsigned(offset), lane);
  }

  /** Pops a vector and an address below it, and writes its lower (0) or upper (1) two lanes. */
  storeHalf(half: 0 | 1, offset = 0): this {
    return this.emit(0xfd, ...unsigned(91), 2, ...unsigned(offset), half);
  }

  /** Pops a vector and an address below it, and pushes the vector with one of its four lanes read from the address. */
  loadLane(lane: number, offset = 0): this {
    return this.emit(0xfd, ...unsigned(86), 2, ...unsigned(offset), lane);
  }

  /** Pops two vectors and pushes the chosen lanes: 0–3 of the first, 4–7 of the second. */
  shuffle(...lanes: readonly [number, number, number, number]): this {
    const bytes = lanes.flatMap((lane) => [0, 1, 2, 3].map((byte) => 4 * lane + byte));
    return this.emit(0xfd, ...unsigned(13), ...bytes);
  }

  /** sum += a·b on vectors: one rounding where the flavour is relaxed, two otherwise. */
  multiplyAdd(sum: Local, a: Local, b: Local, shape: 'f32x4' | 'f64x2' = 'f32x4'): this {
    if (this.flavour.relaxed) return this.get(a).get(b).get(sum).op(`${shape}.relaxed_madd`).set(sum);
    return this.get(sum).get(a).get(b).op(`${shape}.mul`).op(`${shape}.add`).set(sum);
  }

  /** local += amount. */
  increase(local: Local, amount: number | Local): this {
    if (amount === 0) return this;
    this.get(local);
    return (typeof amount === 'number' ? this.i32(amount) : this.get(amount)).op('i32.add').set(local);
  }

  /** Runs the body, which may jump back to its beginning with `branchIf(0)`. */
  loop(body: () => void): this {
    return this.nested(0x03, body);
  }

  /** Runs the body, which may jump past its end with `branchIf(0)`. */
  block(body: () => void): this {
    return this.nested(0x02, body);
  }

  /** Pops a condition and runs one of the two. */
  if(then: () => void, otherwise?: () => void): this {
    this.emit(0x04, NO_RESULT);
    then();
    if (otherwise) {
      this.emit(0x05);
      otherwise();
    }
    return this.emit(END);
  }

  /** Pops a condition and jumps to the `depth`-th enclosing loop or block, 0 the innermost, if it is not 0. */
  branchIf(depth: number): this {
    return this.emit(0x0d, ...unsigned(depth));
  }

  /** Runs the body `count` times, counting `counter` down from there to 1; not at all where it is below 1. */
  times(counter: Local, count: number | Local, body: () => void): this {
    const push = (): this => (typeof count === 'number' ? this.i32(count) : this.get(count));
    return this.block(() => {
      push().tee(counter).i32(1).op('i32.lt_s').branchIf(0);
      this.loop(() => {
        body();
        this.get(counter).i32(-1).op('i32.add').tee(counter).branchIf(0);
      });
    });
  }

  /** The bytes of the function's body, its locals declared first. */
  body(): number[] {
    const declarations = this.locals.map(({ type }) => [1, TYPE_CODES[type]]);
    const bytes = [...vector(declarations), ...this.code, END];
    return [...unsigned(bytes.length), ...bytes];
  }

  private memory(name: MemoryInstruction, offset: number): this {
    const { code, align } = MEMORY_INSTRUCTIONS[name];
    return this.emit(...code, align, ...unsigned(offset));
  }

  private nested(opcode: number, body: () => void): this {
    this.emit(opcode, NO_RESULT);
    body();
    return this.emit(END);
  }

  private emit(...bytes: readonly number[]): this {
    for (const byte of bytes) this.code.push(byte);
    return this;
  }
}

/** The magic number, '\0asm', and version 1. */
const HEADER = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00] as const;
const END = 0x0b;
const NO_RESULT = 0x40;

/**
 * Builds the bytes of a module that imports one memory, `env.memory`, and exports its functions.
 * The kernels are emitted at run time, for the sizes at hand, so there is no binary to ship.
 *
 * @example
 * const module = new ModuleBuilder({ relaxed: false, shared: false });
 * module.func('add', ['i32', 'i32'], 'i32', (f, a, b) => f.get(a).get(b).op('i32.add'));
 * new WebAssembly.Module(module.bytes());
 */
export class ModuleBuilder {
  readonly flavour: Flavour;
  private readonly functions: {
    readonly name: string;
    readonly result: ValueType | null;
    readonly code: FunctionBuilder;
  }[] = [];

  constructor(flavour: Flavour) {
    this.flavour = flavour;
  }

  /** Adds an exported function; `write` gets its builder and its parameters. */
  func(
    name: string,
    parameters: readonly ValueType[],
    result: ValueType | null,
    write: (f: FunctionBuilder, ...parameters: Local[]) => void,
  ): this {
    const code = new FunctionBuilder(this.flavour, parameters);
    write(code, ...code.parameters);
    this.functions.push({ name, result, code });
    return this;
  }

  /** The module in WebAssembly's binary format. */
  bytes(): Uint8Array<ArrayBuffer> {
    const types = this.functions.map(({ result, code }) => [
      0x60,
      ...vector(code.parameters.map(({ type }) => [TYPE_CODES[type]])),
      ...vector(result === null ? [] : [[TYPE_CODES[result]]]),
    ]);
    const limits = this.flavour.shared ? [3, ...unsigned(1), ...unsigned(MOST_PAGES)] : [0, ...unsigned(1)];
    const memory = [...text('env'), ...text('memory'), 2, ...limits];
    const indices = this.functions.map((_, i) => unsigned(i));
    const exported = this.functions.map(({ name }, i) => [...text(name), 0, ...unsigned(i)]);
    return Uint8Array.from([
      ...HEADER,
      ...section(1, vector(types)),
      ...section(2, vector([memory])),
      ...section(3, vector(indices)),
      ...section(7, vector(exported)),
      ...section(10, vector(this.functions.map(({ code }) => code.body()))),
    ]);
  }
}
