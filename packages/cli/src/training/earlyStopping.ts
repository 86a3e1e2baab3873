import type { EpochResult } from '../progress/reporter.js';
import type { Module } from '@gmml/nn';
import type { Tensor } from '@gmml/tensor';

/** The epoch with the lowest loss on the held-out images, and the weights after it. */
export interface BestEpoch {
  readonly result: EpochResult;
  readonly weights: Readonly<Record<string, Tensor>>;
}

/**
 * Ends training when the mean loss on the held-out images has not fallen below its lowest for `patience` epochs.
 *
 * The loss and not the accuracy: it is what training makes small, it says how right the probabilities are, and of a few
 * hundred held-out images the accuracy has few values, so that epochs often tie.
 *
 * @see Prechelt 1998, "Early Stopping – But When?"
 */
export class EarlyStopping {
  readonly patience: number;
  /** All that has to be kept to go on in another process; null before the first epoch. */
  best: BestEpoch | null = null;

  /** @param patience in epochs, an integer of at least 1 */
  constructor(patience: number) {
    this.patience = patience;
  }

  /** Takes in an epoch's result and the network after it. */
  observe(result: EpochResult, network: Module): void {
    if (this.best === null || lossOf(result) < lossOf(this.best.result)) {
      this.best = { result, weights: network.stateDict() };
    }
  }

  /** Whether training is over when so many epochs are through. */
  isOver(epochs: number): boolean {
    return this.best !== null && epochs - this.best.result.epoch >= this.patience;
  }

  /** Gives the network the weights of the best epoch, whose result it returns. There must have been an epoch. */
  goBack(network: Module): EpochResult {
    const { result, weights } = this.best!;
    network.loadStateDict(weights);
    return result;
  }
}

/** Loss on held-out images; where there are none nothing ever improves. */
function lossOf({ valLoss = Infinity }: EpochResult): number {
  return valLoss;
}
