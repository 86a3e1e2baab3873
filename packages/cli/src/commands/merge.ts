/* oxlint-disable no-await-in-loop -- one file after the other, so that no more than two are in memory */
import { GaussianMixture } from '@gmml/gmm';
import { ClassStatistics, DuplicateShardError, EMStatistics, modelToSafetensors } from '@gmml/gmm/statistics';
import { parseSafetensors } from '@gmml/nn';
import { ArgumentError, FormatError, GmmlError, useBackend } from '@gmml/tensor';
import type { Command } from 'commander';
import { UsageError } from '../errors.js';
import { readFittedModel } from '../files/fittedModel.js';
import { inputName, safetensorsIn, STANDARD_STREAM } from '../files/input.js';
import { refuseTerminal, writeOutput } from '../files/output.js';
import { fileName, fraction, notNegative, oneOf, valued } from '../options/values.js';
import { computingCommand, type ComputingFlags } from '../options/writingCommand.js';

interface MergeFlags extends ComputingFlags {
  readonly as?: 'open-set' | 'gmml' | 'mixture';
  readonly shrinkage?: number;
  readonly regularization?: number;
  readonly tolerance?: number;
  readonly previous?: string;
  readonly allowEqual?: true;
  readonly partial?: true;
}

/** What `merge` ends with when EM has not converged: the model is written, and another iteration is wanted. */
const ANOTHER_ITERATION = 3;

/**
 * `gmml merge`: the model that the statistics of all shards give.
 * @param finish hears, when it is through, the exit code: 0, or 3 where EM wants another iteration
 */
export function mergeCommand(finish: (exitCode: number) => void): Command {
  return computingCommand('merge', 'Make the model of all shards from their statistics.')
    .argument(
      '[stats...]',
      'files of gmml stats (default: all of them one after the other on standard input)',
    )
    .addOption(
      valued(
        '--as <kind>',
        'model of the closed form (default: open-set)',
        oneOf('open-set', 'gmml', 'mixture'),
      ),
    )
    .addOption(
      valued('--shrinkage <x>', 'of covariances toward simpler ones (default: estimated; gmml: 0)', fraction),
    )
    .addOption(
      valued('--regularization <x>', 'added to variances of --as mixture (default: 1e-6)', notNegative),
    )
    .addOption(
      valued('--tolerance <x>', "change of the lower bound that ends EM (default: the model's)", notNegative),
    )
    .addOption(valued('--previous <file>', 'the mixture that the statistics must be under', fileName))
    .option('--allow-equal', 'shards of different names may have the same content')
    .option('--partial', 'write merged statistics, to be merged further, in place of a model')
    .addHelpText(
      'after',
      `\nExit codes: 0 done, for EM converged; ${ANOTHER_ITERATION} EM wants another iteration under the model that was written;` +
        '\n1 failed; 2 called in a wrong way, or a shard is there twice: nothing was written.' +
        '\n\nExamples:\n  gmml merge *.stats > model.safetensors\n  gmml merge *.stats --as gmml --output head.safetensors',
    )
    .action(async (files: readonly string[], options: MergeFlags) => finish(await run(files, options)));
}

async function run(files: readonly string[], options: MergeFlags): Promise<number> {
  refuseTerminal(options.output);
  await useBackend(options.backend, { threads: options.threads });
  const statistics = await merged(files, options);
  checkFlags(statistics, options);
  if (options.previous !== undefined) {
    const model = await readFittedModel(options.previous);
    const isUnder = model instanceof GaussianMixture && statistics instanceof EMStatistics;
    if (!isUnder || !statistics.isUnder(model)) {
      throw new UsageError(`The statistics must be under ${options.previous}: they are under another model.`);
    }
  }
  if (options.partial) {
    await writeOutput(statistics.toSafetensors(), options.output);
    return 0;
  }
  if (statistics instanceof ClassStatistics) {
    await writeOutput(closedForm(statistics, options), options.output);
    return 0;
  }
  const mixture = statistics.toGaussianMixture({ tolerance: options.tolerance });
  await writeOutput(modelToSafetensors(mixture), options.output);
  return mixture.converged ? 0 : ANOTHER_ITERATION;
}

/** @throws UsageError for flags that do not go with the statistics, or with each other */
function checkFlags(statistics: ClassStatistics | EMStatistics, options: MergeFlags): void {
  const { as, shrinkage, regularization, partial } = options;
  const given = (...names: readonly (keyof MergeFlags)[]): keyof MergeFlags | undefined =>
    names.find((name) => options[name] !== undefined);
  const ofEM = given('tolerance', 'previous');
  const ofClosedForm = given('as', 'shrinkage', 'regularization');
  if (statistics instanceof ClassStatistics && ofEM) {
    throw new UsageError(`--${ofEM} is for EM: these statistics are of the closed form. Leave it out.`);
  }
  if (statistics instanceof EMStatistics && ofClosedForm) {
    throw new UsageError(
      `--${ofClosedForm} is for the closed form: these statistics are of EM. Leave it out.`,
    );
  }
  const ofModel = given('as', 'shrinkage', 'regularization', 'tolerance');
  if (partial && ofModel) {
    throw new UsageError(`--${ofModel} is of a model: it cannot go with --partial. Leave one out.`);
  }
  if (shrinkage !== undefined && as === 'mixture') {
    throw new UsageError('--shrinkage cannot go with --as mixture. Use --regularization.');
  }
  if (regularization !== undefined && as !== 'mixture') {
    throw new UsageError('--regularization is for --as mixture. Use --shrinkage.');
  }
}

/** The sum of all files. */
async function merged(
  files: readonly string[],
  { allowEqual }: MergeFlags,
): Promise<ClassStatistics | EMStatistics> {
  let sum: ClassStatistics | EMStatistics | null = null;
  // In one order, so that the same files give the same bits.
  for (const file of files.length === 0 ? [STANDARD_STREAM] : files.toSorted()) {
    const name = inputName(file);
    for await (const bytes of safetensorsIn(file)) {
      const next = statisticsIn(bytes, name);
      if (sum === null) sum = next;
      else add(sum, next, name, allowEqual);
    }
  }
  if (sum === null) throw new UsageError('There must be statistics to merge: there are none.');
  return sum;
}

/** @throws FormatError naming the file for bytes of no statistics */
function statisticsIn(bytes: Uint8Array, name: string): ClassStatistics | EMStatistics {
  try {
    const { format } = parseSafetensors(bytes).metadata;
    return format?.startsWith('gmml.EMStatistics')
      ? EMStatistics.fromSafetensors(bytes)
      : ClassStatistics.fromSafetensors(bytes);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new FormatError(`${name} must have statistics of gmml stats: ${error.message}`, { cause: error });
  }
}

/** @throws UsageError or ArgumentError naming the file for statistics of another kind or size; DuplicateShardError */
function add(
  sum: ClassStatistics | EMStatistics,
  next: ClassStatistics | EMStatistics,
  name: string,
  allowEqual: true | undefined,
): void {
  try {
    if (sum instanceof EMStatistics && next instanceof EMStatistics) return sum.merge(next, { allowEqual });
    if (sum instanceof ClassStatistics && next instanceof ClassStatistics) {
      return sum.merge(next, { allowEqual });
    }
  } catch (error) {
    // It names the shards.
    if (!(error instanceof GmmlError) || error instanceof DuplicateShardError) throw error;
    throw new ArgumentError(`${name} must go with the files before: ${error.message}`, { cause: error });
  }
  throw new UsageError(
    `All statistics must be of EM (gmml stats --model), or none: ${name} differs from those before.`,
  );
}

function closedForm(statistics: ClassStatistics, { as, shrinkage, regularization }: MergeFlags): Uint8Array {
  const { labels } = statistics;
  if (as === 'gmml') return modelToSafetensors(statistics.toGMML({ shrinkage }), labels);
  if (as === 'mixture') return modelToSafetensors(statistics.toGaussianMixture({ regularization }), labels);
  return statistics.toOpenSetClassifier({ shrinkage }).toSafetensors();
}
