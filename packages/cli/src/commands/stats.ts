import { createHash } from 'node:crypto';
import { normalize } from 'node:path';
import { Shard } from '@gmml/data';
import { GaussianMixture, type CovarianceType } from '@gmml/gmm';
import { ClassStatistics, EMStatistics, modelFromSafetensors } from '@gmml/gmm/statistics';
import { ArgumentError, NumericalError, tensor, useBackend, type Tensor } from '@gmml/tensor';
import type { Command } from 'commander';
import { UsageError } from '../errors.js';
import {
  fileName,
  oneOf,
  rowRange,
  subcommand,
  valued,
  withShardOptions,
  type CommonOptions,
  type ShardFlags,
} from './command.js';
import { readInput, refuseTerminal, STANDARD_INPUT, writeOutput } from './files.js';
import { RowLabels } from './rowLabels.js';

interface StatsOptions extends CommonOptions, ShardFlags {
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
  const command = subcommand(
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
      valued('--name <name>', 'what the shard is called, once in all (default: its path)', fileName),
    );
  return withShardOptions(command)
    .addHelpText(
      'after',
      '\nExamples:\n  gmml stats part-0.npy --labels labels-0.npy > 0.stats\n  gmml stats part-0.npy --model current.safetensors > 0.stats',
    )
    .action((shard: string | undefined, options: StatsOptions) => run(shard ?? STANDARD_INPUT, options));
}

async function run(path: string, options: StatsOptions): Promise<void> {
  const { labels, labelColumn, model, covariance, rows, header, delimiter } = options;
  const isInput = path === STANDARD_INPUT;
  if (labels !== undefined && labelColumn !== undefined) {
    throw new UsageError('--labels and --label-column both say which label a row has. Leave one out.');
  }
  if (model !== undefined && (labels !== undefined || covariance !== undefined)) {
    const flag = labels === undefined ? '--covariance' : '--labels';
    throw new UsageError(`${flag} is for the closed form: it cannot go with --model. Leave one out.`);
  }
  if (isInput && (labels === STANDARD_INPUT || model === STANDARD_INPUT)) {
    throw new UsageError(
      'Only one of shard, labels and model can be standard input. Name a file for the others.',
    );
  }
  if (isInput && rows !== undefined && options.name === undefined) {
    throw new UsageError('--rows of standard input need --name, by which it is seen that none counts twice.');
  }
  refuseTerminal(options.output);
  await useBackend(options.backend, { threads: options.threads });
  const mixture = model === undefined ? null : await mixtureIn(model);
  const shard = await Shard.open(isInput ? process.stdin : path, {
    ...rows,
    labelColumn,
    header,
    delimiter,
  });
  let ofRows: RowLabels | null = null;
  let statistics: ClassStatistics | EMStatistics | null = null;
  try {
    if (labels !== undefined) {
      ofRows = await RowLabels.open(labels === STANDARD_INPUT ? process.stdin : labels, rows ?? {});
    }
    if (mixture) statistics = new EMStatistics(mixture);
    for await (const block of shard.blocks()) {
      const x = tensor(block.values, { shape: [block.rows, block.columns] });
      statistics ??= new ClassStatistics({ features: block.columns, covariance });
      if (statistics instanceof EMStatistics)
        addFrom(statistics, x, `${shard.name}: from row ${block.first} on`);
      else {
        if (labelColumn !== undefined && !block.labels) {
          throw new ArgumentError(
            `${shard.name}: --label-column is for CSV files: this is none. Use --labels.`,
          );
        }
        const given = ofRows ? await ofRows.take(block.rows) : block.labels;
        statistics.add(x, given ?? Array<string>(block.rows).fill(ONLY_LABEL));
      }
    }
    const ownDigest = shard.digest();
    const digest = ofRows ? combined(ownDigest, await ofRows.finish()) : ownDigest;
    // One name for ./x and x: rows of a range are known by the name alone.
    const name = options.name ?? (isInput ? `sha256:${digest}` : normalize(path));
    // Of a range, more may have been read than was counted.
    statistics!.addShard({ name, from: rows?.from ?? 0, to: shard.end, digest: rows ? '' : digest });
  } finally {
    shard.close();
    ofRows?.close();
  }
  await writeOutput(statistics!.toSafetensors(), options.output);
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
  const { model } = modelFromSafetensors(await readInput(path));
  if (model instanceof GaussianMixture) return model;
  throw new UsageError(
    `--model must be a mixture, as gmml init and gmml merge write: ${path} is another model.`,
  );
}

function combined(...digests: readonly string[]): string {
  return createHash('sha256').update(digests.join()).digest('hex');
}
