import type { Op } from '../ops/op.js';
import * as reduce from '../ops/reduce.js';
import { normalizeDim, normalizeDims, sizeOf, type Dims } from '../shape.js';
import { ElementwiseMethods } from './elementwiseMethods.js';
import type { Tensor } from './tensor.js';

/** Whether reduced dimensions stay, as 1. */
export interface KeepDim {
  /** Default false. */
  readonly keepDim?: boolean;
}

/** Reductions over one dimension, several, or (by default) all. */
export abstract class ReductionMethods extends ElementwiseMethods {
  /** Σ x over dim; 0 of nothing. Float32 numbers are added in float64, or 256 at most before they are added to another sum. */
  sum(dim?: Dims, options?: KeepDim): Tensor {
    return this.#reduce(reduce.sum, dim, options);
  }
  /** Σ x / n over dim; NaN of nothing. */
  mean(dim?: Dims, options?: KeepDim): Tensor {
    const dims = normalizeDims('mean', dim, this.ndim);
    return this.sum(dim, options).div(sizeOf(dims.map((d) => this.shape[d])));
  }
  /** The largest over dim; NaN wins. A tie shares the gradient equally. @throws ShapeError of nothing */
  max(dim?: Dims, options?: KeepDim): Tensor {
    return this.#reduce(reduce.max, dim, options);
  }
  /** The smallest over dim; NaN wins. A tie shares the gradient equally. @throws ShapeError of nothing */
  min(dim?: Dims, options?: KeepDim): Tensor {
    return this.#reduce(reduce.min, dim, options);
  }
  /** Σ (x − mean)² / (n − correction) over dim; correction 1 (default) is unbiased. @throws ArgumentError for a negative correction */
  variance(dim?: Dims, { correction = 1, ...options }: KeepDim & { correction?: number } = {}): Tensor {
    return this.apply(reduce.variance, [], { correction, ...this.#reduction('variance', dim, options) });
  }
  /** log Σ eˣ over dim, shifted so that nothing overflows; −∞ of nothing but −∞, with gradient 0. */
  logSumExp(dim?: Dims, options?: KeepDim): Tensor {
    return this.#reduce(reduce.logSumExp, dim, options);
  }
  /** The position of the (first) largest along dim; without dim, in the flat tensor. @throws ShapeError of nothing */
  argmax(dim?: number, options?: KeepDim): Tensor {
    return this.#position(reduce.argmax, dim, options);
  }
  /** The position of the (first) smallest along dim; without dim, in the flat tensor. @throws ShapeError of nothing */
  argmin(dim?: number, options?: KeepDim): Tensor {
    return this.#position(reduce.argmin, dim, options);
  }
  /** eˣ/Σ eˣ along dim. */
  softmax(dim: number): Tensor {
    return this.apply(reduce.softmax, [], { dim: normalizeDim('softmax', dim, this.ndim) });
  }
  /** x − log Σ eˣ along dim. */
  logSoftmax(dim: number): Tensor {
    return this.apply(reduce.logSoftmax, [], { dim: normalizeDim('logSoftmax', dim, this.ndim) });
  }

  #reduce(op: Op<reduce.Reduction>, dim?: Dims, options?: KeepDim): Tensor {
    return this.apply(op, [], this.#reduction(op.name, dim, options));
  }

  #reduction(op: string, dim: Dims, { keepDim = false }: KeepDim = {}): reduce.Reduction {
    return { dims: normalizeDims(op, dim, this.ndim), keepDim };
  }

  /** Where the extremum stands along dim; without dim, in the flat tensor. */
  #position(op: typeof reduce.argmax, dim?: number, { keepDim = false }: KeepDim = {}): Tensor {
    if (dim !== undefined) return this.apply(op, [], { dim: normalizeDim(op.name, dim, this.ndim), keepDim });
    return this.flatten()
      .#position(op, 0)
      .reshape(keepDim ? this.shape.map(() => 1) : []);
  }
}
