/** Seconds after which what was measured counts e times less. */
const MEMORY_SECONDS = 3;

/** How much is done in a second, of late: done over time, both weighted by exp(−age / 3 s). */
export class Rate {
  #done = 0;
  #seconds = 0;

  add(done: number, seconds: number): void {
    const weight = Math.exp(-seconds / MEMORY_SECONDS);
    this.#done = weight * this.#done + done;
    this.#seconds = weight * this.#seconds + seconds;
  }

  /** Undefined where nothing was measured yet. */
  get perSecond(): number | undefined {
    return this.#seconds > 0 ? this.#done / this.#seconds : undefined;
  }
}
