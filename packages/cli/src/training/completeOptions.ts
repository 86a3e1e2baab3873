import { UsageError } from '../errors.js';
import { augmentNames } from './augmentation.js';
import { modelNames } from './networks/makeNetwork.js';
import { defaultLr, optimizerNames, scheduleNames } from './optimizers.js';
import { presets } from './presets.js';
import { defaultTrainOptions, type TrainOptions } from './settings.js';

/**
 * All options of a run: what is given, then what its preset says, then the defaults, of which the learning rate is the
 * optimizer's. Options that are already complete stay as they are.
 *
 * @throws UsageError for names that there are not, and for options that do not go together
 */
export function completeOptions(given: Partial<TrainOptions>): TrainOptions {
  checkNames(given);
  const preset = given.preset === undefined ? {} : presetBeside(given);
  const { optimizer = defaultTrainOptions.optimizer } = { ...preset, ...given };
  const options = { ...defaultTrainOptions, lr: defaultLr(optimizer), ...preset, ...given };
  checkTogether(options);
  return options;
}

/** A preset's values, but for those of a mixture head where the head is linear. */
function presetBeside({ preset, linearClassifier }: Partial<TrainOptions>): Partial<TrainOptions> {
  const { components, ...values } = presets[preset!];
  return linearClassifier ? values : { components, ...values };
}

function checkNames({ model, optimizer, schedule, augment = [], preset }: Partial<TrainOptions>): void {
  const all: [flag: string, names: readonly (string | undefined)[], known: readonly string[]][] = [
    ['--model', [model], modelNames],
    ['--optimizer', [optimizer], optimizerNames],
    ['--schedule', [schedule], scheduleNames],
    ['--augment', augment, augmentNames],
    ['--preset', [preset], Object.keys(presets)],
  ];
  for (const [flag, names, known] of all) {
    const unknown = names.find((name) => name !== undefined && !known.includes(name));
    if (unknown !== undefined) {
      throw new UsageError(`${flag} must be one of ${known.join(', ')}: it is '${unknown}'.`);
    }
  }
}

function checkTogether({ optimizer, momentum, earlyStop, valSplit }: TrainOptions): void {
  if (momentum !== undefined && optimizer !== 'sgd') {
    throw new UsageError(
      `--momentum belongs to --optimizer sgd: it cannot go with ${optimizer}. Leave one out.`,
    );
  }
  if (earlyStop !== undefined && !(Number.isInteger(earlyStop) && earlyStop >= 1)) {
    throw new UsageError(`--early-stop must be an integer of at least 1: it is ${earlyStop}.`);
  }
  if (earlyStop !== undefined && valSplit === 0) {
    throw new UsageError(
      '--early-stop needs images that are held out: --val-split is 0. Give --val-split 0.1, or another share.',
    );
  }
}
