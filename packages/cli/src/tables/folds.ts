import { Generator } from '@gmml/tensor';

/**
 * Deals rows to folds at random, as they come: of each class, every so many rows as there are folds go one to each. So folds are
 * stratified without the number of rows being known, and the same rows in the same order are dealt the same again.
 * (Stratified k-fold cross-validation: Kohavi, "A study of cross-validation and bootstrap for accuracy estimation and model
 * selection", 1995.)
 */
export class FoldDealer {
  readonly #folds: number;
  readonly #generator: Generator;
  readonly #decks = new Map<string, number[]>();

  /** @param folds at least 1 */
  constructor(folds: number, seed: number) {
    this.#folds = folds;
    this.#generator = new Generator(seed);
  }

  /** The fold of each row, from its class. */
  deal(labels: readonly string[]): Int32Array {
    return Int32Array.from(labels, (label) => {
      let deck = this.#decks.get(label);
      if (deck === undefined || deck.length === 0) {
        deck = Array.from(this.#generator.permutation(this.#folds));
        this.#decks.set(label, deck);
      }
      return deck.pop()!;
    });
  }
}
