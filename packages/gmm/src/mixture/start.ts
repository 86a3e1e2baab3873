import { ArgumentError, ShapeError, type Generator, type Tensor } from '@gmml/tensor';
import { checkLabels, checkOneOf } from '@gmml/tensor/checks';
import { oneHot, rowsAt, summed } from '../linearAlgebra/vectors.js';
import { checkSymmetric } from '../checks.js';
import { distinctRows, lloyd, seedRows } from './kMeans.js';
import { COVARIANCE_FORMS, type Failure } from './covarianceTypes.js';
import { mStep, type Observations } from './em.js';
import type { MixtureMoments, Parameters, Settings } from './model.js';
import { readTensor, readVector, type Vector } from './rows.js';

/** The component of each sample [N], integers from 0 to K − 1. */
export interface InitialLabels {
  readonly labels: Vector;
}

/** A mixture to start from: [K], [K, D] and Σ⁻¹ in the shape of the covariances. */
export interface InitialParameters {
  readonly weights: Vector;
  readonly means: Tensor | readonly unknown[];
  readonly precisions: Tensor | readonly unknown[];
}

/**
 * Where EM starts: the clusters of k-means, of its seeds or of random samples, random responsibilities, labels, or
 * parameters.
 */
export type MixtureInit =
  | 'kmeans'
  | 'kmeans++'
  | 'random'
  | 'randomFromData'
  | InitialLabels
  | InitialParameters;

/** Parameters to start from, and the moments they were made of unless they were given. */
export interface Start {
  readonly parameters: Parameters;
  readonly moments: MixtureMoments | null;
  /** Labels of the samples, if these were what it started from. */
  readonly likely: Int32Array | null;
}

/** Weights may sum to 1 within this. */
const SUM_TOLERANCE = 1e-8;

/** @throws ArgumentError unless `init` is one of its forms */
export function checkInit(op: string, init: MixtureInit): void {
  if (typeof init === 'string') {
    return checkOneOf(op, 'init', init, ['kmeans', 'kmeans++', 'random', 'randomFromData']);
  }
  const isLabels = typeof init === 'object' && init !== null && 'labels' in init;
  const names = ['weights', 'means', 'precisions'];
  if (!isLabels && !(typeof init === 'object' && init !== null && names.every((name) => name in init))) {
    throw new ArgumentError(
      `${op}: init must be a name, { labels } or { weights, means, precisions }: it is ${JSON.stringify(init)}.`,
    );
  }
}

/** @throws ShapeError unless there is a sample for each component */
export function checkEnough(op: string, rows: number, components: number): void {
  if (rows < components) {
    throw new ShapeError(
      `${op}: there must be at least as many samples as components: ${rows} and ${components}. Use fewer components.`,
    );
  }
}

/** Where EM starts. @throws ShapeError, ArgumentError, IndexError for parameters or labels that do not fit */
export function startOf(
  data: Observations,
  components: number,
  init: MixtureInit,
  generator: Generator,
  settings: Settings,
): Start {
  if (typeof init !== 'string' && !('labels' in init)) {
    return {
      parameters: readParameters(init, components, data.features, settings),
      moments: null,
      likely: null,
    };
  }
  if (typeof init !== 'string') {
    const labels = readLabels(settings.op, init.labels, data.rows, components);
    return { ...mStep(data, oneHot(labels, components), null, settings), likely: labels };
  }
  const labels = init === 'kmeans' ? clusters(data, components, generator) : null;
  const shares = labels ? oneHot(labels, components) : drawShares(data, components, init, generator);
  return { ...mStep(data, shares, null, settings), likely: labels };
}

function readParameters(
  init: InitialParameters,
  components: number,
  features: number,
  { op, covariance }: Settings,
): Parameters {
  const form = COVARIANCE_FORMS[covariance];
  const sizes = { components, features };
  const weights = readVector(op, 'init.weights', init.weights, components);
  if (weights.some((weight) => weight < 0) || Math.abs(summed(weights) - 1) > SUM_TOLERANCE) {
    throw new ArgumentError(
      `${op}: init.weights must not be negative and sum to 1: they are ${Array.from(weights).join(', ')}.`,
    );
  }
  const means = readTensor(op, 'init.means', init.means, [components, features]);
  const precisions = readTensor(op, 'init.precisions', init.precisions, form.shape(sizes));
  if (covariance === 'full' || covariance === 'tied') {
    checkSymmetric(op, 'init.precisions', precisions, features, SUM_TOLERANCE);
  }
  const covariances = form.inverse(precisions, sizes);
  const found = 'pivot' in covariances ? covariances : form.whiten(covariances, sizes);
  if ('pivot' in covariances || 'pivot' in found) {
    const { component, pivot } = found as Failure;
    throw new ArgumentError(
      `${op}: init.precisions must be positive definite: that of component ${component} is not, at feature ${pivot}.`,
    );
  }
  return { weights, means, covariances, ...found };
}

function clusters(
  { filled, sampleWeight }: Observations,
  components: number,
  generator: Generator,
): Int32Array {
  const seeds = rowsAt(filled.data, filled.columns, seedRows(filled, sampleWeight, components, generator));
  return lloyd(filled, sampleWeight, seeds).labels;
}

/** Responsibilities [N, K]. From seeds and random samples those of these samples only, the others' are 0. */
function drawShares(
  { filled, sampleWeight }: Observations,
  components: number,
  init: string,
  generator: Generator,
): Float64Array {
  const shares = new Float64Array(filled.rows * components);
  if (init !== 'random') {
    const draw = init === 'randomFromData' ? distinctRows : seedRows;
    const chosen = draw(filled, sampleWeight, components, generator);
    for (const [k, n] of chosen.entries()) shares[n * components + k] = 1;
    return shares;
  }
  for (let at = 0; at < shares.length; at += components) {
    // 1 − u is in (0, 1], so that no row sums to 0.
    let total = 0;
    for (let k = at; k < at + components; k++) total += shares[k] = 1 - generator.uniform();
    for (let k = at; k < at + components; k++) shares[k] /= total;
  }
  return shares;
}

function readLabels(op: string, labels: Vector, rows: number, components: number): Int32Array {
  const read = readVector(op, 'init.labels', labels, rows);
  checkLabels(op, 'init.labels', read, components);
  return Int32Array.from(read);
}
