// Which options shape a run, and so must be in a resumed one as they were.
import { FormatError, type Tensor } from '@gmml/tensor';
import { UsageError } from '../../errors.js';
import { flagOf, optionText } from '../../options/commandLine.js';
import { defaultTrainOptions, type TrainOptions } from '../settings.js';
import { completeOptions } from '../completeOptions.js';
import type { Checkpoint, Setting } from './format.js';

/**
 * Options that may be another in each start of a run: they say what else is written and what computes. A checkpoint does
 * not hold them, so that no path in one is ever followed. All others shape the run.
 */
const FREE_OPTIONS: ReadonlySet<string> = new Set<keyof TrainOptions>([
  'data',
  'saveModel',
  'report',
  'logInterval',
  'openSet',
  'keep',
  'backend',
  'threads',
  'checkpoint',
  'checkpointEvery',
  'keepCheckpoints',
  'resume',
]);

/** The options of a run that a checkpoint holds. */
export function shapingSettings(settings: TrainOptions): Checkpoint['settings'] {
  const shaping = Object.entries(settings).filter(
    ([name, value]) => value !== undefined && !FREE_OPTIONS.has(name),
  );
  return Object.fromEntries(shaping) as Checkpoint['settings'];
}

/**
 * The options of a resumed run: what shapes it from the checkpoint, but for a higher number of epochs; the others as
 * they are asked for now.
 *
 * @param given names of the options that were asked for by name
 * @throws UsageError when one of those is other than the checkpoint's
 * @throws FormatError when the checkpoint's options are none, or not those of its network
 */
export function resumedSettings(
  asked: TrainOptions,
  given: readonly string[],
  { settings: stored, model }: Pick<Checkpoint, 'settings' | 'model'>,
  path: string,
): TrainOptions {
  const shaping = shapingSettings(stored as unknown as TrainOptions);
  checkTypes(shaping, path);
  const now = shapingSettings(asked);
  for (const name of given) {
    const isFree = FREE_OPTIONS.has(name);
    if (isFree || name === 'epochs' || shown(now[name]) === shown(shaping[name])) continue;
    throw new UsageError(
      `${flagOf(name)} must be as in the checkpoint: it is ${shown(now[name])}, ` +
        `in ${path} it is ${shown(shaping[name])}. Leave it out, or start afresh in another folder.`,
    );
  }
  const free = Object.entries(asked).filter(([name]) => FREE_OPTIONS.has(name));
  const settings = { ...shaping, ...Object.fromEntries(free) } as unknown as TrainOptions;
  const resumed = completeOptions(settings);
  checkSizes(resumed, model, path);
  if (!given.includes('epochs')) return resumed;
  if (asked.epochs < resumed.epochs) {
    throw new UsageError(
      `--epochs may be raised, not lowered: it is ${asked.epochs}, in ${path} it is ${resumed.epochs}. Leave it out.`,
    );
  }
  return { ...resumed, epochs: asked.epochs };
}

function checkTypes(settings: Checkpoint['settings'], path: string): void {
  for (const [name, value] of Object.entries(defaultTrainOptions)) {
    if (name in settings && typeof settings[name] !== typeof value) {
      throw new FormatError(
        `${path}: the setting '${name}' must be a ${typeof value}: it is ${JSON.stringify(settings[name])}.`,
      );
    }
  }
}

/** A file must have the numbers of the network that it makes us build, or a short one could ask for all memory. */
function checkSizes(
  { dim, components, covType, linearClassifier }: TrainOptions,
  model: Readonly<Record<string, Tensor>>,
  path: string,
): void {
  const perClass = covType === 'diag' ? [components, dim] : [components, dim, dim];
  const [name, sizes] = linearClassifier ? ['head.weight', [dim]] : ['head.sigma', perClass];
  const found = Object.hasOwn(model, name) ? model[name].shape.slice(1) : [];
  if (dim > MOST_FEATURES || found.join(' ') !== sizes.join(' ')) {
    throw new FormatError(
      `${path}: the network must be of the size that its options say: ` +
        `${name} must be [classes, ${sizes.join(', ')}]: it is [${Object.hasOwn(model, name) ? model[name].shape.join(', ') : 'missing'}].`,
    );
  }
}

/** As `--dim` allows. */
const MOST_FEATURES = 4096;

function shown(value: Setting | undefined): string {
  return value === undefined ? 'not given' : optionText(value);
}
