import { defaultGenerator, zeros, type DType, type Generator, type Tensor } from '@gmml/tensor';
import { checkIntegers, checkNumber } from '@gmml/tensor/checks';

/** Options of `achlioptas`. */
export interface ProjectionOptions {
  /** One entry in s is not 0; default 3, at least 1. */
  readonly s?: number;
  readonly generator?: Generator;
  /** Default float32. */
  readonly dtype?: DType;
}

/**
 * A sparse random projection R [d, inputDim]: entries √(s/d)·{+1, 0, −1} with probabilities 1/(2s),
 * 1 − 1/s, 1/(2s), so that E|R x|² = |x|².
 * (Achlioptas, "Database-friendly random projections", 2003, theorem 1.1.)
 * @throws ArgumentError unless inputDim and d are integers of at least 1 and s ≥ 1
 */
export function achlioptas(
  inputDim: number,
  d: number,
  { s = 3, generator = defaultGenerator(), dtype }: ProjectionOptions = {},
): Tensor {
  checkIntegers('achlioptas', { inputDim, d }, 1);
  checkNumber('achlioptas', 's', s, { from: 1 });
  const out = zeros([d, inputDim], { dtype });
  const entry = Math.sqrt(s / d);
  for (let i = 0; i < out.data.length; i++) {
    const u = generator.uniform() * 2 * s;
    out.data[i] = u < 1 ? entry : u < 2 ? -entry : 0;
  }
  return out;
}
