import type { OpenSetClassifier } from '@gmml/gmm';
import { openSetParameters, type OpenSetParameters } from '@gmml/gmm/parameters';
import { ArgumentError, ShapeError } from '@gmml/tensor';
import type { Value } from './graph.js';
import { logSoftmax, logSumExp } from './logSumExp.js';
import { logDensities } from './normals.js';
import { once, type HeadOutputs } from './outputs.js';
import type { Place } from './place.js';
import { combinedScore, countNotAbove, type Combined } from './openSetScores.js';

/** What an open-set classifier says of features x [N, D]. */
export interface OpenSetOutputs extends HeadOutputs {
  readonly labels: readonly string[];
  /** The share of known samples to keep; null before calibration. */
  readonly keep: number | null;
}

/** A trained head whose posterior counts, and the label of each of its outputs. */
export interface TrainedHead extends HeadOutputs {
  readonly classes?: readonly string[];
}

/**
 * @throws ShapeError for features of another length, and for a head of other classes; ArgumentError for classes of which none is
 *   a label; what `openSetParameters` throws
 */
export function openSetOutputs(
  at: Place,
  x: Value,
  classifier: OpenSetClassifier,
  trained: TrainedHead | null,
): OpenSetOutputs {
  const d = classifier.features;
  at.checkShape(x, x.shape.length === 1 && x.shape[0] === d, `[N, ${d}]`);
  const parameters = openSetParameters(classifier, { withPosterior: trained !== null });
  const { labels, logPriors, normals, calibration } = parameters;

  const densities = once(() => logDensities(at, x.name, normals, d));
  const joint = once(() =>
    at.plus(densities(), 'logPriors', Float64Array.from(logPriors), 'Log priors of the labels.'),
  );
  const posterior = trained && posteriorOf(at, trained, labels);
  // How many calibration samples are as typical or less, and itself [N].
  const rank = once(() =>
    rankOf(
      at,
      combinedScore(at, { x: x.name, densities: densities(), posterior }, parameters, d),
      parameters,
    ),
  );
  const typicality = (): string =>
    at.output('typicality', 'Div', [rank(), at.number(calibration!.combined.length + 1)]);
  return {
    nClass: labels.length,
    labels,
    keep: calibration?.keep ?? null,
    values: {
      logPosteriors: once(() => logSoftmax(at.inside('posterior'), joint(), 1, 'logPosteriors')),
      label: once(() => labelOf(at, joint(), calibration === null ? null : rank, parameters)),
      logDensity: once(() => logSumExp(at.inside('density'), joint(), 1, 'logDensity')),
      ...(calibration && { typicality: once(typicality) }),
    },
  };
}

/** The head's log-posteriors of the labels [N, K], −∞ of those that it does not know. */
function posteriorOf(
  at: Place,
  { nClass, values, classes }: TrainedHead,
  labels: readonly string[],
): () => string {
  const named = classes ?? labels;
  if (named.length !== nClass) {
    throw new ShapeError(
      `toOnnx: classes must name the label of each output of the posterior: there are ${named.length} for ${nClass} outputs.${classes ? '' : ' Give classes.'}`,
    );
  }
  const places = labels.map((label) => named.indexOf(label));
  if (places.every((place) => place < 0)) {
    throw new ArgumentError(
      `toOnnx: classes must name labels of the classifier: they are ${JSON.stringify(named.slice(0, 10))}, of which none is known.`,
    );
  }
  return () => {
    const all = values.logPosteriors!();
    if (places.length === nClass && places.every((place, k) => place === k)) return all;
    const own = at.integers(places.map((place) => Math.max(place, 0)));
    const ofLabels = at.node('Gather', [all, own], 'posteriorOfLabels', { axis: 1 });
    const lacks = Float64Array.from(places, (place) => (place < 0 ? -Infinity : 0));
    return lacks.every((lack) => lack === 0)
      ? ofLabels
      : at.plus(ofLabels, 'unknown', lacks, 'Labels that the trained head does not know.');
  };
}

/** The most probable label, −1 where the rank is too low for any. */
function labelOf(
  at: Place,
  joint: string,
  rank: (() => string) | null,
  { calibration }: OpenSetParameters,
): string {
  const axis = { axis: 1, keepdims: 0 };
  if (rank === null || calibration === null) return at.output('label', 'ArgMax', [joint], axis);
  const least = at.number(leastRank(calibration.combined.length, calibration.keep));
  const isUnknown = at.node('Less', [rank(), least], 'isUnknown');
  const nearest = at.node('ArgMax', [joint], 'nearest', axis);
  return at.output('label', 'Where', [isUnknown, at.integers([-1], []), nearest]);
}

/** The smallest rank whose share of n + 1 is not below 1 − keep, as `predict` compares them. */
function leastRank(n: number, keep: number): number {
  let rank = Math.max(1, Math.floor((1 - keep) * (n + 1)) - 1);
  while (rank / (n + 1) < 1 - keep) rank++;
  return rank;
}

/** 1 + the number of calibration samples whose combined score is at most that of each row → [N]. */
function rankOf(at: Place, { value, threshold }: Combined, { calibration }: OpenSetParameters): string {
  const { combined } = calibration!;
  const ranked = at.floats('combined', combined.map(threshold), [combined.length]);
  return at.node('Add', [countNotAbove(at, ranked, value, 1, false), at.number(1)], 'rank');
}
