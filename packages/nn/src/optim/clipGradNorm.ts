import { ArgumentError, NotFiniteError } from '@gmml/tensor';
import type { Tensor } from '@gmml/tensor';

/** Options of `clipGradNorm`. */
export interface ClipGradNormOptions {
  /** p of the norm (Σ |g|ᵖ)^(1/p), above 0; Infinity takes the largest |g|. Default 2. */
  normType?: number;
  /** Throw when the norm is NaN or infinite, before anything is scaled. Default false. */
  errorIfNonFinite?: boolean;
}

/**
 * Scales all gradients, in place, by min(1, maxNorm / (norm + 1e-6)), where norm is that of all of them together.
 *
 * @param parameters those without a gradient are skipped
 * @param maxNorm at least 0; Infinity only measures
 * @returns the norm before scaling; 0 without gradients
 * @throws ArgumentError when maxNorm or normType is out of range
 * @throws NotFiniteError with errorIfNonFinite, for a norm that is NaN or infinite
 * @see Pascanu, Mikolov and Bengio 2013, algorithm 1; PyTorch `torch.nn.utils.clip_grad_norm_`
 */
export function clipGradNorm(
  parameters: Iterable<Tensor>,
  maxNorm: number,
  { normType = 2, errorIfNonFinite = false }: ClipGradNormOptions = {},
): number {
  if (!(maxNorm >= 0)) {
    throw new ArgumentError(`clipGradNorm: maxNorm must be at least 0: it is ${String(maxNorm)}.`);
  }
  if (!(normType > 0)) {
    throw new ArgumentError(`clipGradNorm: normType must be above 0: it is ${String(normType)}.`);
  }
  const gradients = Array.from(parameters, (parameter) => parameter.peekGrad()).filter(
    (grad) => grad !== null,
  );
  const norm = jointNorm(gradients, normType);
  if (errorIfNonFinite && !Number.isFinite(norm)) {
    throw new NotFiniteError(`clipGradNorm: the norm of the gradients must be finite: it is ${norm}.`);
  }
  const scale = maxNorm / (norm + 1e-6);
  // A NaN norm scales too, as in PyTorch: NaN shows in every parameter, not only in some.
  if (scale >= 1 || maxNorm === Infinity) return norm;
  for (const gradient of gradients) {
    const { data } = gradient;
    for (let i = 0; i < data.length; i++) data[i] *= scale;
    gradient.markChanged();
  }
  return norm;
}

/** (Σ |g|ᵖ)^(1/p) over all entries of all gradients. */
function jointNorm(gradients: readonly Tensor[], p: number): number {
  let total = 0;
  for (const { data } of gradients) {
    for (let i = 0; i < data.length; i++) {
      const size = Math.abs(data[i]);
      if (p === Infinity) total = Math.max(total, size);
      else total += p === 2 ? size * size : size ** p;
    }
  }
  if (p === Infinity) return total;
  return p === 2 ? Math.sqrt(total) : total ** (1 / p);
}
