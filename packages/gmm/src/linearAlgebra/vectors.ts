/** Σ values. */
export function summed(values: ArrayLike<number>): number {
  let total = 0;
  for (let at = 0; at < values.length; at++) total += values[at];
  return total;
}

/** Σ weights·values. */
export function weightedSum(weights: Float64Array, values: Float64Array): number {
  return values.reduce((sum, value, n) => sum + weights[n] * value, 0);
}

/** Σ aₚ₊ₖ·b_q₊ₖ for k < n, in four sums that the processor can keep going side by side. */
export function dot(a: Float64Array, p: number, b: Float64Array, q: number, n: number): number {
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  let k = 0;
  for (; k + 4 <= n; k += 4) {
    s0 += a[p + k] * b[q + k];
    s1 += a[p + k + 1] * b[q + k + 1];
    s2 += a[p + k + 2] * b[q + k + 2];
    s3 += a[p + k + 3] * b[q + k + 3];
  }
  for (; k < n; k++) s0 += a[p + k] * b[q + k];
  return s0 + s1 + (s2 + s3);
}

/** One array after the other. */
export function joined(parts: readonly Float64Array[]): Float64Array {
  const out = new Float64Array(summed(parts.map(({ length }) => length)));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** The numbers from 0 to `count` − 1. */
export function indices(count: number): Int32Array {
  return Int32Array.from({ length: count }, (_, n) => n);
}

/** log 2π. */
export const LOG_2PI = Math.log(2 * Math.PI);

/** Row k of a matrix [K, D]. */
export function rowAt<Values extends Float64Array | Float32Array | Int32Array>(
  values: Values,
  d: number,
  k: number,
): Values {
  return values.subarray(k * d, (k + 1) * d) as Values;
}

/** All rows of a matrix [K, D]. */
export function eachRow<Values extends Float64Array | Float32Array | Int32Array>(
  values: Values,
  d: number,
): Values[] {
  return Array.from({ length: values.length / d }, (_, k) => rowAt(values, d, k));
}

/** 1 at the label of each row and 0 elsewhere [N, K]. */
export function oneHot(labels: ArrayLike<number>, classes: number): Float64Array {
  const out = new Float64Array(labels.length * classes);
  for (let n = 0; n < labels.length; n++) out[n * classes + labels[n]] = 1;
  return out;
}

/** Σ x². */
export function squaredNorm(x: Float64Array): number {
  return x.reduce((sum, value) => sum + value * value, 0);
}

/** The given rows of a matrix [N, D]. */
export function rowsAt(values: Float64Array, d: number, rows: ArrayLike<number>): Float64Array {
  const out = new Float64Array(rows.length * d);
  for (let i = 0; i < rows.length; i++) out.set(rowAt(values, d, rows[i]), i * d);
  return out;
}
