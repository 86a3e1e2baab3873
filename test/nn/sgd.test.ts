import { SGD, type SGDOptions } from '@gmml/nn';
import { ArgumentError, ones } from '@gmml/tensor';
import { describe, expect, test } from 'vitest';
import { GRADIENTS, walk } from './scalarSteps.js';

/** The formulas, as torch's documentation of SGD has them. */
function formula({
  lr = 1e-3,
  momentum = 0,
  dampening = 0,
  nesterov = false,
  weightDecay = 0,
}: SGDOptions): number[] {
  let p = 0.7;
  let b: number | undefined;
  return GRADIENTS.map((gradient) => {
    let g = gradient + weightDecay * p;
    if (momentum > 0) {
      b = b === undefined ? g : momentum * b + (1 - dampening) * g;
      g = nesterov ? g + momentum * b : b;
    }
    return (p -= lr * g);
  });
}

describe('SGD', () => {
  test.each<SGDOptions>([
    {},
    { lr: 0.1 },
    { lr: 0.1, weightDecay: 0.5 },
    { lr: 0.1, momentum: 0.9 },
    { lr: 0.1, momentum: 0.9, dampening: 0.25 },
    { lr: 0.1, momentum: 0.9, nesterov: true, weightDecay: 0.25 },
    { lr: 0 },
  ])('follows the formulas with %j', (options) => {
    expect(walk((parameters) => new SGD(parameters, options))).toBeAllClose(formula(options), {
      rtol: 1e-15,
    });
  });

  test('rounds parameter and momentum to float32 where they are stored, and nowhere else', () => {
    const f = Math.fround;
    let p = f(0.7);
    let b = 0;
    const expected = GRADIENTS.map((gradient, i) => {
      b = f(i === 0 ? f(gradient) : 0.9 * b + f(gradient));
      return (p = f(p - 0.1 * b));
    });
    expect(
      walk((parameters) => new SGD(parameters, { lr: 0.1, momentum: 0.9 }), { dtype: 'float32' }),
    ).toEqual(expected);
  });

  test.each<[SGDOptions, string]>([
    [{ lr: -1 }, 'lr must be a finite number of at least 0: it is -1.'],
    [{ lr: Infinity }, 'lr must be a finite number of at least 0: it is Infinity.'],
    [{ lr: '0.1' as unknown as number }, "lr must be a finite number of at least 0: it is '0.1'."],
    [{ momentum: -0.5 }, 'momentum must be a finite number of at least 0: it is -0.5.'],
    [{ dampening: Number.NaN }, 'dampening must be a finite number: it is NaN.'],
    [{ weightDecay: -1 }, 'weightDecay must be a finite number of at least 0: it is -1.'],
    [{ nesterov: 1 as unknown as boolean }, 'nesterov must be true or false: it is 1.'],
    [{ nesterov: true }, 'nesterov needs a momentum and no dampening: momentum is 0, dampening is 0.'],
    [
      { nesterov: true, momentum: 0.9, dampening: 0.5 },
      'nesterov needs a momentum and no dampening: momentum is 0.9, dampening is 0.5.',
    ],
  ])('refuses %j', (options, message) => {
    expect(() => new SGD([ones([1], { requiresGrad: true })], options)).toThrow(
      new ArgumentError(`SGD: ${message}`),
    );
  });
});
