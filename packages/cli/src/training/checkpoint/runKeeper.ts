import { setImmediate } from 'node:timers/promises';
import type { DataLoader } from '@gmml/data';
import { systemReason } from '@gmml/data/systemErrors';
import type { Module, Optimizer, Scheduler } from '@gmml/nn';
import { ArgumentError, FormatError, NotFiniteError, ShapeError, type Generator } from '@gmml/tensor';
import { UsageError } from '../../errors.js';
import type { EpochResult, Reporter } from '../../progress/reporter.js';
import { count } from '../../formatting.js';
import { brokenParameters, diverged } from '../divergence.js';
import type { EarlyStopping } from '../earlyStopping.js';
import type { KnownDigits } from '../knownDigits.js';
import type { TrainOptions } from '../settings.js';
import { shapingSettings } from './agreement.js';
import { dataDigest } from './dataDigest.js';
import { isSameFolder, type CheckpointFolder, type DamagedCheckpoint } from './folder.js';
import { encodeCheckpoint, type Checkpoint } from './format.js';
import { InterruptedError, type Interruption } from './interruption.js';
import {
  accuracyOf,
  describePosition,
  positionOf,
  type RunningEpoch,
  type TrainingProgress,
} from './progress.js';

/** What changes as a network is trained. */
export interface RunParts {
  readonly network: Module;
  readonly optimizer: Optimizer;
  readonly scheduler: Scheduler;
  /** Where the orders of the images are drawn from. */
  readonly generator: Generator;
  /** Moves training images, with a generator of its own. */
  readonly augmentation?: { readonly generator: Generator };
  readonly stopping?: EarlyStopping;
}

/** What a run is started with; see `openRun`. */
export interface RunPlan {
  readonly settings: TrainOptions;
  /** Where checkpoints go. */
  readonly folder?: CheckpointFolder;
  /** What the run goes on from. */
  readonly from?: { readonly path: string; readonly checkpoint: Checkpoint };
  /** Checkpoints that are newer and cannot be used. */
  readonly damaged: readonly DamagedCheckpoint[];
  readonly reporter: Reporter;
  readonly interruption?: Interruption;
  /** The command that goes on from a folder. */
  readonly resumeCommand: (folder: string) => string;
}

/** What is left to do of an epoch, and what was summed up in it so far. */
export type EpochStart = Pick<RunningEpoch, 'batch' | 'lossSum' | 'seen'> & {
  readonly order: Int32Array | undefined;
};

/**
 * Keeps what a training run has come to: goes on from a checkpoint, writes checkpoints, and stops the run at a signal.
 * Without folders and signals it does nothing but count.
 */
export class RunKeeper {
  readonly settings: TrainOptions;
  readonly progress: TrainingProgress;
  readonly #plan: RunPlan;
  #parts: RunParts | undefined;
  #run: Pick<Checkpoint, 'dataDigest' | 'backend'> | undefined;
  /** The newest checkpoint that is known to be whole. */
  #lastGood: string | undefined;
  #writeFailed = false;
  #writtenAt = performance.now();
  /** When the running epoch would have started, had it run without a stop. */
  #epochStart = 0;

  constructor(plan: RunPlan) {
    this.#plan = plan;
    this.settings = plan.settings;
    this.progress = plan.from?.checkpoint.progress ?? { epochs: [], carried: {} };
    this.#lastGood = plan.from?.path;
  }

  /** Whether the run goes on from a checkpoint. */
  get isResumed(): boolean {
    return this.#plan.from !== undefined;
  }

  /** Wall time of the running epoch, in seconds, without that between a stop and the start after it. */
  get epochSeconds(): number {
    return (performance.now() - this.#epochStart) / 1000;
  }

  /**
   * To be called when data and backend are known, before anything else is done.
   *
   * @throws UsageError when the data are not the checkpoint's, or checkpoints cannot be written
   */
  open(digits: KnownDigits, backend: Checkpoint['backend']): void {
    const { from, folder, damaged, reporter } = this.#plan;
    if (from === undefined && folder === undefined) return;
    this.#run = { dataDigest: dataDigest(digits), backend };
    if (from !== undefined) {
      const { checkpoint, path } = from;
      if (checkpoint.dataDigest !== this.#run.dataDigest) {
        throw new UsageError(
          `--resume must go on with the data that the run was started with: ${path} is of other images or labels. ` +
            'Give the same --data as then.',
        );
      }
      if (describe(checkpoint.backend) !== describe(backend)) {
        reporter.warn(
          `the same bits as without the stop need the same backend and threads: ${path} was computed by ` +
            `${describe(checkpoint.backend)}, this run by ${describe(backend)}.`,
        );
      }
    }
    folder?.prepare(isSameFolder(this.settings.resume, folder.path) ? damaged : []);
  }

  /** Puts the checkpoint's numbers into the parts, if there is one, and starts to listen to signals. */
  begin(parts: RunParts): void {
    const { from, interruption } = this.#plan;
    this.#parts = parts;
    this.#writtenAt = performance.now();
    interruption?.begin();
    this.#tellStart();
    if (from === undefined) return;
    const { model, optimizer, scheduler, generator, augmentation, lowest } = from.checkpoint;
    try {
      parts.network.loadStateDict(model);
      parts.scheduler.loadStateDict(scheduler);
      // After the schedule, which sets the learning rate that its formula gives.
      parts.optimizer.loadStateDict(optimizer);
      parts.generator.setState(generator);
      if (augmentation) parts.augmentation?.generator.setState(augmentation);
      const result = this.progress.epochs.find(({ epoch }) => epoch === lowest?.epoch);
      if (parts.stopping && lowest && result) parts.stopping.best = { result, weights: lowest.weights };
    } catch (error) {
      if (!(error instanceof ArgumentError || error instanceof ShapeError)) throw error;
      throw new FormatError(
        `${from.path}: the checkpoint must be of the run that it describes: ${error.message}`,
        {
          cause: error,
        },
      );
    }
  }

  /** Says what a run that was asked to go on starts from. */
  #tellStart(): void {
    const { from, damaged, reporter } = this.#plan;
    const { resume, epochs } = this.settings;
    if (resume === undefined) return;
    const bad = damaged.map(({ path, reason: why }) => `${path} (${why})`).join(', ');
    if (from === undefined) {
      const why = bad === '' ? 'there is no checkpoint' : `no checkpoint is whole: ${bad}`;
      reporter.warn(`starting afresh: in ${resume} ${why}.`);
      return;
    }
    const isThrough = this.progress.epochs.length >= epochs;
    const where = isThrough ? 'where nothing is left to train' : describePosition(positionOf(this.progress));
    const instead = bad === '' ? '' : `; what is newer is damaged: ${bad}`;
    reporter.warn(`going on from ${from.path}, ${where}${instead}.`);
  }

  /** The order of the images of the next epoch, and what is done of it already. */
  startEpoch(loader: DataLoader): EpochStart {
    const { generator } = this.#parts!;
    const state = generator.getState();
    this.progress.running ??= { generator: state, batch: 0, lossSum: 0, seen: 0, seconds: 0 };
    const { running } = this.progress;
    this.#epochStart = performance.now() - 1000 * running.seconds;
    // An epoch that was begun before draws its order again, then random numbers go on where they were.
    const isBegun = running.batch > 0;
    if (isBegun) generator.setState(running.generator);
    const order = loader.drawOrder();
    if (isBegun) generator.setState(state);
    const { batch, lossSum, seen } = running;
    return { order, batch, lossSum, seen };
  }

  /**
   * To be called after every step, with the sums of the running epoch.
   *
   * @throws InterruptedError when a signal has come; a checkpoint is then written
   * @throws NotFiniteError when a checkpoint is due and parameters are not finite
   */
  async afterStep(sums: Pick<RunningEpoch, 'batch' | 'lossSum' | 'seen'>): Promise<void> {
    Object.assign(this.progress.running!, sums, { seconds: this.epochSeconds });
    // A pause, in which a signal or a closed output is noticed.
    await setImmediate();
    const isInterrupted = this.#plan.interruption?.signal !== undefined;
    const minutes = (performance.now() - this.#writtenAt) / 60_000;
    if (isInterrupted || minutes >= this.settings.checkpointEvery) this.#write();
    if (isInterrupted) this.#stop();
  }

  /**
   * To be called after every epoch, when its result has been told.
   *
   * @throws InterruptedError when a signal has come
   */
  async afterEpoch(result: EpochResult): Promise<void> {
    const { progress } = this;
    progress.epochs.push(result);
    progress.running = undefined;
    const accuracy = accuracyOf(result);
    if (progress.best === undefined || accuracy > progress.best.accuracy) {
      progress.best = { epoch: result.epoch, accuracy };
    }
    this.#write();
    await setImmediate();
    if (this.#plan.interruption?.signal !== undefined) this.#stop();
  }

  /** The error that is to be thrown in the place of `error`: where training diverged, it names the last checkpoint. */
  explained(error: unknown): unknown {
    if (!(error instanceof NotFiniteError) || this.#lastGood === undefined) return error;
    return new NotFiniteError(`${error.message} The last good checkpoint is kept: ${this.#lastGood}.`, {
      cause: error,
    });
  }

  /** From here on signals end the process at once: there is nothing left to keep. */
  end(): void {
    this.#plan.interruption?.end();
  }

  #write(): void {
    const { folder, reporter } = this.#plan;
    if (folder === undefined) return;
    const { network, optimizer, scheduler, generator, augmentation, stopping } = this.#parts!;
    const position = positionOf(this.progress);
    const broken = brokenParameters(network);
    if (broken !== undefined) {
      throw diverged(describePosition(position), `${broken} must be finite: they are not.`);
    }
    try {
      const bytes = encodeCheckpoint({
        settings: shapingSettings(this.settings),
        ...this.#run!,
        model: network.stateDict(),
        optimizer: optimizer.stateDict(),
        scheduler: scheduler.stateDict(),
        generator: generator.getState(),
        ...(augmentation && { augmentation: augmentation.generator.getState() }),
        ...(stopping?.best && {
          lowest: { epoch: stopping.best.result.epoch, weights: stopping.best.weights },
        }),
        progress: this.progress,
      });
      this.#lastGood = folder.write(position, bytes);
      folder.removeOld(this.settings.keepCheckpoints, this.progress.best?.epoch);
      this.#writeFailed = false;
    } catch (error) {
      // Said once, not at every try until there is room again.
      if (!this.#writeFailed) reporter.warn(this.#unwritten(describePosition(position), error));
      this.#writeFailed = true;
    }
    this.#writtenAt = performance.now();
  }

  #unwritten(where: string, error: unknown): string {
    const old =
      this.#lastGood === undefined ? 'there is no older one' : `the older one is kept: ${this.#lastGood}`;
    const next = this.#plan.interruption?.signal === undefined ? ' Training goes on.' : '';
    return `the checkpoint ${where} cannot be written: ${systemReason(error)}; ${old}.${next}`;
  }

  #stop(): never {
    const { folder, interruption, resumeCommand } = this.#plan;
    const signal = interruption!.signal!;
    const stopped = `stopped by ${signal} ${describePosition(positionOf(this.progress))}`;
    if (folder === undefined) {
      const since = this.#lastGood === undefined ? '' : ` since ${this.#lastGood}`;
      throw new InterruptedError(
        signal,
        `${stopped}: nothing was kept${since}. With --checkpoint <folder> a run can go on.`,
      );
    }
    if (this.#lastGood === undefined) {
      throw new InterruptedError(signal, `${stopped}: nothing was kept, no checkpoint could be written.`);
    }
    const kept = this.#writeFailed ? ': the last checkpoint is' : ', kept in';
    throw new InterruptedError(
      signal,
      `${stopped}${kept} ${this.#lastGood}. Go on with: ${resumeCommand(folder.path)}`,
    );
  }
}

function describe({ backend, threads }: Checkpoint['backend']): string {
  return `backend ${backend}, ${count(threads, 'thread')}`;
}
