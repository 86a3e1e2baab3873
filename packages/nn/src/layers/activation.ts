import type { Tensor } from '@gmml/tensor';
import { Module } from '../module.js';

/** The rectifier max(x, 0), element by element; its derivative at 0 is 0. */
export class ReLU extends Module {
  /** x of any shape → the same shape. */
  override forward(x: Tensor): Tensor {
    return x.relu();
  }
}
