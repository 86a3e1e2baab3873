/* oxlint-disable no-await-in-loop -- one shard is read after the other */
import { mixtureFromSafetensors, mixtureToSafetensors } from '@gmml/gmm/statistics';
import { Shard, type ShardBlock } from '@gmml/data';
import { GaussianMixture, type CovarianceType } from '@gmml/gmm';
import { ArgumentError, Generator, ShapeError, tensor, useBackend } from '@gmml/tensor';
import type { Command } from 'commander';
import { concatenate } from '../concatenate.js';
import { inputName, inputSource, STANDARD_STREAM } from '../files/input.js';
import { refuseOverwriting, refuseTerminal, writeOutput } from '../files/output.js';
import { withShardOptions, type ShardFlags } from '../options/shardOptions.js';
import { integer, notNegative, oneOf, valued } from '../options/values.js';
import { computingCommand, type ComputingFlags } from '../options/writingCommand.js';

interface InitFlags extends ComputingFlags, ShardFlags {
  readonly components: number;
  readonly covariance: CovarianceType;
  readonly init: 'kmeans' | 'kmeans++' | 'random' | 'randomFromData';
  readonly seed: number;
  readonly sample: number;
  readonly tolerance?: number;
  readonly regularization?: number;
}

/** `gmml init`: a mixture for EM to start from, of a random sample of rows. */
export function initCommand(): Command {
  const command = computingCommand(
    'init',
    'Make the mixture that EM starts from, of a random sample of rows.',
  )
    .argument('[shards...]', '.npy, CSV or IDX files (default: standard input)')
    .addOption(valued('--components <n>', 'Gaussians', integer(1, 1e6)).default(1))
    .addOption(
      valued('--covariance <type>', 'covariance', oneOf('full', 'diag', 'tied', 'spherical')).default('full'),
    )
    .addOption(
      valued(
        '--init <way>',
        'how components are chosen',
        oneOf('kmeans', 'kmeans++', 'random', 'randomFromData'),
      ).default('kmeans'),
    )
    .addOption(valued('--seed <n>', 'seed of everything random', integer(0, 2 ** 32 - 1)).default(1))
    .addOption(valued('--sample <n>', 'rows that are looked at', integer(1, 1e8)).default(10_000))
    .addOption(
      valued('--tolerance <x>', 'change of the lower bound that ends EM (default: 1e-3)', notNegative),
    )
    .addOption(valued('--regularization <x>', 'added to variances (default: 1e-6)', notNegative));
  return withShardOptions(command)
    .addHelpText('after', '\nExample:\n  gmml init part-*.npy --components 16 > current.safetensors')
    .action((shards: readonly string[], options: InitFlags) => run(shards, options));
}

async function run(shards: readonly string[], options: InitFlags): Promise<void> {
  const { components, covariance, init, seed, sample, tolerance, regularization } = options;
  const { labelColumn, delimiter, header } = options;
  refuseTerminal(options.output);
  refuseOverwriting(options.output, shards);
  await useBackend(options.backend, { threads: options.threads });
  const generator = new Generator(seed);
  const chosen = new Reservoir(sample, generator);
  for (const path of shards.length === 0 ? [STANDARD_STREAM] : shards) {
    const shard = await Shard.open(inputSource(path), {
      name: inputName(path),
      labelColumn,
      delimiter,
      header,
    });
    for await (const block of shard.blocks()) {
      if (labelColumn !== undefined && !block.labels) {
        throw new ArgumentError(
          `${shard.name}: --label-column is for CSV files: this is none. Leave it out.`,
        );
      }
      chosen.add(block, shard.name);
    }
  }
  const settings = { components, covariance, init, generator, tolerance, regularization };
  const { rows, columns } = chosen;
  const start = new GaussianMixture({ ...settings, maxIterations: 0 }).fit(
    tensor(chosen.values(), { shape: [rows, columns] }),
  );
  // What fits on from it is to iterate.
  const fitting = mixtureFromSafetensors(mixtureToSafetensors(start), { maxIterations: 100 });
  await writeOutput(mixtureToSafetensors(fitting), options.output);
}

/** Rows of which each has had the same chance to stay. (Vitter, "Random sampling with a reservoir", 1985, algorithm R.) */
class Reservoir {
  readonly #size: number;
  readonly #generator: Generator;
  readonly #rows: Float64Array[] = [];
  #seen = 0;

  constructor(size: number, generator: Generator) {
    this.#size = size;
    this.#generator = generator;
  }

  get rows(): number {
    return this.#rows.length;
  }

  get columns(): number {
    return this.#rows[0].length;
  }

  add({ rows, columns, values }: ShardBlock, name: string): void {
    if (this.rows > 0 && columns !== this.columns) {
      throw new ShapeError(
        `${name}: shards must have rows of one length: it has ${columns}, not ${this.columns}.`,
      );
    }
    for (let n = 0; n < rows; n++) {
      const at =
        this.#seen < this.#size ? this.#seen : Math.floor(this.#generator.uniform() * (this.#seen + 1));
      if (at < this.#size) this.#rows[at] = values.slice(n * columns, (n + 1) * columns);
      this.#seen++;
    }
  }

  values(): Float64Array {
    return concatenate(this.#rows, Float64Array);
  }
}
