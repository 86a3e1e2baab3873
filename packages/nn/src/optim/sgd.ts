import { ArgumentError } from '@gmml/tensor';
import type { FloatArray, Tensor } from '@gmml/tensor';
import { kernels } from '@gmml/tensor/kernels';
import { checkBoolean, checkNumber } from '@gmml/tensor/checks';
import { Optimizer } from './optimizer.js';

/** Options of `SGD`. */
export interface SGDOptions {
  /** Learning rate, at least 0. Default 1e-3. */
  lr?: number;
  /** The share of the last update that is kept, at least 0. Default 0: none. */
  momentum?: number;
  /** The share of each gradient after the first that momentum leaves out. Default 0. */
  dampening?: number;
  /** Look ahead along the momentum; needs momentum and no dampening. Default false. */
  nesterov?: boolean;
  /** λ of the L2 penalty added to the gradient, at least 0. Default 0. */
  weightDecay?: number;
}

/**
 * Stochastic gradient descent, with momentum b ← μb + (1 − dampening)·g and θ ← θ − lr·b.
 *
 * PyTorch's form: the first gradient enters the momentum undamped, and lr multiplies the momentum when it is used.
 *
 * @throws ArgumentError when an option is out of range, or as {@link Optimizer}
 * @see Sutskever, Martens, Dahl and Hinton 2013; PyTorch `torch.optim.SGD`
 */
export class SGD extends Optimizer<Required<SGDOptions>> {
  constructor(parameters: Iterable<Tensor>, options: SGDOptions = {}) {
    const { lr = 1e-3, momentum = 0, dampening = 0, nesterov = false, weightDecay = 0 } = options;
    super('SGD', parameters, { lr, momentum, dampening, nesterov, weightDecay });
  }

  protected override checkOptions(op: string, options: Required<SGDOptions>): void {
    const { lr, momentum, dampening, nesterov, weightDecay } = options;
    checkNumber(op, 'lr', lr, { from: 0 });
    checkNumber(op, 'momentum', momentum, { from: 0 });
    checkNumber(op, 'dampening', dampening);
    checkBoolean(op, 'nesterov', nesterov);
    checkNumber(op, 'weightDecay', weightDecay, { from: 0 });
    if (nesterov && (momentum === 0 || dampening !== 0)) {
      throw new ArgumentError(
        `${op}: nesterov needs a momentum and no dampening: momentum is ${momentum}, dampening is ${dampening}.`,
      );
    }
  }

  protected override bufferNames({ momentum }: Required<SGDOptions>): readonly string[] {
    return momentum === 0 ? [] : ['momentum'];
  }

  protected override update(
    parameter: FloatArray,
    gradient: FloatArray,
    [momentum]: FloatArray[],
    step: number,
  ): void {
    kernels().sgd(parameter, gradient, momentum ?? null, { ...this.options, firstStep: step === 1 });
  }
}
