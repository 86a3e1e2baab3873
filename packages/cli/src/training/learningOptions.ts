import type { Option } from 'commander';
import { flagOf } from '../options/commandLine.js';
import {
  fractionBelowOne,
  integer,
  notNegative,
  oneOf,
  positive,
  valued,
  type ValueReader,
} from '../options/values.js';
import { augmentNames, type AugmentName } from './augmentation.js';
import { modelNames } from './networks/makeNetwork.js';
import { DEFAULT_MOMENTUM, defaultLr, optimizerNames, scheduleNames } from './optimizers.js';
import { presets, type PresetName } from './presets.js';
import { defaultTrainOptions } from './settings.js';

/** The options of `gmml-train` on what is trained and how, under a heading of their own. */
export function learningOptions(): Option[] {
  const defaults = defaultTrainOptions;
  return [
    valued('--model <name>', `the network before the head; ${MODELS}`, oneOf(...modelNames)).default(
      defaults.model,
    ),
    valued('--optimizer <name>', 'what makes steps of gradients', oneOf(...optimizerNames)).default(
      defaults.optimizer,
    ),
    valued('--lr <x>', 'learning rate in the first epoch', positive).default(defaults.lr, DEFAULT_RATES),
    valued('--momentum <x>', `of sgd (default: ${DEFAULT_MOMENTUM})`, fractionBelowOne),
    valued(
      '--weight-decay <x>',
      'pulls all parameters to 0: decoupled with adamw, else an L2 penalty',
      notNegative,
    ).default(defaults.weightDecay),
    valued(
      '--schedule <name>',
      'how the learning rate falls, by --gamma or as half a cosine wave',
      oneOf(...scheduleNames),
    ).default(defaults.schedule),
    valued('--gamma <x>', 'factor on the learning rate after each epoch', positive).default(defaults.gamma),
    valued(
      '--augment <list>',
      'move training images at random, by 2 pixels or 10° at most',
      augments,
    ).default(defaults.augment, 'none'),
    valued(
      '--early-stop <n>',
      'end after so many epochs without a lower loss on the images of --val-split, and go back to the best',
      integer(1, 1e6),
    ),
    valued('--preset <name>', `values that options beside it override; ${presetTexts()}`, onePreset),
  ].map((option) => option.helpGroup('Network and training:'));
}

const MODELS =
  'cnn has two convolutions, mlp two hidden layers of 256 units, linear-probe one linear layer of the pixels ' +
  'to --dim features and nothing else';

const presetNames = Object.keys(presets) as PresetName[];

const onePreset: ValueReader = { ...oneOf(...presetNames), allowed: presetNames.join(' or ') };

/** '1 for adadelta, 0.01 for sgd, …' */
const DEFAULT_RATES = optimizerNames.map((name) => `${defaultLr(name)} for ${name}`).join(', ');

const augments: ValueReader = {
  allowed: `'none' or a list of ${augmentNames.join(', ')}`,
  read(text) {
    if (text === 'none') return [];
    const names = text.split(',') as AugmentName[];
    const fits = names.every((name, i) => augmentNames.includes(name) && names.indexOf(name) === i);
    return fits ? names : undefined;
  },
};

/** 'best is --epochs 10 --augment shift,rotate' */
function presetTexts(): string {
  return presetNames
    .map((name) => {
      const flags = Object.entries(presets[name]).map(([key, value]) => `${flagOf(key)} ${String(value)}`);
      return `${name} is ${flags.join(' ')}`;
    })
    .join('; ');
}
