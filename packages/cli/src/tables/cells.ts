import type { Table, TableBlock } from '@gmml/data';
import { ArgumentError, FormatError, NotFiniteError } from '@gmml/tensor';
import { listed, quoted } from '../formatting.js';

/** The complete rows of a block. */
export interface NumericRows {
  /** Which rows of the block they are, rising. */
  readonly kept: readonly number[];
  /** Their numbers, row-major [kept, D]. */
  readonly values: Float64Array;
}

/** Beyond this, squares and their sums would overflow. */
const LARGEST = 1e100;

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

const NOT_FINITE = /^[+-]?inf(inity)?$/i;

/** What stands for a number that is missing, in CSV and in strings of JSON. */
const MISSING = /^(na|n\/a|nan|null)?$/i;

/**
 * The numbers in the columns `places` of a block. A number is missing where the field is empty, NA, N/A, NaN or null.
 * @param dropMissing whether rows in which one is missing are left out; otherwise they are an error
 * @throws FormatError for text and for what is missing; NotFiniteError for infinities and more than 1e100: all name line and column
 */
export function numericRows(
  table: Table,
  block: TableBlock,
  places: readonly number[],
  dropMissing: boolean,
): NumericRows {
  const values = new Float64Array(block.rows * places.length);
  const kept: number[] = [];
  for (let n = 0; n < block.rows; n++) {
    const start = kept.length * places.length;
    const isComplete = places.every((place, j) => {
      const value = numberAt(table, block, n, place, dropMissing);
      values[start + j] = value ?? 0;
      return value !== null;
    });
    if (isComplete) kept.push(n);
  }
  return { kept, values: values.subarray(0, kept.length * places.length) };
}

/** The label in column `place`: text, or an integer or boolean of JSON or a binary file as text; null where there is none. */
export function labelAt(table: Table, block: TableBlock, n: number, place: number): string | null {
  const cell = block.cell(n, place) ?? '';
  if (typeof cell === 'string') return cell.trim() === '' ? null : cell;
  if (typeof cell === 'boolean' || (typeof cell === 'number' && Number.isSafeInteger(cell)))
    return String(cell);
  throw new FormatError(
    `${table.name}: labels must be text or integers: ${block.where(n, place)} is ${shown(cell)}.`,
  );
}

/** Where the column is. @throws ArgumentError listing those that there are; FormatError where two have the name */
export function placeOf(table: Table, column: string): number {
  const place = table.columns.indexOf(column);
  if (place < 0) {
    throw new ArgumentError(
      `${table.name}: there must be a column ${quoted(column)}: there are ${listed(table.columns.map(quoted))}.${headerHint(table)}`,
    );
  }
  if (table.columns.indexOf(column, place + 1) >= 0) {
    throw new FormatError(`${table.name}: names of columns must differ: ${quoted(column)} stands twice.`);
  }
  return place;
}

/** null where the number is missing and may be. */
function numberAt(
  table: Table,
  block: TableBlock,
  n: number,
  place: number,
  mayMiss: boolean,
): number | null {
  const cell = block.cell(n, place);
  const value = numberIn(cell);
  if (value !== null && Math.abs(value) <= LARGEST) return value;
  if (value === null && mayMiss) return null;
  const where = `${block.where(n, place)} is ${cell === '' ? 'empty' : shown(cell)}`;
  if (value === null) {
    throw new FormatError(
      `${table.name}: no number must be missing: ${where}. Fill it in, or leave such rows out with --drop-missing.`,
    );
  }
  if (Number.isNaN(value)) {
    throw new FormatError(
      `${table.name}: features must be numbers: ${where}. A fit leaves a column out with --ignore.`,
    );
  }
  throw new NotFiniteError(`${table.name}: numbers must be finite and at most 1e100 in size: ${where}.`);
}

/** null for what is missing, NaN for what is no number. */
function numberIn(cell: unknown): number | null {
  if (typeof cell === 'number') return Number.isNaN(cell) ? null : cell;
  if (cell === undefined || cell === null) return null;
  if (typeof cell !== 'string') return NaN;
  if (NUMBER.test(cell)) return Number(cell);
  const text = cell.trim();
  if (MISSING.test(text)) return null;
  if (NOT_FINITE.test(text)) return Infinity;
  return NUMBER.test(text) ? Number(text) : NaN;
}

function shown(cell: unknown): string {
  if (cell === undefined) return 'not there';
  if (typeof cell === 'string') return quoted(cell);
  if (typeof cell === 'object' && cell !== null) return Array.isArray(cell) ? 'an array' : 'an object';
  // Numbers, booleans and null, of which JSON makes NaN and infinities null too.
  return typeof cell === 'number' ? String(cell) : JSON.stringify(cell);
}

function headerHint(table: Table): string {
  const isNumeric = table.format === 'csv' && table.columns.some((name) => NUMBER.test(name));
  return isNumeric ? ' The first line of a CSV file must have the names of its columns.' : '';
}
