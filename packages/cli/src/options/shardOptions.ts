import type { Command } from 'commander';
import { delimiter, properName, valued } from './values.js';

/** How shards are read: their rows, and what a CSV file is like. */
export function withShardOptions(command: Command): Command {
  return command
    .addOption(
      valued('--label-column <column>', 'column of a CSV file that is the label: name or number', properName),
    )
    .addOption(valued('--delimiter <text>', 'between the fields of a CSV file', delimiter).default(','))
    .option('--header', 'the first line of a CSV file has names (default: where none of it is a number)')
    .option('--no-header', 'it has none');
}

/** What `withShardOptions` adds. */
export interface ShardFlags {
  readonly labelColumn?: string;
  readonly delimiter: string;
  readonly header?: boolean;
}
