import type { Command } from 'commander';
import { fileName, valued, type ValueReader } from '../values.js';

/** Options that all commands on tables have. */
export function withTableOptions(command: Command): Command {
  return command
    .addOption(valued('--delimiter <text>', 'between the fields of CSV', oneCharacter).default(','))
    .option('--drop-missing', 'leave out rows in which something is missing (empty, NA, N/A, NaN, null)')
    .allowExcessArguments(false);
}

/** What `withTableOptions` adds. */
export interface TableFlags {
  readonly delimiter: string;
  readonly dropMissing?: true;
}

/** Options that say where labels are. */
export function withLabelOptions(command: Command, fallback: string): Command {
  return command
    .addOption(valued('--label <column>', `column of the labels${fallback}`, fileName))
    .addOption(
      valued('--labels <file>', 'file of the labels, one a row: .npy, IDX or lines of text', fileName),
    );
}

/** What `withLabelOptions` adds. */
export interface LabelFlags {
  readonly label?: string;
  readonly labels?: string;
}

/** 'auto' or what `reader` reads. */
export function autoOr(reader: ValueReader): ValueReader {
  return {
    allowed: `${reader.allowed}, or auto`,
    read: (text) => (text === 'auto' ? text : reader.read(text)),
  };
}

const oneCharacter: ValueReader = {
  allowed: "one character, or 'tab'",
  read: (text) => (text === 'tab' ? '\t' : text.length === 1 ? text : undefined),
};
