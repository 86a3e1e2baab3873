/** A label keeps at most so many examples. */
export const MOST_KEPT = 256;

/** A vector that a label keeps, with the hash of its content and how often it came. */
export interface KeptExample {
  /** 53 bits of the hash. */
  readonly hash: number;
  /** [D]; never changed. */
  readonly vector: Float64Array;
  /** How many examples are this vector, at least 1. */
  readonly copies: number;
}

/**
 * Collects the examples of smallest content hash, at most MOST_KEPT, sorted by hash: a sample that does not
 * depend on the order in which, or the parts in which, examples came. Equal examples are kept once, with their number:
 * all have the same hash, so that copies of a few would leave no place for others. The number is of all that came: what
 * is kept in the end has been kept from the first on. Different vectors of one hash, one pair in 2⁵³, count as one.
 * (A bottom-k sketch: Cohen and Kaplan, "Summarizing data using bottom-k sketches", 2007.)
 */
export class KeptExamples {
  /** By their hashes: those of smallest hash, and some that may not stay. */
  #kept = new Map<number, KeptExample>();
  /** Examples of larger hash do not stay. */
  #limit = Infinity;

  /** @param kept what another collector has kept */
  constructor(kept: readonly KeptExample[] = []) {
    this.addKept(kept);
  }

  /** Takes the rows [count, D] of a row-major array into account. */
  addRows(rows: Float64Array, d: number): void {
    const words = new Uint32Array(rows.buffer, rows.byteOffset, 2 * rows.length);
    for (let start = 0; start < rows.length; start += d) {
      const hash = contentHash(words, 2 * start, d);
      if (hash <= this.#limit) this.addKept([{ hash, vector: rows.slice(start, start + d), copies: 1 }]);
    }
  }

  /** Takes what another collector has kept into account. */
  addKept(examples: readonly KeptExample[]): void {
    for (const example of examples) {
      const { hash, copies } = example;
      const same = this.#kept.get(hash);
      this.#kept.set(hash, same ? { ...same, copies: same.copies + copies } : example);
      if (this.#kept.size === 2 * MOST_KEPT) {
        const kept = this.smallest();
        this.#kept = new Map(kept.map((one) => [one.hash, one]));
        this.#limit = kept[MOST_KEPT - 1].hash;
      }
    }
  }

  /** The examples of smallest hash so far, in the order of their hashes. */
  smallest(): readonly KeptExample[] {
    return [...this.#kept.values()].toSorted((a, b) => a.hash - b.hash).slice(0, MOST_KEPT);
  }
}

/** The vector with its hash. */
export function keptExample(vector: Float64Array, copies = 1): KeptExample {
  const words = new Uint32Array(vector.buffer, vector.byteOffset, 2 * vector.length);
  return { hash: contentHash(words, 0, vector.length), vector, copies };
}

/**
 * A hash of the bits of `count` float64 numbers, of which 53 bits are given: two lanes of MurmurHash3, one over
 * the lower and one over the upper halves. (Appleby, "MurmurHash3", 2011, MurmurHash3_x86_128.)
 */
function contentHash(words: Uint32Array, start: number, count: number): number {
  let [h1, h2] = [0, 0];
  for (let at = start; at < start + 2 * count; at += 2) {
    const k1 = Math.imul(rotateLeft(Math.imul(words[at], 0x239b961b), 15), 0xab0e9789);
    h1 = (rotateLeft(h1 ^ k1, 19) + h2) | 0;
    h1 = (Math.imul(h1, 5) + 0x561ccd1b) | 0;
    const k2 = Math.imul(rotateLeft(Math.imul(words[at + 1], 0xab0e9789), 16), 0x38b34ae5);
    h2 = (rotateLeft(h2 ^ k2, 17) + h1) | 0;
    h2 = (Math.imul(h2, 5) + 0x0bcaa747) | 0;
  }
  h1 = ((h1 ^ count) + (h2 ^ count)) | 0;
  h2 = ((h2 ^ count) + h1) | 0;
  h1 = mixed(h1);
  h2 = mixed(h2);
  h1 = (h1 + h2) | 0;
  h2 = (h2 + h1) | 0;
  return (h1 >>> 0) * 2 ** 21 + (h2 >>> 11);
}

function mixed(h: number): number {
  let x = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}

function rotateLeft(x: number, k: number): number {
  return (x << k) | (x >>> (32 - k));
}
