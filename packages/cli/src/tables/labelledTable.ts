import { Table, type TableBlock } from '@gmml/data';
import { ArgumentError } from '@gmml/tensor';
import { inputName, inputSource } from '../files/input.js';
import { labelAt, numericRows } from './cells.js';
import { RowLabels } from './rowLabels.js';

/** Where rows with labels are. */
export interface LabelledInput {
  /** A path, or '-' for standard input. */
  readonly file: string;
  /** A file of their labels, one a row, or '-' for standard input; null where a column has them. */
  readonly labelsFile: string | null;
  readonly delimiter: string;
  /** Whether rows without label or number are left out; otherwise they are an error. */
  readonly dropMissing: boolean;
}

/** Which columns of a table are what. */
export interface Places {
  /** Of the features, in their order [D]. */
  readonly features: readonly number[];
  /** null where a file has the labels. */
  readonly label: number | null;
}

/** Some rows, complete. */
export interface LabelledBlock {
  readonly labels: readonly string[];
  /** Row-major [labels, D]. */
  readonly values: Float64Array;
}

/** Rows of numbers with their labels, which can be gone through as often as their file can be opened. */
export class LabelledTable {
  readonly input: LabelledInput;
  readonly #places: (table: Table) => Places;
  #dropped = 0;

  /** @param places says of an open table which of its columns are what, or throws */
  constructor(input: LabelledInput, places: (table: Table) => Places) {
    this.input = input;
    this.#places = places;
  }

  /** How many rows the last pass has left out. */
  get dropped(): number {
    return this.#dropped;
  }

  /** All rows, in order. @throws what reading a table throws, naming line and column */
  async *blocks(): AsyncGenerator<LabelledBlock> {
    const { labelsFile } = this.input;
    this.#dropped = 0;
    const table = await openTable(this.input.file, this.input.delimiter);
    let labels: RowLabels | null = null;
    try {
      if (labelsFile !== null) labels = await RowLabels.open(labelsFile);
      const places = this.#places(table);
      let rows = 0;
      for await (const block of table.blocks()) {
        const given = labels && (await labels.take(block.rows));
        const some = this.#complete(table, block, places, given);
        this.#dropped += block.rows - some.labels.length;
        rows += some.labels.length;
        if (some.labels.length > 0) yield some;
      }
      await labels?.finish();
      if (rows === 0) {
        const left =
          this.#dropped > 0 ? ` that are complete: ${this.#dropped} were left out` : ': there are none';
        throw new ArgumentError(`${table.name}: there must be rows${left}.`);
      }
    } finally {
      table.close();
      labels?.close();
    }
  }

  #complete(
    table: Table,
    block: TableBlock,
    { features, label: place }: Places,
    given: readonly string[] | null,
  ): LabelledBlock {
    const { dropMissing } = this.input;
    const { kept, values } = numericRows(table, block, features, dropMissing);
    const d = features.length;
    const labels: string[] = [];
    for (const [at, n] of kept.entries()) {
      const label = given ? given[n] : labelAt(table, block, n, place!);
      if (label === null && !dropMissing) {
        throw new ArgumentError(
          `${table.name}: no label must be missing: ${block.where(n, place!)} has none. Fill it in, or leave such rows out with --drop-missing.`,
        );
      }
      if (label === null) continue;
      if (labels.length < at) values.copyWithin(labels.length * d, at * d, (at + 1) * d);
      labels.push(label);
    }
    return { labels, values: values.subarray(0, labels.length * d) };
  }
}

/** A table of a path or of standard input. */
export function openTable(file: string, delimiter: string): Promise<Table> {
  return Table.open(inputSource(file), { name: inputName(file), delimiter });
}
