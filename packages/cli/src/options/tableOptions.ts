import type { Command } from 'commander';
import { UsageError } from '../errors.js';
import { STANDARD_STREAM } from '../files/input.js';
import { delimiter, fileName, properName, valued } from './values.js';

/** Options that all commands on tables have. */
export function withTableOptions(command: Command): Command {
  return command
    .addOption(valued('--delimiter <text>', 'between the fields of CSV', delimiter).default(','))
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
    .addOption(valued('--label <column>', `column of the labels${fallback}`, properName))
    .addOption(
      valued('--labels <file>', 'file of the labels, one a row: .npy, IDX or lines of text', fileName),
    );
}

/** What `withLabelOptions` adds. */
export interface LabelFlags {
  readonly label?: string;
  readonly labels?: string;
}

/** @throws UsageError where labels are asked for twice, or table and labels are both standard input */
export function checkLabelFlags(file: string, { label, labels }: LabelFlags): void {
  if (label !== undefined && labels !== undefined) {
    throw new UsageError('--label and --labels both say which label a row has. Leave one out.');
  }
  if (file === STANDARD_STREAM && labels === STANDARD_STREAM) {
    throw new UsageError('Only one of table and labels can be standard input. Name a file for the other.');
  }
}
