/** A class is represented by so many rows at most: as many as an OpenSetClassifier keeps. */
export const MOST_SAMPLED = 256;

/**
 * A random sample of rows, each with the same chance to stay: those of smallest priority. Samples of parts merge to the sample of the
 * whole. An OpenSetClassifier keeps different rows, the frequent no more likely than the rare: where it cannot keep all of them,
 * a frequent one that is not among them stands for nothing. In such a sample it does not fail.
 * (A bottom-k sketch: Cohen and Kaplan, "Summarizing data using bottom-k sketches", 2007.)
 */
export class RowSample {
  #rows: { readonly priority: number; readonly row: Float64Array }[] = [];

  /** @param priority random, uniform */
  offer(priority: number, row: Float64Array): void {
    const { length } = this.#rows;
    if (length === MOST_SAMPLED && priority >= this.#rows[length - 1].priority) return;
    let at = length;
    while (at > 0 && this.#rows[at - 1].priority > priority) at--;
    this.#rows.splice(at, 0, { priority, row: row.slice() });
    if (length === MOST_SAMPLED) this.#rows.pop();
  }

  /** Adds the rows of another sample. */
  merge(other: RowSample): void {
    for (const { priority, row } of other.#rows) this.offer(priority, row);
  }

  /** The sampled rows, at most MOST_SAMPLED. */
  rows(): readonly Float64Array[] {
    return this.#rows.map(({ row }) => row);
  }
}
