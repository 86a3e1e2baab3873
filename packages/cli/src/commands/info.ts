import { Command } from 'commander';
import { describeFile } from '../info/describeFile.js';
import { infoText } from '../info/infoText.js';
import { delimiter, valued } from '../options/values.js';

interface InfoFlags {
  readonly delimiter: string;
  readonly json?: true;
}

/** `gmml info`: what a file holds. */
export function infoCommand(): Command {
  return new Command('info')
    .description('Say what a file holds: a model, statistics, a trained network, checkpoints, a table.')
    .argument('<file>', 'safetensors, CSV, JSON lines, .npy or IDX; or a folder of safetensors files')
    .addOption(valued('--delimiter <text>', 'between the fields of CSV', delimiter).default(','))
    .option('--json', 'a line of JSON a file, with all metadata and tensors')
    .allowExcessArguments(false)
    .addHelpText(
      'after',
      `
Of a safetensors file only the header is read, of a table all rows are counted.

Examples:
  gmml info model.safetensors
  gmml info flowers.csv`,
    )
    .action(async (file: string, flags: InfoFlags) => {
      for (const description of await describeFile(file, flags.delimiter)) {
        process.stdout.write(flags.json ? `${JSON.stringify(description)}\n` : infoText(description));
      }
    });
}
