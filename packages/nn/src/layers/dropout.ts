import { defaultGenerator, tensor } from '@gmml/tensor';
import type { Generator, Tensor } from '@gmml/tensor';
import { checkNumber } from '@gmml/tensor/checks';
import { Module } from '../module.js';

/** Options of `Dropout`. */
export interface DropoutOptions {
  /** Where the masks are drawn from. Default: the generator that `manualSeed` seeds. */
  generator?: Generator;
}

/**
 * While training, sets each element to 0 with probability p and multiplies the others by 1/(1 − p), so that the
 * expectation stays; in evaluation returns x itself.
 *
 * @throws ArgumentError unless p is from 0 to 1
 * @see Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov 2014
 */
export class Dropout extends Module {
  readonly p: number;
  readonly #generator: Generator | undefined;

  constructor(p = 0.5, { generator }: DropoutOptions = {}) {
    super();
    checkNumber('Dropout', 'p', p, { from: 0, to: 1 });
    this.p = p;
    this.#generator = generator;
  }

  /** x of any shape → the same shape. */
  override forward(x: Tensor): Tensor {
    if (!this.training || this.p === 0) return x;
    const generator = this.#generator ?? defaultGenerator();
    // p = 1 keeps nothing, so that the infinite scale is never used.
    const scale = 1 / (1 - this.p);
    const mask = Float64Array.from({ length: x.size }, () => (generator.uniform() < this.p ? 0 : scale));
    return x.mul(tensor(mask, { shape: x.shape, dtype: x.dtype }));
  }
}
