import type { FloatArray, Tensor } from '@gmml/tensor';
import { kernels } from '@gmml/tensor/kernels';
import { checkNumber } from '@gmml/tensor/checks';
import { Optimizer } from './optimizer.js';

/** Options of `Adadelta`. */
export interface AdadeltaOptions {
  /** What the update is multiplied by, at least 0. Default 1. */
  lr?: number;
  /** The decay of both running averages, from 0 to 1. Default 0.9. */
  rho?: number;
  /** Added under both roots, at least 0. Default 1e-6. */
  eps?: number;
  /** λ of the L2 penalty added to the gradient, at least 0. Default 0. */
  weightDecay?: number;
}

/**
 * Adadelta: steps of the size √(E[δ²] + ε) / √(E[g²] + ε) of recent updates over recent gradients, so that the
 * learning rate has no unit to choose.
 *
 * @throws ArgumentError when an option is out of range, or as {@link Optimizer}
 * @see Zeiler 2012, algorithm 1; PyTorch `torch.optim.Adadelta`
 */
export class Adadelta extends Optimizer<Required<AdadeltaOptions>> {
  constructor(parameters: Iterable<Tensor>, options: AdadeltaOptions = {}) {
    const { lr = 1, rho = 0.9, eps = 1e-6, weightDecay = 0 } = options;
    super('Adadelta', parameters, { lr, rho, eps, weightDecay });
  }

  protected override checkOptions(op: string, options: Required<AdadeltaOptions>): void {
    checkNumber(op, 'lr', options.lr, { from: 0 });
    checkNumber(op, 'rho', options.rho, { from: 0, to: 1 });
    checkNumber(op, 'eps', options.eps, { from: 0 });
    checkNumber(op, 'weightDecay', options.weightDecay, { from: 0 });
  }

  protected override bufferNames(): readonly string[] {
    return ['squareAverage', 'accumulatedDelta'];
  }

  protected override update(
    parameter: FloatArray,
    gradient: FloatArray,
    [squareAverage, accumulatedDelta]: FloatArray[],
  ): void {
    kernels().adadelta(parameter, gradient, squareAverage, accumulatedDelta, this.options);
  }
}
