import type { Table } from '@gmml/data';
import { auroc } from '../openSet/detection.js';
import { UsageError } from '../errors.js';
import { placeOf } from './cells.js';
import { LabelledTable, type LabelledInput } from './labelledTable.js';
import { QualitySums, type Quality } from './quality.js';
import type { TableModel } from './tableModel.js';

/** How a model does on labelled rows. */
export interface Evaluation {
  readonly dropped: number;
  /** Of rows whose label is a class of the model; null where there are none. */
  readonly quality: Quality | null;
  /** Of rows with other labels; null where there are none. */
  readonly unknown: {
    readonly rows: number;
    /** Their labels, in the order in which they come, at most 100 of them. */
    readonly labels: readonly string[];
    /** The share that is left without a label, as it should. */
    readonly rejected: number;
    /** By typicality; null where no row is known. */
    readonly auroc: number | null;
  } | null;
  readonly classes: readonly string[];
  /** By label: how many rows have each class as the most probable one, and how many of them are left without a label. */
  readonly confusion: readonly {
    readonly label: string;
    readonly counts: readonly number[];
    readonly rejected: number;
  }[];
}

/** What the row of unknown labels is called. */
const OTHERS = '(others)';

/** Labels of unknown classes that are named. */
const MOST_NAMED = 100;

/**
 * Compares a model's answers with labels. Rows whose label the model does not know count as unknown.
 * @param label the column of labels; undefined: that of the fit
 * @throws UsageError where nothing says which that is; ArgumentError and FormatError for rows that cannot be read
 */
export async function evaluateTable(
  model: TableModel,
  input: LabelledInput,
  label: string | undefined,
): Promise<Evaluation> {
  const { info } = model;
  const column = label ?? info.label;
  if (column === null && input.labelsFile === null) {
    throw new UsageError(
      '--label or --labels must say where the labels are: the model was fitted to a file of labels.',
    );
  }
  const table = new LabelledTable(input, (open: Table) => ({
    features: model.placesIn(open),
    label: input.labelsFile === null ? placeOf(open, column!) : null,
  }));
  const classes = info.classes.map(({ name }) => name);
  const places = new Map(classes.map((name, place) => [name, place]));
  const sums = new QualitySums();
  const tallies = [...classes, OTHERS].map((name) => ({
    label: name,
    counts: classes.map(() => 0),
    rejected: 0,
  }));
  const typicality: { known: number[]; unknown: number[] } = { known: [], unknown: [] };
  const others = new Set<string>();
  for await (const { labels, values } of table.blocks()) {
    for (const [n, answer] of model.answers(values).entries()) {
      const truth = places.get(labels[n]);
      const tally = tallies[truth ?? classes.length];
      tally.counts[answer.best]++;
      if (!answer.isKept) tally.rejected++;
      typicality[truth === undefined ? 'unknown' : 'known'].push(answer.typicality!);
      if (truth !== undefined) sums.add(answer, truth);
      else if (others.size < MOST_NAMED) others.add(labels[n]);
    }
  }
  const rows = typicality.unknown.length;
  const hasKnown = sums.rows > 0;
  return {
    dropped: table.dropped,
    quality: hasKnown ? sums.quality() : null,
    unknown:
      rows === 0
        ? null
        : {
            rows,
            labels: [...others],
            rejected: tallies[classes.length].rejected / rows,
            auroc: hasKnown ? auroc(typicality.known, typicality.unknown) : null,
          },
    classes,
    confusion: rows === 0 ? tallies.slice(0, -1) : tallies,
  };
}
