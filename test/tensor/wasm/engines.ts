import { Generator } from '@gmml/tensor';
import type { Flavour } from '../../../packages/tensor/src/kernels/wasm/assembler/assembler.js';
import { Engine, type Call } from '../../../packages/tensor/src/kernels/wasm/engine.js';
import { bestFlavour } from '../../../packages/tensor/src/kernels/wasm/probe.js';

/** Where two arrays first differ in a bit that matters (all NaN are one), and both numbers; null if nowhere. */
export function firstDifference(
  actual: Float32Array | Int32Array,
  expected: Float32Array | Int32Array,
): string | null {
  const at = expected.findIndex((value, i) => !Object.is(value, actual[i]));
  if (at >= 0) return `${actual[at]} instead of ${expected[at]} at ${at}`;
  return actual.length === expected.length ? null : `${actual.length} numbers`;
}

/** Small integers, at times as multiples of the smallest denormal, at times with infinities: any order sums the same. */
export function exactNumbers(length: number, seed: number): Float32Array {
  const choice = [-2, -1, -0, -0, 0, 1, 3, 5, NaN, -Infinity, Infinity].slice(0, seed % 2 === 0 ? 8 : 11);
  const unit = seed % 3 === 0 ? 2 ** -149 : 1;
  const generator = new Generator(seed);
  return Float32Array.from({ length }, () => unit * choice[Math.floor(generator.uniform() * choice.length)]);
}

const best = bestFlavour();

/** Plain SIMD, and relaxed SIMD where it runs here. */
export const flavours: Flavour[] = [{ relaxed: false, shared: false }, ...(best.relaxed ? [best] : [])];

/** An engine of three threads, as far as kernels can see: parts run late, the last first, one call of each at a time. */
export class ThreeThreads extends Engine {
  /** Into how many parts the last work was split. */
  parts = 0;

  override get threads(): number {
    return 3;
  }

  override parallel(parts: number, work: (call: Call, part: number) => void): void {
    this.parts = parts;
    const calls = Array.from({ length: parts }, (): (() => void)[] => []);
    for (let part = 0; part < parts; part++) {
      work((fn, ...args) => calls[part].push(() => void fn(...args)), part);
    }
    while (calls.some((queue) => queue.length > 0)) {
      for (const queue of calls.toReversed()) queue.shift()?.();
    }
  }
}

/** Arrays in kernel memory, at addresses that are only multiples of 4, between guards that nothing may write over. */
export class Placement {
  private readonly engine: Engine;
  private readonly guards: number[] = [];
  private end: number;

  constructor(engine: Engine) {
    this.engine = engine;
    this.end = engine.floats.length;
    this.guard();
  }

  floats(values: Float32Array): Float32Array {
    this.end -= values.length;
    const array = this.engine.floats.subarray(this.end, this.end + values.length);
    array.set(values);
    this.guard();
    return array;
  }

  integers(values: Int32Array): Int32Array {
    const { buffer, byteOffset } = this.floats(new Float32Array(values.length));
    const array = new Int32Array(buffer, byteOffset, values.length);
    array.set(values);
    return array;
  }

  /** Whether nothing was written beside the arrays. */
  isIntact(): boolean {
    return this.guards.every((at) => this.engine.floats[at] === GUARD);
  }

  private guard(): void {
    this.end -= this.end % 4 === 0 ? 3 : 1;
    this.engine.floats[this.end] = GUARD;
    this.guards.push(this.end);
  }
}

const GUARD = -12345;
