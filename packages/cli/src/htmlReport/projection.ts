import {
  CholeskyDecomposition,
  EigenvalueDecomposition,
  inverse,
  Matrix,
  SingularValueDecomposition,
} from 'ml-matrix';

/** Rows [N, D], row by row, and the class of each: an integer from 0 to C − 1. */
export interface LabelledRows {
  readonly features: ArrayLike<number>;
  readonly labels: ArrayLike<number>;
}

/** A plane through features [D] in which classes lie apart. */
export interface Projection {
  /** The mean of the class means [D], the plane's origin. */
  readonly centre: Float64Array;
  /** P [2, D]: the axes, row by row. */
  readonly axes: readonly [Float64Array, Float64Array];
}

/** Rows whose deviations give an axis where classes give only one. */
const DEVIATING_ROWS = 256;
/** Added to the within-class variances, as a share of their mean, so that a constant direction is no division by zero. */
const RIDGE = 1e-9;

/**
 * The plane of the two linear discriminants: the directions w within the span of the class means (and, of two classes,
 * of the main axis of their scatter) with the largest wᵀ B w / wᵀ W w, W being the mean within-class and B the
 * between-class covariance, each class counting alike. Scaled to wᵀ W w = 1: distances are within-class standard deviations.
 *
 * Gives undefined where there are no two such directions: for one feature, one class, or classes without a difference.
 *
 * @see Fisher 1936, "The use of multiple measurements in taxonomic problems"; Rao 1948, "The utilization of multiple
 *   measurements in problems of biological classification"
 */
export function discriminantPlane(rows: LabelledRows, nClass: number): Projection | undefined {
  const dim = rows.features.length / rows.labels.length;
  const means = classMeans(rows, nClass, dim);
  const there = means.filter((mean) => mean !== undefined);
  const centre = Float64Array.from({ length: dim }, (_, j) => average(there.map((mean) => mean[j])));
  const apart = there.map((mean) => mean.map((value, j) => value - centre[j]));
  if (dim < 2 || there.length < 2) return undefined;
  const spread = principalAxes(apart);
  if (spread.length === 0) return undefined;
  const basis = spread.length > 1 ? spread : orthonormal([...spread, ...mainDeviation(rows, means, dim)]);
  if (basis.length < 2) return undefined;
  const within = scatterWithin(rows, means, basis);
  const between = new Matrix(
    basis.map((u) => basis.map((v) => average(apart.map((mean) => dot(mean, u) * dot(mean, v))))),
  );
  // Of W = L Lᵀ, the discriminants are L⁻ᵀ times the eigenvectors of L⁻¹ B L⁻ᵀ.
  const whitening = inverse(new CholeskyDecomposition(within).lowerTriangularMatrix);
  const scatter = whitening.mmul(between).mmul(whitening.transpose());
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(scatter, {
    assumeSymmetric: true,
  });
  const [first, second] = Array.from(realEigenvalues.keys())
    .toSorted((i, j) => realEigenvalues[j] - realEigenvalues[i])
    .map((i) =>
      combined(basis, whitening.transpose().mmul(eigenvectorMatrix.getColumnVector(i)).to1DArray()),
    );
  return { centre, axes: [first, second] };
}

/** Where x [D] lies in the plane: P (x − centre). */
export function project({ centre, axes }: Projection, x: ArrayLike<number>): [number, number] {
  const at = (axis: Float64Array): number =>
    axis.reduce((sum, weight, j) => sum + weight * (x[j] - centre[j]), 0);
  return [at(axes[0]), at(axes[1])];
}

/** The covariance P Σ Pᵀ [2, 2] in the plane of a covariance Σ [D, D], row by row. */
export function projectCovariance({ axes }: Projection, covariance: ArrayLike<number>): number[][] {
  const dim = axes[0].length;
  const times = axes.map((axis) =>
    Float64Array.from({ length: dim }, (_, i) =>
      axis.reduce((sum, weight, j) => sum + covariance[i * dim + j] * weight, 0),
    ),
  );
  return axes.map((axis) => times.map((column) => dot(axis, column)));
}

/** The mean of each class's rows; undefined for a class without one. */
function classMeans(
  { features, labels }: LabelledRows,
  nClass: number,
  dim: number,
): (Float64Array | undefined)[] {
  const sums = Array.from({ length: nClass }, () => new Float64Array(dim));
  const counts = new Float64Array(nClass);
  for (let n = 0; n < labels.length; n++) {
    counts[labels[n]]++;
    for (let j = 0; j < dim; j++) sums[labels[n]][j] += features[n * dim + j];
  }
  return sums.map((sum, label) =>
    counts[label] > 0 ? sum.map((value) => value / counts[label]) : undefined,
  );
}

/** An orthonormal basis of the span of some vectors, the longest axis first. */
function principalAxes(vectors: readonly Float64Array[]): Float64Array[] {
  const { leftSingularVectors, diagonal } = new SingularValueDecomposition(
    new Matrix(vectors.map((vector) => Array.from(vector))).transpose(),
    { autoTranspose: true },
  );
  const rank = diagonal.filter((value) => value > 1e-6 * diagonal[0]).length;
  return Array.from({ length: rank }, (_, i) => Float64Array.from(leftSingularVectors.getColumn(i)));
}

/** The main axis of the deviations from the class means; none where nothing deviates. */
function mainDeviation(
  rows: LabelledRows,
  means: readonly (Float64Array | undefined)[],
  dim: number,
): Float64Array[] {
  const count = rows.labels.length;
  const used = Math.min(count, DEVIATING_ROWS);
  const deviations = Array.from({ length: used }, (_, i) => {
    const n = Math.floor((i * count) / used);
    return Float64Array.from(
      { length: dim },
      (__, j) => rows.features[n * dim + j] - means[rows.labels[n]]![j],
    );
  });
  return principalAxes(deviations).slice(0, 2);
}

/** The vectors made orthonormal one after the other, without those that the ones before make up. */
function orthonormal(vectors: readonly Float64Array[]): Float64Array[] {
  const basis: Float64Array[] = [];
  for (const vector of vectors) {
    const rest = vector.map(
      (value, j) => value - basis.reduce((sum, axis) => sum + dot(axis, vector) * axis[j], 0),
    );
    const length = Math.sqrt(dot(rest, rest));
    if (length > 1e-6) basis.push(rest.map((value) => value / length));
  }
  return basis;
}

/** The mean within-class covariance of the coordinates along the basis, each class counting alike, with a ridge. */
function scatterWithin(
  { features, labels }: LabelledRows,
  means: readonly (Float64Array | undefined)[],
  basis: readonly Float64Array[],
): Matrix {
  const dim = basis[0].length;
  const sums = means.map(() => Matrix.zeros(basis.length, basis.length));
  const counts = means.map(() => 0);
  const deviation = new Float64Array(dim);
  for (let n = 0; n < labels.length; n++) {
    const [label, mean] = [labels[n], means[labels[n]]!];
    for (let j = 0; j < dim; j++) deviation[j] = features[n * dim + j] - mean[j];
    const at = Matrix.columnVector(basis.map((axis) => dot(axis, deviation)));
    sums[label].add(at.mmul(at.transpose()));
    counts[label]++;
  }
  const there = counts.filter((count) => count > 0).length;
  const within = Matrix.zeros(basis.length, basis.length);
  for (const [label, sum] of sums.entries()) {
    if (counts[label] > 0) within.add(sum.div(counts[label] * there));
  }
  const variance = within.trace() / basis.length;
  return within.add(Matrix.eye(basis.length).mul(variance > 0 ? RIDGE * variance : 1));
}

/** Σ weight_i · basis_i */
function combined(basis: readonly Float64Array[], weights: readonly number[]): Float64Array {
  return basis[0].map((_, j) => basis.reduce((sum, axis, i) => sum + weights[i] * axis[j], 0));
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, j) => sum + value * b[j], 0);
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
