import { MNIST_MEAN, MNIST_STD } from '@gmml/data';
import { Generator, zeros, type Tensor } from '@gmml/tensor';
import { movePlane, type Movement } from './movePlane.js';

/** A value of `--augment`. */
export type AugmentName = (typeof augmentNames)[number];

export const augmentNames = ['shift', 'rotate'] as const;

/** The largest shift along each axis, in pixels. */
const MOST_SHIFT = 2;
/** The largest rotation either way, in degrees. */
const MOST_DEGREES = 10;
/** What lies outside of an image: 0, normalised as `loadMnist` does. */
const BACKGROUND = (0 - MNIST_MEAN) / MNIST_STD;
/** Beyond the seeds that runs may have: no run's own generator draws the same. */
const FIRST_SEED = 2 ** 32;

/**
 * Moves every training image a little each time it is met: with 'rotate' by an angle from −10 to 10 degrees, with 'shift'
 * by a whole number of pixels from −2 to 2 along each axis, all uniform. What comes in from outside is background.
 *
 * Draws come from a generator of its own, so that those of the run are what they would be without; they are made for one
 * image of a batch after the other. A run that stopped between two batches goes on with the same draws when `generator`
 * gets back the state that it had then.
 */
export class Augmentation {
  readonly names: readonly AugmentName[];
  readonly generator: Generator;

  /** @param seed the run's, an integer from 0 to 2³² − 1 */
  constructor(names: readonly AugmentName[], seed: number) {
    this.names = names;
    this.generator = new Generator(FIRST_SEED + seed);
  }

  /** Images [B, C, H, W], each moved as drawn, as a new tensor. */
  apply(images: Tensor): Tensor {
    const [count, channels, height, width] = images.shape;
    const plane = height * width;
    const out = zeros(images.shape, { dtype: images.dtype });
    for (let n = 0; n < count; n++) {
      const movement = this.#draw();
      for (let start = n * channels * plane; start < (n + 1) * channels * plane; start += plane) {
        const [from, to] = [images, out].map(({ data }) => data.subarray(start, start + plane));
        movePlane(from, to, width, movement, BACKGROUND);
      }
    }
    return out;
  }

  #draw(): Movement {
    const { names, generator } = this;
    const movement = { degrees: 0, right: 0, down: 0 };
    if (names.includes('rotate')) movement.degrees = MOST_DEGREES * (2 * generator.uniform() - 1);
    if (names.includes('shift')) {
      movement.right = generator.integer(2 * MOST_SHIFT + 1) - MOST_SHIFT;
      movement.down = generator.integer(2 * MOST_SHIFT + 1) - MOST_SHIFT;
    }
    return movement;
  }
}
