import { ArgumentError } from '@gmml/tensor';
import type { Tensor } from '@gmml/tensor';
import { Module } from '../module.js';
import { ReLU } from './activation.js';
import { MaxPool2d } from './pooling.js';

/**
 * Modules one after the other, each given what the one before returns. Names in the state dict are positions:
 * `0.weight`, `2.bias`.
 *
 * @throws ArgumentError when one of them is not a Module
 * @example
 * const model = new Sequential(new Linear(4, 8), new ReLU(), new Linear(8, 2));
 * model.forward(ones([5, 4])).shape; // [5, 2]
 */
export class Sequential extends Module {
  readonly layers: readonly Module[];

  constructor(...layers: Module[]) {
    super();
    for (const [i, layer] of layers.entries()) {
      if (!(layer instanceof Module)) {
        throw new ArgumentError(`Sequential: layers must be modules: layer ${i} is ${String(layer)}.`);
      }
    }
    this.layers = layers;
  }

  /** x as the first layer takes it → what the last returns; x itself without layers. */
  override forward(x: Tensor): Tensor {
    return inOrder(this.layers).reduce((value, layer) => layer.forward(value), x);
  }

  protected override stateName(field: string): string {
    return field.replace(/^layers\./, '');
  }
}

/**
 * The layers as they are computed: a ReLU before a max-pool after it. The largest of a window is the same, and gradients
 * are, but ReLU has fewer numbers to look at.
 */
function inOrder(layers: readonly Module[]): Module[] {
  const order = [...layers];
  for (let i = 1; i < order.length; i++) {
    const [first, second] = [order[i - 1], order[i]];
    if (first.constructor !== ReLU || second.constructor !== MaxPool2d) continue;
    order[i - 1] = second;
    order[i] = first;
  }
  return order;
}
