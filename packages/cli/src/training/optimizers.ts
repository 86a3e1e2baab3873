import {
  Adadelta,
  Adam,
  AdamW,
  CosineAnnealingLR,
  SGD,
  StepLR,
  type Optimizer,
  type Scheduler,
} from '@gmml/nn';
import type { Tensor } from '@gmml/tensor';

/** A value of `--optimizer`. */
export type OptimizerName = keyof typeof OPTIMIZERS;

/** A value of `--schedule`. */
export type ScheduleName = (typeof scheduleNames)[number];

export const scheduleNames = ['step', 'cosine'] as const;

/** SGD's momentum, unless another is asked for. */
export const DEFAULT_MOMENTUM = 0.9;

export interface OptimizerSettings {
  optimizer: OptimizerName;
  lr: number;
  /** λ, at least 0: AdamW shrinks every weight by lr·λ a step, the others add λθ to the gradient. */
  weightDecay: number;
  /** Of SGD: the share of the last update that is kept, from 0 and below 1. Default 0.9. */
  momentum?: number;
}

const OPTIMIZERS = {
  adadelta: {
    lr: 1,
    make: (parameters: Iterable<Tensor>, { lr, weightDecay }: OptimizerSettings): Optimizer =>
      new Adadelta(parameters, { lr, weightDecay }),
  },
  sgd: {
    lr: 0.01,
    make: (
      parameters: Iterable<Tensor>,
      { lr, weightDecay, momentum = DEFAULT_MOMENTUM }: OptimizerSettings,
    ): Optimizer => new SGD(parameters, { lr, weightDecay, momentum }),
  },
  adam: {
    lr: 0.001,
    make: (parameters: Iterable<Tensor>, { lr, weightDecay }: OptimizerSettings): Optimizer =>
      new Adam(parameters, { lr, weightDecay }),
  },
  adamw: {
    lr: 0.001,
    make: (parameters: Iterable<Tensor>, { lr, weightDecay }: OptimizerSettings): Optimizer =>
      new AdamW(parameters, { lr, weightDecay }),
  },
};

/** The values of `--optimizer`. */
export const optimizerNames = Object.keys(OPTIMIZERS) as readonly OptimizerName[];

/** The learning rate of the first epoch where none is given: Adadelta 1, SGD 0.01, Adam and AdamW 0.001. */
export function defaultLr(optimizer: OptimizerName): number {
  return OPTIMIZERS[optimizer].lr;
}

/** @throws ArgumentError when an option is out of its range */
export function makeOptimizer(parameters: Iterable<Tensor>, settings: OptimizerSettings): Optimizer {
  return OPTIMIZERS[settings.optimizer].make(parameters, settings);
}

/**
 * 'step' multiplies the learning rate by `gamma` after each epoch; 'cosine' takes it down a half wave,
 * lr·(1 + cos(π·epoch / epochs)) / 2, which would come to 0 in the epoch after the last.
 *
 * @see Loshchilov and Hutter 2017, "SGDR", equation 5, without restarts
 */
export function makeScheduler(
  optimizer: Optimizer,
  { schedule, gamma, epochs }: { schedule: ScheduleName; gamma: number; epochs: number },
): Scheduler {
  if (schedule === 'cosine') return new CosineAnnealingLR(optimizer, { tMax: epochs });
  return new StepLR(optimizer, { stepSize: 1, gamma });
}
