import { OpenSetClassifier, type OpenSetCovariance } from '@gmml/gmm';
import { ArgumentError, Generator } from '@gmml/tensor';
import { sampleOf, type Examples } from './examples.js';
import { FoldDealer } from './folds.js';
import type { LabelledBlock } from './labelledTable.js';
import type { RowSample } from './rowSample.js';
import { ColumnMoments } from './standardization.js';

/** What one pass over the rows keeps of them. */
export interface Gathered {
  /** How many rows each class has, in the order of the classes: by value where all are integers, else by code units. */
  readonly counts: ReadonlyMap<string, number>;
  readonly rows: number;
  readonly moments: ColumnMoments;
  /** Of the rows of each fold, in the units of the table. */
  readonly folds: readonly Examples[];
  /** All rows, where they were to be kept. */
  readonly blocks: readonly LabelledBlock[] | null;
}

/** What is kept, and how. */
export interface GatherOptions {
  /** Columns of a row. */
  readonly columns: number;
  /** Of the statistics: 'diag' keeps variances alone. */
  readonly covariance: 'full' | 'diag';
  /** At least 1. */
  readonly folds: number;
  readonly seed: number;
  /** Whether the rows themselves are kept too. */
  readonly keepRows: boolean;
  /** Bytes that statistics or rows may take; default MOST_BYTES. */
  readonly mostBytes?: number;
}

/** What statistics, or rows that are kept, may take: 1 GiB. */
export const MOST_BYTES = 2 ** 30;

/** Rows that are added at once, … */
const ROWS_AT_ONCE = 8192;

/** … where they are short; numbers that are where they are long. */
const NUMBERS_AT_ONCE = 1 << 20;

/**
 * Goes through rows once, in memory that does not grow with their number unless they are kept.
 * @throws ArgumentError when the statistics or the rows would take more than `mostBytes`
 */
export async function gatherRows(
  blocks: AsyncIterable<LabelledBlock>,
  { columns, covariance, folds: count, seed, keepRows, mostBytes = MOST_BYTES }: GatherOptions,
): Promise<Gathered> {
  const folds = Array.from({ length: count }, () => ({
    classifier: new OpenSetClassifier({ features: columns, covariance, priors: 'counts' }),
    samples: new Map<string, RowSample>(),
  }));
  const dealer = new FoldDealer(count, seed);
  // Other numbers than those that deal.
  const generator = new Generator(seed + 2 ** 32);
  const moments = new ColumnMoments(columns);
  const counts = new Map<string, number>();
  const kept: LabelledBlock[] = [];
  let waiting: Map<string, Float64Array[]>[] = folds.map(() => new Map());
  let [rows, waitingRows] = [0, 0];
  const addWaiting = (): void => {
    for (const [fold, ofLabels] of waiting.entries()) {
      for (const [label, vectors] of ofLabels) folds[fold].classifier.addExamples(label, vectors);
    }
    waiting = folds.map(() => new Map());
    waitingRows = 0;
  };
  for await (const block of blocks) {
    const { labels, values } = block;
    moments.add(values);
    const dealt = dealer.deal(labels);
    for (const [n, label] of labels.entries()) {
      if (!counts.has(label))
        checkStatistics(columns, covariance, (counts.size + 1) * (count + 1), mostBytes);
      counts.set(label, (counts.get(label) ?? 0) + 1);
      const vectors = waiting[dealt[n]].get(label);
      const vector = values.subarray(n * columns, (n + 1) * columns);
      if (vectors) vectors.push(vector);
      else waiting[dealt[n]].set(label, [vector]);
      sampleOf(folds[dealt[n]].samples, label).offer(generator.uniform(), vector);
    }
    rows += labels.length;
    waitingRows += labels.length;
    if (keepRows) {
      checkRows(rows, columns, mostBytes);
      kept.push(block);
    }
    if (waitingRows >= ROWS_AT_ONCE || waitingRows * columns >= NUMBERS_AT_ONCE) addWaiting();
  }
  addWaiting();
  return { counts: inOrder(counts), rows, moments, folds, blocks: keepRows ? kept : null };
}

/** Of so many labels, or parts of them. */
export function statisticsBytes(columns: number, covariance: OpenSetCovariance, parts: number): number {
  return 8 * parts * (covariance === 'diag' ? columns : (columns * (columns + 1)) / 2);
}

function checkStatistics(
  columns: number,
  covariance: 'full' | 'diag',
  parts: number,
  mostBytes: number,
): void {
  const bytes = statisticsBytes(columns, covariance, parts);
  if (bytes <= mostBytes) return;
  const remedy = covariance === 'diag' ? '' : ', use --covariance diag';
  throw new ArgumentError(
    `Statistics must fit into ${megabytes(mostBytes)}: those of ${columns} columns, of each class and fold, take ${megabytes(bytes)} or more. Check that the label column has classes${remedy}, or use fewer columns or folds.`,
  );
}

function checkRows(rows: number, columns: number, mostBytes: number): void {
  const bytes = 8 * rows * columns;
  if (bytes <= mostBytes) return;
  throw new ArgumentError(
    `More than one component a class needs all rows in memory, at most ${megabytes(mostBytes)}: the first ${rows} rows × ${columns} columns × 8 bytes are ${megabytes(bytes)}. Use --components 1, or fewer rows.`,
  );
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1e6)} MB`;
}

function inOrder(counts: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  const labels = [...counts.keys()].toSorted();
  const areIntegers = labels.every((label) => /^(0|-?[1-9]\d{0,14})$/.test(label));
  const sorted = areIntegers ? labels.toSorted((a, b) => Number(a) - Number(b)) : labels;
  return new Map(sorted.map((label) => [label, counts.get(label)!]));
}
