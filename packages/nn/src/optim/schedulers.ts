import { checkInteger, checkNumber } from '@gmml/tensor/checks';
import { checkAlgorithm } from './optimizer.js';

/** What a scheduler needs of an optimizer. */
export interface Scheduled {
  lr: number;
}

/** Everything a scheduler needs to go on where it was: plain JSON. */
export interface SchedulerState {
  /** The class that wrote it: 'StepLR' or 'CosineAnnealingLR'. */
  readonly algorithm: string;
  /** Every option by its name. */
  readonly options: Readonly<Record<string, number>>;
  /** The optimizer's learning rate before the first step. */
  readonly baseLr: number;
  readonly lastEpoch: number;
}

/**
 * What the schedulers share: each `step()`, usually at the end of an epoch, sets the optimizer's learning rate to
 * a closed formula of the number of steps so far.
 *
 * The formula starts from the learning rate that the optimizer has at construction; one set by hand afterwards
 * lasts until the next step.
 */
export abstract class Scheduler<Options extends object = object> {
  /** Complete and checked. */
  protected options: Options;
  readonly #algorithm: string;
  readonly #optimizer: Scheduled;
  #baseLr: number;
  #epoch = 0;

  protected constructor(algorithm: string, optimizer: Scheduled, options: Options) {
    this.checkOptions(algorithm, options);
    this.#algorithm = algorithm;
    this.#optimizer = optimizer;
    this.options = options;
    this.#baseLr = optimizer.lr;
  }

  /** @throws ArgumentError, its message starting with `op`, when an option is out of range */
  protected abstract checkOptions(op: string, options: Options): void;

  /** The learning rate after `epoch` steps. */
  protected abstract lrAt(epoch: number, baseLr: number): number;

  /** How many steps there have been. */
  get lastEpoch(): number {
    return this.#epoch;
  }

  /** Ends an epoch: sets the optimizer's learning rate for the next. */
  step(): void {
    this.#epoch += 1;
    this.#optimizer.lr = this.lrAt(this.#epoch, this.#baseLr);
  }

  /** What `loadStateDict` goes on from, as plain numbers. */
  stateDict(): SchedulerState {
    return {
      algorithm: this.#algorithm,
      options: { ...this.options } as Record<string, number>,
      baseLr: this.#baseLr,
      lastEpoch: this.#epoch,
    };
  }

  /**
   * Goes on where the scheduler that wrote `state` was, with its options, and sets the optimizer's learning rate.
   *
   * @throws ArgumentError when the state is another scheduler's or holds a value out of range; nothing is changed
   */
  loadStateDict(state: SchedulerState): void {
    const op = `${this.#algorithm}.loadStateDict`;
    checkAlgorithm(op, state, this.#algorithm);
    const options = { ...state.options } as unknown as Options;
    this.checkOptions(op, options);
    checkNumber(op, 'baseLr', state.baseLr, { from: 0 });
    checkInteger(op, 'lastEpoch', state.lastEpoch, 0);
    this.options = options;
    this.#baseLr = state.baseLr;
    this.#epoch = state.lastEpoch;
    this.#optimizer.lr = this.lrAt(this.#epoch, this.#baseLr);
  }
}

/** Options of `StepLR`. */
export interface StepLROptions {
  /** How many epochs a learning rate lasts, an integer of at least 1. */
  stepSize: number;
  /** What it is then multiplied by, at least 0. Default 0.1. */
  gamma?: number;
}

/**
 * lr = baseLr·gamma^⌊epoch / stepSize⌋: PyTorch's closed form, to rounding its chained values.
 *
 * @throws ArgumentError when an option is out of range
 * @see PyTorch `torch.optim.lr_scheduler.StepLR`
 * @example
 * const optimizer = new SGD(new Linear(2, 2).parameters(), { lr: 1 });
 * const scheduler = new StepLR(optimizer, { stepSize: 1, gamma: 0.7 });
 * scheduler.step();
 * optimizer.lr; // 0.7
 */
export class StepLR extends Scheduler<Required<StepLROptions>> {
  constructor(optimizer: Scheduled, { stepSize, gamma = 0.1 }: StepLROptions) {
    super('StepLR', optimizer, { stepSize, gamma });
  }

  protected override checkOptions(op: string, { stepSize, gamma }: Required<StepLROptions>): void {
    checkInteger(op, 'stepSize', stepSize, 1);
    checkNumber(op, 'gamma', gamma, { from: 0 });
  }

  protected override lrAt(epoch: number, baseLr: number): number {
    const { stepSize, gamma } = this.options;
    return baseLr * gamma ** Math.floor(epoch / stepSize);
  }
}

/** Options of `CosineAnnealingLR`. */
export interface CosineAnnealingLROptions {
  /** Epochs from the first learning rate to the lowest, an integer of at least 1. */
  tMax: number;
  /** The lowest learning rate, at least 0. Default 0. */
  etaMin?: number;
}

/**
 * lr = etaMin + (baseLr − etaMin)·(1 + cos(π·epoch / tMax)) / 2: down in tMax epochs, up again in the next, and so
 * on.
 *
 * This is PyTorch's closed form. Its recursive form has the same values to rounding as long as nobody else
 * sets the learning rate.
 *
 * @throws ArgumentError when an option is out of range
 * @see Loshchilov and Hutter 2017, equation 5, without restarts; PyTorch `torch.optim.lr_scheduler.CosineAnnealingLR`
 */
export class CosineAnnealingLR extends Scheduler<Required<CosineAnnealingLROptions>> {
  constructor(optimizer: Scheduled, { tMax, etaMin = 0 }: CosineAnnealingLROptions) {
    super('CosineAnnealingLR', optimizer, { tMax, etaMin });
  }

  protected override checkOptions(op: string, { tMax, etaMin }: Required<CosineAnnealingLROptions>): void {
    checkInteger(op, 'tMax', tMax, 1);
    checkNumber(op, 'etaMin', etaMin, { from: 0 });
  }

  protected override lrAt(epoch: number, baseLr: number): number {
    const { tMax, etaMin } = this.options;
    return etaMin + ((baseLr - etaMin) * (1 + Math.cos((Math.PI * epoch) / tMax))) / 2;
  }
}
