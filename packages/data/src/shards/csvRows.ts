import type { Readable } from 'node:stream';
import { ArgumentError, FormatError, NotFiniteError } from '@gmml/tensor';
import { cut, excerpt } from '../excerpt.js';
import { csvRecords } from '../csvRecords.js';

/** What a CSV file may be like. */
export interface CsvOptions {
  /** Between two fields; default ','. */
  readonly delimiter?: string;
  /** Whether the first line has names; default 'auto': it has where none of its fields is a number. */
  readonly header?: boolean | 'auto';
  /** The column that is a label and no feature: its name in the header, or its number from 0. Default: none. */
  readonly labelColumn?: string | number;
  /** Whether there are labels alone, one in a line. */
  readonly isLabels?: boolean;
}

/** A line of numbers, with its label where a column is one. */
export interface CsvRow {
  readonly values: readonly number[];
  readonly label: string;
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

const NOT_FINITE = /^[+-]?(nan|inf(inity)?)$/i;

/**
 * The rows of a CSV file, read as a stream.
 * @throws FormatError naming line and column for text where a number must be; ShapeError for lines of another width;
 *   NotFiniteError; ArgumentError for a label column that is not there
 */
export async function* csvRows(
  stream: Readable,
  name: string,
  { delimiter = ',', header = 'auto', labelColumn, isLabels = false }: CsvOptions,
): AsyncGenerator<CsvRow> {
  let isFirst = true;
  let names: readonly string[] | null = null;
  let labelAt = -1;
  for await (const { line, fields } of csvRecords(stream, name, delimiter)) {
    if (isFirst) {
      isFirst = false;
      const isHeader =
        header === 'auto'
          ? !isLabels && !fields.some((field) => NUMBER.test(field) || NOT_FINITE.test(field))
          : header;
      if (isHeader) names = fields;
      labelAt = isLabels ? 0 : placeOf(labelColumn, names, fields.length, name);
      if (isHeader) continue;
    }
    const values: number[] = [];
    for (const [i, field] of fields.entries()) {
      if (i !== labelAt) values.push(numberOf(field, name, line, i, names));
    }
    yield { values, label: labelAt < 0 ? '' : fields[labelAt] };
  }
}

function placeOf(
  column: string | number | undefined,
  names: readonly string[] | null,
  width: number,
  name: string,
): number {
  if (column === undefined) return -1;
  const named = names?.indexOf(String(column)) ?? -1;
  const at = named >= 0 ? named : Number(column);
  if (Number.isInteger(at) && at >= 0 && at < width) return at;
  const known = names
    ? `there are ${names
        .slice(0, 10)
        .map((field) => excerpt(field))
        .join(', ')}`
    : `there is no line of names`;
  throw new ArgumentError(
    `${name}: the label column must be a name in the first line or a number from 0 to ${width - 1}: it is ${column}, ${known}.`,
  );
}

function numberOf(
  field: string,
  name: string,
  line: number,
  column: number,
  names: readonly string[] | null,
): number {
  if (NUMBER.test(field)) return Number(field);
  const where = `line ${line}, column ${column}${names ? ` (${excerpt(names[column] ?? '')})` : ''}`;
  if (NOT_FINITE.test(field))
    throw new NotFiniteError(`${name}: numbers must be finite: ${where} is ${field}.`);
  const shown = JSON.stringify(cut(field));
  throw new FormatError(`${name}: fields must be numbers: ${where} is ${shown}.`);
}
