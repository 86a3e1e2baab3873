import type { Engine } from '../../../packages/tensor/src/kernels/wasm/engine.js';

/** Arrays filled with NaN, outside of kernel memory or, one number off a vector's alignment, inside. */
export type Place = (length: number) => Float32Array;
export const outside: Place = (length) => new Float32Array(length).fill(NaN);

export function insideOf(engine: Engine): Place {
  let top = engine.floats.length;
  return (length) => {
    top -= length + ((top - length) % 4 === 1 ? 4 : ((top - length + 3) % 4) + 4);
    return engine.floats.subarray(top, top + length).fill(NaN);
  };
}

export function placed(place: Place, x: Float32Array): Float32Array {
  const copy = place(x.length);
  copy.set(x);
  return copy;
}
