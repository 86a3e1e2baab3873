import type { Buffer, Parameter } from '@gmml/nn';
import type { Tensor } from '@gmml/tensor';
import type { CovType, Parametrization } from './feasible.js';
import type { MixtureParameters } from './gmmlOptions.js';

/** What fitting, sampling and resizing use of a `GMML`. */
export interface MixtureLayer {
  readonly inputDim: number;
  readonly d: number;
  readonly nClass: number;
  readonly nComponent: number;
  readonly covType: CovType;
  readonly parametrization: Parametrization;
  readonly logStretchTrick: boolean;
  readonly mean: Parameter;
  readonly sigma: Parameter;
  readonly omega: Parameter | Buffer;
  readonly logTemperature?: Parameter;
  readonly logPrior?: Parameter | Buffer;
  readonly projection?: Buffer;
  training: boolean;

  means(): Tensor;
  covariances(): Tensor;
  scaleTril(): Tensor;
  mixtureWeights(): Tensor;
  mixtureParameters(): MixtureParameters;
}
