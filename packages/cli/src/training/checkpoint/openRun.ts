import { UsageError } from '../../errors.js';
import type { Reporter } from '../../progress/reporter.js';
import type { TrainOptions } from '../settings.js';
import { resumedSettings } from './agreement.js';
import { CheckpointFolder, isSameFolder, type NewestCheckpoint } from './folder.js';
import { resumeCommand, type Interruption } from './interruption.js';
import { RunKeeper } from './runKeeper.js';

/** What a training run is given by the program around it. */
export interface RunControl {
  /** Names of the options that a checkpoint must agree with. Default: all that are in the options. */
  given?: readonly string[];
  /** Where signals are noted. Default: they end the process, as ever. */
  interruption?: Interruption;
  /** The command that goes on from a folder, for the message after a signal. */
  resumeCommand?: (folder: string) => string;
}

/**
 * Reads the checkpoint that a run is to go on from, if one is asked for and there is one, and settles the run's options.
 * Nothing is written.
 *
 * @throws UsageError when there is no such folder, an option is other than the checkpoint's, or the folder for
 *   checkpoints has those of another run
 */
export function openRun(asked: TrainOptions, control: RunControl, reporter: Reporter): RunKeeper {
  checkNumbers(asked);
  const folder = asked.checkpoint === undefined ? undefined : new CheckpointFolder(asked.checkpoint);
  const given = control.given ?? [];
  const { found, damaged } = newestIn(asked, folder);
  checkUntaken(asked, folder);
  const settings = found ? resumedSettings(asked, given, found.checkpoint, found.path) : asked;
  return new RunKeeper({
    settings,
    folder,
    from: found,
    damaged,
    reporter,
    interruption: control.interruption,
    resumeCommand:
      control.resumeCommand ?? ((path) => resumeCommand('gmml-train', ['--checkpoint', path], path)),
  });
}

function checkNumbers({ checkpointEvery, keepCheckpoints }: TrainOptions): void {
  if (!(checkpointEvery >= 0)) {
    throw new UsageError(`--checkpoint-every must be a number of at least 0: it is ${checkpointEvery}.`);
  }
  if (!Number.isSafeInteger(keepCheckpoints) || keepCheckpoints < 1) {
    throw new UsageError(`--keep-checkpoints must be an integer of at least 1: it is ${keepCheckpoints}.`);
  }
}

function newestIn(
  { resume, checkpoint }: TrainOptions,
  folder: CheckpointFolder | undefined,
): NewestCheckpoint {
  folder?.exists('--checkpoint');
  if (resume === undefined) return { damaged: [] };
  const source = new CheckpointFolder(resume);
  if (source.exists('--resume')) return source.newest();
  // The first start of a command line that is to be started again and again.
  if (isSameFolder(resume, checkpoint)) return { damaged: [] };
  throw new UsageError(`--resume must name a folder with checkpoints: there is no folder ${resume}.`);
}

/** @throws UsageError when the checkpoints of a new run would come to lie between those of another */
function checkUntaken({ resume, checkpoint }: TrainOptions, folder: CheckpointFolder | undefined): void {
  if (!folder?.exists('--checkpoint') || isSameFolder(resume, checkpoint) || folder.positions().length === 0)
    return;
  throw new UsageError(
    `--checkpoint must name a folder without checkpoints: ${folder.path} has those of a run. ` +
      `Go on with that run by --resume ${folder.path}, or name another folder.`,
  );
}
