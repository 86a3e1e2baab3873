// What the tests of linear algebra share: engines, sizes, arrays in kernel memory, and error bounds.
import type { Engine } from '../../../packages/tensor/src/kernels/wasm/engine.js';
import { enginesOf } from './engines.js';

/** Around the width of a vector and the edges of tiles and blocks. */
export const edgeSizes = [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 65];

/** Engines to run every test on, with a name each. */
export const engines = enginesOf(16 * 1024 * 1024);

/** What kernels must leave alone. */
const GUARD = 12345;

/**
 * Runs a kernel on copies of the inputs in kernel memory, aligned to no more than 4 bytes, and on an output full of NaN.
 * Returns the output. @throws where the kernel writes what lies beside it, or an input
 */
export function inKernelMemory(
  engine: Engine,
  inputs: readonly Float32Array[],
  length: number,
  run: (inputs: readonly Float32Array[], out: Float32Array) => void,
): Float32Array {
  return engine.scratch((allocate) => {
    const place = (x: Float32Array): Float32Array => {
      const start = allocate(x.length + 9) + 5;
      engine.floats.fill(GUARD, start - 4, start + x.length + 4);
      engine.floats.set(x, start);
      return engine.floats.subarray(start, start + x.length);
    };
    const placed = inputs.map(place);
    const out = place(new Float32Array(length).fill(NaN));
    run(placed, out);
    for (const x of [...placed, out]) {
      const start = x.byteOffset / 4;
      for (let i = 1; i <= 4; i++) {
        const beside = [engine.floats[start - i], engine.floats[start + x.length + i - 1]];
        if (beside.some((value) => value !== GUARD)) throw new Error('wrote beside an array');
      }
    }
    const changed = placed.some((x, k) => x.some((value, i) => !Object.is(value, inputs[k][i])));
    if (changed) throw new Error('wrote an input');
    return Float32Array.from(out);
  });
}

/** Whether any value is not NaN where another is, or differs from it by more than its tolerance. */
export function firstBeyond(
  actual: Float32Array,
  expected: Float64Array,
  tolerance: (i: number) => number,
): string {
  const at = actual.findIndex((value, i) => {
    if (Number.isFinite(expected[i])) return !(Math.abs(value - expected[i]) <= tolerance(i));
    return !Object.is(value, expected[i]);
  });
  return at < 0 ? 'none' : `${actual[at]} for ${expected[at]} ± ${tolerance(at)} at ${at}`;
}
