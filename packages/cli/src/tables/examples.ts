import { OpenSetClassifier } from '@gmml/gmm';
import { RowSample } from './rowSample.js';

/** Rows as examples of their classes. */
export interface Examples {
  /** Their statistics. */
  readonly classifier: OpenSetClassifier;
  /** Of each class some rows. */
  readonly samples: ReadonlyMap<string, RowSample>;
}

/** The examples of all folds but one; of all where `fold` is −1. */
export function mergedWithout(folds: readonly Examples[], fold: number): Examples {
  const { features, covariance } = folds[0].classifier;
  const classifier = new OpenSetClassifier({ features, covariance, priors: 'counts' });
  const samples = new Map<string, RowSample>();
  for (const [other, part] of folds.entries()) {
    if (other === fold) continue;
    classifier.merge(part.classifier);
    for (const [label, sample] of part.samples) sampleOf(samples, label).merge(sample);
  }
  return { classifier, samples };
}

/** The sample of a label, a new one where there is none. */
export function sampleOf(samples: Map<string, RowSample>, label: string): RowSample {
  const sample = samples.get(label) ?? new RowSample();
  samples.set(label, sample);
  return sample;
}
