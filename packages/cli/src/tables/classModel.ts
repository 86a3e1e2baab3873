import type { OpenSetClassifier } from '@gmml/gmm';
import { standardized, type Standardization } from './standardization.js';

/** What a model says of a row. */
export interface ClassAnswer {
  /** p(class | row) of each class, in their order; they sum to 1. */
  readonly probabilities: Float64Array;
  /** Of the most probable class its place. */
  readonly best: number;
  /** Whether the row is typical enough: typicality ≥ 1 − keep. True before calibration. */
  readonly isKept: boolean;
  /** log p(row) of the mixture of all classes, in the units of the table. */
  readonly logDensity: number;
  /** The empirical p-value in (0, 1] of the row among known ones; null before calibration. */
  readonly typicality: number | null;
}

/**
 * Classes made of subclasses, each a Gaussian in standard units: p(class | x) is the sum over its subclasses.
 * (Hastie and Tibshirani, "Discriminant analysis by Gaussian mixtures", 1996; Zhu and Martinez, "Subclass discriminant
 * analysis", 2006.)
 */
export class ClassModel {
  readonly classifier: OpenSetClassifier;
  readonly units: Standardization;
  readonly #classes: number;
  /** The class of each label of the classifier. */
  readonly classOf: readonly number[];
  readonly #logVolume: number;

  /** @param classOf of each label of the classifier, in their order, the place of its class */
  constructor(
    classifier: OpenSetClassifier,
    units: Standardization,
    classes: number,
    classOf: readonly number[],
  ) {
    this.classifier = classifier;
    this.units = units;
    this.classOf = classOf;
    this.#classes = classes;
    this.#logVolume = units.scale.reduce((sum, scale) => sum + Math.log(scale), 0);
  }

  /** Answers for rows [n, D] in the units of the table. */
  answers(values: Float64Array, columns: number): ClassAnswer[] {
    const d = this.units.places.length;
    const x = standardized(values, columns, this.units);
    const vectors = Array.from({ length: x.length / d }, (_, n) => x.subarray(n * d, (n + 1) * d));
    const labels = this.classifier.labels;
    return this.classifier
      .predict(vectors)
      .map(({ label, probabilities: ofLabels, logDensity, typicality }) => {
        const probabilities = new Float64Array(this.#classes);
        for (const [k, name] of labels.entries()) probabilities[this.classOf[k]] += ofLabels[name];
        return {
          probabilities,
          best: probabilities.indexOf(Math.max(...probabilities)),
          isKept: label !== null,
          logDensity: logDensity - this.#logVolume,
          typicality,
        };
      });
  }
}
