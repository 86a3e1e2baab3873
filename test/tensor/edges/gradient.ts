import { type NestedArray, type Tensor, tensor } from '@gmml/tensor';

/** f(x) and its gradient in x, for output gradients of 1. */
export function valueAndGradient(data: NestedArray, f: (x: Tensor) => Tensor): { y: Tensor; dx: Tensor } {
  const x = tensor(data, { dtype: 'float64', requiresGrad: true });
  const y = f(x);
  y.sum().backward();
  return { y, dx: x.grad! };
}
