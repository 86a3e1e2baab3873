// What OpenSetClassifier calls typical, as nodes: the scores of x by each label, the best of each group of labels, its rank
// among the calibration samples of the group, and the harmonic mean of the best.

import type { FeatureScore, Score } from '@gmml/gmm';
import { joined } from '@gmml/gmm/linearAlgebra';
import type { CalibrationParameters, OpenSetParameters } from '@gmml/gmm/parameters';
import { similarity, similarityThreshold } from './neighbours.js';
import { logDensities, logNormalizer } from './normals.js';
import type { Place } from './place.js';

/** Above every score: fills up the shorter lists of calibration samples. */
const NEVER = 3e38;

/** The spacing of float32 numbers from 1 on. */
const EPSILON = 2 ** -23;

/** What rounding does to a sum of reciprocals of ranks, as a share of it. */
const SUM_ROUNDING = 2e-6;

/** What rounding does to the logarithm of a posterior, as a share of it: what it does to logits of the size of 100. */
const POSTERIOR_ROUNDING = 1e-5;

/** The spacing of float64 numbers at 1: a logarithm of less is 0 in gmml, whose sums of exponentials are float64. */
const SMALLEST_LOGARITHM = 2 ** -52;

/** Scores as nodes, and what they are compared with. */
export interface Combined {
  /** [N, 1]. */
  readonly value: string;
  readonly threshold: Threshold;
}

/**
 * What a score is compared with, for that of a calibration sample: a little less, by what rounding to float32 does, so that a
 * sample which is a calibration sample itself ties with itself, as it does in float64.
 */
export type Threshold = (score: number) => number;

/** What is known of vectors. */
export interface Scored {
  /** [N, D]. */
  readonly x: string;
  /** Their log densities by the labels [N, K]. */
  readonly densities: string;
  /** A head's log-posteriors of the labels [N, K]; null without one. */
  readonly posterior: (() => string) | null;
}

/** The combined score of vectors. */
export function combinedScore(
  at: Place,
  scored: Scored,
  { normals, calibration }: OpenSetParameters,
  d: number,
): Combined {
  const { scores, rankings, groups, posteriorGroups, medianLengths } = calibration!;
  const ofLabels = scoresByLabel(at, scored, calibration!, d);
  const thresholds = thresholdsOf(normals, medianLengths, d);
  const best = scores.map((name) =>
    bestOfGroups(at.inside(name), ofLabels[name](), name === 'posterior' ? posteriorGroups! : groups),
  );
  const [only] = scores;
  // Of one score and one group the order is all there is.
  if (scores.length === 1 && rankings[only]!.length === 1)
    return { value: best[0], threshold: thresholds[only] };
  const reciprocals = scores.map((name, i) =>
    reciprocalOfP(at.inside(name), best[i], rankings[name]!, thresholds[name]),
  );
  const sum = reciprocals.length === 1 ? reciprocals[0] : at.node('Sum', reciprocals, 'sum');
  return { value: at.node('Neg', [sum], 'combinedScore'), threshold: below(SUM_ROUNDING, 0) };
}

/** How many of the ranked numbers are at most the value, summed over the dimension `dim`. */
export function countNotAbove(
  at: Place,
  ranked: string,
  value: string,
  dim: number,
  keepDim: boolean,
): string {
  const isNotAbove = at.node('LessOrEqual', [ranked, value], 'isNotAbove');
  return at.sum(at.toFloat(isNotAbove), dim, { keepDim });
}

/** Each score of x by each label [N, K]. */
function scoresByLabel(
  at: Place,
  { x, densities, posterior }: Scored,
  { background, regular, neighbours, medianLengths, lengthTolerance }: CalibrationParameters,
  d: number,
): Readonly<Record<Score, () => string>> {
  let ofAll: string | null = null;
  const above = (name: FeatureScore, values: string): string => {
    ofAll ??= logDensities(at.inside('background'), x, [background!], d);
    return at.inside(name).node('Sub', [values, ofAll], 'aboveBackground');
  };
  return {
    density: () => densities,
    relative: () => above('relative', densities),
    regularized: () => above('regularized', logDensities(at.inside('regularized'), x, regular!, d)),
    nearest: () => similarity(at.inside('nearest'), x, neighbours!),
    norm: () => fromMedian(at.inside('norm'), x, medianLengths!, lengthTolerance!),
    posterior: () => posterior!(),
  };
}

function thresholdsOf(
  normals: OpenSetParameters['normals'],
  medianLengths: Float64Array = new Float64Array(1),
  d: number,
): Readonly<Record<Score, Threshold>> {
  // Errors of sums grow with the root of the number of terms. Those of densities are D of the size of 1, and the normalizer.
  const share = (EPSILON / 4) * (2 + Math.sqrt(d));
  const normalizers = normals.map(({ scale }) => Math.abs(logNormalizer(scale, d)));
  const ofDensity = below(share, d + Math.max(...normalizers));
  return {
    density: ofDensity,
    relative: ofDensity,
    regularized: ofDensity,
    nearest: similarityThreshold(share, d),
    norm: below(share, Math.max(...medianLengths)),
    posterior: (score) => score - POSTERIOR_ROUNDING * Math.abs(score) - SMALLEST_LOGARITHM,
  };
}

/** Less by a share of the score and of what it was made of. */
function below(share: number, size: number): Threshold {
  return (score) => score - share * (size + Math.abs(score));
}

/** −|‖x‖ − median| of each label, 0 where that is no more than rounding. */
function fromMedian(at: Place, x: string, medians: Float64Array, tolerance: number): string {
  const labels = [medians.length];
  const difference = at.node(
    'Sub',
    [at.length(x), at.floats('medianLengths', medians, labels)],
    'difference',
  );
  const tolerances = at.floats(
    'tolerances',
    medians.map((median) => tolerance * median),
    labels,
  );
  const within = at.node('Sub', [tolerances, at.node('Abs', [difference], 'distance')], 'within');
  return at.node('Min', [within, at.number(0)], 'score');
}

/** The best value of each group in [N, K] → [N, groups]. */
function bestOfGroups(at: Place, values: string, groups: Int32Array): string {
  const members = Array.from({ length: Math.max(...groups) + 1 }, (_, group) =>
    Array.from(groups.keys()).filter((label) => groups[label] === group),
  );
  if (members.length === 1) return groups.length === 1 ? values : at.max(values, 1, { keepDim: true });
  if (members.every((labels, group) => labels.length === 1 && labels[0] === group)) return values;
  const pick = (labels: readonly number[]): string =>
    at.node('Gather', [values, at.integers(labels)], 'members', { axis: 1 });
  const parts: string[] = [];
  for (let group = 0; group < members.length;) {
    if (members[group].length > 1) {
      parts.push(at.max(pick(members[group++]), 1, { keepDim: true }));
      continue;
    }
    // Labels that are ranked by themselves are picked together.
    const own: number[] = [];
    while (members[group]?.length === 1) own.push(members[group++][0]);
    parts.push(pick(own));
  }
  return parts.length === 1 ? parts[0] : at.node('Concat', parts, 'best', { axis: 1 });
}

/** 1/p of the largest over groups [N, groups] of p = (1 + number of the group's samples as low or lower)/(n + 1) → [N, 1]. */
function reciprocalOfP(
  at: Place,
  best: string,
  sorted: readonly Float64Array[],
  threshold: Threshold,
): string {
  const most = Math.max(1, ...sorted.map(({ length }) => length));
  const filled = sorted.map((values) => {
    const row = new Float64Array(most).fill(NEVER);
    row.set(values.map(threshold));
    return row;
  });
  const totals = Float64Array.from(sorted, ({ length }) => length + 1);
  const ranked = at.floats('ranked', joined(filled), [sorted.length, most]);
  const rank = at.node(
    'Add',
    [countNotAbove(at, ranked, at.unsqueeze(best, 2), 2, false), at.number(1)],
    'rank',
  );
  const p = at.node('Div', [rank, at.floats('totals', totals, [totals.length])], 'p');
  const largest = sorted.length === 1 ? p : at.max(p, 1, { keepDim: true });
  return at.node('Reciprocal', [largest], 'reciprocal');
}
