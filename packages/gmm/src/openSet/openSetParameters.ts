/**
 * The numbers of an `OpenSetClassifier`, for programs that compute elsewhere.
 *
 * @module @gmml/gmm/parameters
 */

import { ArgumentError } from '@gmml/tensor';
import type { OpenSetParameters } from './modelParameters.js';
import { LENGTH_TOLERANCE } from './norms.js';
import type { OpenSetClassifier } from './openSetClassifier.js';
import type { Score } from './openSetScores.js';

export type {
  CalibrationParameters,
  NeighbourParameters,
  NormalParameters,
  OpenSetParameters,
} from './modelParameters.js';

/** Options of `openSetParameters`. */
export interface OpenSetParametersOptions {
  /** Whether `predict` is given a head's posterior. Default false: typicality is of the features alone. */
  readonly withPosterior?: boolean;
}

/**
 * The numbers that `predict` computes with. They are the classifier's own: not to be changed. Recalibrates as `predict` does.
 * @throws ArgumentError before any example, and where a posterior is to count that the calibration did not have;
 *   NotPositiveDefiniteError naming the label when shrinkage is too small
 */
export function openSetParameters(
  classifier: OpenSetClassifier,
  { withPosterior = false }: OpenSetParametersOptions = {},
): OpenSetParameters {
  const op = 'openSetParameters';
  const { model, calibration, scores: usable } = classifier.inside(op);
  const { names, gaussians, background, norms } = model;
  const labels = { labels: names, logPriors: model.logPriors(), normals: gaussians.normals() };
  if (withPosterior && !calibration?.combinedWithPosterior) {
    throw new ArgumentError(
      `${op}: the calibration must have a posterior where one is to count: it has none. Call calibrate with examples and posterior after the last change.`,
    );
  }
  if (calibration === null) return { ...labels, calibration };
  const { keep, groups, posteriorGroups, rankings } = calibration;
  const scores = withPosterior ? usable.scoreWithPosterior : usable.score;
  const has = (...any: Score[]): boolean => any.some((name) => scores.includes(name));
  return {
    ...labels,
    calibration: {
      keep,
      scores,
      groups: groups.of,
      rankings: Object.fromEntries(scores.map((name) => [name, rankings[name]!.sorted])),
      combined: withPosterior ? calibration.combinedWithPosterior! : calibration.combined,
      ...(has('posterior') && { posteriorGroups: posteriorGroups!.of }),
      ...(has('relative', 'regularized') && { background: background.normals()[0] }),
      ...(has('regularized') && { regular: model.regular().normals() }),
      ...(has('nearest') && { neighbours: model.neighbours().parameters() }),
      ...(has('norm') && { medianLengths: norms.medians(), lengthTolerance: LENGTH_TOLERANCE }),
    },
  };
}
