import { Command } from 'commander';
import { inputName } from '../files/input.js';
import { evaluateTable } from '../tables/evaluateTable.js';
import { evaluationText } from '../tables/reports.js';
import { loadTableModel } from '../tables/tableModelFile.js';
import {
  checkLabelFlags,
  withLabelOptions,
  withTableOptions,
  type LabelFlags,
  type TableFlags,
} from '../options/tableOptions.js';

interface EvalFlags extends TableFlags, LabelFlags {
  readonly json?: true;
}

/** `gmml eval`: how a model's answers compare with labels. */
export function evalCommand(): Command {
  const command = new Command('eval')
    .description('Score a model on a table with labels.')
    .argument('<model>', 'file of gmml fit')
    .argument('<table>', "CSV, JSON lines, .npy or IDX with labels; '-' is standard input");
  return withTableOptions(withLabelOptions(command, ' (default: as in the fit)'))
    .option('--json', 'the figures as a line of JSON')
    .addHelpText(
      'after',
      `
Accuracy, NLL and calibration error are of the most probable class, coverage is the share of rows that get a label. Rows
whose label the model does not know count as unknown: the share left without a label and the AUROC of typicality are theirs.

Examples:
  gmml eval model.safetensors labelled.csv
  gmml eval model.safetensors features.npy --labels labels.npy --json`,
    )
    .action(run);
}

async function run(
  modelFile: string,
  file: string,
  { label, labels, delimiter, dropMissing, json }: EvalFlags,
): Promise<void> {
  checkLabelFlags(file, { label, labels });
  const model = loadTableModel(modelFile);
  const input = { file, labelsFile: labels ?? null, delimiter, dropMissing: dropMissing === true };
  const evaluation = await evaluateTable(model, input, label);
  process.stdout.write(
    json
      ? `${JSON.stringify({ file, ...evaluation, keep: model.keep })}\n`
      : evaluationText(evaluation, model.keep, inputName(file)),
  );
}
