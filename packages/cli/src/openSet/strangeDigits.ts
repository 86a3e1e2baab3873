import { MNIST_MEAN, MNIST_STD } from '@gmml/data';
import { Generator, zeros } from '@gmml/tensor';
import type { FloatArray, Tensor } from '@gmml/tensor';
import type { Batch } from './headOutputs.js';

/** Images that are no digits, as many as there were digits, made when they are asked for. */
export interface StrangeDigits {
  readonly name: 'noise' | 'inverted' | 'rotated' | 'permuted';
  /** All of them in batches `[B, C, H, W]`, the last of which may be smaller. The same at each call, if each is made once. */
  readonly batches: (batchSize: number) => Iterable<Batch>;
}

/** Seeds of the noise and of the permutation: every run on the same digits sees the same strange ones. */
const NOISE_SEED = 1;
const PERMUTATION_SEED = 2;

/**
 * Unknown inputs for a network that reads digits, made from images `[N, C, H, W]` that are normalised as `loadMnist`
 * does, and normalised in the same way: `noise`, every pixel uniform in [0, 1); `inverted`, 1 − pixel; `rotated`, by
 * 90° counterclockwise, left out where images are not square; `permuted`, pixels in one random order for all images.
 * Nothing is drawn from generators of others.
 */
export function strangeDigits(images: Tensor): StrangeDigits[] {
  const [count, , height, width] = images.shape;
  const order = new Generator(PERMUTATION_SEED).permutation(images.size / count);
  const sets: StrangeDigits[] = [
    { name: 'noise', batches: (batchSize) => redrawn(images, batchSize, noise()) },
    { name: 'inverted', batches: (batchSize) => redrawn(images, batchSize, inverted) },
    { name: 'rotated', batches: (batchSize) => redrawn(images, batchSize, moved(quarterTurn(images.shape))) },
    { name: 'permuted', batches: (batchSize) => redrawn(images, batchSize, moved(order)) },
  ];
  return height === width ? sets : sets.filter(({ name }) => name !== 'rotated');
}

/** Writes a new image into `out` that is made from `image`, both [C·H·W]. */
type Redraw = (image: FloatArray, out: FloatArray) => void;

function* redrawn(images: Tensor, batchSize: number, redraw: Redraw): Iterable<Batch> {
  const [count, ...shape] = images.shape;
  const size = images.size / count;
  for (let first = 0; first < count; first += batchSize) {
    const rows = Math.min(batchSize, count - first);
    yield () => {
      const batch = zeros([rows, ...shape]);
      for (let n = 0; n < rows; n++) {
        const image = images.data.subarray((first + n) * size, (first + n + 1) * size);
        redraw(image, batch.data.subarray(n * size, (n + 1) * size));
      }
      return batch;
    };
  }
}

function noise(): Redraw {
  const generator = new Generator(NOISE_SEED);
  return (_, out) => {
    for (let i = 0; i < out.length; i++) out[i] = (generator.uniform() - MNIST_MEAN) / MNIST_STD;
  };
}

/** Normalised, 1 − p is (1 − p − mean)/std with p = x·std + mean. */
function inverted(image: FloatArray, out: FloatArray): void {
  for (let i = 0; i < out.length; i++) out[i] = (1 - 2 * MNIST_MEAN) / MNIST_STD - image[i];
}

/** Place i of the new image is place order[i] of the old one. */
function moved(order: Int32Array): Redraw {
  return (image, out) => {
    for (let i = 0; i < out.length; i++) out[i] = image[order[i]];
  };
}

/** Row i of a turned square is column W − 1 − i of the old one, in each channel. */
function quarterTurn([, channels, side]: readonly number[]): Int32Array {
  const order = new Int32Array(channels * side * side);
  for (let i = 0; i < order.length; i++) {
    const [channel, row, column] = [Math.floor(i / side ** 2), Math.floor(i / side) % side, i % side];
    order[i] = channel * side ** 2 + column * side + (side - 1 - row);
  }
  return order;
}
