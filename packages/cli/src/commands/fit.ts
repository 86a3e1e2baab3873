import { Command } from 'commander';
import { UsageError } from '../errors.js';
import { inputName, STANDARD_STREAM } from '../files/input.js';
import { checkOutput, refuseOverwriting, writeOutput } from '../files/output.js';
import { fitTable, type FitTableOptions } from '../tables/fitTable.js';
import { fitJson, fitText } from '../tables/reports.js';
import { encodeTableModel } from '../tables/tableModelFile.js';
import {
  checkLabelFlags,
  withLabelOptions,
  withTableOptions,
  type LabelFlags,
  type TableFlags,
} from '../options/tableOptions.js';
import { autoOr, fileName, integer, oneOf, properFraction, properName, valued } from '../options/values.js';

type FitChoices = Pick<FitTableOptions, 'ignore' | 'covariance' | 'components' | 'folds' | 'seed' | 'keep'>;

interface FitFlags extends TableFlags, LabelFlags, FitChoices {
  readonly output: string;
  readonly json?: true;
}

/** `gmml fit`: a classifier of the rows of a table, in closed form. */
export function fitCommand(): Command {
  const command = new Command('fit')
    .description(
      'Fit a classifier to a table: Gaussians of each class, with a threshold for what is none of them.',
    )
    .argument('<table>', "CSV with a line of names, JSON lines, .npy or IDX; '-' is standard input");
  return withTableOptions(withLabelOptions(command, ''))
    .addOption(
      valued('--ignore <columns>', 'columns that are no features, with commas between them', properName)
        .argParser((text, before: readonly string[]) => [...before, ...text.split(',')])
        .default([], 'none'),
    )
    .addOption(
      valued(
        '--covariance <type>',
        'of the components: one for all, one each, or variances',
        autoOr(oneOf('tied', 'full', 'diag')),
      ).default('auto'),
    )
    .addOption(valued('--components <n>', 'Gaussians a class', autoOr(integer(1, 1000))).default(1))
    .addOption(
      valued('--folds <n>', 'of cross-validation, 0 for none', {
        allowed: 'an integer from 2 to 100, or 0',
        read: (text) => (text === '0' ? 0 : integer(2, 100).read(text)),
      }).default(5),
    )
    .addOption(valued('--seed <n>', 'seed of everything random', integer(0, 2 ** 32 - 1)).default(1))
    .addOption(valued('--keep <p>', 'share of known rows to keep', properFraction).default(0.95))
    .addOption(valued('--output <file>', 'where the model goes', fileName).default('model.safetensors'))
    .option('--json', 'the report as a line of JSON')
    .addHelpText(
      'after',
      `
What is left to auto is chosen by the NLL of held-out rows: the simplest form within one standard error of the least. One
component a class is fitted in two or three passes over the file (--folds 0: one), which may be larger than memory; more
components (EM within each class) need the rows in memory, at most 1 GiB. Features are standardised; columns that are the
same in every row are left out. Of one class only, the model tells what is like it from what is not.

Examples:
  gmml fit flowers.csv --label species
  gmml fit features.csv --label species --covariance tied --components auto
  gmml fit features.npy --labels labels.npy --keep 0.99 --output model.safetensors
  zcat rows.csv.gz | gmml fit - --label kind --covariance tied --folds 0`,
    )
    .action(run);
}

async function run(file: string, flags: FitFlags): Promise<void> {
  const { label, labels, delimiter, dropMissing, output, json, ...settings } = flags;
  if (label === undefined && labels === undefined) {
    throw new UsageError(
      'A fit needs labels: none are given. Name their column by --label, or their file by --labels.',
    );
  }
  checkLabelFlags(file, { label, labels });
  if (output === STANDARD_STREAM) {
    throw new UsageError('--output must be a file: standard output has the report.');
  }
  refuseOverwriting(output, [file, labels]);
  checkOutput(output);
  const fit = await fitTable({
    ...settings,
    file,
    label: label ?? null,
    labelsFile: labels ?? null,
    delimiter,
    dropMissing: dropMissing === true,
  });
  await writeOutput(encodeTableModel(fit.model), output);
  process.stdout.write(
    json
      ? `${JSON.stringify(fitJson(fit, settings.folds, file, output))}\n`
      : fitText(fit, settings.folds, inputName(file), output),
  );
}
