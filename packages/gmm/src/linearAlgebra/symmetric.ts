// Symmetric matrices as packed lower triangles: entry (i, j ≤ i) lies at i(i + 1)/2 + j. Of a diagonal matrix the diagonal.

/** The number of entries of a packed triangle of `d` rows. */
export function triangleSize(d: number): number {
  return (d * (d + 1)) / 2;
}

/** Where row `i` starts, which is also the number of entries before it. */
export const rowStart = triangleSize;

/** The packed triangle of a symmetric matrix [D, D], whose lower triangle is read. */
export function packed(matrix: Float64Array, d: number): Float64Array {
  const out = new Float64Array(triangleSize(d));
  for (let i = 0; i < d; i++) out.set(matrix.subarray(i * d, i * d + i + 1), rowStart(i));
  return out;
}

/** The lower triangle of a matrix [D, D], zeros above it, of a packed one. */
export function lowerOf(triangle: Float64Array, d: number): Float64Array {
  const out = new Float64Array(d * d);
  for (let i = 0; i < d; i++) out.set(triangle.subarray(rowStart(i), rowStart(i + 1)), i * d);
  return out;
}

/** The symmetric matrix [D, D] of a packed triangle, times `factor`. */
export function unpacked(triangle: Float64Array, d: number, factor: number): Float64Array {
  const out = new Float64Array(d * d);
  for (let i = 0, at = 0; i < d; i++) {
    for (let j = 0; j <= i; j++, at++) out[i * d + j] = out[j * d + i] = factor * triangle[at];
  }
  return out;
}

/** Where entry (i, i) lies in a packed triangle, or in a diagonal [D]. */
export function diagonalAt({ length }: Float64Array, d: number, i: number): number {
  return length === d ? i : rowStart(i) + i;
}

/** The mean entry on the diagonal of a packed triangle, or of a diagonal [D]. */
export function meanOfDiagonal(values: Float64Array, d: number): number {
  let sum = 0;
  for (let i = 0; i < d; i++) sum += values[diagonalAt(values, d, i)];
  return sum / d;
}

/** The values with `amount` added on the diagonal, in their place. */
export function addToDiagonal(values: Float64Array, d: number, amount: number): Float64Array {
  for (let i = 0; i < d; i++) values[diagonalAt(values, d, i)] += amount;
  return values;
}

/** values += weight·v vᵀ, or its diagonal. */
export function addOuter(values: Float64Array, v: Float64Array, weight: number): void {
  const d = v.length;
  const isDiagonal = values.length === d;
  for (let i = 0, at = 0; i < d; i++) {
    const factor = weight * v[i];
    for (let j = isDiagonal ? i : 0; j <= i; j++, at++) values[at] += factor * v[j];
  }
}

/** p·a + q·b. */
export function blended(p: number, a: Float64Array, q: number, b: Float64Array): Float64Array {
  return a.map((value, at) => p * value + q * b[at]);
}

/** Σ weights[k]·parts[k], all weights 1 where there are none. */
export function sumOf(parts: readonly Float64Array[], weights?: ArrayLike<number>): Float64Array {
  const sum = new Float64Array(parts[0].length);
  for (const [k, part] of parts.entries()) {
    const weight = weights ? weights[k] : 1;
    for (let at = 0; at < sum.length; at++) sum[at] += weight * part[at];
  }
  return sum;
}
