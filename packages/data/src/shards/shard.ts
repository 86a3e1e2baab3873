/* oxlint-disable no-await-in-loop -- a stream is read one piece after the other */
import type { Readable } from 'node:stream';
import { ArgumentError, FormatError, NotFiniteError, ShapeError } from '@gmml/tensor';
import { isIdx, isNpy, readIdxHeader, readNpyHeader, type Layout } from './binary.js';
import { ByteReader } from './byteReader.js';
import { csvRows, type CsvOptions } from './csvRows.js';

/** How a shard is read. */
export interface ShardOptions extends CsvOptions {
  /** What messages call it; default the path, or 'standard input'. */
  readonly name?: string;
  /** The first row that is read, from 0; default 0. */
  readonly from?: number;
  /** The first row that is not read any more; default the end. */
  readonly to?: number;
  /** Whether NaN may stand in a binary file, for a number that is missing; default false. */
  readonly keepsNaN?: boolean;
}

/** Some rows of a shard, one after the other. */
export interface ShardBlock {
  /** The number of the first of them in the shard, from 0. */
  readonly first: number;
  readonly rows: number;
  /** D. */
  readonly columns: number;
  /** Row-major [rows, D]. */
  readonly values: Float64Array;
  /** The label of each row where a column of a CSV file is one. */
  readonly labels: readonly string[] | null;
}

/** Numbers in a block: 4 MB in float64. */
const BLOCK_NUMBERS = 1 << 19;

/** Rows in a block, at most. */
const BLOCK_ROWS = 8192;

/** Beyond this, squares and their sums would overflow. */
const LARGEST = 1e100;

/**
 * A table of numbers in a file, .npy, CSV or IDX, plain or gzipped: which of these is seen from its content. It is read as a
 * stream, once, in blocks of a few megabytes, so that it may be larger than memory.
 *
 * Of .npy and IDX files with more than two dimensions, a row is everything of one index of the first; a file of one dimension
 * has one column. All numbers must be finite and at most 1e100 in size.
 *
 * @example
 * const shard = await Shard.open(Readable.from([new TextEncoder().encode('1,2\n3,4\n5,6\n')]));
 * let count = 0;
 * for await (const { rows } of shard.blocks()) count += rows;
 * count; // 3
 */
export class Shard {
  readonly name: string;
  readonly #bytes: ByteReader;
  readonly #layout: Layout | null;
  readonly #options: ShardOptions;
  #end = 0;

  private constructor(name: string, bytes: ByteReader, layout: Layout | null, options: ShardOptions) {
    this.name = name;
    this.#bytes = bytes;
    this.#layout = layout;
    this.#options = options;
  }

  /**
   * Opens a file by its path, or a stream, and reads its header.
   * @throws ArgumentError when it cannot be read, or for rows that are no range; FormatError naming what is wrong with it
   */
  static async open(source: string | Readable, options: ShardOptions = {}): Promise<Shard> {
    const name = options.name ?? (typeof source === 'string' ? source : 'standard input');
    const { from = 0, to = Infinity } = options;
    const isRange = Number.isSafeInteger(from) && from >= 0 && (Number.isSafeInteger(to) || to === Infinity);
    if (!isRange || to <= from) {
      throw new ArgumentError(`${name}: rows must be a range of integers: they are from ${from} to ${to}.`);
    }
    const bytes = await ByteReader.open(source, name);
    try {
      return await Shard.of(bytes, { ...options, name });
    } catch (error) {
      bytes.close();
      throw error;
    }
  }

  /** A shard of bytes that are open. @throws FormatError naming what is wrong with its header */
  static async of(bytes: ByteReader, options: ShardOptions & { readonly name: string }): Promise<Shard> {
    const { name } = options;
    const start = await bytes.peek(6);
    if (start.length === 0) throw new FormatError(`${name}: there must be rows: the file is empty.`);
    const layout = isNpy(start)
      ? await readNpyHeader(bytes, name)
      : isIdx(start)
        ? await readIdxHeader(bytes, name)
        : null;
    return new Shard(name, bytes, layout, options);
  }

  /** D, the numbers of a row of a binary file; 0 for CSV, where the first row says. @throws ShapeError where a row has none */
  get columns(): number {
    return this.#layout ? this.#columnsOf(this.#layout) : 0;
  }

  /** The first row that `blocks` has not read. */
  get end(): number {
    return this.#end;
  }

  /** SHA-256 of what was read of the file, unpacked. To be asked for once, after `blocks`. */
  digest(): string {
    return this.#bytes.digest();
  }

  /**
   * The rows, in order. Once.
   * @throws FormatError when the file is cut short, goes on after its rows, or has text for a number; NotFiniteError,
   *   ShapeError: all of them with the row's number or the line's
   */
  async *blocks(): AsyncGenerator<ShardBlock> {
    try {
      for await (const block of this.#layout ? this.#binary(this.#layout) : this.#csv()) {
        this.#checkNumbers(block);
        this.#end = block.first + block.rows;
        yield block;
      }
    } finally {
      this.#bytes.close();
    }
    const { from = 0, to } = this.#options;
    if (from === 0 && this.#end === 0) {
      throw new ShapeError(`${this.name}: there must be rows: there are none.`);
    }
    if (this.#end <= from || (to !== undefined && this.#end < to)) {
      throw new ShapeError(
        `${this.name}: rows ${from} to ${to === undefined ? 'the end' : to - 1} must be there: it has ${this.#end}.`,
      );
    }
  }

  /** Lets go of the file before its end. */
  close(): void {
    this.#bytes.close();
  }

  async *#binary({ element, shape }: Layout): AsyncGenerator<ShardBlock> {
    const { name } = this;
    const [all] = shape;
    const columns = this.#columnsOf({ element, shape });
    const { from = 0, to = Infinity } = this.#options;
    const rowBytes = columns * element.size;
    if (!Number.isSafeInteger(all * rowBytes)) {
      throw new FormatError(
        `${name}: the header must have sizes that a file can have: it says ${all} rows of ${columns} ${element.name}.`,
      );
    }
    const atOnce = Math.max(1, Math.min(BLOCK_ROWS, Math.floor(BLOCK_NUMBERS / columns)));
    const last = Math.min(all, to);
    await this.#bytes.skip(Math.min(from, all) * rowBytes);
    this.#end = Math.min(from, all);
    for (let first = from; first < last;) {
      const rows = Math.min(atOnce, last - first);
      const bytes = await this.#bytes.read(rows * rowBytes);
      if (bytes.length < rows * rowBytes) {
        const found = first + Math.floor(bytes.length / rowBytes);
        throw new FormatError(
          `${name}: the file is cut short: its header says ${all} rows of ${columns} ${element.name}, it ends in row ${found}.`,
        );
      }
      // Filled by set, which converts whole arrays at once.
      const values = new Float64Array(rows * columns);
      values.set(this.#named(() => element.read(bytes)));
      yield { first, rows, columns, values, labels: null };
      first += rows;
    }
    if (last === all && (await this.#bytes.peek(1)).length > 0) {
      throw new FormatError(
        `${name}: the file must end after its ${all} rows of ${columns} ${element.name}: bytes are left over.`,
      );
    }
  }

  async *#csv(): AsyncGenerator<ShardBlock> {
    const { from = 0, to = Infinity, labelColumn, isLabels } = this.#options;
    const hasLabels = labelColumn !== undefined || isLabels === true;
    let [first, next, columns] = [from, 0, -1];
    let values: number[] = [];
    let labels: string[] = [];
    const block = (): ShardBlock => {
      const rows = next - first;
      return { first, rows, columns, values: Float64Array.from(values), labels: hasLabels ? labels : null };
    };
    for await (const row of csvRows(this.#bytes.rest(), this.name, this.#options)) {
      if (next >= to) break;
      if (next >= from) {
        columns = row.values.length;
        for (const value of row.values) values.push(value);
        labels.push(row.label);
      }
      next++;
      if (values.length >= BLOCK_NUMBERS || labels.length >= BLOCK_ROWS) {
        yield block();
        [first, values, labels] = [next, [], []];
      }
    }
    if (columns === 0 && !isLabels) {
      throw new ShapeError(`${this.name}: lines must have numbers beside the label: they have none.`);
    }
    if (next > first) yield block();
    else this.#end = Math.max(this.#end, next);
  }

  #columnsOf({ shape }: Layout): number {
    const columns = shape.slice(1).reduce((product, size) => product * size, 1);
    if (columns > 0 && Number.isSafeInteger(columns)) return columns;
    throw new ShapeError(`${this.name}: rows must have numbers: the shape is [${shape.join(', ')}].`);
  }

  #checkNumbers({ first, columns, values }: ShardBlock): void {
    const fits = this.#options.keepsNaN
      ? (value: number): boolean => !(Math.abs(value) > LARGEST)
      : (value: number): boolean => Math.abs(value) <= LARGEST;
    let bad = 0;
    while (bad < values.length && fits(values[bad])) bad++;
    if (bad === values.length) return;
    const row = first + Math.floor(bad / columns);
    throw new NotFiniteError(
      `${this.name}: numbers must be finite and at most 1e100 in size: row ${row}, column ${bad % columns} is ${values[bad]} (both from 0).`,
    );
  }

  #named<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (error instanceof FormatError) throw new FormatError(`${this.name}: ${error.message}`);
      throw error;
    }
  }
}
