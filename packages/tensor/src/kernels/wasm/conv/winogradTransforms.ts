/** A matrix as its rows. */
export type Matrix = readonly (readonly number[])[];

/** The transforms of one dimension. */
export interface Transforms {
  /** Bᵀ [6, 6]: 6 inputs to their values at the points. */
  readonly input: Matrix;
  /** G [6, taps]: the taps, as a polynomial's coefficients, to its values at the points. */
  readonly filter: Matrix;
  /** Aᵀ [outputs, 6]: the products at the points to the outputs, for a filter or output scaled by `scale`. */
  readonly output: Matrix;
  /** [6]: what the value at each point is still to be multiplied by, in the filter or before the output. */
  readonly scale: readonly number[];
}

/** Numbers along one side of a tile, and points at which polynomials are evaluated. */
export const TILE = 6;

/** Points of a tile, which are as many as its numbers. */
export const POINT_COUNT = TILE * TILE;

/**
 * The finite points; the sixth is ∞. After 0 they come in pairs of opposite sign, which lets the emitted code share the
 * even and the odd part of a sum. With these, with ±1/√2, ±√2 and with ±2/3, ±3/2 the measured error is about the same,
 * half that of ±1, ±2 and of ±1, ±1/2; of the three, only these leave just `scale` to be rounded.
 */
const POINTS = [0, 3 / 4, -3 / 4, 3 / 2, -3 / 2];

/** Where the pairs of opposite points begin. */
export const PAIRS = [1, 3] as const;

/**
 * The transforms of F(outputs, taps), outputs + taps = 7: y = Aᵀ[scale ⊙ (G w) ⊙ (Bᵀ d)] are the outputs
 * yᵢ = Σₖ wₖ dᵢ₊ₖ of a filter w [taps] over d [6]. The transpose of a product of polynomials (Toom–Cook): with
 * M(x) = Π(x − pⱼ), row j of Bᵀ has the coefficients of M(x)/(x − pⱼ) and the last row, for ∞, those of M;
 * G and A have the powers of pⱼ, and scaleⱼ = 1/Π(pⱼ − pₗ).
 * (Winograd, "Arithmetic Complexity of Computations", 1980; Lavin and Gray, "Fast algorithms for convolutional neural
 * networks", 2016; on points and their error: Barabasz, Anderson, Soodhalter and Gregg, "Error analysis and improving
 * the accuracy of Winograd convolution for deep neural networks", 2020.)
 */
export function transformsOf(outputs: number, taps: number): Transforms {
  const others = POINTS.map((_, j) => POINTS.filter((__, l) => l !== j));
  const lagrange = others.map((roots) => [...polynomial(roots), 0]);
  const scale = others.map((rest, j) => 1 / rest.reduce((product, p) => product * (POINTS[j] - p), 1));
  return {
    input: [...lagrange, polynomial(POINTS)],
    filter: powers(taps),
    output: transposed(powers(outputs)),
    scale: [...scale, 1],
  };
}

/** diag(scale) · matrix. */
export function scaleRows(matrix: Matrix, scale: readonly number[]): Matrix {
  return matrix.map((row, i) => row.map((value) => scale[i] * value));
}

export function transposed(matrix: Matrix): Matrix {
  return matrix[0].map((_, j) => matrix.map((row) => row[j]));
}

/** The largest sum of magnitudes of a row: by how much a product with the matrix may enlarge the largest number. */
export function rowNorm(matrix: Matrix): number {
  return Math.max(...matrix.map((row) => row.reduce((sum, value) => sum + Math.abs(value), 0)));
}

/** The coefficients of Π(x − root), the constant first. */
function polynomial(roots: readonly number[]): number[] {
  let product = [1];
  for (const root of roots) product = [0, ...product].map((c, i) => c - root * (product[i] ?? 0));
  return product;
}

/** [6, count]: the powers 0 … count − 1 of each point; of ∞ the highest only. */
function powers(count: number): Matrix {
  const exponents = Array.from({ length: count }, (_, i) => i);
  return [
    ...POINTS.map((point) => exponents.map((i) => point ** i)),
    exponents.map((i) => (i === count - 1 ? 1 : 0)),
  ];
}
