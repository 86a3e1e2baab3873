// Lower triangular matrices L as packed rows, or diagonal ones as their diagonal: the scales of NormalParameters. float64.

import { diagonalAt, rowStart } from '@gmml/gmm/linearAlgebra';

/** The diagonal of L [D]. */
export function diagonalOf(scale: Float64Array, d: number): Float64Array {
  return Float64Array.from({ length: d }, (_, i) => scale[diagonalAt(scale, d, i)]);
}

/** L⁻¹ x by forward substitution. */
export function whitened(l: Float64Array, x: Float64Array): Float64Array {
  const z = x.slice();
  for (let i = 0; i < z.length; i++) {
    const row = rowStart(i);
    for (let j = 0; j < i; j++) z[i] -= l[row + j] * z[j];
    z[i] /= l[row + i];
  }
  return z;
}

/** L⁻ᵀ [D, D]: a row times it is L⁻¹ times the row as a column. */
export function whiteningOf(l: Float64Array, d: number): Float64Array {
  const out = new Float64Array(d * d);
  // Row j of the result is column j of L⁻¹: L z = eⱼ, nothing before entry j.
  for (let j = 0; j < d; j++) {
    const z = out.subarray(j * d, (j + 1) * d);
    for (let i = j; i < d; i++) {
      const row = rowStart(i);
      let sum = i === j ? 1 : 0;
      for (let k = j; k < i; k++) sum -= l[row + k] * z[k];
      z[i] = sum / l[row + i];
    }
  }
  return out;
}
