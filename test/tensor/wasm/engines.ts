import type { Flavour } from '../../../packages/tensor/src/kernels/wasm/assembler/assembler.js';
import { Engine, type Call } from '../../../packages/tensor/src/kernels/wasm/engine.js';
import { bestFlavour } from '../../../packages/tensor/src/kernels/wasm/probe.js';

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

/** Engines to run every test on, with a name each. */
export function enginesOf(capacity: number): { name: string; engine: Engine }[] {
  return flavours.flatMap((flavour) => [
    { name: `relaxed ${flavour.relaxed}, one thread`, engine: new Engine({ flavour, capacity }) },
    { name: `relaxed ${flavour.relaxed}, three threads`, engine: new ThreeThreads({ flavour, capacity }) },
  ]);
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
