/**
 * Ranks samples among calibration samples by one or more scores, higher being more typical. One score gives the
 * empirical p-value p = (1 + number of calibration samples as typical or less)/(n + 1): uniform for samples that are
 * exchangeable with these, whatever the distribution (Vovk, Gammerman and Shafer, "Algorithmic learning in a random
 * world", 2005). Several are combined to the sum of the logs of their p-values (Fisher, "Statistical methods for
 * research workers", 1925), which is ranked among the calibration samples' own sums: scores may depend on each other.
 */
export class Typicality {
  /** The calibration samples' values of each score, in rising order. */
  private readonly sorted: readonly Float64Array[];
  /** Their sums of logs in rising order; null for a single score. */
  private readonly combined: Float64Array | null;

  /** @param columns for each score its values for the n calibration samples */
  constructor(columns: readonly Float64Array[]) {
    this.sorted = columns.map((values) => values.toSorted());
    this.combined = columns.length === 1 ? null : this.sums(columns).toSorted();
  }

  /** p in (0, 1] of a sample with these scores, one for each column. */
  of(scores: readonly number[]): number {
    if (this.combined === null) return pValue(this.sorted[0], scores[0]);
    const sum = scores.reduce((logs, score, c) => logs + Math.log(pValue(this.sorted[c], score)), 0);
    return pValue(this.combined, sum);
  }

  private sums(columns: readonly Float64Array[]): Float64Array {
    return columns[0].map((_, i) => {
      const logs = columns.map((values, c) => Math.log(notAbove(this.sorted[c], values[i]) / values.length));
      return logs.reduce((sum, log) => sum + log, 0);
    });
  }
}

/** The number of calibration samples without which no p-value reaches 1 − keep: 1/(1 − keep) − 1, rounded up. */
export function samplesNeeded(keep: number): number {
  // Rounding in 1 − keep must not ask for one more.
  return Math.max(1, Math.ceil(1 / (1 - keep) - 1 - 1e-9 / (1 - keep)));
}

function pValue(sorted: Float64Array, value: number): number {
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
