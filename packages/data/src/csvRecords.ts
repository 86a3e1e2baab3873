import type { Readable } from 'node:stream';
import { FormatError, ShapeError } from '@gmml/tensor';
import { CsvError, parse, type Info } from 'csv-parse';
import { excerpt } from './excerpt.js';

/** A line of a CSV file, or several where a quoted field has line breaks. */
export interface CsvRecord {
  /** The last line that it is on, from 1. */
  readonly line: number;
  readonly fields: readonly string[];
}

/** Characters of a record, at most: a quote that is never closed, or a file without ends of lines, ends there. */
const LONGEST_RECORD = 1 << 24;

/**
 * The records of a CSV file as a stream, a line of names as any other. Space around fields is not part of them, empty lines
 * are passed over, and what follows '#' is text as any other.
 * @throws FormatError for what is no CSV; ShapeError naming the line for one with another number of fields than the first
 */
export async function* csvRecords(
  stream: Readable,
  name: string,
  delimiter: string,
): AsyncGenerator<CsvRecord> {
  const parser = stream.pipe(
    parse({
      delimiter,
      bom: true,
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
      max_record_size: LONGEST_RECORD,
    }),
  );
  stream.on('error', (error) => parser.destroy(error));
  let width = -1;
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: Info }>) {
      if (width < 0) width = record.length;
      if (record.length !== width) {
        throw new ShapeError(
          `${name}: every line must have ${width} fields, as the first: line ${info.lines} has ${record.length}.`,
        );
      }
      yield { line: info.lines, fields: record };
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new FormatError(`${name}: the file must be CSV: ${excerpt(error.message, 200)}.`, { cause: error });
  }
}
