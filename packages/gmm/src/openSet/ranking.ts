/** A label with so many calibration samples is ranked among its own. */
const LEAST_OWN = 50;

/** Labels that are ranked together: each label with many calibration samples by itself, the others as one. */
export interface Groups {
  readonly count: number;
  /** The group of each label [K]. */
  readonly of: Int32Array;
}

/** All labels as one. */
export function oneGroup(labels: number): Groups {
  return { count: 1, of: new Int32Array(labels) };
}

/** The groups where each label has so many calibration samples. */
export function groupsOf(samples: readonly number[]): Groups {
  const of = new Int32Array(samples.length).fill(-1);
  let count = 0;
  for (const [k, own] of samples.entries()) if (own >= LEAST_OWN) of[k] = count++;
  if (!of.includes(-1)) return { count, of };
  return { count: count + 1, of: of.map((group) => (group === -1 ? count : group)) };
}

/** The best value of each group in rows [n, K] → [n, groups]. */
export function bestOfGroups(values: Float64Array, groups: Groups): Float64Array {
  const labels = groups.of.length;
  const n = values.length / labels;
  const out = new Float64Array(n * groups.count).fill(-Infinity);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < labels; k++) {
      const at = i * groups.count + groups.of[k];
      out[at] = Math.max(out[at], values[i * labels + k]);
    }
  }
  return out;
}

/**
 * Ranks values of one score among those of calibration samples, group by group, so that a label of widely spread
 * samples does not decide for the others (Mondrian conformal prediction: Vovk, Gammerman and Shafer, "Algorithmic
 * learning in a random world", 2005, chapter 4).
 */
export class Ranking {
  /** The calibration samples' values of each group, in rising order. */
  readonly sorted: readonly Float64Array[];

  constructor(sorted: readonly Float64Array[]) {
    this.sorted = sorted;
  }

  /**
   * The ranking by the values [n, groups] of n samples, each of the label owners[i]. Labels that share a group because
   * they have few samples are ranked among all samples.
   */
  static among(
    values: Float64Array,
    owners: Int32Array,
    groups: Groups,
    samples: readonly number[],
  ): Ranking {
    const own = Float64Array.from(owners, (owner, i) => values[i * groups.count + groups.of[owner]]);
    const isShared = Array.from({ length: groups.count }, (_, group) =>
      samples.some((count, k) => groups.of[k] === group && count < LEAST_OWN),
    );
    return new Ranking(
      isShared.map((all, group) => own.filter((_, i) => all || groups.of[owners[i]] === group).toSorted()),
    );
  }

  /**
   * The largest over groups of p, the share of calibration samples whose value is as low or lower.
   * @param own the group of a sample that is itself one of the ranked; −1 for any other
   */
  p(values: Float64Array, row: number, own = -1): number {
    const { sorted } = this;
    let most = 0;
    for (let group = 0; group < sorted.length; group++) {
      const value = values[row * sorted.length + group];
      const p =
        group === own ? notAbove(sorted[group], value) / sorted[group].length : pValue(sorted[group], value);
      most = Math.max(most, p);
    }
    return most;
  }
}

/** (1 + number of entries as low or lower)/(n + 1): uniform for a value that is exchangeable with the entries. */
export function pValue(sorted: Float64Array, value: number): number {
  return (1 + notAbove(sorted, value)) / (sorted.length + 1);
}

/** How many entries are at most `value`, by bisection. */
function notAbove(sorted: Float64Array, value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}
