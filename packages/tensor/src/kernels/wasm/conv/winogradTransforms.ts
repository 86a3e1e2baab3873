/** A matrix as its rows. */
export type Matrix = readonly (readonly number[])[];

/** The transforms of one dimension. */
export interface Transforms {
  /** Bᵀ [P, P]: P inputs to their values at the points. */
  readonly input: Matrix;
  /** G [P, taps]: the taps, as a polynomial's coefficients, to its values at the points. */
  readonly filter: Matrix;
  /** Aᵀ [outputs, P]: the products at the points to the outputs, for a filter or output scaled by `scale`. */
  readonly output: Matrix;
  /** [P]: what the value at each point is still to be multiplied by, in the filter or before the output. */
  readonly scale: readonly number[];
}

/** How many points there may be, which are as many as the numbers along one side of a tile. */
export type TileLength = keyof typeof POINTS;

/**
 * The finite points; the last is ∞. After 0 they come in pairs of opposite sign, which lets the emitted code share the
 * even and the odd part of a sum. They leave just `scale` to be rounded.
 * Of 6 points, these, ±1/√2, ±√2 and ±2/3, ±3/2 have about the same measured error, half that of ±1, ±2 and of ±1, ±1/2.
 * Of 8, these have the least of all choices from 22 numbers between 3/8 and 5/2. Scaling rows of B against those of G
 * by powers of 2 changes no rounding.
 */
const POINTS = {
  6: [0, 3 / 4, -3 / 4, 3 / 2, -3 / 2],
  8: [0, 1 / 2, -1 / 2, 1, -1, 2, -2],
} as const;

/** Where the pairs of opposite points begin among that many points. */
export function pairsOf(tile: number): number[] {
  return Array.from({ length: tile / 2 - 1 }, (_, pair) => 1 + 2 * pair);
}

/**
 * The transforms of F(outputs, taps) with P = outputs + taps − 1 points, 6 or 8: y = Aᵀ[scale ⊙ (G w) ⊙ (Bᵀ d)] are the
 * outputs yᵢ = Σₖ wₖ dᵢ₊ₖ of a filter w [taps] over d [P]. The transpose of a product of polynomials (Toom–Cook): with
 * M(x) = Π(x − pⱼ), row j of Bᵀ has the coefficients of M(x)/(x − pⱼ) and the last row, for ∞, those of M;
 * G and A have the powers of pⱼ, and scaleⱼ = 1/Π(pⱼ − pₗ).
 * (Winograd, "Arithmetic Complexity of Computations", 1980; Lavin and Gray, "Fast algorithms for convolutional neural
 * networks", 2016; on points and their error: Barabasz, Anderson, Soodhalter and Gregg, "Error analysis and improving
 * the accuracy of Winograd convolution for deep neural networks", 2020.)
 */
export function transformsOf(outputs: number, taps: number): Transforms {
  const key = `${outputs} ${taps}`;
  const known = made.get(key) ?? construct(outputs, taps);
  made.set(key, known);
  return known;
}

const made = new Map<string, Transforms>();

function construct(outputs: number, taps: number): Transforms {
  const points: readonly number[] = POINTS[(outputs + taps - 1) as TileLength];
  const others = points.map((_, j) => points.filter((__, l) => l !== j));
  const lagrange = others.map((roots) => [...polynomial(roots), 0]);
  const scale = others.map((rest, j) => 1 / rest.reduce((product, p) => product * (points[j] - p), 1));
  return {
    input: [...lagrange, polynomial(points)],
    filter: powers(points, taps),
    output: transposed(powers(points, outputs)),
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

/** [P, count]: the powers 0 … count − 1 of each point; of ∞ the highest only. */
function powers(points: readonly number[], count: number): Matrix {
  const exponents = Array.from({ length: count }, (_, i) => i);
  return [
    ...points.map((point) => exponents.map((i) => point ** i)),
    exponents.map((i) => (i === count - 1 ? 1 : 0)),
  ];
}
