import { NumericalError, ArgumentError } from '@gmml/tensor';
import type { OpenSetCovariance } from '@gmml/gmm';
import { concatenate } from '../concatenate.js';
import { quoted } from '../formatting.js';
import { ClassModel } from './classModel.js';
import { mergedWithout } from './examples.js';
import { FoldDealer } from './folds.js';
import type { Gathered } from './gatherRows.js';
import type { LabelledBlock } from './labelledTable.js';
import { PairedLosses } from './pairedLosses.js';
import { QualitySums, type Quality } from './quality.js';
import { standardized, standardizedClassifier, type Standardization } from './standardization.js';
import { subclassModel, type ClassRows } from './subclasses.js';

/** A form of model that a fit can have. */
export interface Form {
  readonly covariance: OpenSetCovariance;
  /** Of each class. */
  readonly components: number;
}

/** A form with what cross-validation found. */
export interface Candidate extends Form {
  /** Of held-out rows; null where the form cannot be fitted. */
  readonly nll: number | null;
  /** Why it cannot; null where it can. */
  readonly reason: string | null;
}

/** What models are fitted to. */
export interface FitTask {
  readonly gathered: Gathered;
  readonly units: Standardization;
  readonly columns: number;
  readonly folds: number;
  readonly seed: number;
  /** Goes through the rows again. */
  readonly blocks: () => AsyncIterable<LabelledBlock> | Iterable<LabelledBlock>;
}

/** Nats: where every form is nearly sure of every row, the least sure of them is as good. */
const NEGLIGIBLE = 1e-3;

/** Forms that were compared. */
export interface Comparison {
  readonly candidates: readonly Candidate[];
  /**
   * The first whose NLL is within one standard error of the least, that of the mean difference row by row, and a thousandth of a nat;
   * null where none can be fitted. (The one-standard-error rule: Breiman, Friedman, Olshen and Stone, "Classification and regression trees", 1984, §3.4.3.)
   */
  readonly chosen: Form | null;
}

/**
 * The NLL of each form on rows that were held out: k-fold, stratified, each fold's rows answered by the model of all others. Rows are
 * standardised by all of them. Goes through the rows once.
 * @param forms the simplest first
 */
export async function compareForms(task: FitTask, forms: readonly Form[]): Promise<Comparison> {
  const models = forms.map((form) => modelsOfFolds(task, form));
  const fitted = models.filter((found): found is ClassModel[] => typeof found !== 'string');
  const candidates = (nllOf: (found: ClassModel[]) => number): Candidate[] =>
    forms.map((form, i) => {
      const found = models[i];
      return typeof found === 'string'
        ? { ...form, nll: null, reason: found }
        : { ...form, nll: nllOf(found), reason: null };
    });
  if (fitted.length === 0) return { candidates: candidates(() => 0), chosen: null };
  const { qualities, losses } = await heldOut(task, fitted);
  const nlls = qualities.map(({ nll }) => nll);
  const least = nlls.indexOf(Math.min(...nlls));
  const simplest = fitted.findIndex((_, i) => losses.isAsGood(i, least, NEGLIGIBLE));
  return {
    candidates: candidates((found) => nlls[fitted.indexOf(found)]),
    chosen: forms[models.indexOf(fitted[simplest])],
  };
}

/**
 * The quality of one form on held-out rows, with coverage where every fold's model has enough rows to be calibrated.
 * @param canCalibrate whether so many rows of each class [K] are enough
 * @throws NumericalError when it cannot be fitted
 */
export async function crossValidate(
  task: FitTask,
  form: Form,
  keep: number,
  canCalibrate: (counts: readonly number[]) => boolean,
): Promise<Quality> {
  const models = Array.from({ length: task.folds }, (_, fold) => fitForm(task, form, fold));
  const areEnough = models.every(({ classifier }) => canCalibrate(Object.values(classifier.counts)));
  if (areEnough) for (const { classifier } of models) classifier.calibrate({ keep });
  const { qualities } = await heldOut(task, [models]);
  return qualities[0];
}

/**
 * The model of all rows but those of one fold, not calibrated.
 * @param fold −1 for all rows
 * @throws NumericalError when it cannot be fitted
 */
export function fitForm(task: FitTask, { covariance, components }: Form, fold = -1): ClassModel {
  const { gathered, units, seed } = task;
  const names = [...gathered.counts.keys()];
  if (components > 1) {
    return subclassModel(classRows(task, fold), units, covariance, components, seed);
  }
  const classifier = standardizedClassifier(mergedWithout(gathered.folds, fold), units, covariance);
  return new ClassModel(
    classifier,
    units,
    names.length,
    classifier.labels.map((label) => names.indexOf(label)),
  );
}

/** The models of all folds, or why there is none. */
function modelsOfFolds(task: FitTask, form: Form): ClassModel[] | string {
  try {
    const models = Array.from({ length: task.folds }, (_, fold) => fitForm(task, form, fold));
    // A covariance that cannot be factored shows at the first answer.
    for (const model of models) model.answers(new Float64Array(task.columns), task.columns);
    return models;
  } catch (error) {
    if (error instanceof NumericalError) return error.message;
    throw error;
  }
}

/** The quality of each form, from the models of its folds, and how their losses differ. */
async function heldOut(
  { gathered, blocks, columns, folds, seed }: FitTask,
  models: readonly (readonly ClassModel[])[],
): Promise<{ qualities: Quality[]; losses: PairedLosses }> {
  const places = new Map([...gathered.counts.keys()].map((name, place) => [name, place]));
  const sums = models.map(() => new QualitySums());
  const losses = new PairedLosses(models.length);
  const dealer = new FoldDealer(folds, seed);
  for await (const { labels, values } of blocks()) {
    const dealt = dealer.deal(labels);
    for (let fold = 0; fold < folds; fold++) {
      const rows = Array.from(labels.keys()).filter((n) => dealt[n] === fold);
      if (rows.length === 0) continue;
      const own = rowsAt(values, columns, rows);
      const truths = rows.map((n) => {
        const place = places.get(labels[n]);
        if (place === undefined) throw otherRows(`at first none was of class ${quoted(labels[n])}`);
        return place;
      });
      const ofModels = models.map((ofFolds, i) =>
        ofFolds[fold].answers(own, columns).map((answer, at) => sums[i].add(answer, truths[at])),
      );
      for (const at of rows.keys()) losses.add(ofModels.map((ofRows) => ofRows[at]));
    }
  }
  if (sums[0].rows !== gathered.rows) {
    throw otherRows(`there were ${gathered.rows}, then ${sums[0].rows}`);
  }
  return { qualities: sums.map((sum) => sum.quality()), losses };
}

function otherRows(difference: string): ArgumentError {
  return new ArgumentError(
    `Cross-validation reads the rows twice, and they must be the same: ${difference}. Name a file that does not change, or use --folds 0.`,
  );
}

/** The rows of each class in standard units, without those of one fold. */
function classRows({ gathered, units, columns, folds, seed }: FitTask, without: number): ClassRows[] {
  const parts = new Map([...gathered.counts.keys()].map((name): [string, Float64Array[]] => [name, []]));
  const dealer = new FoldDealer(Math.max(1, folds), seed);
  for (const { labels, values } of gathered.blocks!) {
    const dealt = dealer.deal(labels);
    const x = standardized(values, columns, units);
    const d = units.places.length;
    for (const [n, label] of labels.entries()) {
      if (dealt[n] !== without) parts.get(label)!.push(x.subarray(n * d, (n + 1) * d));
    }
  }
  return [...parts].map(([name, rows]) => ({ name, x: concatenate(rows, Float64Array) }));
}

function rowsAt(values: Float64Array, columns: number, rows: readonly number[]): Float64Array {
  return concatenate(
    rows.map((n) => values.subarray(n * columns, (n + 1) * columns)),
    Float64Array,
  );
}
