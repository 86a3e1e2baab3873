import { Adam, AdamW, type AdamOptions } from '@gmml/nn';
import { ArgumentError, ones } from '@gmml/tensor';
import { describe, expect, test } from 'vitest';
import { GRADIENTS, walk } from './scalarSteps.js';

/** Kingma and Ba's algorithm 1; decoupled: Loshchilov and Hutter's algorithm 2 as torch scales it, by lr. */
function formula(
  { lr = 1e-3, betas = [0.9, 0.999], eps = 1e-8, weightDecay = 0 }: AdamOptions,
  decoupled: boolean,
): number[] {
  let [p, m, v] = [0.7, 0, 0];
  return GRADIENTS.map((gradient, i) => {
    const t = i + 1;
    if (decoupled) p -= lr * weightDecay * p;
    const g = gradient + (decoupled ? 0 : weightDecay * p);
    m = betas[0] * m + (1 - betas[0]) * g;
    v = betas[1] * v + (1 - betas[1]) * g * g;
    const mHat = m / (1 - betas[0] ** t);
    const vHat = v / (1 - betas[1] ** t);
    return (p -= (lr * mHat) / (Math.sqrt(vHat) + eps));
  });
}

const variants: AdamOptions[] = [
  {},
  { lr: 0.1 },
  { lr: 0.1, betas: [0.5, 0.9] },
  { lr: 0.1, betas: [0, 0] },
  { lr: 0.1, eps: 0.1, weightDecay: 0.3 },
];

describe('Adam', () => {
  test.each(variants)('follows the formulas with %j', (options) => {
    expect(walk((parameters) => new Adam(parameters, options))).toBeAllClose(formula(options, false), {
      rtol: 1e-14,
    });
  });

  test('first moves by lr against the sign of the gradient, whatever its size', () => {
    for (const g of [1e-3, 1, -1e6]) {
      const [p] = walk((parameters) => new Adam(parameters, { lr: 0.1, eps: 0 }), {
        start: 1,
        gradients: [g],
      });
      expect(p).toBeCloseTo(1 - 0.1 * Math.sign(g), 14);
    }
  });
});

describe('AdamW', () => {
  test.each(variants)('follows the formulas with %j', (options) => {
    const expected = formula({ weightDecay: 1e-2, ...options }, true);
    expect(walk((parameters) => new AdamW(parameters, options))).toBeAllClose(expected, { rtol: 1e-14 });
  });

  test('is Adam without weight decay', () => {
    const options = { lr: 0.1, weightDecay: 0 };
    expect(walk((parameters) => new AdamW(parameters, options))).toEqual(
      walk((parameters) => new Adam(parameters, options)),
    );
  });
});

describe.each([
  ['Adam', Adam],
  ['AdamW', AdamW],
] as const)('the options of %s', (name, kind) => {
  test.each<[AdamOptions, string]>([
    [{ lr: -1 }, 'lr must be a finite number of at least 0: it is -1.'],
    [{ betas: [1, 0.9] }, 'betas[0] must be at least 0 and below 1: it is 1.'],
    [{ betas: [0.9, -0.1] }, 'betas[1] must be at least 0 and below 1: it is -0.1.'],
    [{ betas: [0.9] as unknown as [number, number] }, 'betas must be two numbers: they are [0.9].'],
    [{ eps: -1 }, 'eps must be a finite number of at least 0: it is -1.'],
    [{ weightDecay: -1 }, 'weightDecay must be a finite number of at least 0: it is -1.'],
  ])('refuse %j', (options, message) => {
    expect(() => new kind([ones([1], { requiresGrad: true })], options)).toThrow(
      new ArgumentError(`${name}: ${message}`),
    );
  });
});
