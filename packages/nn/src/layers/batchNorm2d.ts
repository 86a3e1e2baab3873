import { ones, ShapeError, zeros } from '@gmml/tensor';
import type { DType, Tensor } from '@gmml/tensor';
import { checkInteger, checkNumber, show } from '@gmml/tensor/checks';
import { Buffer, Module, Parameter } from '../module.js';

/** Options of `BatchNorm2d`. */
export interface BatchNorm2dOptions {
  /** Added to the variance, at least 0. Default 1e-5. */
  eps?: number;
  /** The share of the new batch in the running statistics, from 0 to 1; null: the mean over all batches. Default 0.1. */
  momentum?: number | null;
  /** Train a scale and an offset for every channel. Default true. */
  affine?: boolean;
  /** Keep running statistics for evaluation. Default true; without them the batch's own serve there too. */
  trackRunningStats?: boolean;
  /** Default 'float32'. */
  dtype?: DType;
}

/**
 * Normalises every channel: y = (x − mean) / √(variance + eps)·weight + bias.
 *
 * While training, mean and (biased) variance are the batch's, over N, H and W, and the running statistics move
 * towards them: running ← (1 − momentum)·running + momentum·batch, with the unbiased variance. In evaluation
 * the running statistics take their place.
 *
 * `weight` (ones) and `bias` (zeros) are [numFeatures]. The state dict has torch's names: `running_mean`,
 * `running_var` and `num_batches_tracked` (a float64 scalar, so that it counts exactly).
 *
 * @throws ArgumentError for a size or option out of range
 * @see Ioffe and Szegedy 2015, algorithms 1 and 2; PyTorch `torch.nn.BatchNorm2d`
 */
export class BatchNorm2d extends Module {
  readonly numFeatures: number;
  readonly eps: number;
  readonly momentum: number | null;
  readonly weight: Parameter | null;
  readonly bias: Parameter | null;
  readonly runningMean: Buffer | null;
  readonly runningVar: Buffer | null;
  readonly numBatchesTracked: Buffer | null;

  constructor(numFeatures: number, options: BatchNorm2dOptions = {}) {
    super();
    const {
      eps = 1e-5,
      momentum = 0.1,
      affine = true,
      trackRunningStats = true,
      dtype = 'float32',
    } = options;
    checkInteger('BatchNorm2d', 'numFeatures', numFeatures, 1);
    checkNumber('BatchNorm2d', 'eps', eps, { from: 0 });
    if (momentum !== null) checkNumber('BatchNorm2d', 'momentum', momentum, { from: 0, to: 1 });
    this.numFeatures = numFeatures;
    this.eps = eps;
    this.momentum = momentum;
    this.weight = affine ? new Parameter(ones([numFeatures], { dtype })) : null;
    this.bias = affine ? new Parameter(zeros([numFeatures], { dtype })) : null;
    this.runningMean = trackRunningStats ? new Buffer(zeros([numFeatures], { dtype })) : null;
    this.runningVar = trackRunningStats ? new Buffer(ones([numFeatures], { dtype })) : null;
    this.numBatchesTracked = trackRunningStats ? new Buffer(zeros([], { dtype: 'float64' })) : null;
  }

  /**
   * x [N, numFeatures, H, W] → the same shape.
   *
   * @throws ShapeError when x is not of that shape, or holds a single value a channel while the batch's
   *   statistics are needed
   */
  override forward(x: Tensor): Tensor {
    if (x.ndim !== 4 || x.shape[1] !== this.numFeatures) {
      throw new ShapeError(`BatchNorm2d: x must be [N, ${this.numFeatures}, H, W]: x is ${show(x.shape)}.`);
    }
    const { runningMean, runningVar } = this;
    const useRunning = !this.training && runningMean !== null && runningVar !== null;
    return useRunning
      ? this.#normalise(x.sub(perChannel(runningMean)), perChannel(runningVar))
      : this.#normaliseByBatch(x);
  }

  #normaliseByBatch(x: Tensor): Tensor {
    const count = x.size / this.numFeatures;
    if (count < 2) {
      throw new ShapeError(
        `BatchNorm2d: a batch needs two values or more a channel for its variance: x is ${show(x.shape)}. ` +
          'Call eval() to use the running statistics.',
      );
    }
    const mean = x.mean([0, 2, 3], { keepDim: true });
    const centred = x.sub(mean);
    const variance = centred.square().mean([0, 2, 3], { keepDim: true });
    this.#track(mean, variance, count);
    return this.#normalise(centred, variance);
  }

  #normalise(centred: Tensor, variance: Tensor): Tensor {
    const normalised = centred.div(variance.add(this.eps).sqrt());
    if (this.weight === null || this.bias === null) return normalised;
    return normalised.mul(perChannel(this.weight)).add(perChannel(this.bias));
  }

  /** Moves the running statistics towards a batch's mean and biased variance of `count` values a channel. */
  #track(mean: Tensor, variance: Tensor, count: number): void {
    const { runningMean, runningVar, numBatchesTracked } = this;
    if (runningMean === null || runningVar === null || numBatchesTracked === null) return;
    const batches = numBatchesTracked.item() + 1;
    const share = this.momentum ?? 1 / batches;
    const unbias = count / (count - 1);
    numBatchesTracked.copyFrom([batches]);
    runningMean.copyFrom(runningMean.data.map((old, c) => (1 - share) * old + share * mean.data[c]));
    runningVar.copyFrom(
      runningVar.data.map((old, c) => (1 - share) * old + share * unbias * variance.data[c]),
    );
  }

  protected override stateName(field: string): string {
    return torchNames.get(field) ?? field;
  }
}

const torchNames = new Map([
  ['runningMean', 'running_mean'],
  ['runningVar', 'running_var'],
  ['numBatchesTracked', 'num_batches_tracked'],
]);

/** [C] as [1, C, 1, 1]. */
function perChannel(values: Tensor): Tensor {
  return values.reshape([1, values.size, 1, 1]);
}
