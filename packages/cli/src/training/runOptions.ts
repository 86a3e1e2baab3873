import { Option } from 'commander';
import {
  fileName,
  fraction,
  fractionBelowOne,
  integer,
  notNegative,
  oneOf,
  properFraction,
  threads,
  valued,
  webAddress,
  type ValueReader,
} from '../options/values.js';
import { defaultTrainOptions } from './settings.js';

/** The file that `--save-model` without a name writes. */
export const DEFAULT_MODEL_FILE = 'gmml-mnist.safetensors';

/** The options of `gmml-train` on everything but what is trained and how: what it reads, keeps, writes and says. */
export function runOptions(): Option[] {
  const defaults = defaultTrainOptions;
  return [
    valued('--batch-size <n>', 'images in a training step', integer(1, 1e6)).default(defaults.batchSize),
    valued('--test-batch-size <n>', 'images tested at once', integer(1, 1e6)).default(defaults.testBatchSize),
    valued('--epochs <n>', 'passes over the digits', integer(1, 1e6)).default(defaults.epochs),
    valued('--seed <n>', 'seed of everything random', integer(0, 2 ** 32 - 1)).default(defaults.seed),
    valued('--log-interval <n>', 'batches from one line to the next', integer(1, 1e6)).default(
      defaults.logInterval,
    ),
    new Option('--dry-run', 'one batch of training and one of test'),
    valued('--save-model [file]', `write the network as safetensors (to ${DEFAULT_MODEL_FILE})`, fileName),
    valued('--report <file>', 'write figures of the run as one HTML page', fileName),
    new Option('--linear-classifier', 'a linear head in place of the mixture'),
    new Option('--linear_classifier').hideHelp(),
    valued('--cov-type <type>', "a component's covariance", oneOf('diag', 'tril', 'full')).default(
      defaults.covType,
    ),
    valued('--components <n>', 'Gaussians a class', integer(1, 1000)).default(defaults.components),
    valued('--dim <n>', 'features that the head classifies', integer(1, 4096)).default(defaults.dim),
    valued('--data <folder>', "folder of MNIST's four IDX files (default: the embedded digits)", fileName),
    valued(
      '--download <set>',
      'fetch a data set to train on, into the folder of --data or the cache',
      oneOf('mnist', 'fashion-mnist'),
    ),
    valued('--mirror <url>', 'where --download finds the files (default: public mirrors)', webAddress),
    valued('--backend <name>', 'what computes', oneOf('auto', 'wasm', 'reference')).default(defaults.backend),
    valued('--threads <n>', 'threads that compute', threads).default(defaults.threads),
    valued('--label-smoothing <x>', 'share of the target that all classes have evenly', fraction).default(
      defaults.labelSmoothing,
    ),
    valued(
      '--val-split <p>',
      'share of the training images to hold out, for validation and the report',
      fractionBelowOne,
    ).default(defaults.valSplit),
    new Option('--no-open-set', 'end without the report on unknown inputs'),
    valued('--unseen <digit>', 'leave out of training, to see it rejected', digit),
    valued('--keep <p>', 'share of known digits to keep', properFraction).default(defaults.keep),
    valued('--checkpoint <folder>', 'keep the run there after every epoch', fileName),
    valued('--checkpoint-every <minutes>', 'keep it within an epoch as well', notNegative).default(
      defaults.checkpointEvery,
    ),
    valued('--keep-checkpoints <k>', 'how many to keep, beside the best', integer(1, 1e6)).default(
      defaults.keepCheckpoints,
    ),
    valued(
      '--resume <folder>',
      'go on from the newest checkpoint there (may be that of --checkpoint)',
      fileName,
    ),
    new Option('--quiet', 'print nothing but warnings, errors and the last line: the test accuracy'),
    new Option(
      '--json',
      'lines of JSON: one an epoch, one where --early-stop goes back, one of the report; nothing else on standard output',
    ),
  ];
}

/** Labels are bytes; which of them the data have is seen when they are loaded. */
const digit: ValueReader = { allowed: 'a digit of the data', read: (text) => integer(0, 255).read(text) };
