/** Distances from several means under one covariance Σ = L Lᵀ, in standard deviations. */
export class Whitening {
  readonly #scale: Float64Array;
  readonly #means: readonly Float64Array[];

  /**
   * @param scale L as packed rows, entry (i, j ≤ i) at i(i + 1)/2 + j
   * @param means [D] each
   */
  constructor(scale: Float64Array, means: readonly Float64Array[]) {
    this.#scale = scale;
    this.#means = means;
  }

  /** |L⁻¹(x − μ)| for each mean μ (Mahalanobis, "On the generalised distance in statistics", 1936). */
  distances(x: ArrayLike<number>): number[] {
    return this.#means.map((mean) => {
      const away = mean.map((value, j) => x[j] - value);
      return Math.sqrt(this.#solved(away).reduce((sum, value) => sum + value * value, 0));
    });
  }

  /** L⁻¹v by forward substitution. */
  #solved(v: Float64Array): Float64Array {
    const out = v.slice();
    for (let i = 0, at = 0; i < out.length; i++, at++) {
      for (let j = 0; j < i; j++, at++) out[i] -= this.#scale[at] * out[j];
      out[i] /= this.#scale[at];
    }
    return out;
  }
}
