import type { Readable } from 'node:stream';
import { FormatError, ShapeError } from '@gmml/tensor';
import { isIdx, isNpy } from '../shards/binary.js';
import { ByteReader } from '../shards/byteReader.js';
import { Shard } from '../shards/shard.js';
import { csvRecords, type CsvRecord } from '../csvRecords.js';
import { jsonRecords, type JsonRecord } from './jsonRecords.js';

/** What a table may be written as. */
export type TableFormat = 'csv' | 'json' | 'npy' | 'idx';

/** How a table is read. */
export interface TableOptions {
  /** What messages call it; default the path, or 'standard input'. */
  readonly name?: string;
  /** Between two fields of a CSV file; default ','. */
  readonly delimiter?: string;
}

/** Some rows of a table, one after the other. */
export interface TableBlock {
  readonly rows: number;
  /** What stands in row n of the block, column j: text, a number, any value of JSON; undefined where a key is missing. */
  cell(n: number, j: number): unknown;
  /** Where that is, for a message: 'line 7, column width'. */
  where(n: number, j: number): string;
  /** The fields of each row of a CSV file; null for other formats. */
  readonly fields: readonly (readonly string[])[] | null;
  /** Each row of a file of JSON lines; null for other formats. */
  readonly objects: readonly Readonly<Record<string, unknown>>[] | null;
}

/** Rows in a block, at most. */
const BLOCK_ROWS = 1024;

/** Columns of a binary file, at most: each gets a name. */
const MOST_COLUMNS = 1e6;

/** Bytes by which the format is seen. */
const START_BYTES = 64;

/**
 * A table with named columns in a file: CSV whose first line has the names, JSON lines (one object a line; the first has the names),
 * .npy or IDX (columns are named by their numbers from 0), plain or gzipped. Which of these is seen from the content. It is read as a
 * stream, once, so that it may be larger than memory.
 *
 * @example
 * const bytes = new TextEncoder().encode('length,width\n1,2\n3,4\n');
 * const table = await Table.open(Readable.from([bytes]));
 * table.columns; // ['length', 'width']
 * let count = 0;
 * for await (const { rows } of table.blocks()) count += rows;
 * count; // 2
 */
export class Table {
  readonly name: string;
  readonly format: TableFormat;
  /** The names of the columns, as they stand: the same may stand twice in a CSV file. */
  readonly columns: readonly string[];
  readonly #blocks: AsyncGenerator<TableBlock>;
  readonly #close: () => void;

  private constructor(name: string, format: TableFormat, { columns, blocks, close }: Source) {
    this.name = name;
    this.format = format;
    this.columns = columns;
    this.#blocks = blocks;
    this.#close = close;
  }

  /**
   * Opens a file by its path, or a stream, and reads its names.
   * @throws ArgumentError when it cannot be read; FormatError when it is empty or not what it seems
   */
  static async open(source: string | Readable, options: TableOptions = {}): Promise<Table> {
    const name = options.name ?? (typeof source === 'string' ? source : 'standard input');
    const bytes = await ByteReader.open(source, name);
    try {
      const start = await bytes.peek(START_BYTES);
      if (start.length === 0) throw new FormatError(`${name}: there must be rows: the file is empty.`);
      if (isNpy(start) || isIdx(start)) {
        const shard = await Shard.of(bytes, { name, keepsNaN: true });
        return new Table(name, isNpy(start) ? 'npy' : 'idx', ofShard(shard));
      }
      if (start.includes(0)) {
        throw new FormatError(
          `${name}: a table must be CSV, JSON lines, .npy or IDX: the file is none of these.`,
        );
      }
      const text = new TextDecoder().decode(start).trimStart();
      const close = (): void => bytes.close();
      if (text.startsWith('{')) return new Table(name, 'json', await ofJson(bytes.rest(), name, close));
      if (text.startsWith('[')) {
        throw new FormatError(
          `${name}: JSON must be lines of one object each: it starts with an array. Write each row as an object on a line of its own (pandas: to_json(orient='records', lines=True)).`,
        );
      }
      return new Table(name, 'csv', await ofCsv(bytes.rest(), name, options.delimiter ?? ',', close));
    } catch (error) {
      bytes.close();
      throw error;
    }
  }

  /**
   * The rows, in order. Once.
   * @throws FormatError, ShapeError or NotFiniteError naming line or row for what cannot be read
   */
  async *blocks(): AsyncGenerator<TableBlock> {
    try {
      for await (const block of this.#blocks) yield block;
    } finally {
      this.#close();
    }
  }

  /** Lets go of the file before its end. */
  close(): void {
    this.#close();
  }
}

interface Source {
  readonly columns: readonly string[];
  readonly blocks: AsyncGenerator<TableBlock>;
  readonly close: () => void;
}

async function ofCsv(stream: Readable, name: string, delimiter: string, close: () => void): Promise<Source> {
  const records = csvRecords(stream, name, delimiter);
  const { value: first } = (await records.next()) as { value: CsvRecord | undefined };
  if (!first) throw new FormatError(`${name}: there must be a line of names: the file is empty.`);
  const columns = first.fields;
  const blocks = inBlocks(records, (part): TableBlock => {
    const fields = part.map((record) => record.fields);
    return {
      rows: part.length,
      cell: (n, j) => fields[n][j],
      where: (n, j) => `line ${part[n].line}, column ${columns[j]}`,
      fields,
      objects: null,
    };
  });
  return { columns, blocks, close };
}

async function ofJson(stream: Readable, name: string, close: () => void): Promise<Source> {
  const records = jsonRecords(stream, name);
  const { value: first } = (await records.next()) as { value: JsonRecord };
  const columns = Object.keys(first.object);
  const blocks = inBlocks(withFirst(first, records), (part): TableBlock => {
    const objects = part.map((record) => record.object);
    return {
      rows: part.length,
      cell: (n, j) => (Object.hasOwn(objects[n], columns[j]) ? objects[n][columns[j]] : undefined),
      where: (n, j) => `line ${part[n].line}, column ${columns[j]}`,
      fields: null,
      objects,
    };
  });
  return { columns, blocks, close };
}

function ofShard(shard: Shard): Source {
  const { columns } = shard;
  if (columns > MOST_COLUMNS) {
    throw new ShapeError(
      `${shard.name}: a table must have at most ${MOST_COLUMNS} columns: it has ${columns}.`,
    );
  }
  async function* blocks(): AsyncGenerator<TableBlock> {
    for await (const { first, rows, values } of shard.blocks()) {
      yield {
        rows,
        cell: (n, j) => values[n * columns + j],
        where: (n, j) => `row ${first + n}, column ${j} (both from 0)`,
        fields: null,
        objects: null,
      };
    }
  }
  const names = Array.from({ length: columns }, (_, j) => String(j));
  return { columns: names, blocks: blocks(), close: () => shard.close() };
}

async function* withFirst<T>(first: T, rest: AsyncIterable<T>): AsyncGenerator<T> {
  yield first;
  yield* rest;
}

async function* inBlocks<T>(
  records: AsyncIterable<T>,
  blockOf: (part: readonly T[]) => TableBlock,
): AsyncGenerator<TableBlock> {
  let part: T[] = [];
  for await (const record of records) {
    part.push(record);
    if (part.length === BLOCK_ROWS) {
      yield blockOf(part);
      part = [];
    }
  }
  if (part.length > 0) yield blockOf(part);
}
