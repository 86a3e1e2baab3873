import type { GMML } from '@gmml/gmm';
import { Flatten, Linear, ReLU, type Module } from '@gmml/nn';
import type { Tensor } from '@gmml/tensor';
import { makeHead, Network, type NetworkOptions } from './network.js';

export interface MultilayerPerceptronOptions extends NetworkOptions {
  /** Units of each hidden layer, in order, each an integer of at least 1. Default [256, 256]. */
  hidden?: readonly number[];
}

/** Units of the hidden layers, unless others are asked for. */
export const DEFAULT_HIDDEN: readonly number[] = [256, 256];

/**
 * A plain multilayer perceptron on the pixels: images `[B, C, H, W]` to log-posteriors `[B, nClass]`.
 *
 * Linear layers C·H·W → 256 → 256 (`hidden`), a ReLU after each; a linear layer to D features; then the head.
 * State-dict names: `hidden.0.*`, `hidden.1.*`, `linear.*`, `head.*`.
 */
export class MultilayerPerceptron extends Network {
  readonly hidden: readonly Linear[];
  override readonly linear: Linear;
  override readonly head: GMML | Linear;

  constructor(options: MultilayerPerceptronOptions = {}) {
    super();
    const { imageShape = [1, 28, 28], hidden = DEFAULT_HIDDEN, dim = 128, generator } = options;
    const sizes = [imageShape[0] * imageShape[1] * imageShape[2], ...hidden];
    this.hidden = hidden.map((size, i) => new Linear(sizes[i], size, { generator }));
    this.linear = new Linear(sizes[hidden.length], dim, { generator });
    this.head = makeHead(dim, options);
  }

  override features(images: Tensor): Tensor {
    const pixels = images.flatten(1);
    return this.linear.forward(this.hidden.reduce((x, layer) => layer.forward(x).relu(), pixels));
  }

  override layers(): readonly Module[] {
    const hidden = this.hidden.flatMap((layer) => [layer, new ReLU()]);
    return [new Flatten(), ...hidden, this.linear, this.head];
  }
}
