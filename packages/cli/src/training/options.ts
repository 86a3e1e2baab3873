import type { MnistName } from '@gmml/data';
import { Command, CommanderError } from 'commander';
import { InformationRequest, UsageError } from '../errors.js';
import { flagOf } from '../options/commandLine.js';
import { version } from '../version.js';
import { completeOptions } from './completeOptions.js';
import { learningOptions } from './learningOptions.js';
import { DEFAULT_MODEL_FILE, runOptions } from './runOptions.js';
import type { TrainOptions } from './settings.js';

/** What the command line asks for: a training run, and the form of its report. */
export interface GmmlTrainOptions extends TrainOptions {
  /** One JSON line an epoch, and one of the open-set report, in place of text. */
  json: boolean;
  /** Nothing on standard output but the last line. */
  quiet: boolean;
  /** A data set to fetch first, into `data` or the user's cache folder. Default: none. */
  download?: MnistName;
  /** URL of the folder that has its files. Default: its public mirrors. */
  mirror?: string;
  /** With `resume`: the options that were given by name, which the checkpoint must agree with. */
  given?: readonly string[];
}

/**
 * Reads the arguments of `gmml-train` (without node and the script).
 *
 * @throws UsageError with one line that says what is wrong and what is allowed
 * @throws InformationRequest with the text, for `--help` and `--version`
 * @example
 * parseOptions(['--epochs', '3', '--cov-type', 'diag']).epochs; // 3
 */
export function parseOptions(args: readonly string[]): GmmlTrainOptions {
  let options: GmmlTrainOptions | null = null;
  const command = trainCommand('gmml-train', (given) => {
    options = given;
  });
  let text = '';
  command.exitOverride().configureOutput({ writeOut: (piece) => (text += piece), writeErr: () => {} });
  try {
    command.parse(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) throw new InformationRequest(text);
    throw usageError(error, command.args);
  }
  return options!;
}

/** The command `name` with all options of training, which are then given to `run`. */
export function trainCommand(
  name: string,
  run: (options: GmmlTrainOptions) => void | Promise<void>,
): Command {
  const command = new Command(name)
    .description('Train a network with a Gaussian mixture head on handwritten digits.')
    .version(version())
    .allowExcessArguments(false)
    .addHelpText(
      'after',
      `\nExample:\n  ${name === 'train' ? 'gmml train' : name} --epochs 5 --cov-type diag --save-model digits.safetensors`,
    );
  for (const option of [...runOptions(), ...learningOptions()]) command.addOption(option);
  return command.action(() => run(settled(command)));
}

/** What commander leaves: options without a default may be missing, one with an optional value may be true. */
type Given = Partial<Omit<GmmlTrainOptions, 'saveModel'>> & {
  saveModel?: string | true;
  linear_classifier?: true;
};

function settled(command: Command): GmmlTrainOptions {
  const isGiven = (name: string): boolean => command.getOptionValueSource(name) === 'cli';
  const {
    linear_classifier: alias,
    saveModel,
    json = false,
    quiet = false,
    download,
    mirror,
    ...given
  } = Object.fromEntries(Object.entries(command.opts()).filter(([name]) => isGiven(name))) as Given;
  if (alias) given.linearClassifier = true;
  checkCompany({ ...given, json, quiet, download, mirror }, isGiven);
  const named = command.options.map((option) => option.attributeName()).filter(isGiven);
  const options = {
    ...completeOptions(given),
    ...(download !== undefined && { download }),
    ...(mirror !== undefined && { mirror }),
    json,
    quiet,
    ...(given.resume !== undefined && {
      given: named.map((name) => (name === 'linear_classifier' ? 'linearClassifier' : name)),
    }),
  };
  if (isGiven('gamma')) checkGamma(options, isGiven('schedule'));
  return saveModel === undefined
    ? options
    : { ...options, saveModel: saveModel === true ? DEFAULT_MODEL_FILE : saveModel };
}

/** @throws UsageError for options that do not go together, or not without another */
function checkCompany(
  { linearClassifier, openSet, json, quiet, download, mirror, checkpoint }: Given,
  isGiven: (name: string) => boolean,
): void {
  const refuse = (names: readonly string[], problem: string): void => {
    const name = names.find(isGiven);
    if (name !== undefined) throw new UsageError(`${flagOf(name)} ${problem}`);
  };
  if (linearClassifier) {
    refuse(
      ['covType', 'components'],
      'shapes the mixture head: it cannot go with --linear-classifier. Leave one out.',
    );
  }
  if (openSet === false) {
    refuse(
      ['unseen', 'keep'],
      'is about the open-set report: it cannot go with --no-open-set. Leave one out.',
    );
  }
  if (json && quiet) {
    throw new UsageError(
      '--json and --quiet are two forms of the output: only one can be had. Leave one out.',
    );
  }
  if (mirror !== undefined && download === undefined) {
    throw new UsageError('--mirror says where --download fetches from: it cannot go without. Give both.');
  }
  if (checkpoint === undefined) {
    refuse(
      ['checkpointEvery', 'keepCheckpoints'],
      'is about checkpoints: it needs --checkpoint. Name a folder, or leave it out.',
    );
  }
}

/** @throws UsageError for a factor that was given beside a schedule that has none */
function checkGamma({ schedule, preset }: GmmlTrainOptions, isScheduleGiven: boolean): void {
  if (schedule !== 'cosine') return;
  throw new UsageError(
    isScheduleGiven
      ? '--gamma belongs to --schedule step: it cannot go with cosine. Leave one out.'
      : `--gamma belongs to --schedule step: it cannot go with cosine, which --preset ${preset} stands for. Give --schedule step with it.`,
  );
}

/** commander's own complaints (an unknown option, a missing value, too many words) in our form. */
function usageError(error: CommanderError, words: readonly string[]): UsageError {
  const problem =
    error.code === 'commander.excessArguments'
      ? `'${words[0]}' belongs to no option`
      : error.message.replace(/^error: /, '').replaceAll(/\s+/g, ' ');
  return new UsageError(`${problem}. gmml-train --help lists the options.`, { cause: error });
}
