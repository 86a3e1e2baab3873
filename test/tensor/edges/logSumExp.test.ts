import { tensor } from '@gmml/tensor';
import { describe, expect, test } from 'vitest';
import { valueAndGradient } from './gradient.js';

const INF = Infinity;

describe.each(['float64', 'float32'] as const)('logSumExp, softmax and logSoftmax in %s', (dtype) => {
  const digits = dtype === 'float64' ? { rtol: 1e-14, atol: 1e-14 } : { rtol: 1e-6, atol: 1e-6 };

  test.each([1e4, -1e4])('stay right around %d', (offset) => {
    const plain = [0, 1, 3];
    const shifted = plain.map((v) => v + offset);
    const x = tensor(shifted, { dtype, requiresGrad: true });
    const total = Math.log(1 + Math.E + Math.exp(3));
    expect(x.logSumExp()).toBeAllClose(offset + total, digits);
    expect(x.softmax(0)).toBeAllClose(
      plain.map((v) => Math.exp(v - total)),
      digits,
    );
    expect(x.logSoftmax(0)).toBeAllClose(
      plain.map((v) => v - total),
      digits,
    );
    // A float32 sum is only known to 5e-4 here: the gradient must not be taken from it.
    x.logSumExp().backward();
    expect(x.grad).toBeAllClose(x.softmax(0), digits);
  });

  test('stay right 20,000 apart', () => {
    const x = tensor([1e4, -1e4], { dtype });
    expect(x.logSumExp()).toBeAllClose(1e4, digits);
    expect(x.softmax(0)).toBeAllClose([1, 0], digits);
    expect(x.logSoftmax(0)).toBeAllClose([0, -2e4], digits);
  });

  test('give −∞ no weight', () => {
    const x = tensor([-INF, 0, 0], { dtype, requiresGrad: true });
    expect(x.softmax(0)).toBeAllClose([0, 0.5, 0.5], digits);
    expect(x.logSoftmax(0)).toBeAllClose([-INF, -Math.LN2, -Math.LN2], digits);
    const y = x.logSumExp();
    expect(y).toBeAllClose(Math.LN2, digits);
    y.backward();
    expect(x.grad).toBeAllClose([0, 0.5, 0.5], digits);
  });
});

describe('logSumExp', () => {
  test('of all −∞ is −∞, with gradient 0', () => {
    const { y, dx } = valueAndGradient(
      [
        [-INF, -INF],
        [0, 0],
      ],
      (x) => x.logSumExp(1),
    );
    expect(y).toBeAllClose([-INF, Math.LN2]);
    expect(dx).toBeAllClose([
      [0, 0],
      [0.5, 0.5],
    ]);
  });

  test('with +∞ is +∞, with the gradient at the infinite terms', () => {
    const { y, dx } = valueAndGradient([INF, 0, INF], (x) => x.logSumExp());
    expect(y).toBeAllClose(INF);
    expect(dx).toBeAllClose([0.5, 0, 0.5]);
  });

  test('of NaN is NaN', () => {
    expect(tensor([1, NaN, -INF]).logSumExp()).toBeAllClose(NaN);
  });

  test('of nothing is −∞', () => {
    expect(tensor([], { shape: [2, 0] }).logSumExp(1)).toBeAllClose([-INF, -INF]);
  });
});

test('softmax and logSoftmax of all −∞ are undefined, as in torch', () => {
  const x = tensor([-INF, -INF]);
  expect(x.softmax(0)).toBeAllClose([NaN, NaN]);
  expect(x.logSoftmax(0)).toBeAllClose([NaN, NaN]);
});

test('a logSoftmax with −∞ passes finite gradients', () => {
  const { dx } = valueAndGradient([-INF, 1, 1], (x) => x.logSoftmax(0).slice(0, 1));
  expect(dx).toBeAllClose([0, 0, 0], { atol: 1e-15 });
});
