import type { Table } from '@gmml/data';
import type { OpenSetCovariance } from '@gmml/gmm';
import { ArgumentError } from '@gmml/tensor';
import { UsageError } from '../errors.js';
import { inputName, STANDARD_STREAM } from '../files/input.js';
import { listed, quoted } from '../formatting.js';
import { placeOf } from './cells.js';
import {
  compareForms,
  crossValidate,
  fitForm,
  type Candidate,
  type FitTask,
  type Form,
} from './crossValidation.js';
import { gatherRows, type Gathered } from './gatherRows.js';
import { LabelledTable, type LabelledInput, type Places } from './labelledTable.js';
import type { Quality } from './quality.js';
import { MOST_SAMPLED } from './rowSample.js';
import { TableModel } from './tableModel.js';

/** What a fit is asked for. */
export interface FitTableOptions extends LabelledInput {
  /** The column that has the labels; null where a file has them. */
  readonly label: string | null;
  /** Columns that are neither. */
  readonly ignore: readonly string[];
  readonly covariance: OpenSetCovariance | 'auto';
  /** Of each class; more than 1 needs the rows in memory. */
  readonly components: number | 'auto';
  /** Of cross-validation, at least 2; 0: none, and one pass over the rows. */
  readonly folds: number;
  readonly seed: number;
  /** The share of known rows to keep, above 0 and below 1. */
  readonly keep: number;
}

/** What a fit found. */
export interface TableFit {
  readonly model: TableModel;
  readonly rows: number;
  /** Rows left out because something was missing. */
  readonly dropped: number;
  readonly counts: ReadonlyMap<string, number>;
  /** What was compared; empty where nothing was to be chosen. */
  readonly candidates: readonly Candidate[];
  /** Of held-out rows; null without cross-validation. */
  readonly quality: Quality | null;
  readonly warnings: readonly string[];
}

/** Covariances that 'auto' tries, simplest first. */
const COVARIANCES: readonly OpenSetCovariance[] = ['tied', 'diag', 'full'];

/** Components that 'auto' tries, … */
const COMPONENTS = [1, 2, 3, 4, 6, 8];

/** … where each class has so many rows for each. */
const ROWS_A_COMPONENT = 5;

/**
 * Fits a model to a table of labelled rows: classes are Gaussians, or mixtures of them, in standard units; what is left open is chosen by
 * the NLL of held-out rows, the simplest within one standard error of the least. With one component a class it takes two or three passes over the file, or one without cross-validation,
 * and memory that does not grow with the rows.
 * @throws UsageError for what standard input cannot give; ArgumentError, FormatError, NumericalError for rows that cannot be fitted
 */
export async function fitTable(options: FitTableOptions): Promise<TableFit> {
  const { file, folds, seed, keep, covariance, components } = options;
  checkInput(options);
  let names: readonly string[] = [];
  const table = new LabelledTable(options, (open) => {
    const places = placesOf(open, options);
    names = places.features.map((place) => open.columns[place]);
    return places;
  });
  const gathered = await gatherLabelled(table, options, () => names.length);
  const { dropped } = table;
  const columns = names.length;
  const warnings = checkCounts(gathered, options);
  const units = gathered.moments.standardization();
  if (units.places.length === 0) {
    throw new ArgumentError(`${inputName(file)}: a feature must differ from row to row: all are constant.`);
  }
  const task: FitTask = {
    gathered,
    units,
    columns,
    folds,
    seed,
    blocks: () => gathered.blocks ?? table.blocks(),
  };
  const forms = formsOf(covariance, components, gathered.counts);
  const { candidates, chosen } =
    forms.length > 1 ? await compareForms(task, forms) : { candidates: [], chosen: forms[0] };
  if (chosen === null) {
    throw new ArgumentError(`A form of model must fit: none does. ${candidates[0].reason}`);
  }
  const quality =
    folds === 0 ? null : await crossValidate(task, chosen, keep, (counts) => isEnough(counts, keep));
  const fitted = fitForm(task, chosen);
  fitted.classifier.calibrate({ keep });
  const constant = names.filter((_, j) => !units.places.includes(j));
  if (constant.length > 0) {
    warnings.push(`left out, the same in every row: ${listed(constant.map(quoted))}`);
  }
  const model = TableModel.of(fitted, {
    features: units.places.map((j) => names[j]),
    places: units.places,
    columns,
    label: options.label,
    classes: [...gathered.counts].map(([name, rows]) => ({ name, rows })),
    components: chosen.components,
    quality,
  });
  return { model, rows: gathered.rows, dropped, counts: gathered.counts, candidates, quality, warnings };
}

function checkInput({ file, labelsFile, folds, covariance, components }: FitTableOptions): void {
  const isOpen = covariance === 'auto' || components === 'auto';
  const isStream = file === STANDARD_STREAM || labelsFile === STANDARD_STREAM;
  if (isStream && (folds > 0 || isOpen || components > 1)) {
    throw new UsageError(
      'Standard input can be read once, and cross-validation reads twice. Name a file, or give --folds 0 --components 1 and a --covariance.',
    );
  }
  if (folds === 0 && isOpen) {
    throw new UsageError(
      'A model is chosen by cross-validation, and --folds 0 leaves it out. Give --covariance and --components, or more folds.',
    );
  }
}

async function gatherLabelled(
  table: LabelledTable,
  { covariance, components, folds, seed }: FitTableOptions,
  columns: () => number,
): Promise<Gathered> {
  const blocks = table.blocks();
  const first = await blocks.next();
  async function* all(): ReturnType<LabelledTable['blocks']> {
    yield first.value!;
    yield* blocks;
  }
  return gatherRows(all(), {
    columns: columns(),
    // Of several components each, the rows themselves are fitted.
    covariance: covariance === 'diag' || Number(components) > 1 ? 'diag' : 'full',
    folds: Math.max(1, folds),
    seed,
    keepRows: components !== 1,
  });
}

/** @throws ArgumentError unless there are columns for features */
function placesOf(table: Table, { label, ignore }: FitTableOptions): Places {
  const labelPlace = label === null ? null : placeOf(table, label);
  const left = new Set([labelPlace, ...ignore.map((name) => placeOf(table, name))]);
  const features = Array.from(table.columns.keys()).filter((place) => !left.has(place));
  const nameless = features.find((place) => table.columns[place] === '');
  if (nameless !== undefined) {
    throw new ArgumentError(
      `${table.name}: columns must have names: column ${nameless + 1} has none. Name it, or write the file without its row numbers (pandas: index=False).`,
    );
  }
  for (const place of features) placeOf(table, table.columns[place]);
  if (features.length === 0) {
    throw new ArgumentError(
      `${table.name}: there must be a feature beside the label: there are ${listed(table.columns.map(quoted))}.`,
    );
  }
  return { features, label: labelPlace };
}

/** Warnings. @throws ArgumentError for too few rows to fit or to calibrate */
function checkCounts({ counts }: Gathered, { folds, keep, file }: FitTableOptions): string[] {
  const name = inputName(file);
  const single = [...counts].find(([, rows]) => rows < 2);
  if (single) {
    throw new ArgumentError(
      `${name}: every class must have at least 2 rows: ${quoted(single[0])} has ${single[1]}. Add rows of it, or leave it out. Check that --label is a column of classes.`,
    );
  }
  const all = [...counts.values()];
  if (!isEnough(all, keep)) {
    throw new ArgumentError(
      `${name}: --keep ${keep} needs at least ${rowsNeeded(keep)} rows, of a class ${MOST_SAMPLED} at most counting: there are ${calibrating(all)}. Add rows, or lower --keep.`,
    );
  }
  return [...counts]
    .filter(([, rows]) => rows < folds)
    .map(([label, rows]) => `${quoted(label)} has ${rows} rows, fewer than the ${folds} folds`);
}

function formsOf(
  covariance: OpenSetCovariance | 'auto',
  components: number | 'auto',
  counts: ReadonlyMap<string, number>,
): Form[] {
  const fewest = Math.min(...counts.values());
  if (typeof components === 'number' && fewest < 2 * components) {
    const [name, rows] = [...counts].find(([, count]) => count === fewest)!;
    throw new ArgumentError(
      `--components ${components} needs at least ${2 * components} rows of each class: ${quoted(name)} has ${rows}. Use fewer components.`,
    );
  }
  const sizes =
    components === 'auto'
      ? COMPONENTS.filter((size) => size === 1 || fewest >= ROWS_A_COMPONENT * size)
      : [components];
  const shapes = covariance === 'auto' ? COVARIANCES : [covariance];
  return sizes.flatMap((size) => shapes.map((shape) => ({ covariance: shape, components: size })));
}

function isEnough(counts: readonly number[], keep: number): boolean {
  return calibrating(counts) >= rowsNeeded(keep);
}

/** How many examples can set the threshold: those that a label has at most kept, where it has others. */
function calibrating(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + (count < 2 ? 0 : Math.min(count, MOST_SAMPLED)), 0);
}

/** 1/(1 − keep) − 1, rounded up: without so many no p-value is below 1 − keep. */
function rowsNeeded(keep: number): number {
  return Math.max(1, Math.ceil(1 / (1 - keep) - 1 - 1e-9 / (1 - keep)));
}
