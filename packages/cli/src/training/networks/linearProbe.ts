import type { GMML } from '@gmml/gmm';
import { Flatten, Linear, type Module } from '@gmml/nn';
import type { Tensor } from '@gmml/tensor';
import { makeHead, Network, type NetworkOptions } from './network.js';

/**
 * No hidden layer and no activation: one linear layer C·H·W → D of the pixels, then the head. With a linear head this
 * is multinomial logistic regression of a matrix of rank at most D; with a mixture head, Gaussian classes in a
 * learned linear projection of the pixels. State-dict names: `linear.*`, `head.*`.
 */
export class LinearProbe extends Network {
  override readonly linear: Linear;
  override readonly head: GMML | Linear;

  constructor(options: NetworkOptions = {}) {
    super();
    const { imageShape = [1, 28, 28], dim = 128, generator } = options;
    this.linear = new Linear(imageShape[0] * imageShape[1] * imageShape[2], dim, { generator });
    this.head = makeHead(dim, options);
  }

  override features(images: Tensor): Tensor {
    return this.linear.forward(images.flatten(1));
  }

  override layers(): readonly Module[] {
    return [new Flatten(), this.linear, this.head];
  }
}
