/** How the losses of several models on the same rows differ, summed up row by row. (Welford, 1962.) */
export class PairedLosses {
  readonly #models: number;
  #rows = 0;
  /** Mean of loss i − loss j, and Σ (difference − mean)², at i·models + j. */
  readonly #means: Float64Array;
  readonly #squares: Float64Array;

  constructor(models: number) {
    this.#models = models;
    this.#means = new Float64Array(models ** 2);
    this.#squares = new Float64Array(models ** 2);
  }

  /** @param losses of one row by each model */
  add(losses: readonly number[]): void {
    this.#rows++;
    for (let i = 0, at = 0; i < this.#models; i++) {
      for (let j = 0; j < this.#models; j++, at++) {
        const away = losses[i] - losses[j] - this.#means[at];
        this.#means[at] += away / this.#rows;
        this.#squares[at] += away * (losses[i] - losses[j] - this.#means[at]);
      }
    }
  }

  /** Whether the mean loss of model i exceeds that of j by no more than one standard error of the difference and `slack`. */
  isAsGood(i: number, j: number, slack = 0): boolean {
    const at = i * this.#models + j;
    const variance = this.#squares[at] / Math.max(1, this.#rows - 1);
    return this.#means[at] <= Math.sqrt(variance / this.#rows) + slack;
  }
}
