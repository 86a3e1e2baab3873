import type { KeptExample } from './keptExamples.js';

/** A length is told from another where they differ by more than this share: vectors of length 1 are so up to rounding. */
const TOLERANCE = 1e-5;

/** How far a vector's length is from those that a label's examples have. */
export class Norms {
  /** Of each label, in rising order. */
  private readonly lengths: readonly Float64Array[];

  constructor(kept: readonly (readonly KeptExample[])[]) {
    this.lengths = kept.map((examples) =>
      Float64Array.from(examples, ({ vector }) => lengthOf(vector)).toSorted(),
    );
  }

  /**
   * −|‖x‖ − the median of the lengths of label k| of the rows x [n, D] → [n, K].
   * @param isOwn whether row i is one of the examples of label k, and left out
   */
  scores(x: Float64Array, d: number, isOwn: (i: number, k: number) => boolean): Float64Array {
    const labels = this.lengths.length;
    const out = new Float64Array((x.length / d) * labels);
    for (let i = 0; i < x.length / d; i++) {
      const length = lengthOf(x.subarray(i * d, (i + 1) * d));
      for (const [k, own] of this.lengths.entries()) {
        const median = medianWithout(own, isOwn(i, k) ? own.indexOf(length) : own.length);
        out[i * labels + k] = Math.min(0, TOLERANCE * median - Math.abs(length - median));
      }
    }
    return out;
  }
}

function lengthOf(x: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < x.length; j++) sum += x[j] * x[j];
  return Math.sqrt(sum);
}

/** The median of all entries but that at `left`; beyond the end, of all of them. */
function medianWithout(sorted: Float64Array, left: number): number {
  const at = (i: number): number => sorted[i < left ? i : i + 1];
  const count = sorted.length - (left < sorted.length ? 1 : 0);
  return (at((count - 1) >> 1) + at(count >> 1)) / 2;
}
