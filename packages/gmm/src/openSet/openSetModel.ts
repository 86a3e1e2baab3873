import { joined, rowAt, summed } from '../linearAlgebra/vectors.js';
import { mergeAll, spreadOf, type Moments } from '../linearAlgebra/moments.js';
import { fitGaussians, type ClassGaussians, type OpenSetCovariance } from './classGaussians.js';
import { keptExample, MOST_KEPT, type KeptExample } from './keptExamples.js';
import { momentsOf, type LabelExamples } from './labelExamples.js';
import type { Deviations } from './likeliestShrinkage.js';
import { Neighbours, type LeftOut } from './neighbours.js';
import { normsOf, type Norms } from './norms.js';
import type { FeatureScore } from './openSetScores.js';
import { pooledCovariance, type Pooled } from './pooledCovariance.js';
import { bestOfGroups, type Groups } from './ranking.js';
import type { Shrinkage } from './shrinkage.js';

/** Rows that are scored at once. */
const CHUNK_ROWS = 256;

/** A calibration scores at most about so many kept examples, the same number of each label, … */
const MOST_SCORED = 8192;

/** … and fewer of them, down to about so many, where each is multiplied by the factors of many labels, … */
const LEAST_SCORED = 1024;

/** … so that there are not many more multiplications than these: a few seconds. */
const MULTIPLICATIONS = 4e9;

/** Shrinkage is chosen by about so many kept examples, the same number of each label. */
const MOST_TELLING = 1024;

/** Shrinkage of labels' covariances that leaves what they have in common half of the word. */
const REGULAR = 0.5;

/** Shrinkage of the pooled covariance under which directions are compared, so that features of little variance do not decide them. */
const DIRECTIONS = 0.3;

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
  /** The best of each group of labels [n, groups]. */
  readonly scores: Readonly<Partial<Record<FeatureScore, Float64Array>>>;
}

/** Examples of labels, as rows [n, D], with whose they are and where they are kept. */
export interface OwnRows extends LeftOut {
  readonly x: Float64Array;
}

/** The normal distributions of all labels and the one of all examples, and what is kept of them, made of the statistics at one moment. */
export class OpenSetModel {
  /** In the order of their code units. */
  readonly names: readonly string[];
  /** n/(n + 1)·ν/(ν + D) of each label [K]. */
  readonly reliability: readonly number[];
  readonly #labels: readonly LabelExamples[];
  readonly #options: ModelOptions;
  readonly #moments: readonly Moments[];
  readonly #all: Moments;
  readonly #pooled: Pooled;
  /** The distributions of the labels. */
  readonly gaussians: ClassGaussians;
  /** The one distribution of all examples. */
  readonly background: ClassGaussians;
  readonly norms: Norms;
  #regular?: ClassGaussians;
  #neighbours?: Neighbours;

  /** @throws NotPositiveDefiniteError naming the label */
  constructor(labels: ReadonlyMap<string, LabelExamples>, options: ModelOptions) {
    const { features, covariance, shrinkage } = options;
    const sorted = [...labels].toSorted(([a], [b]) => (a < b ? -1 : 1));
    this.names = sorted.map(([name]) => name);
    this.#labels = sorted.map(([, label]) => label);
    this.#options = options;
    const spread = spreadOf(covariance);
    this.#moments = this.#labels.map((label) => momentsOf(label, features, spread));
    this.#all = mergeAll(this.#moments, features, spread);
    this.#pooled = this.#poolOf(this.#moments);
    this.gaussians = this.#fitLabels(0);
    const ofAll = covariance === 'full' ? 'tied' : covariance;
    const pooled = this.#poolOf([this.#all]);
    this.background = fitGaussians([this.#all], this.#all, ofAll, pooled, shrinkage, ['all examples']);
    this.norms = normsOf(this.#labels.map(({ kept }) => kept));
    this.reliability = this.#moments.map(({ count }, k) => {
      const freedom = this.gaussians.freedom[k];
      return (count / (count + 1)) * (freedom / (freedom + features));
    });
  }

  /** The length D of the vectors. */
  get features(): number {
    return this.#options.features;
  }

  /**
   * Densities of the rows x [n, D], and the scores that are asked for. Rows that are examples are left out of everything.
   */
  score(x: Float64Array, names: readonly FeatureScore[], groups: Groups, left?: LeftOut): ScoredSamples {
    const { features } = this.#options;
    const n = x.length / features;
    const labels = this.names.length;
    const joint = new Float64Array(n * labels);
    const logDensity = new Float64Array(n);
    const scores = Object.fromEntries(names.map((name) => [name, new Float64Array(n * groups.count)]));
    for (let first = 0; first < n; first += CHUNK_ROWS) {
      const end = Math.min(n, first + CHUNK_ROWS);
      const rows = x.subarray(first * features, end * features);
      const here = left && {
        owners: left.owners.subarray(first, end),
        places: left.places.subarray(first, end),
      };
      const densities = this.gaussians.logDensities(rows, here?.owners);
      for (let i = first; i < end; i++) {
        const logPriors = this.logPriors(left?.owners[i]);
        const ofRow = rowAt(joint, labels, i);
        for (let k = 0; k < labels; k++) ofRow[k] = densities[(i - first) * labels + k] + logPriors[k];
        logDensity[i] = logSumExp(ofRow);
      }
      const background = names.some((name) => name === 'relative' || name === 'regularized')
        ? this.background.logDensities(rows, here && new Int32Array(here.owners.length))
        : new Float64Array();
      for (const name of names) {
        const values = this.#scoreOf(name, rows, densities, background, here);
        scores[name].set(bestOfGroups(values, groups), first * groups.count);
      }
    }
    return { joint, logDensity, scores };
  }

  /** The examples that a calibration scores, each of a label that has another. */
  keptRows(): OwnRows {
    const labels = this.#labels;
    const { features, covariance } = this.#options;
    const factors = covariance === 'full' ? 2 * labels.length : 1;
    const neighbours = labels.reduce((sum, { kept }) => sum + kept.length, 0) * features;
    const each = covariance === 'diag' ? features * labels.length : (features ** 2 / 2) * (factors + 2);
    const most = Math.min(MOST_SCORED, Math.max(LEAST_SCORED, MULTIPLICATIONS / (each + neighbours)));
    const quota = Math.ceil(most / labels.length);
    const samples = labels.flatMap(({ count, kept }, owner) =>
      count < 2 ? [] : sampleOf(kept, quota).map(({ vector, place }) => ({ vector, place, owner })),
    );
    return {
      x: joined(samples.map(({ vector }) => vector)),
      owners: Int32Array.from(samples, ({ owner }) => owner),
      places: Int32Array.from(samples, ({ place }) => place),
    };
  }

  /** Of rows x [n, D] that have been added as examples of the labels `owners`: where they are kept. */
  placesOf(x: Float64Array, owners: Int32Array): LeftOut {
    const { features } = this;
    const places = owners.map((owner, i) => {
      const { kept } = this.#labels[owner];
      const { hash } = keptExample(rowAt(x, features, i).slice());
      const place = kept.findIndex((other) => other.hash === hash);
      return kept[place]?.copies === 1 ? place : kept.length;
    });
    return { owners, places };
  }

  /** One score of rows by each label [n, K]. */
  #scoreOf(
    name: FeatureScore,
    x: Float64Array,
    densities: Float64Array,
    background: Float64Array,
    left?: LeftOut,
  ): Float64Array {
    const by: Readonly<Record<FeatureScore, () => Float64Array>> = {
      density: () => densities,
      relative: () => above(background, densities),
      regularized: () => above(background, this.regular().logDensities(x, left?.owners)),
      nearest: () => this.neighbours().cosines(x, left),
      norm: () => this.norms.scores(x, this.features, (i, k) => this.#isKept(i, k, left)),
    };
    return by[name]();
  }

  #isKept(i: number, k: number, left?: LeftOut): boolean {
    return left !== undefined && left.owners[i] === k && left.places[i] < this.#labels[k].kept.length;
  }

  /** The distributions of the labels with more shrinkage: 'regularized'. */
  regular(): ClassGaussians {
    return (this.#regular ??= this.#fitLabels(REGULAR));
  }

  #fitLabels(least: number): ClassGaussians {
    const { covariance, shrinkage } = this.#options;
    return fitGaussians(this.#moments, this.#all, covariance, this.#pooled, shrinkage, this.names, least);
  }

  /** What 'nearest' compares directions with. */
  neighbours(): Neighbours {
    return (this.#neighbours ??= new Neighbours(
      this.#labels.map((label) => label.kept),
      this.#moments,
      this.#all,
      this.#poolOf(this.#moments, Math.max(DIRECTIONS, this.#pooled.weights.target)),
    ));
  }

  /** The covariance within groups: labels, or all of them as one. */
  #poolOf(groups: readonly Moments[], shrinkage = this.#options.shrinkage): Pooled {
    const { covariance } = this.#options;
    return pooledCovariance(groups, this.#all, covariance, shrinkage, () => this.#deviationsFrom(groups));
  }

  /** Of about MOST_TELLING kept examples from the mean of their group, where that has others. */
  #deviationsFrom(groups: readonly Moments[]): Deviations {
    const quota = Math.ceil(MOST_TELLING / this.#labels.length);
    const telling = this.#labels.flatMap(({ kept }, k) => {
      const { count, mean } = groups[groups.length === 1 ? 0 : k];
      const away = ({ vector }: Sample): Float64Array => vector.map((value, j) => value - mean[j]);
      const reach = count / (count - 1);
      return count < 2 ? [] : sampleOf(kept, quota).map((example) => ({ row: away(example), reach }));
    });
    return {
      rows: joined(telling.map(({ row }) => row)),
      reaches: Float64Array.from(telling, ({ reach }) => reach),
    };
  }

  /** [K], without one example of `owner` when there is one. */
  logPriors(owner?: number): number[] {
    const labels = this.#labels;
    if (this.#options.priors === 'equal') return labels.map(() => -Math.log(labels.length));
    const counts = labels.map(({ count }, k) => (k === owner ? count - 1 : count));
    const total = summed(counts);
    return counts.map((count) => Math.log(count / total));
  }
}

/** A kept example, with where it stands to be left out; beyond the end where it is to stay. */
interface Sample {
  readonly vector: Float64Array;
  readonly place: number;
}

/**
 * Of the first `most` kept examples, each in proportion to its copies, as many as there are copies, `most` and MOST_KEPT allow:
 * they stand for all examples, as what is kept does not depend on copies. When an example of several is left out the others stay; but
 * where not all different ones are kept it goes whole, because it stands for examples of which nothing is kept.
 */
function sampleOf(kept: readonly KeptExample[], most: number): Sample[] {
  const numbers = kept.slice(0, most).map(({ copies }) => copies);
  const total = summed(numbers);
  const size = Math.min(total, most, MOST_KEPT);
  let [place, end] = [-1, 0];
  return Array.from({ length: size }, (_, n) => {
    // In the middle of the n-th of `size` equal parts.
    while (end <= ((n + 0.5) * total) / size) end += numbers[++place];
    const isLeftOut = numbers[place] === 1 || kept.length === MOST_KEPT;
    return { vector: kept[place].vector, place: isLeftOut ? place : kept.length };
  });
}

/** log of densities [n, K] less that of the background [n]. */
function above(background: Float64Array, densities: Float64Array): Float64Array {
  const labels = densities.length / background.length;
  return densities.map((density, at) =>
    density === -Infinity ? -Infinity : density - background[Math.floor(at / labels)],
  );
}

/** Shares exp(x)/Σ exp(x), the logarithm of the sum being given; equal ones where all of x is −∞. */
export function softmaxOf(x: Float64Array, logSum: number): Float64Array {
  return x.map((value) => (logSum === -Infinity ? 1 / x.length : Math.exp(value - logSum)));
}

function logSumExp(x: Float64Array): number {
  const largest = x.reduce((a, b) => Math.max(a, b), -Infinity);
  if (largest === -Infinity) return -Infinity;
  return largest + Math.log(x.reduce((sum, value) => sum + Math.exp(value - largest), 0));
}
