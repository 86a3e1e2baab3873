/**
 * Tensors in float32 and float64 with reverse-mode autograd, linear algebra, convolution, backends and a seeded generator.
 *
 * @module @gmml/tensor
 */

export {
  ArgumentError,
  DTypeError,
  FormatError,
  GmmlError,
  GradientError,
  IndexError,
  NotFiniteError,
  NotPositiveDefiniteError,
  NumericalError,
  ScopeError,
  ShapeError,
} from './errors.js';
export type { Dims, Shape } from './shape.js';
export type { DType, FloatArray } from './storage.js';
export { defaultGenerator, Generator, manualSeed, type GeneratorState } from './random.js';
export {
  backendReport,
  useBackend,
  type BackendChoice,
  type BackendName,
  type BackendOptions,
  type BackendReport,
} from './kernels/backend.js';
export { isGradEnabled, noGrad } from './tape.js';
export { scope } from './scope.js';
export { Tensor } from './tensor/tensor.js';
export type { Operand } from './tensor/elementwiseMethods.js';
export type { MatmulOptions, SolveOptions } from './tensor/linalgMethods.js';
export type { Indices } from './tensor/movementMethods.js';
export type { KeepDim } from './tensor/reductionMethods.js';
export type { NestedArray } from './tensor/variable.js';
export { arange, eye, full, ones, rand, randn, tensor, zeros } from './create.js';
export type { CreateOptions, RandomOptions, TensorData, TensorOptions } from './create.js';
export {
  avgPool2d,
  cat,
  cholesky,
  conv2d,
  logDet,
  logSoftmax,
  logSumExp,
  maxPool2d,
  softmax,
  stack,
  triangularSolve,
  where,
} from './functional.js';
export type { Conv2dOptions, Pool2dOptions, Size2d } from './functional.js';
