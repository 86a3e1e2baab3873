import { fitGaussians, type ClassGaussians, type OpenSetCovariance } from './classGaussians.js';
import type { KeptExample } from './keptExamples.js';
import { momentsOf, type LabelExamples } from './labelExamples.js';
import { mergeAll } from './moments.js';
import { FEATURE_SCORES, scoreOf, type FeatureScore } from './openSetScores.js';
import type { Shrinkage } from './shrinkage.js';

/** Rows that are scored at once. */
const CHUNK_ROWS = 256;

/** A calibration scores at most about so many kept examples, the same number of each label, … */
const MOST_SCORED = 8192;

/** … and fewer of them, down to about so many, where each is multiplied by the factors of many labels, … */
const LEAST_SCORED = 1024;

/** … so that there are not many more multiplications than these: a few seconds. */
const MULTIPLICATIONS = 4e9;

/** How much each label is expected. */
export type Priors = 'equal' | 'counts';

/** What the numbers of a model are made of. */
export interface ModelOptions {
  readonly features: number;
  readonly covariance: OpenSetCovariance;
  readonly shrinkage: Shrinkage;
  readonly priors: Priors;
}

/** What a model says of n samples. */
export interface ScoredSamples {
  /** log of prior times density [n, K]. */
  readonly joint: Float64Array;
  /** log p(x) [n]. */
  readonly logDensity: Float64Array;
  /** Each [n]. */
  readonly scores: Readonly<Record<FeatureScore, Float64Array>>;
}

/** The normal distributions of all labels and the one of all examples, made of the statistics at one moment. */
export class OpenSetModel {
  /** In the order of their code units. */
  readonly names: readonly string[];
  /** n/(n + 1)·ν/(ν + D) of each label [K]. */
  readonly reliability: readonly number[];
  private readonly labels: readonly LabelExamples[];
  private readonly options: ModelOptions;
  private readonly gaussians: ClassGaussians;
  private readonly background: ClassGaussians;

  /** @throws NotPositiveDefiniteError naming the label */
  constructor(labels: ReadonlyMap<string, LabelExamples>, options: ModelOptions) {
    const { features, covariance, shrinkage } = options;
    const sorted = [...labels].toSorted(([a], [b]) => (a < b ? -1 : 1));
    this.names = sorted.map(([name]) => name);
    this.labels = sorted.map(([, label]) => label);
    this.options = options;
    const spread = covariance === 'diag' ? 'diagonal' : 'triangle';
    const moments = this.labels.map((label) => momentsOf(label, features, spread));
    const all = mergeAll(moments, features, spread);
    this.gaussians = fitGaussians(moments, all, covariance, shrinkage, this.names);
    const ofAll = covariance === 'full' ? 'tied' : covariance;
    this.background = fitGaussians([all], all, ofAll, shrinkage, ['all examples']);
    this.reliability = moments.map(({ count }, k) => {
      const freedom = this.gaussians.freedom[k];
      return (count / (count + 1)) * (freedom / (freedom + features));
    });
  }

  /** Densities and scores of the rows x [n, D]. */
  score(x: Float64Array): ScoredSamples {
    return this.scoreRows(x);
  }

  /** Scores of kept examples, each as if it had never been added; labels with a single example have none. */
  scoreKept(): Readonly<Record<FeatureScore, Float64Array>> {
    const { labels } = this;
    const { features, covariance } = this.options;
    const factors = covariance === 'full' ? labels.length : 1;
    const each = covariance === 'diag' ? features * labels.length : (features ** 2 / 2) * (factors + 1);
    const most = Math.min(MOST_SCORED, Math.max(LEAST_SCORED, MULTIPLICATIONS / each));
    const quota = Math.ceil(most / labels.length);
    const samples = labels.flatMap(({ count, kept }, owner) =>
      count < 2 ? [] : kept.slice(0, quota).map(({ vector }: KeptExample) => ({ vector, owner })),
    );
    const rows = new Float64Array(samples.length * features);
    for (const [i, { vector }] of samples.entries()) rows.set(vector, i * features);
    return this.scoreRows(
      rows,
      Int32Array.from(samples, ({ owner }) => owner),
    ).scores;
  }

  private scoreRows(x: Float64Array, owners?: Int32Array): ScoredSamples {
    const { features } = this.options;
    const n = x.length / features;
    const labels = this.names.length;
    const joint = new Float64Array(n * labels);
    const logDensity = new Float64Array(n);
    const scores = { density: new Float64Array(n), relative: new Float64Array(n) };
    for (let first = 0; first < n; first += CHUNK_ROWS) {
      const end = Math.min(n, first + CHUNK_ROWS);
      const rows = x.subarray(first * features, end * features);
      const own = owners?.subarray(first, end);
      const densities = this.gaussians.logDensities(rows, own);
      const background = this.background.logDensities(rows, own && new Int32Array(own.length));
      for (let i = first; i < end; i++) {
        const ofLabels = densities.subarray((i - first) * labels, (i - first + 1) * labels);
        const logPriors = this.logPriors(owners?.[i]);
        const ofRow = ofLabels.map((density, k) => density + logPriors[k]);
        joint.set(ofRow, i * labels);
        logDensity[i] = logSumExp(ofRow);
        const sample = { best: maximum(ofLabels), mixture: logDensity[i], background: background[i - first] };
        for (const score of FEATURE_SCORES) scores[score][i] = scoreOf[score](sample);
      }
    }
    return { joint, logDensity, scores };
  }

  /** [K], without one example of `owner` when there is one. */
  private logPriors(owner?: number): number[] {
    const { labels } = this;
    if (this.options.priors === 'equal') return labels.map(() => -Math.log(labels.length));
    const counts = labels.map(({ count }, k) => (k === owner ? count - 1 : count));
    const total = counts.reduce((sum, count) => sum + count, 0);
    return counts.map((count) => Math.log(count / total));
  }
}

/** Shares exp(x)/Σ exp(x); equal ones where all of x is −∞. */
export function softmaxOf(x: Float64Array): Float64Array {
  const largest = maximum(x);
  if (largest === -Infinity) return x.map(() => 1 / x.length);
  const exponentials = x.map((value) => Math.exp(value - largest));
  const sum = exponentials.reduce((total, value) => total + value, 0);
  return exponentials.map((value) => value / sum);
}

function logSumExp(x: Float64Array): number {
  const largest = maximum(x);
  if (largest === -Infinity) return -Infinity;
  return largest + Math.log(x.reduce((sum, value) => sum + Math.exp(value - largest), 0));
}

function maximum(x: Float64Array): number {
  let largest = -Infinity;
  for (const value of x) largest = Math.max(largest, value);
  return largest;
}
