import type { Tensor } from '@gmml/tensor';
import type { GradcheckOptions, Tolerance } from '@gmml/tensor/testing';
import type { NdArray } from 'ndarray';
import type { Grid } from './grid.js';

/** A row of the op table: one public method or function, and what is true of it. */
export interface Row {
  /** As users call it. */
  readonly name: string;
  /** The constants of `allOps` behind it that this row is there to test. */
  readonly ops: readonly string[];
  readonly samples: readonly Sample[];
  readonly bad: readonly BadInput[];
  /** False for ops without a derivative; their outputs must not require grad. */
  readonly differentiable: boolean;
  /** Why no sample is empty; rows without a reason must have one. */
  readonly noEmpty?: string;
  /** ndarray-ops' own version, writing into its first argument. */
  readonly ndarrayOps?: (out: NdArray, ...inputs: NdArray[]) => unknown;
  /** Where the usual tolerances do not fit, with the reason beside it. */
  readonly float64?: Tolerance;
  readonly float32?: Tolerance;
  readonly float32Gradient?: Tolerance;
  readonly gradcheck?: GradcheckOptions;
}

/** Inputs, the call, and the same computed from the definition. Indices and options are closed over. */
export interface Sample {
  readonly label: string;
  readonly inputs: readonly Grid[];
  readonly call: (...inputs: Tensor[]) => Tensor;
  readonly reference: (...inputs: Grid[]) => Grid;
  /** The right result is infinite (the log of an empty sum), where no difference can check a gradient. */
  readonly infinite?: boolean;
}

/** A call that must be refused with exactly this error. */
export interface BadInput {
  readonly label: string;
  readonly call: () => unknown;
  readonly error: new (message: string) => Error;
  readonly message: string;
}
