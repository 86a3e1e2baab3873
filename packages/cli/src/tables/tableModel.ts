import type { Table } from '@gmml/data';
import { ArgumentError } from '@gmml/tensor';
import { listed, quoted } from '../formatting.js';
import { placeOf } from './cells.js';
import { ClassModel, type ClassAnswer } from './classModel.js';
import type { Quality } from './quality.js';

/** What a model of tables knows beside its Gaussians. */
export interface TableInfo {
  /** The names of the features, in their order [d]. */
  readonly features: readonly string[];
  /** Where they stood among all columns of features, constant ones included: rising [d]. */
  readonly places: readonly number[];
  /** How many those were. */
  readonly columns: number;
  /** The column that had the labels; null where a file had them. */
  readonly label: string | null;
  /** The classes in their order, with how many rows they were fitted to. */
  readonly classes: readonly { readonly name: string; readonly rows: number }[];
  /** Components of each class. */
  readonly components: number;
  /** Of held-out rows; null without cross-validation. */
  readonly quality: Quality | null;
}

/** A calibrated model of rows of a table, with the names that it is used by. */
export class TableModel {
  readonly info: TableInfo;
  /** Its rows are the features alone. */
  readonly model: ClassModel;

  constructor(model: ClassModel, info: TableInfo) {
    this.model = model;
    this.info = info;
  }

  /** Of a model whose rows have all columns. */
  static of({ classifier, units, classOf }: ClassModel, info: TableInfo): TableModel {
    const ofFeatures = { ...units, places: Array.from(info.features.keys()) };
    return new TableModel(new ClassModel(classifier, ofFeatures, info.classes.length, classOf), info);
  }

  /** The share of known rows that it keeps. */
  get keep(): number {
    return this.model.classifier.keep!;
  }

  /**
   * Where its features stand in a table: by name in CSV and JSON lines, by position in binary files, which must be as wide as the table of
   * the fit.
   * @throws ArgumentError listing the features that are missing
   */
  placesIn(table: Table): readonly number[] {
    const { features, places, columns } = this.info;
    if (table.format === 'npy' || table.format === 'idx') {
      if (table.columns.length === columns) return places;
      throw new ArgumentError(
        `${table.name}: rows must have ${columns} numbers, as those of the fit: they have ${table.columns.length}.`,
      );
    }
    const missing = features.filter((name) => !table.columns.includes(name));
    if (missing.length > 0) {
      throw new ArgumentError(
        `${table.name}: there must be a column for each feature: ${listed(missing.map(quoted))} ${missing.length === 1 ? 'is' : 'are'} missing, there are ${listed(table.columns.map(quoted))}.`,
      );
    }
    return features.map((name) => placeOf(table, name));
  }

  /** Answers for rows of features [n, d]. */
  answers(values: Float64Array): ClassAnswer[] {
    return values.length === 0 ? [] : this.model.answers(values, this.info.features.length);
  }
}
