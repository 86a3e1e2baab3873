import { combinedScore, type Calibration, type ScoreColumns } from './calibration.js';
import type { LeftOut } from './neighbours.js';
import type { OpenSetModel } from './openSetModel.js';
import type { FeatureScore, Score, UsableScores } from './openSetScores.js';
import { bestOfGroups, groupsOf, oneGroup, Ranking, type Groups } from './ranking.js';

/** What a calibration is for. */
export interface CalibrationTask extends UsableScores {
  readonly keep: number;
}

/** Samples of known labels. */
export interface CalibrationSamples {
  /** [n, D]. */
  readonly x: Float64Array;
  /** The label of each [n], where that is known. */
  readonly owners?: Int32Array;
  /** Whether they have been added as examples, and are left out when they are scored. */
  readonly areExamples: boolean;
  /** A head's log-posterior of each label [n, K]. */
  readonly posterior?: Float64Array;
}

/** Scores of n samples and how they rank. `owners`: the samples are those that are ranked among, of these labels. */
interface Ranked extends Pick<Calibration, 'groups' | 'posteriorGroups' | 'rankings'> {
  readonly columns: ScoreColumns;
  readonly owners: Int32Array | null;
}

/** By the kept examples, each scored as if it had never been added. */
export function calibrateByKept(model: OpenSetModel, { keep, score }: CalibrationTask): Calibration {
  const { x, ...left } = model.keptRows();
  const ranked = rankedAmong(model, score, x, left.owners, left);
  return calibration(keep, ranked, combined(ranked, score, left.owners.length), null);
}

/**
 * By samples whose combined scores are ranked. Each score of features is ranked among those of the kept examples, left
 * out, or of the samples, whichever are more: ranks are finer then. The posterior is ranked among the samples.
 */
export function calibrateBySamples(
  model: OpenSetModel,
  { keep, score, scoreWithPosterior }: CalibrationTask,
  { x, owners, areExamples, posterior }: CalibrationSamples,
): Calibration {
  const used = posterior ? [...score, ...scoreWithPosterior] : score;
  const names = [...new Set(used)].filter((name) => name !== 'posterior');
  const count = x.length / model.features;
  const left = areExamples && owners ? model.placesOf(x, owners) : undefined;
  const ranked = rankedByKept(model, names, x, left) ?? rankedAmong(model, names, x, owners, left);
  const byFeatures = combined(ranked, score, count);
  if (posterior === undefined) return calibration(keep, ranked, byFeatures, null);
  const full = withPosterior(ranked, posterior, model.names.length, count, owners);
  return calibration(keep, full, byFeatures, combined(full, scoreWithPosterior, count, owners));
}

function calibration(
  keep: number,
  { groups, posteriorGroups, rankings }: Ranked,
  byFeatures: Float64Array,
  byPosteriorToo: Float64Array | null,
): Calibration {
  return {
    keep,
    groups,
    posteriorGroups,
    rankings,
    combined: byFeatures,
    combinedWithPosterior: byPosteriorToo,
  };
}

/** null where the kept examples are not more than the rows x. */
function rankedByKept(
  model: OpenSetModel,
  names: readonly FeatureScore[],
  x: Float64Array,
  left?: LeftOut,
): Ranked | null {
  const { x: keptX, ...kept } = model.keptRows();
  if (keptX.length <= x.length) return null;
  const ranked = rankedAmong(model, names, keptX, kept.owners, kept);
  return { ...ranked, columns: model.score(x, names, ranked.groups, left).scores, owners: null };
}

/** The scores of the rows x, ranked among themselves. */
function rankedAmong(
  model: OpenSetModel,
  names: readonly FeatureScore[],
  x: Float64Array,
  known?: Int32Array,
  left?: LeftOut,
): Ranked {
  const [groups, samples, owners] = grouped(model.names.length, x.length / model.features, known);
  const columns = model.score(x, names, groups, left).scores;
  const rankings = names.map((name) => [name, Ranking.among(columns[name]!, owners, groups, samples)]);
  return { groups, posteriorGroups: null, rankings: Object.fromEntries(rankings), columns, owners };
}

function withPosterior(
  ranked: Ranked,
  posterior: Float64Array,
  labels: number,
  count: number,
  known?: Int32Array,
): Ranked {
  const [posteriorGroups, samples, owners] = grouped(labels, count, known);
  const best = bestOfGroups(posterior, posteriorGroups);
  return {
    ...ranked,
    posteriorGroups,
    rankings: { ...ranked.rankings, posterior: Ranking.among(best, owners, posteriorGroups, samples) },
    columns: { ...ranked.columns, posterior: best },
  };
}

/** How samples are grouped, how many each label has, and whose they are; all labels as one where that is unknown. */
function grouped(labels: number, count: number, owners?: Int32Array): [Groups, number[], Int32Array] {
  if (owners === undefined) return [oneGroup(labels), [count], new Int32Array(count)];
  const samples = Array.from({ length: labels }, () => 0);
  for (const owner of owners) samples[owner]++;
  return [groupsOf(samples), samples, owners];
}

/** The combined scores of the samples, in rising order. `owners`: of the posterior, whose ranks are among themselves. */
function combined(
  { rankings, columns, groups, posteriorGroups, owners }: Ranked,
  scores: readonly Score[],
  count: number,
  known: Int32Array = new Int32Array(count),
): Float64Array {
  return Float64Array.from({ length: count }, (_, i) =>
    combinedScore(rankings, scores, columns, i, {
      features: owners ? groups.of[owners[i]] : -1,
      posterior: posteriorGroups ? posteriorGroups.of[known[i]] : -1,
    }),
  ).toSorted();
}
