import { createHash } from 'node:crypto';
import { normalize } from 'node:path';
import { Shard } from '@gmml/data';
import { GaussianMixture, type CovarianceType } from '@gmml/gmm';
import { ClassStatistics, EMStatistics } from '@gmml/gmm/statistics';
import { ArgumentError, NumericalError, tensor, useBackend, type Tensor } from '@gmml/tensor';
import type { Command } from 'commander';
import { UsageError } from '../errors.js';
import { readFittedModel } from '../files/fittedModel.js';
import { inputName, inputSource, STANDARD_STREAM } from '../files/input.js';
import { refuseOverwriting, refuseTerminal, writeOutput } from '../files/output.js';
import { withShardOptions, type ShardFlags } from '../options/shardOptions.js';
import { fileName, oneOf, properName, rowRange, valued } from '../options/values.js';
import { computingCommand, type ComputingFlags } from '../options/writingCommand.js';
import { RowLabels } from '../tables/rowLabels.js';

interface StatsFlags extends ComputingFlags, ShardFlags {
  readonly labels?: string;
  readonly model?: string;
  readonly covariance?: CovarianceType;
  readonly rows?: { readonly from: number; readonly to?: number };
  readonly name?: string;
}

/** The label of rows that have none. */
const ONLY_LABEL = 'all';

/** `gmml stats`: the sufficient statistics of one shard. */
export function statsCommand(): Command {
  const command = computingCommand(
    'stats',
    'Count the sufficient statistics of one shard of the data, for gmml merge.',
  )
    .argument('[shard]', '.npy, CSV or IDX file (default: standard input)')
    .addOption(
      valued('--labels <file>', 'the label of each row: a file of integers or lines of text', fileName),
    )
    .addOption(
      valued('--model <file>', 'the mixture of the last EM iteration (default: closed form)', fileName),
    )
    .addOption(
      valued(
        '--covariance <type>',
        'covariance of the model (default: full)',
        oneOf('full', 'diag', 'tied', 'spherical'),
      ),
    )
    .addOption(valued('--rows <range>', 'rows of the shard', rowRange))
    .addOption(
      valued('--name <name>', 'what the shard is called, once in all (default: its path)', properName),
    );
  return withShardOptions(command)
    .addHelpText(
      'after',
      '\nExamples:\n  gmml stats part-0.npy --labels labels-0.npy > 0.stats\n  gmml stats part-0.npy --model current.safetensors > 0.stats',
    )
    .action((shard: string | undefined, options: StatsFlags) => run(shard ?? STANDARD_STREAM, options));
}

async function run(path: string, options: StatsFlags): Promise<void> {
  const { labels, labelColumn, model, rows, header, delimiter, output } = options;
  checkFlags(path, options);
  refuseTerminal(output);
  refuseOverwriting(output, [path, labels, model]);
  await useBackend(options.backend, { threads: options.threads });
  const mixture = model === undefined ? null : await mixtureIn(model);
  const name = inputName(path);
  const shard = await Shard.open(inputSource(path), { ...rows, name, labelColumn, header, delimiter });
  let rowLabels: RowLabels | null = null;
  let statistics: ClassStatistics | EMStatistics;
  try {
    if (labels !== undefined) rowLabels = await RowLabels.open(labels, rows);
    statistics = await counted(shard, rowLabels, mixture, options);
    const ownDigest = shard.digest();
    const digest = rowLabels ? combined(ownDigest, await rowLabels.finish()) : ownDigest;
    statistics.addShard({
      // One name for ./x and x: rows of a range are known by the name alone.
      name: options.name ?? (path === STANDARD_STREAM ? `sha256:${digest}` : normalize(path)),
      from: rows?.from ?? 0,
      to: shard.end,
      // Of a range, more may have been read than was counted.
      digest: rows ? '' : digest,
    });
  } finally {
    shard.close();
    rowLabels?.close();
  }
  await writeOutput(statistics.toSafetensors(), output);
}

/** @throws UsageError for options that do not go together */
function checkFlags(path: string, { labels, labelColumn, model, covariance, rows, name }: StatsFlags): void {
  const isInput = path === STANDARD_STREAM;
  if (labels !== undefined && labelColumn !== undefined) {
    throw new UsageError('--labels and --label-column both say which label a row has. Leave one out.');
  }
  if (model !== undefined && (labels !== undefined || covariance !== undefined)) {
    const flag = labels === undefined ? '--covariance' : '--labels';
    throw new UsageError(`${flag} is for the closed form: it cannot go with --model. Leave one out.`);
  }
  if (isInput && (labels === STANDARD_STREAM || model === STANDARD_STREAM)) {
    throw new UsageError(
      'Only one of shard, labels and model can be standard input. Name a file for the others.',
    );
  }
  if (isInput && rows !== undefined && name === undefined) {
    throw new UsageError('--rows of standard input need --name, by which it is seen that none counts twice.');
  }
}

/** The statistics of all rows: under the mixture where there is one, else by their labels. */
async function counted(
  shard: Shard,
  rowLabels: RowLabels | null,
  mixture: GaussianMixture | null,
  { labelColumn, covariance }: StatsFlags,
): Promise<ClassStatistics | EMStatistics> {
  let statistics: ClassStatistics | EMStatistics | null = mixture && new EMStatistics(mixture);
  for await (const block of shard.blocks()) {
    const x = tensor(block.values, { shape: [block.rows, block.columns] });
    statistics ??= new ClassStatistics({ features: block.columns, covariance });
    if (statistics instanceof EMStatistics) {
      addFrom(statistics, x, `${shard.name}: from row ${block.first} on`);
      continue;
    }
    if (labelColumn !== undefined && !block.labels) {
      throw new ArgumentError(`${shard.name}: --label-column is for CSV files: this is none. Use --labels.`);
    }
    const given = rowLabels ? await rowLabels.take(block.rows) : block.labels;
    statistics.add(x, given ?? Array<string>(block.rows).fill(ONLY_LABEL));
  }
  // Blocks end with an error where there are no rows.
  return statistics!;
}

/** Adds a block. @throws NumericalError that says where it is, for a row that no component can have given */
function addFrom(statistics: EMStatistics, x: Tensor, where: string): void {
  try {
    statistics.add(x);
  } catch (error) {
    if (!(error instanceof NumericalError)) throw error;
    throw new NumericalError(`${where}: ${error.message}`, { cause: error });
  }
}

async function mixtureIn(path: string): Promise<GaussianMixture> {
  const model = await readFittedModel(path);
  if (model instanceof GaussianMixture) return model;
  throw new UsageError(
    `--model must be a mixture, as gmml init and gmml merge write: ${path} is another model.`,
  );
}

function combined(...digests: readonly string[]): string {
  return createHash('sha256').update(digests.join()).digest('hex');
}
