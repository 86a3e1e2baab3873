import { NumericalError } from '@gmml/tensor';
import { LOG_2PI, indices, rowAt, summed, weightedSum } from '../linearAlgebra/vectors.js';
import { FEW_FEATURES, weightedSums } from '../linearAlgebra/products.js';
import { COVARIANCE_FORMS, type CovarianceType } from './covarianceTypes.js';
import type { MixtureMoments, Parameters, Settings } from './model.js';
import { parametersOf } from './parameters.js';
import type { Matrix } from './rows.js';
import { squaredProjection, tellingDirection } from './screening.js';
import { shrinkageAmounts } from './shrinkage.js';

/**
 * Responsibilities below e⁻⁸⁰ count as 0, and what is 0 need not be computed. They are 19 orders of magnitude below the
 * 10 ε that every count is given.
 */
const NEGLIGIBLE = -80;

/** Samples of a component that are screened before screening is given up where it tells none of them. */
const SCREENED = 16;

/** Samples as EM needs them: complete (`completeData`) or with gaps (`dataWithGaps`). */
export interface Observations {
  readonly rows: number;
  readonly features: number;
  /** Weights of the samples [N] and their sum. */
  readonly sampleWeight: Float64Array;
  readonly totalWeight: number;
  /** The samples, gaps filled: what a start is chosen from. */
  readonly filled: Matrix;
  /** log π_k + log N(xₙ; μ_k, Σ_k) [N, K]; given likely components, below e⁻⁸⁰ of a row's largest any such number. */
  jointLogDensities(parameters: Parameters, likely: Int32Array | null): Float64Array;
  /** The moments of shares r [N, K]. Gaps are filled in by the parameters that gave the shares, if there are any. */
  moments(shares: Float64Array, from: Parameters | null): MixtureMoments;
}

/** What an E-step gives. */
export interface Expectation {
  /** p(k | xₙ) [N, K]. */
  readonly responsibilities: Float64Array;
  /** log p(xₙ) [N]. */
  readonly logLikelihoods: Float64Array;
  /** The most probable component of each sample [N]. */
  readonly likely: Int32Array;
}

/** One turn of EM: the parameters after its M-step, and the bound that its E-step found before. */
export interface Turn {
  readonly moments: MixtureMoments;
  readonly parameters: Parameters;
  readonly lowerBound: number;
  readonly likely: Int32Array;
}

/** Expectation–maximisation, Bishop 2006 §9.2.2: one E-step, one M-step. */
export function turnOf(
  data: Observations,
  parameters: Parameters,
  likely: Int32Array | null,
  settings: Settings,
): Turn {
  const expectation = eStep(data, parameters, likely, settings.op);
  const lowerBound = weightedMean(expectation.logLikelihoods, data);
  return {
    ...mStep(data, expectation.responsibilities, parameters, settings),
    lowerBound,
    likely: expectation.likely,
  };
}

/** γ_nk = π_k N(xₙ; μ_k, Σ_k) / p(xₙ) and log p(xₙ): Bishop 2006, eq. 9.23 and 9.28. */
export function eStep(
  data: Observations,
  parameters: Parameters,
  likely: Int32Array | null,
  op: string,
): Expectation {
  const joint = data.jointLogDensities(parameters, likely);
  return normalized(joint, parameters.weights.length, NEGLIGIBLE, op);
}

/** N_k, μ_k, Σ_k and π_k from the responsibilities [N, K]: Bishop 2006, eq. 9.24 to 9.27. */
export function mStep(
  data: Observations,
  responsibilities: Float64Array,
  from: Parameters | null,
  settings: Settings,
): { moments: MixtureMoments; parameters: Parameters } {
  const shares = weighted(responsibilities, data);
  const moments = data.moments(shares, from);
  const amounts = shrinkageAmounts(data.filled, shares, moments, settings);
  return { moments, parameters: parametersOf(moments, settings, amounts) };
}

/** Exponentials of each row of `joint` [N, K], in its place, divided by their sum. Below `least` (a logarithm) they are 0. */
export function normalized(joint: Float64Array, components: number, least: number, op: string): Expectation {
  const rows = joint.length / components;
  const logLikelihoods = new Float64Array(rows);
  const likely = new Int32Array(rows);
  for (let n = 0; n < rows; n++) {
    const at = n * components;
    let best = 0;
    for (let k = 1; k < components; k++) if (joint[at + k] > joint[at + best]) best = k;
    const most = joint[at + best];
    if (!(most > -Infinity)) {
      throw new NumericalError(
        `${op}: every sample must have a density: that of row ${n} is ${Number.isNaN(most) ? 'NaN' : 0}. Scale the features.`,
      );
    }
    let share = 0;
    for (let k = 0; k < components; k++) share += Math.exp(joint[at + k] - most);
    const total = most + Math.log(share);
    for (let k = 0; k < components; k++) {
      const log = joint[at + k] - total;
      joint[at + k] = log < least ? 0 : Math.exp(log);
    }
    logLikelihoods[n] = total;
    likely[n] = best;
  }
  return { responsibilities: joint, logLikelihoods, likely };
}

/** Σ wₙ log p(xₙ) / Σ wₙ. */
export function weightedMean(logLikelihoods: Float64Array, data: Observations): number {
  return weightedSum(data.sampleWeight, logLikelihoods) / data.totalWeight;
}

/** Samples without gaps. */
export function completeData(
  x: Matrix,
  sampleWeight: Float64Array,
  covariance: CovarianceType,
): Observations {
  const form = COVARIANCE_FORMS[covariance];
  return {
    rows: x.rows,
    features: x.columns,
    sampleWeight,
    totalWeight: summed(sampleWeight),
    filled: x,
    jointLogDensities: (parameters, likely) => jointLogDensities(x, parameters, covariance, likely),
    moments(shares) {
      const counts = guarded(totalsOf(shares, shares.length / x.rows));
      const means = meansOf(x, shares, counts);
      return { counts, means, covariances: form.estimate(x, shares, counts, means) };
    },
  };
}

/** log π_k + log N(xₙ; μ_k, Σ_k) [N, K] of samples without gaps. */
export function jointLogDensities(
  x: Matrix,
  parameters: Parameters,
  covariance: CovarianceType,
  likely: Int32Array | null = null,
): Float64Array {
  const { weights, means, factors, logDeterminants } = parameters;
  const { rows, columns } = x;
  const components = weights.length;
  const distances = COVARIANCE_FORMS[covariance].distances(x, means, factors);
  const joint = new Float64Array(rows * components);
  const found = new Float64Array(rows);
  const atMean = logDeterminants.map((log, k) => Math.log(weights[k]) - 0.5 * columns * LOG_2PI + log);
  const fill = (k: number, chosen: Int32Array, limits: Float64Array | null): void => {
    distances(k, chosen, limits, found);
    for (let i = 0; i < chosen.length; i++) joint[chosen[i] * components + k] = atMean[k] - 0.5 * found[i];
  };
  if (likely === null) {
    const all = indices(rows);
    for (let k = 0; k < components; k++) fill(k, all, null);
    return joint;
  }
  const { order, starts } = groupedBy(likely, components);
  // First each row under its likely component: what others must come near to, to matter.
  for (let k = 0; k < components; k++) {
    fill(k, order.subarray(starts[k], starts[k + 1]), null);
  }
  const others = new Int32Array(rows);
  const limits = new Float64Array(rows);
  const meanOf = (k: number): Float64Array => rowAt(means, columns, k);
  for (let k = 0; k < components; k++) {
    const mean = meanOf(k);
    let count = 0;
    for (let other = 0; other < components; other++) {
      if (other === k || starts[other] === starts[other + 1]) continue;
      // One product tells most samples of a component far from k. Only 'full' has distances that cost more.
      const v =
        covariance === 'full'
          ? tellingDirection(factors.subarray(k * columns ** 2), mean, meanOf(other))
          : null;
      let told = 0;
      for (let i = starts[other]; i < starts[other + 1]; i++) {
        const n = order[i];
        // Where it tells none of the first, the components are not far apart.
        const tries = v !== null && (told > 0 || i < starts[other] + SCREENED);
        const limit = 2 * (atMean[k] - joint[n * components + other] - NEGLIGIBLE);
        const least = tries ? squaredProjection(x.data, n * columns, mean, v) : 0;
        if (least > limit) {
          joint[n * components + k] = atMean[k] - 0.5 * least;
          told++;
        } else {
          others[count] = n;
          limits[count++] = limit;
        }
      }
    }
    fill(k, others.subarray(0, count), limits);
  }
  return joint;
}

/** N_k = Σₙ r_nk of shares r [N, K], as it is. */
export function totalsOf(shares: Float64Array, components: number): Float64Array {
  const totals = new Float64Array(components);
  for (let at = 0; at < shares.length; at += components) {
    for (let k = 0; k < components; k++) totals[k] += shares[at + k];
  }
  return totals;
}

/** N_k + 10 ε: scikit-learn's guard, so that a component without samples has a mean. */
export function guarded(counts: Float64Array): Float64Array {
  return counts.map((count) => count + 10 * Number.EPSILON);
}

/** μ_k = Σₙ r_nk xₙ / N_k. */
export function meansOf(x: Matrix, shares: Float64Array, counts: Float64Array): Float64Array {
  const { data, rows, columns } = x;
  const components = counts.length;
  const totals = new Float64Array(components * columns);
  if (columns < FEW_FEATURES) addWeighted(data, shares, components, columns, totals);
  else totals.set(weightedSums(shares, data, rows, columns));
  return totals.map((total, at) => total / counts[Math.floor(at / columns)]);
}

function addWeighted(
  data: Float64Array,
  shares: Float64Array,
  components: number,
  columns: number,
  totals: Float64Array,
): void {
  for (let n = 0; n * columns < data.length; n++) {
    for (let k = 0; k < components; k++) {
      const share = shares[n * components + k];
      if (share === 0) continue;
      for (let j = 0; j < columns; j++) totals[k * columns + j] += share * data[n * columns + j];
    }
  }
}

/** Shares r [N, K]: responsibilities times the weights of the samples. */
export function weighted(responsibilities: Float64Array, { sampleWeight, rows }: Observations): Float64Array {
  if (sampleWeight.every((weight) => weight === 1)) return responsibilities;
  const components = responsibilities.length / rows;
  return responsibilities.map((share, at) => share * sampleWeight[Math.floor(at / components)]);
}

/** Rows in the order of their components: those of k are order[starts[k] … starts[k + 1]]. */
function groupedBy(likely: Int32Array, components: number): { order: Int32Array; starts: Int32Array } {
  const starts = new Int32Array(components + 1);
  for (const k of likely) starts[k + 1]++;
  for (let k = 0; k < components; k++) starts[k + 1] += starts[k];
  const next = starts.slice();
  const order = new Int32Array(likely.length);
  for (const [n, k] of likely.entries()) order[next[k]++] = n;
  return { order, starts };
}
