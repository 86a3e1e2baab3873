import { ArgumentError } from '@gmml/tensor';
import type { FloatArray, Tensor } from '@gmml/tensor';
import { kernels } from '@gmml/tensor/kernels';
import { checkNumber } from '@gmml/tensor/checks';
import { Optimizer } from './optimizer.js';

/** Options of `Adam` and `AdamW`. */
export interface AdamOptions {
  /** Learning rate, at least 0. Default 1e-3. */
  lr?: number;
  /** The decays of the averages of g and g², each at least 0 and below 1. Default [0.9, 0.999]. */
  betas?: readonly [number, number];
  /** Added to the root of the average of g², at least 0. Default 1e-8. */
  eps?: number;
  /** λ, at least 0: Adam adds λθ to the gradient, AdamW shrinks θ by lr·λ. Default 0, in AdamW 1e-2. */
  weightDecay?: number;
}

/** Adam and AdamW, which differ in where weight decay acts. */
abstract class AdamFamily extends Optimizer<Required<AdamOptions>> {
  protected abstract readonly decoupled: boolean;

  protected override checkOptions(op: string, { lr, betas, eps, weightDecay }: Required<AdamOptions>): void {
    checkNumber(op, 'lr', lr, { from: 0 });
    if (!Array.isArray(betas) || betas.length !== 2) {
      throw new ArgumentError(`${op}: betas must be two numbers: they are ${JSON.stringify(betas)}.`);
    }
    checkNumber(op, 'betas[0]', betas[0], { from: 0, below: 1 });
    checkNumber(op, 'betas[1]', betas[1], { from: 0, below: 1 });
    checkNumber(op, 'eps', eps, { from: 0 });
    checkNumber(op, 'weightDecay', weightDecay, { from: 0 });
  }

  protected override bufferNames(): readonly string[] {
    return ['average', 'squareAverage'];
  }

  protected override update(
    parameter: FloatArray,
    gradient: FloatArray,
    [average, squareAverage]: FloatArray[],
    step: number,
  ): void {
    const { lr, betas, eps, weightDecay } = this.options;
    const [beta1, beta2] = betas;
    const update = { lr, beta1, beta2, eps, weightDecay, decoupled: this.decoupled, step };
    kernels().adam(parameter, gradient, average, squareAverage, update);
  }
}

/**
 * Adam: θ ← θ − lr·m̂ / (√v̂ + ε), with m̂ and v̂ the averages of g and g² corrected for their start at 0.
 *
 * @throws ArgumentError when an option is out of range, or as {@link Optimizer}
 * @see Kingma and Ba 2015, algorithm 1; PyTorch `torch.optim.Adam`
 */
export class Adam extends AdamFamily {
  protected override readonly decoupled = false;

  constructor(parameters: Iterable<Tensor>, options: AdamOptions = {}) {
    const { lr = 1e-3, betas = [0.9, 0.999], eps = 1e-8, weightDecay = 0 } = options;
    super('Adam', parameters, { lr, betas, eps, weightDecay });
  }
}

/**
 * AdamW: {@link Adam} with decoupled weight decay, θ ← θ·(1 − lr·λ) before each update.
 *
 * @throws ArgumentError when an option is out of range, or as {@link Optimizer}
 * @see Loshchilov and Hutter 2019, algorithm 2; PyTorch `torch.optim.AdamW`
 */
export class AdamW extends AdamFamily {
  protected override readonly decoupled = true;

  constructor(parameters: Iterable<Tensor>, options: AdamOptions = {}) {
    const { lr = 1e-3, betas = [0.9, 0.999], eps = 1e-8, weightDecay = 1e-2 } = options;
    super('AdamW', parameters, { lr, betas, eps, weightDecay });
  }
}
