import { ArgumentError } from './errors.js';

/** Everything a Generator needs to go on where it was: plain JSON. */
export interface GeneratorState {
  readonly words: readonly number[];
  /** The second normal of a Box–Muller pair, if one is waiting. */
  readonly spare: number | null;
}

/**
 * A seeded source of random numbers: xoshiro128** (Blackman and Vigna, 2021), seeded by splitmix32.
 * The same seed gives the same numbers on every machine.
 *
 * @example
 * const generator = new Generator(1);
 * generator.uniform() === new Generator(1).uniform(); // true
 */
export class Generator {
  readonly seed: number;
  readonly #words: Uint32Array;
  #spare: number | null = null;

  /** @throws ArgumentError unless `seed` is an integer from 0 to 2⁵³ − 1. */
  constructor(seed: number) {
    checkSeed('Generator', seed);
    this.seed = seed;
    this.#words = seedWords(seed);
  }

  /** 32 random bits as an integer from 0 to 2³² − 1. */
  bits(): number {
    const s = this.#words;
    const result = Math.imul(rotateLeft(Math.imul(s[1], 5), 7), 9) >>> 0;
    const t = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotateLeft(s[3], 11);
    return result;
  }

  /** Uniform in [0, 1), with 53 random bits. */
  uniform(): number {
    const high = this.bits() >>> 5;
    const low = this.bits() >>> 6;
    return (high * 67108864 + low) / 9007199254740992;
  }

  /** Standard normal, N(0, 1), by the polar method (Marsaglia and Bray, 1964). */
  normal(): number {
    if (this.#spare !== null) {
      const value = this.#spare;
      this.#spare = null;
      return value;
    }
    for (;;) {
      const u = 2 * this.uniform() - 1;
      const v = 2 * this.uniform() - 1;
      const s = u * u + v * v;
      if (s >= 1 || s === 0) continue;
      const scale = Math.sqrt((-2 * Math.log(s)) / s);
      this.#spare = v * scale;
      return u * scale;
    }
  }

  /** A uniform integer from 0 to n − 1. @throws ArgumentError unless n is an integer from 1 to 2⁵³ − 1. */
  integer(n: number): number {
    if (!Number.isSafeInteger(n) || n < 1) {
      throw new ArgumentError(`Generator.integer: n must be an integer of at least 1: it is ${n}.`);
    }
    return Math.floor(this.uniform() * n);
  }

  /** The integers 0 to n − 1 in random order (Fisher–Yates). */
  permutation(n: number): Int32Array {
    if (!Number.isSafeInteger(n) || n < 0 || n > 0x7fffffff) {
      throw new ArgumentError(`Generator.permutation: n must be an integer from 0 to 2³¹ - 1: it is ${n}.`);
    }
    const order = Int32Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      const swapped = order[i];
      order[i] = order[j];
      order[j] = swapped;
    }
    return order;
  }

  /** Where the generator is, as plain numbers: what `setState` goes on from. */
  getState(): GeneratorState {
    return { words: Array.from(this.#words), spare: this.#spare };
  }

  /** Goes on where the generator that gave `state` was. @throws ArgumentError for anything else. */
  setState(state: GeneratorState): void {
    const { words, spare } = state ?? {};
    const fits =
      Array.isArray(words) &&
      words.length === 4 &&
      words.every((w) => Number.isInteger(w) && w >= 0 && w <= 0xffffffff);
    if (!fits || words.every((w) => w === 0) || (spare !== null && !Number.isFinite(spare))) {
      throw new ArgumentError(`Generator.setState: not a state of a Generator: ${JSON.stringify(state)}.`);
    }
    this.#words.set(words);
    this.#spare = spare;
  }
}

let shared = new Generator(0);

/** The generator used where none is given. */
export function defaultGenerator(): Generator {
  return shared;
}

/** Restarts the default generator. @throws ArgumentError unless `seed` is an integer from 0 to 2⁵³ − 1. */
export function manualSeed(seed: number): void {
  checkSeed('manualSeed', seed);
  shared = new Generator(seed);
}

function checkSeed(op: string, seed: number): void {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new ArgumentError(`${op}: the seed must be an integer from 0 to 2⁵³ - 1: it is ${seed}.`);
  }
}

function rotateLeft(x: number, k: number): number {
  return (x << k) | (x >>> (32 - k));
}

/** Four words by splitmix32, mixing in the upper bits of seeds beyond 2³². */
function seedWords(seed: number): Uint32Array {
  let state = (seed ^ Math.imul(Math.floor(seed / 4294967296), 0x9e3779b1)) >>> 0;
  const next = (): number => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return (z ^ (z >>> 16)) >>> 0;
  };
  return Uint32Array.from({ length: 4 }, next);
}
