// One optimizer step over flat arrays of equal length, in place. The operations and their order are PyTorch's;
// each element is computed in float64 and rounded to the arrays' own format only where it is stored.

import type { Kernels } from '../kernels.js';

/**
 * Stochastic gradient descent: with g ← g + λθ, the buffer b ← μb + (1 − dampening)·g,
 * then θ ← θ − lr·b, or θ − lr·(g + μb) with Nesterov's momentum. `momentumBuffer` is null without momentum.
 *
 * @see Sutskever, Martens, Dahl and Hinton 2013; PyTorch `torch.optim.SGD`
 */
export const sgd: Kernels['sgd'] = (
  parameter,
  gradient,
  momentumBuffer,
  { lr, momentum, dampening, nesterov, weightDecay, firstStep },
) => {
  for (let i = 0; i < parameter.length; i++) {
    let g = gradient[i];
    if (weightDecay !== 0) g += weightDecay * parameter[i];
    if (momentumBuffer !== null) {
      momentumBuffer[i] = firstStep ? g : momentum * momentumBuffer[i] + (1 - dampening) * g;
      g = nesterov ? g + momentum * momentumBuffer[i] : momentumBuffer[i];
    }
    parameter[i] -= lr * g;
  }
};

/**
 * Adadelta: with g ← g + λθ, E[g²] ← ρE[g²] + (1 − ρ)g², δ = √(E[δ²] + ε) / √(E[g²] + ε) · g,
 * E[δ²] ← ρE[δ²] + (1 − ρ)δ², then θ ← θ − lr·δ.
 *
 * @see Zeiler 2012, algorithm 1; PyTorch `torch.optim.Adadelta`
 */
export const adadelta: Kernels['adadelta'] = (
  parameter,
  gradient,
  squareAverage,
  accumulatedDelta,
  { lr, rho, eps, weightDecay },
) => {
  for (let i = 0; i < parameter.length; i++) {
    let g = gradient[i];
    if (weightDecay !== 0) g += weightDecay * parameter[i];
    squareAverage[i] = rho * squareAverage[i] + (1 - rho) * g * g;
    const delta = Math.sqrt((accumulatedDelta[i] + eps) / (squareAverage[i] + eps)) * g;
    accumulatedDelta[i] = rho * accumulatedDelta[i] + (1 - rho) * delta * delta;
    parameter[i] -= lr * delta;
  }
};

/**
 * Adam: with g ← g + λθ, m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g², then
 * θ ← θ − lr/(1 − β₁ᵗ) · m / (√v/√(1 − β₂ᵗ) + ε). AdamW (`decoupled`) leaves g as it is and
 * first shrinks θ by 1 − lr·λ.
 *
 * @see Kingma and Ba 2015, algorithm 1; Loshchilov and Hutter 2019, algorithm 2; PyTorch `torch.optim.Adam`
 */
export const adam: Kernels['adam'] = (
  parameter,
  gradient,
  average,
  squareAverage,
  { lr, beta1, beta2, eps, weightDecay, decoupled, step },
) => {
  const stepSize = lr / (1 - beta1 ** step);
  const rootCorrection = Math.sqrt(1 - beta2 ** step);
  const shrink = decoupled ? 1 - lr * weightDecay : 1;
  const l2 = decoupled ? 0 : weightDecay;

  for (let i = 0; i < parameter.length; i++) {
    const p = parameter[i] * shrink;
    const g = l2 === 0 ? gradient[i] : gradient[i] + l2 * p;
    average[i] = beta1 * average[i] + (1 - beta1) * g;
    squareAverage[i] = beta2 * squareAverage[i] + (1 - beta2) * g * g;
    const denominator = Math.sqrt(squareAverage[i]) / rootCorrection + eps;
    parameter[i] = p - (stepSize * average[i]) / denominator;
  }
};
