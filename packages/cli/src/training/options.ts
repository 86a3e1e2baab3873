import type { MnistName } from '@gmml/data';
import { Command, CommanderError, Option } from 'commander';
import { InformationRequest, UsageError } from '../errors.js';
import {
  fileName,
  fraction,
  integer,
  notNegative,
  oneOf,
  part,
  share,
  threads,
  valued,
  version,
  webAddress,
  type ValueReader,
} from '../values.js';
import { completeOptions } from './completeOptions.js';
import { learningOptions } from './learningOptions.js';
import { defaultTrainOptions, type TrainOptions } from './settings.js';

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

/** The file that `--save-model` without a name writes. */
const DEFAULT_MODEL_FILE = 'gmml-mnist.safetensors';

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

/** What commander leaves: options without a default may be missing, one with an optional value may be true. */
type Given = Partial<Omit<GmmlTrainOptions, 'saveModel'>> & {
  saveModel?: string | true;
  linear_classifier?: true;
};

function settled(command: Command): GmmlTrainOptions {
  const isGiven = (key: string): boolean => command.getOptionValueSource(key) === 'cli';
  const {
    linear_classifier: alias,
    saveModel,
    json = false,
    quiet = false,
    download,
    mirror,
    ...given
  } = Object.fromEntries(Object.entries(command.opts()).filter(([key]) => isGiven(key))) as Given;
  const linearClassifier = given.linearClassifier === true || alias === true;
  for (const [key, flag] of [
    ['covType', '--cov-type'],
    ['components', '--components'],
  ]) {
    if (linearClassifier && isGiven(key)) {
      throw new UsageError(
        `${flag} shapes the mixture head: it cannot go with --linear-classifier. Leave one out.`,
      );
    }
  }
  for (const [key, flag] of [
    ['unseen', '--unseen'],
    ['keep', '--keep'],
  ]) {
    if (given.openSet === false && isGiven(key)) {
      throw new UsageError(
        `${flag} is about the open-set report: it cannot go with --no-open-set. Leave one out.`,
      );
    }
  }
  if (json && quiet) {
    throw new UsageError(
      '--json and --quiet are two forms of the output: only one can be had. Leave one out.',
    );
  }
  if (mirror !== undefined && download === undefined) {
    throw new UsageError('--mirror says where --download fetches from: it cannot go without. Give both.');
  }
  for (const [key, flag] of [
    ['checkpointEvery', '--checkpoint-every'],
    ['keepCheckpoints', '--keep-checkpoints'],
  ]) {
    if (given.checkpoint === undefined && isGiven(key)) {
      throw new UsageError(
        `${flag} is about checkpoints: it needs --checkpoint. Name a folder, or leave it out.`,
      );
    }
  }
  const named = command.options.map((option) => option.attributeName()).filter(isGiven);
  const options = {
    ...completeOptions({ ...given, ...(linearClassifier && { linearClassifier }) }),
    ...(download !== undefined && { download }),
    ...(mirror !== undefined && { mirror }),
    json,
    quiet,
    ...(given.resume !== undefined && {
      given: named.map((name) => (name === 'linear_classifier' ? 'linearClassifier' : name)),
    }),
  };
  if (options.schedule === 'cosine' && isGiven('gamma')) {
    const preset = isGiven('schedule') ? '' : `, which --preset ${options.preset} stands for`;
    throw new UsageError(
      `--gamma belongs to --schedule step: it cannot go with cosine${preset}. ` +
        (preset === '' ? 'Leave one out.' : 'Give --schedule step with it.'),
    );
  }
  return saveModel === undefined
    ? options
    : { ...options, saveModel: saveModel === true ? DEFAULT_MODEL_FILE : saveModel };
}

/** The command `name` with all options of training, which are then given to `run`. */
export function trainCommand(
  name: string,
  run: (options: GmmlTrainOptions) => void | Promise<void>,
): Command {
  const command = commandLine(name);
  return command.action(() => run(settled(command)));
}

function commandLine(name: string): Command {
  const defaults = defaultTrainOptions;
  const command = new Command(name)
    .description('Train a network with a Gaussian mixture head on handwritten digits.')
    .version(version())
    .allowExcessArguments(false)
    .addOption(
      valued('--batch-size <n>', 'images in a training step', integer(1, 1e6)).default(defaults.batchSize),
    )
    .addOption(
      valued('--test-batch-size <n>', 'images tested at once', integer(1, 1e6)).default(
        defaults.testBatchSize,
      ),
    )
    .addOption(valued('--epochs <n>', 'passes over the digits', integer(1, 1e6)).default(defaults.epochs))
    .addOption(
      valued('--seed <n>', 'seed of everything random', integer(0, 2 ** 32 - 1)).default(defaults.seed),
    )
    .addOption(
      valued('--log-interval <n>', 'batches from one line to the next', integer(1, 1e6)).default(
        defaults.logInterval,
      ),
    )
    .option('--dry-run', 'one batch of training and one of test')
    .addOption(
      valued('--save-model [file]', `write the network as safetensors (to ${DEFAULT_MODEL_FILE})`, fileName),
    )
    .addOption(valued('--report <file>', 'write figures of the run as one HTML page', fileName))
    .option('--linear-classifier', 'a linear head in place of the mixture')
    .addOption(new Option('--linear_classifier').hideHelp())
    .addOption(
      valued('--cov-type <type>', "a component's covariance", oneOf('diag', 'tril', 'full')).default(
        defaults.covType,
      ),
    )
    .addOption(valued('--components <n>', 'Gaussians a class', integer(1, 1000)).default(defaults.components))
    .addOption(
      valued('--dim <n>', 'features that the head classifies', integer(1, 4096)).default(defaults.dim),
    )
    .addOption(
      valued('--data <folder>', "folder of MNIST's four IDX files (default: the embedded digits)", fileName),
    )
    .addOption(
      valued(
        '--download <set>',
        'fetch a data set to train on, into the folder of --data or the cache',
        oneOf('mnist', 'fashion-mnist'),
      ),
    )
    .addOption(
      valued('--mirror <url>', 'where --download finds the files (default: public mirrors)', webAddress),
    )
    .addOption(
      valued('--backend <name>', 'what computes', oneOf('auto', 'wasm', 'reference')).default(
        defaults.backend,
      ),
    )
    .addOption(valued('--threads <n>', 'threads that compute', threads).default(defaults.threads))
    .addOption(
      valued('--label-smoothing <x>', 'share of the target that all classes have evenly', fraction).default(
        defaults.labelSmoothing,
      ),
    )
    .addOption(
      valued(
        '--val-split <p>',
        'share of the training images to hold out, for validation and the report',
        part,
      ).default(defaults.valSplit),
    )
    .option('--no-open-set', 'end without the report on unknown inputs')
    .addOption(valued('--unseen <digit>', 'leave out of training, to see it rejected', digit))
    .addOption(valued('--keep <p>', 'share of known digits to keep', share).default(defaults.keep))
    .addOption(valued('--checkpoint <folder>', 'keep the run there after every epoch', fileName))
    .addOption(
      valued('--checkpoint-every <minutes>', 'keep it within an epoch as well', notNegative).default(
        defaults.checkpointEvery,
      ),
    )
    .addOption(
      valued('--keep-checkpoints <k>', 'how many to keep, beside the best', integer(1, 1e6)).default(
        defaults.keepCheckpoints,
      ),
    )
    .addOption(
      valued(
        '--resume <folder>',
        'go on from the newest checkpoint there (may be that of --checkpoint)',
        fileName,
      ),
    )
    .option('--quiet', 'print nothing but warnings, errors and the last line: the test accuracy')
    .option(
      '--json',
      'lines of JSON: one an epoch, one where --early-stop goes back, one of the report; nothing else on standard output',
    )
    .addHelpText(
      'after',
      `\nExample:\n  ${name === 'train' ? 'gmml train' : name} --epochs 5 --cov-type diag --save-model digits.safetensors`,
    );
  for (const option of learningOptions()) command.addOption(option);
  return command;
}

/** Labels are bytes; which of them the data have is seen when they are loaded. */
const digit: ValueReader = { allowed: 'a digit of the data', read: (text) => integer(0, 255).read(text) };

/** commander's own complaints (an unknown option, a missing value, too many words) in our form. */
function usageError(error: CommanderError, words: readonly string[]): UsageError {
  const problem =
    error.code === 'commander.excessArguments'
      ? `'${words[0]}' belongs to no option`
      : error.message.replace(/^error: /, '').replaceAll(/\s+/g, ' ');
  return new UsageError(`${problem}. gmml-train --help lists the options.`, { cause: error });
}
