import { Command } from 'commander';
import { numericRows } from '../tables/cells.js';
import { openTable } from '../tables/labelledTable.js';
import { predictionWriter } from '../tables/predictions.js';
import { loadTableModel } from '../tables/tableModelFile.js';
import { errorPrinter } from '../standardStreams.js';
import { fileName, valued } from '../options/values.js';
import { count } from '../formatting.js';
import { refuseOverwriting } from '../files/output.js';
import { openOutput } from '../files/outputStream.js';
import { withTableOptions, type TableFlags } from '../options/tableOptions.js';

interface PredictFlags extends TableFlags {
  readonly output?: string;
}

/** `gmml predict`: the rows of a table with what a model says of each. */
export function predictCommand(): Command {
  const command = new Command('predict')
    .description('Add label, probability, log density and typicality to the rows of a table.')
    .argument('<model>', 'file of gmml fit')
    .argument('<table>', "CSV, JSON lines, .npy or IDX, larger than memory or not; '-' is standard input");
  return withTableOptions(command)
    .addOption(valued('--output <file>', 'where the rows go (default: standard output)', fileName))
    .addHelpText(
      'after',
      `
Features are found by their names, in any order and among other columns; in .npy and IDX files by position. Added are
  label        the most probable class; empty (JSON: null) where typicality is below 1 − keep
  probability  that of the most probable class, given that it is one of them, whether it is named or not
  log_density  of the row under all classes together, in the units of the table
  typicality   the share of known rows that are as typical or less
and where the table has such a column, predicted_label and so on. JSON lines stay JSON lines, CSV stays CSV; for .npy and
IDX the four columns are written as CSV.

Example:
  gmml predict model.safetensors new.csv --output answers.csv`,
    )
    .action(run);
}

async function run(
  modelFile: string,
  file: string,
  { delimiter, dropMissing, output }: PredictFlags,
): Promise<void> {
  refuseOverwriting(output, [modelFile]);
  const model = loadTableModel(modelFile);
  const table = await openTable(file, delimiter);
  let dropped = 0;
  try {
    const places = model.placesIn(table);
    const classes = model.info.classes.map(({ name }) => name);
    const writer = predictionWriter(table, classes, delimiter);
    const out = openOutput(output);
    try {
      await out.write(writer.head);
      for await (const block of table.blocks()) {
        const { kept, values } = numericRows(table, block, places, dropMissing === true);
        dropped += block.rows - kept.length;
        await out.write(writer.rows(block, kept, model.answers(values)));
      }
      out.finish();
    } catch (error) {
      out.abandon();
      throw error;
    }
  } finally {
    table.close();
  }
  if (dropped > 0) errorPrinter('gmml')(`left out: ${count(dropped, 'row')} in which something is missing`);
}
