import { Conv2d, Linear, Module } from '@gmml/nn';
import { maxPool2d, noGrad, scope, tensor, type Generator, type Tensor } from '@gmml/tensor';
import { PIXELS, SIDE } from './strokes.js';

/** The numbers that the network makes of a picture. */
export const FEATURES = 128;

/** Mean and standard deviation of MNIST's pixels, by which pictures are normalised. */
const MEAN = 0.1307;
const DEVIATION = 0.3081;

/** Pictures that go through the network at once. */
const AT_ONCE = 500;

/**
 * The body of a convolutional network: pictures [B, 1, 28, 28] to features [B, 128].
 *
 * Convolution 5 × 5 to 16 channels, max-pool 2, ReLU; convolution 5 × 5 to 32 channels, max-pool 2, ReLU; a linear
 * layer 1568 → 128. The largest of a window is found before ReLU as after it, with fewer numbers to look at then.
 */
export class Body extends Module {
  readonly conv1: Conv2d;
  readonly conv2: Conv2d;
  readonly linear: Linear;

  /** @param generator where the first weights are drawn from */
  constructor(generator?: Generator) {
    super();
    this.conv1 = new Conv2d(1, 16, 5, { padding: 2, generator });
    this.conv2 = new Conv2d(16, 32, 5, { padding: 2, generator });
    this.linear = new Linear(32 * 7 * 7, FEATURES, { generator });
  }

  override forward(pictures: Tensor): Tensor {
    const half = maxPool2d(this.conv1.forward(pictures), { kernelSize: 2 }).relu(); // [B, 16, 14, 14]
    const quarter = maxPool2d(this.conv2.forward(half), { kernelSize: 2 }).relu(); // [B, 32, 7, 7]
    return this.linear.forward(quarter.flatten(1));
  }

  /** The features of pictures of pixels from 0 to 1, [784] each. */
  featuresOf(pictures: readonly Float32Array[]): Float32Array[] {
    const out: Float32Array[] = [];
    for (let first = 0; first < pictures.length; first += AT_ONCE) {
      const batch = normalised(pictures.slice(first, first + AT_ONCE));
      const { data } = scope(() => noGrad(() => this.forward(batch)));
      for (let at = 0; at < data.length; at += FEATURES) {
        out.push(Float32Array.from(data.subarray(at, at + FEATURES)));
      }
    }
    return out;
  }
}

/** Pictures of pixels from 0 to 1, [784] each, as the network takes them: [B, 1, 28, 28]. */
export function normalised(pictures: readonly Float32Array[]): Tensor {
  const values = new Float32Array(pictures.length * PIXELS);
  for (const [i, picture] of pictures.entries()) {
    for (let j = 0; j < PIXELS; j++) values[i * PIXELS + j] = (picture[j] - MEAN) / DEVIATION;
  }
  return tensor(values, { shape: [pictures.length, 1, SIDE, SIDE] });
}
