import { eachRow, joined } from '../linearAlgebra/vectors.js';
import {
  addRows,
  copyOf,
  mergeMoments,
  noMoments,
  type Moments,
  type Spread,
} from '../linearAlgebra/moments.js';
import { KeptExamples, keptExample, type KeptExample } from './keptExamples.js';

/** Rows that are copied and multiplied at once. */
const BLOCK_ROWS = 256;

/** Up to so many examples, a label is these: its moments are made of them when they are needed. */
export const FEW = 16;

/** What is known of a label. Never changed: adding and merging give new ones. */
export interface LabelExamples {
  readonly count: number;
  /** The different examples of smallest content hash: all of them when there are few. */
  readonly kept: readonly KeptExample[];
  /** null while there are at most FEW examples. */
  readonly moments: Moments | null;
}

/** Whether it can stand in a file: a string of Unicode that is not empty. */
export function isLabel(label: unknown): boolean {
  return typeof label === 'string' && label !== '' && !/\p{Surrogate}/u.test(label);
}

/** Labels as messages have them, ten at most. */
export function listed(labels: readonly string[]): string {
  const shown = labels.slice(0, 10).map((label) => `'${label}'`);
  return (labels.length > 10 ? [...shown, '…'] : shown).join(', ');
}

/** No examples yet. */
export const NO_EXAMPLES: LabelExamples = { count: 0, kept: [], moments: null };

/** The label with `rows` more examples. `block(first, n)` gives a fresh array of n rows from row `first` on. */
export function withExamples(
  label: LabelExamples,
  rows: number,
  d: number,
  spread: Spread,
  block: (first: number, n: number) => Float64Array,
): LabelExamples {
  const count = label.count + rows;
  const kept = new KeptExamples(label.kept);
  let moments = count <= FEW ? null : copyOf(momentsOf(label, d, spread));
  for (let first = 0; first < rows; first += BLOCK_ROWS) {
    const values = block(first, Math.min(BLOCK_ROWS, rows - first));
    kept.addRows(values, d);
    if (moments !== null) moments = addRows(moments, values);
  }
  return { count, kept: kept.smallest(), moments };
}

/** The examples of both. */
export function mergeExamples(a: LabelExamples, b: LabelExamples, d: number, spread: Spread): LabelExamples {
  const count = a.count + b.count;
  const kept = new KeptExamples(a.kept);
  kept.addKept(b.kept);
  const moments = count <= FEW ? null : mergeMoments(momentsOf(a, d, spread), momentsOf(b, d, spread));
  return { count, kept: kept.smallest(), moments };
}

/** Count, mean and centred scatter of all examples. */
export function momentsOf({ kept, moments }: LabelExamples, d: number, spread: Spread): Moments {
  if (moments !== null) return moments;
  return addRows(
    noMoments(d, spread),
    joined(kept.flatMap(({ vector, copies }) => Array<Float64Array>(copies).fill(vector))),
  );
}

/** From vectors as a file holds them, and how often each came. */
export function keptOf(rows: Float64Array, d: number, copies?: Float64Array): readonly KeptExample[] {
  return new KeptExamples(eachRow(rows, d).map((row, n) => keptExample(row.slice(), copies?.[n]))).smallest();
}
