import type { GMML } from '@gmml/gmm';
import { Conv2d, Flatten, Linear, MaxPool2d, ReLU, type Module } from '@gmml/nn';
import { ArgumentError, maxPool2d, type Tensor } from '@gmml/tensor';
import { makeHead, Network, type NetworkOptions } from './network.js';

/** What the convolutional network looks at, and its head. */
export type ReferenceNetworkOptions = NetworkOptions;

/** Rows and columns that are left of fewer after two max-pools: none. */
const SMALLEST_SIDE = 4;

/**
 * The network that gmml's measurements are made with: images `[B, C, H, W]` (1 × 28 × 28 unless `imageShape` says
 * otherwise) to log-posteriors `[B, nClass]`.
 *
 * Convolution 5 × 5 to 16 channels, ReLU, max-pool 2; convolution 5 × 5 to 32 channels, ReLU, max-pool 2; a linear
 * layer 32·⌊H/4⌋·⌊W/4⌋ → D; then a Gaussian mixture for each class (GMML) or, with `linearClassifier`, a linear layer
 * and log-softmax. State-dict names: `conv1.*`, `conv2.*`, `linear.*`, `head.*`.
 *
 * @throws ArgumentError when images are smaller than 4 × 4
 */
export class ReferenceNetwork extends Network {
  readonly conv1: Conv2d;
  readonly conv2: Conv2d;
  override readonly linear: Linear;
  override readonly head: GMML | Linear;

  constructor(options: ReferenceNetworkOptions = {}) {
    super();
    const { imageShape = [1, 28, 28], dim = 128, generator } = options;
    const [channels, height, width] = imageShape;
    if (Math.min(height, width) < SMALLEST_SIDE) {
      throw new ArgumentError(
        `cnn: images must be at least ${SMALLEST_SIDE} × ${SMALLEST_SIDE}: they are ${height} × ${width}. Take mlp or linear-probe.`,
      );
    }
    const places = Math.floor(height / 4) * Math.floor(width / 4);
    this.conv1 = new Conv2d(channels, 16, 5, { padding: 2, generator });
    this.conv2 = new Conv2d(16, 32, 5, { padding: 2, generator });
    this.linear = new Linear(32 * places, dim, { generator });
    this.head = makeHead(dim, options);
  }

  override features(images: Tensor): Tensor {
    // The largest of a window is found before ReLU as after it: so ReLU has a quarter of the numbers to look at.
    const half = maxPool2d(this.conv1.forward(images), { kernelSize: 2 }).relu();
    const quarter = maxPool2d(this.conv2.forward(half), { kernelSize: 2 }).relu();
    return this.linear.forward(quarter.flatten(1));
  }

  override layers(): readonly Module[] {
    const { conv1, conv2, linear, head } = this;
    return [conv1, ...halving(), conv2, ...halving(), new Flatten(), linear, head];
  }
}

function halving(): Module[] {
  return [new MaxPool2d(2), new ReLU()];
}
