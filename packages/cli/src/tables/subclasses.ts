import { GaussianMixture, OpenSetClassifier, type OpenSetCovariance } from '@gmml/gmm';
import { Generator, NumericalError, tensor } from '@gmml/tensor';
import { ClassModel } from './classModel.js';
import { MOST_BYTES, statisticsBytes } from './gatherRows.js';
import { RowSample } from './rowSample.js';
import { standardizedClassifier, type Standardization } from './standardization.js';

/** Rows of one class in standard units. */
export interface ClassRows {
  readonly name: string;
  /** Row-major [n, d]. */
  readonly x: Float64Array;
}

/** Added to variances in standard units, where few rows of a component leave next to none. */
const REGULARIZATION = 1e-3;

/**
 * The model whose classes are each split into subclasses: by EM within the class, each row to the component most responsible for it.
 * Subclasses are labels of the classifier, '<class>/<number from 1>'.
 * @param components G; a class of fewer than 2 G rows has as many as it has pairs of rows
 * @throws NumericalError when EM fails, or the statistics of all components would take more than 1 GiB
 */
export function subclassModel(
  classes: readonly ClassRows[],
  units: Standardization,
  covariance: OpenSetCovariance,
  components: number,
  seed: number,
): ClassModel {
  const d = units.places.length;
  const bytes = statisticsBytes(d, covariance, classes.length * components);
  if (bytes > MOST_BYTES) {
    throw new NumericalError(
      `statistics of ${classes.length} × ${components} components of ${d} features must fit into ${MOST_BYTES} bytes: they take ${bytes}. Use fewer components, or --covariance diag.`,
    );
  }
  const classifier = new OpenSetClassifier({ features: d, covariance, priors: 'counts' });
  const samples = new Map<string, RowSample>();
  const generator = new Generator(seed + 2 ** 32);
  const classOfLabel = new Map<string, number>();
  for (const [place, { name, x }] of classes.entries()) {
    const parts = splitRows(x, d, covariance, components, seed);
    for (const [k, vectors] of parts.entries()) {
      const label = `${name}/${k + 1}`;
      classOfLabel.set(label, place);
      classifier.addExamples(label, vectors);
      const sample = new RowSample();
      for (const vector of vectors) sample.offer(generator.uniform(), vector);
      samples.set(label, sample);
    }
  }
  const classOf = classifier.labels.map((label) => classOfLabel.get(label)!);
  const asTheyAre = {
    places: Array.from({ length: d }, (_, j) => j),
    mean: new Float64Array(d),
    scale: new Float64Array(d).fill(1),
  };
  const sampled = standardizedClassifier({ classifier, samples }, asTheyAre, covariance);
  return new ClassModel(sampled, units, classes.length, classOf);
}

/** The rows of each component, those without rows left out. */
function splitRows(
  x: Float64Array,
  d: number,
  covariance: OpenSetCovariance,
  components: number,
  seed: number,
): Float64Array[][] {
  const rows = x.length / d;
  const most = Math.max(1, Math.min(components, Math.floor(rows / 2)));
  const vectors = Array.from({ length: rows }, (_, n) => x.subarray(n * d, (n + 1) * d));
  if (most === 1) return [vectors];
  const all = tensor(x, { shape: [rows, d] });
  const mixture = new GaussianMixture({
    components: most,
    covariance,
    regularization: REGULARIZATION,
    generator: new Generator(seed),
    // Of variances alone there are few enough to need none.
    ...(covariance !== 'diag' && { shrinkage: { toward: 'spherical', amount: 'ledoitWolf' } }),
  }).fit(all);
  const of = mixture.predict(all).data;
  const parts = Array.from({ length: most }, (_, k) => vectors.filter((__, n) => of[n] === k));
  return parts.filter((part) => part.length > 0);
}
