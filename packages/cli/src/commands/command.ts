import { Command } from 'commander';
import { fileName, fraction, integer, number, oneOf, threads, valued, type ValueReader } from '../values.js';

/** Ends the command with a code other than 0 when it is through. */
export type Finish = (exitCode: number) => void;

/** A subcommand of `gmml` that computes, with what all of them have in common. */
export function subcommand(name: string, description: string): Command {
  return writingCommand(name, description)
    .addOption(
      valued('--backend <name>', 'what computes', oneOf('auto', 'wasm', 'reference')).default('auto'),
    )
    .addOption(valued('--threads <n>', 'threads that compute', threads).default(1));
}

/** A subcommand that writes a file. */
export function writingCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .addOption(valued('--output <file>', 'where the result goes (default: standard output)', fileName))
    .allowExcessArguments(false);
}

/** What `writingCommand` adds. */
export interface WritingOptions {
  readonly output?: string;
}

/** What `subcommand` adds. */
export interface CommonOptions extends WritingOptions {
  readonly backend: 'auto' | 'wasm' | 'reference';
  readonly threads: number | 'auto';
}

/** How shards are read: their rows, and what a CSV file is like. */
export function withShardOptions(command: Command): Command {
  return command
    .addOption(
      valued('--label-column <column>', 'column of a CSV file that is the label: name or number', fileName),
    )
    .addOption(valued('--delimiter <text>', 'between the fields of a CSV file', oneCharacter).default(','))
    .option('--header', 'the first line of a CSV file has names (default: where none of it is a number)')
    .option('--no-header', 'it has none');
}

/** What `withShardOptions` adds. */
export interface ShardFlags {
  readonly labelColumn?: string;
  readonly delimiter: string;
  readonly header?: boolean;
}

/** A number of at least 0, below 1e300. */
export const notNegative = number('a number of at least 0', (value) => value < 1e300);

/** `from:to`, either of which may be missing. */
export const rowRange: ValueReader = {
  allowed: 'from:to, the first row and the first that is not meant any more',
  read(text) {
    const [, from, to] = /^(\d*):(\d*)$/.exec(text) ?? [];
    if (from === undefined) return undefined;
    const range = { from: from === '' ? 0 : Number(from), to: to === '' ? undefined : Number(to) };
    return range.to === undefined || range.to > range.from ? range : undefined;
  },
};

const oneCharacter: ValueReader = {
  allowed: "one character, or 'tab'",
  read: (text) => (text === 'tab' ? '\t' : text.length === 1 ? text : undefined),
};

export { fileName, fraction, integer, oneOf, valued };
