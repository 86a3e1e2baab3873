// Numbers that kernels are tried on.
import { Generator } from '@gmml/tensor';

const drawn = new Map<number, Float32Array>();

/** Normal numbers, the same for the same seed. */
export function normals(count: number, seed: number): Float32Array {
  const before = drawn.get(seed);
  if (before && before.length >= count) return before.slice(0, count);
  const generator = new Generator(seed);
  const found = Float32Array.from({ length: count }, () => generator.normal());
  drawn.set(seed, found);
  return found.slice();
}

/** Small integers, at times as multiples of the smallest denormal, at times with infinities: any order sums the same. */
export function exactNumbers(length: number, seed: number): Float32Array {
  const choice = [-2, -1, -0, -0, 0, 1, 3, 5, NaN, -Infinity, Infinity].slice(0, seed % 2 === 0 ? 8 : 11);
  const unit = seed % 3 === 0 ? 2 ** -149 : 1;
  const generator = new Generator(seed);
  return Float32Array.from({ length }, () => unit * choice[Math.floor(generator.uniform() * choice.length)]);
}

/** Numbers whose sums are rounded differently in different orders. */
export function roughNumbers(length: number, seed: number): Float32Array {
  const generator = new Generator(seed);
  return Float32Array.from({ length }, () => generator.normal() * 2 ** Math.floor(30 * generator.uniform()));
}
