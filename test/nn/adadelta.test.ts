import { Adadelta, type AdadeltaOptions } from '@gmml/nn';
import { ArgumentError, ones } from '@gmml/tensor';
import { describe, expect, test } from 'vitest';
import { GRADIENTS, walk } from './scalarSteps.js';

/** Zeiler's algorithm 1, with L2 penalty and a learning rate as in torch. */
function formula({ lr = 1, rho = 0.9, eps = 1e-6, weightDecay = 0 }: AdadeltaOptions): number[] {
  let [p, squares, deltas] = [0.7, 0, 0];
  return GRADIENTS.map((gradient) => {
    const g = gradient + weightDecay * p;
    squares = rho * squares + (1 - rho) * g * g;
    const delta = (Math.sqrt(deltas + eps) / Math.sqrt(squares + eps)) * g;
    deltas = rho * deltas + (1 - rho) * delta * delta;
    return (p -= lr * delta);
  });
}

describe('Adadelta', () => {
  test.each<AdadeltaOptions>([
    {},
    { lr: 0.5 },
    { rho: 0.5, eps: 1e-3 },
    { weightDecay: 0.3 },
    { rho: 0 },
    { rho: 1 },
  ])('follows the formulas with %j', (options) => {
    const steps = walk((parameters) => new Adadelta(parameters, options));
    expect(steps).toBeAllClose(formula(options), { rtol: 1e-14 });
  });

  test('does not depend on the scale of the gradient once eps is negligible', () => {
    const steps = (scale: number): number[] =>
      walk((parameters) => new Adadelta(parameters, { eps: 1e-30, lr: 1e12 }), {
        gradients: GRADIENTS.map((g) => g * scale),
      });
    expect(steps(1000)).toBeAllClose(steps(1), { rtol: 1e-9 });
  });

  test.each<[AdadeltaOptions, string]>([
    [{ lr: -1 }, 'lr must be a finite number of at least 0: it is -1.'],
    [{ rho: 1.1 }, 'rho must be from 0 to 1: it is 1.1.'],
    [{ rho: -0.1 }, 'rho must be from 0 to 1: it is -0.1.'],
    [{ eps: -1e-6 }, 'eps must be a finite number of at least 0: it is -0.000001.'],
    [{ weightDecay: Infinity }, 'weightDecay must be a finite number of at least 0: it is Infinity.'],
  ])('refuses %j', (options, message) => {
    expect(() => new Adadelta([ones([1], { requiresGrad: true })], options)).toThrow(
      new ArgumentError(`Adadelta: ${message}`),
    );
  });
});
