import { ArgumentError, defaultGenerator, tensor } from '@gmml/tensor';
import type { DType, Generator, Shape, Tensor } from '@gmml/tensor';
import { checkNumber, show } from '@gmml/tensor/checks';

/** Options shared by everything that starts from random numbers. */
export interface InitOptions {
  /** Where the numbers are drawn from. Default: the generator that `manualSeed` seeds. */
  generator?: Generator;
  /** Default 'float32'. */
  dtype?: DType;
}

/**
 * A tensor drawn from U(−bound, bound) with bound = √(6 / ((1 + a²)·fanIn)), where fanIn = shape[1]·shape[2]·…
 *
 * a is the slope of the leaky rectifier that follows. The default √5 makes bound = 1/√fanIn, PyTorch's
 * initialisation of Linear `[out, in]` and Conv2d `[out, in, kernelH, kernelW]` weights.
 *
 * @throws ArgumentError unless the shape has two dimensions or more and none of size 0
 * @see He, Zhang, Ren and Sun 2015, equation 15; PyTorch `torch.nn.init.kaiming_uniform_`
 */
export function kaimingUniform(shape: Shape, options: InitOptions & { a?: number } = {}): Tensor {
  const { a = Math.sqrt(5), ...rest } = options;
  checkNumber('kaimingUniform', 'a', a);
  if (shape.length < 2 || !shape.every((n) => Number.isSafeInteger(n) && n > 0)) {
    throw new ArgumentError(
      `kaimingUniform: the shape must have two dimensions or more, each at least 1: it is ${show(shape)}.`,
    );
  }
  const gain = Math.sqrt(2 / (1 + a * a));
  const fanIn = shape.slice(1).reduce((product, n) => product * n, 1);
  return uniform(shape, (Math.sqrt(3) * gain) / Math.sqrt(fanIn), rest);
}

/**
 * A tensor drawn from U(−bound, bound), one number of the generator an element, in row-major order.
 *
 * @throws ArgumentError unless bound is a finite number of at least 0
 */
export function uniform(shape: Shape, bound: number, options: InitOptions = {}): Tensor {
  const { generator = defaultGenerator(), dtype = 'float32' } = options;
  checkNumber('uniform', 'bound', bound, { from: 0 });
  const size = shape.reduce((product, n) => product * n, 1);
  const values = Float64Array.from({ length: size }, () => (2 * generator.uniform() - 1) * bound);
  return tensor(values, { shape, dtype });
}
