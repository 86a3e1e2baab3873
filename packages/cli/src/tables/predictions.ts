import type { Table, TableBlock } from '@gmml/data';
import { FormatError } from '@gmml/tensor';
import { stringify } from 'csv-stringify/sync';
import { quoted } from '../formatting.js';
import type { ClassAnswer } from './classModel.js';

/** What is said of each row, in this order. */
const ADDED = ['label', 'probability', 'log_density', 'typicality'] as const;

/** Writes rows with what a model says of them, in the format of their table: JSON lines for JSON lines, CSV for others. */
export interface PredictionWriter {
  /** What comes before the rows. */
  readonly head: string;
  /** The rows `kept` of a block, with their answers. @throws FormatError for a key of JSON that is added */
  rows(block: TableBlock, kept: readonly number[], answers: readonly ClassAnswer[]): string;
}

/**
 * @param classes names, by their places
 * @param delimiter between two fields of CSV
 */
export function predictionWriter(
  table: Table,
  classes: readonly string[],
  delimiter: string,
): PredictionWriter {
  const names = ADDED.map((name) => freeName(name, table.columns));
  const valuesOf = ({
    best,
    isKept,
    probabilities,
    logDensity,
    typicality,
  }: ClassAnswer): (string | number | null)[] => [
    isKept ? classes[best] : null,
    rounded(Math.min(1, probabilities[best])),
    rounded(logDensity),
    rounded(typicality!),
  ];
  if (table.format === 'json') {
    return {
      head: '',
      rows: ({ objects }, kept, answers) =>
        answers.map((answer, at) => lineOfJson(table, objects![kept[at]], names, valuesOf(answer))).join(''),
    };
  }
  const csv = (records: readonly (readonly (string | number | null)[])[]): string =>
    stringify(records as (string | number | null)[][], { delimiter });
  return {
    head: csv([table.format === 'csv' ? [...table.columns, ...names] : names]),
    rows: ({ fields }, kept, answers) =>
      csv(answers.map((answer, at) => [...(fields?.[kept[at]] ?? []), ...valuesOf(answer)])),
  };
}

/** The name, or where a column has it 'predicted_' before it. */
function freeName(name: string, columns: readonly string[]): string {
  return columns.includes(name) ? freeName(`predicted_${name}`, columns) : name;
}

function lineOfJson(
  table: Table,
  object: Readonly<Record<string, unknown>>,
  names: readonly string[],
  values: readonly (string | number | null)[],
): string {
  const taken = names.find((name) => Object.hasOwn(object, name));
  if (taken !== undefined) {
    throw new FormatError(
      `${table.name}: a key that is added must be in all objects or in none: a later one has ${quoted(taken)}, the first has not. Rename it.`,
    );
  }
  const added = Object.fromEntries(names.map((name, i) => [name, values[i]]));
  return `${JSON.stringify({ ...object, ...added })}\n`;
}

/** Six digits are more than the figures are worth. */
function rounded(value: number): number {
  return Number(value.toPrecision(6));
}
