// The subpath @gmml/gmm/parameters: the numbers of a classifier, for programs that compute elsewhere.

import type { OpenSetParameters } from './modelParameters.js';
import { LENGTH_TOLERANCE } from './norms.js';
import type { OpenSetClassifier } from './openSetClassifier.js';
import type { FeatureScore } from './openSetScores.js';

export type {
  CalibrationParameters,
  NeighbourParameters,
  NormalParameters,
  OpenSetParameters,
} from './modelParameters.js';

/**
 * The numbers that `predict` computes with where no posterior is given. They are the classifier's own: not to be
 * changed. Recalibrates as `predict` does.
 * @throws ArgumentError before any example; NotPositiveDefiniteError naming the label when shrinkage is too small
 */
export function openSetParameters(classifier: OpenSetClassifier): OpenSetParameters {
  const { model, calibration, scores } = classifier.inside('openSetParameters');
  const { names, gaussians, background, norms } = model;
  const labels = { labels: names, logPriors: model.logPriors(), normals: gaussians.normals() };
  if (calibration === null) return { ...labels, calibration };
  const { keep, groups, combined, rankings } = calibration;
  const has = (...any: FeatureScore[]): boolean => any.some((name) => scores.includes(name));
  return {
    ...labels,
    calibration: {
      keep,
      scores,
      groups: groups.of,
      rankings: Object.fromEntries(scores.map((name) => [name, rankings[name]!.sorted])),
      combined,
      ...(has('relative', 'regularized') && { background: background.normals()[0] }),
      ...(has('regularized') && { regular: model.regular().normals() }),
      ...(has('nearest') && { neighbours: model.neighbours().parameters() }),
      ...(has('norm') && { medianLengths: norms.medians(), lengthTolerance: LENGTH_TOLERANCE }),
    },
  };
}
