import { dot, rowAt } from '../linearAlgebra/vectors.js';
import type { KeptExample } from './keptExamples.js';

/** A length is told from another where they differ by more than this share: vectors of length 1 are so up to rounding. */
export const LENGTH_TOLERANCE = 1e-5;

/** How far a vector's length is from those that a label's examples have. */
export interface Norms {
  /** The median of the lengths of each label [K]. */
  medians(): Float64Array;
  /**
   * −|‖x‖ − the median of the lengths of label k| of the rows x [n, D] → [n, K].
   * @param isOwn whether row i is one of the examples of label k, and left out
   */
  scores(x: Float64Array, d: number, isOwn: (i: number, k: number) => boolean): Float64Array;
}

/** @param kept the examples of each label */
export function normsOf(kept: readonly (readonly KeptExample[])[]): Norms {
  // Of each label, in rising order.
  const lengths = kept.map((examples) =>
    Float64Array.from(examples, ({ vector }) => lengthOf(vector)).toSorted(),
  );
  return {
    medians: () => Float64Array.from(lengths, (own) => medianWithout(own, own.length)),
    scores(x, d, isOwn) {
      const out = new Float64Array((x.length / d) * lengths.length);
      for (let i = 0; i < x.length / d; i++) {
        const length = lengthOf(rowAt(x, d, i));
        for (const [k, own] of lengths.entries()) {
          const median = medianWithout(own, isOwn(i, k) ? own.indexOf(length) : own.length);
          out[i * lengths.length + k] = Math.min(0, LENGTH_TOLERANCE * median - Math.abs(length - median));
        }
      }
      return out;
    },
  };
}

function lengthOf(x: Float64Array): number {
  return Math.sqrt(dot(x, 0, x, 0, x.length));
}

/** The median of all entries but that at `left`; beyond the end, of all of them. */
function medianWithout(sorted: Float64Array, left: number): number {
  const at = (i: number): number => sorted[i < left ? i : i + 1];
  const count = sorted.length - (left < sorted.length ? 1 : 0);
  return (at((count - 1) >> 1) + at(count >> 1)) / 2;
}
