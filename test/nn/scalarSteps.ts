// What the tests of the optimizers share: one parameter of one number, and gradients that are given.

import type { OptimizerState } from '@gmml/nn';
import { type DType, type Tensor, tensor } from '@gmml/tensor';

interface Steps {
  step(): void;
  stateDict(): OptimizerState;
}

export const GRADIENTS = [0.5, -1.25, 2, 0.125, -0.75, 0, 3, -0.01];

interface Walk {
  start?: number;
  gradients?: number[];
  dtype?: DType;
}

/** A parameter and the values it takes under `build`'s optimizer, one a gradient. */
export function walk(
  build: (parameters: Tensor[]) => Steps,
  { start = 0.7, gradients = GRADIENTS, dtype = 'float64' }: Walk = {},
): number[] {
  const parameter = tensor([start], { dtype, requiresGrad: true });
  const optimizer = build([parameter]);
  return gradients.map((g) => {
    parameter.grad = tensor([g], { dtype });
    optimizer.step();
    return parameter.item();
  });
}
