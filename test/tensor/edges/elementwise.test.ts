import { tensor, type Tensor, where } from '@gmml/tensor';
import { describe, expect, test } from 'vitest';
import { valueAndGradient } from './gradient.js';

const INF = Infinity;

describe('elementwise functions at their ends', () => {
  test.each<[string, (x: Tensor) => Tensor, number[], number[], number[]]>([
    [
      'softplus',
      (x) => x.softplus(),
      [-INF, -1e4, -40, 40, 1e4, INF],
      [0, 0, Math.exp(-40), 40, 1e4, INF],
      [0, 0, Math.exp(-40), 1, 1, 1],
    ],
    [
      'sigmoid',
      (x) => x.sigmoid(),
      [-INF, -1e4, -40, 0, 1e4, INF],
      [0, 0, Math.exp(-40), 0.5, 1, 1],
      [0, 0, Math.exp(-40), 0.25, 0, 0],
    ],
    [
      'logSigmoid',
      (x) => x.logSigmoid(),
      [-1e4, -40, 40, 1e4, INF],
      [-1e4, -40, -Math.exp(-40), 0, 0],
      [1, 1, Math.exp(-40), 0, 0],
    ],
    [
      'log1p',
      (x) => x.log1p(),
      [1e-20, -1e-20, -1, 1e300],
      [1e-20, -1e-20, -INF, Math.log(1e300)],
      [1, 1, INF, 1e-300],
    ],
    ['expm1', (x) => x.expm1(), [1e-20, -1e-20, -1e4, 1e4], [1e-20, -1e-20, -1, INF], [1, 1, 0, INF]],
    ['exp', (x) => x.exp(), [-INF, -1e4, 1e4], [0, 0, INF], [0, 0, INF]],
    ['log', (x) => x.log(), [0, INF], [-INF, INF], [INF, 0]],
    ['tanh', (x) => x.tanh(), [-INF, -1e4, 0, 1e4], [-1, -1, 0, 1], [0, 0, 1, 0]],
    ['sqrt', (x) => x.sqrt(), [0, INF], [0, INF], [INF, 0]],
    ['relu', (x) => x.relu(), [-1, -0, 0, 2], [0, 0, 0, 2], [0, 0, 0, 1]],
    ['abs', (x) => x.abs(), [-3, -0, 0, 2], [3, 0, 0, 2], [-1, 0, 0, 1]],
    ['clamp', (x) => x.clamp(-1, 1), [-1.5, -1, 0, 1, 1.5], [-1, -1, 0, 1, 1], [0, 1, 1, 1, 0]],
    ['reciprocal', (x) => x.reciprocal(), [0, INF, -2], [INF, 0, -0.5], [-INF, 0, -0.25]],
  ])('%s and its derivative', (_, f, x, y, dx) => {
    const actual = valueAndGradient(x, f);
    expect(actual.y).toBeAllClose(y, { rtol: 1e-14, atol: 0 });
    expect(actual.dx).toBeAllClose(dx, { rtol: 1e-14, atol: 0 });
  });

  test.each(['log', 'log1p', 'sqrt'] as const)('%s of −2 is NaN', (name) => {
    expect(tensor([-2])[name]()).toBeAllClose([NaN]);
  });

  test.each([
    'neg',
    'exp',
    'log',
    'log1p',
    'expm1',
    'sqrt',
    'square',
    'reciprocal',
    'sin',
    'cos',
    'abs',
    'relu',
    'tanh',
    'sigmoid',
    'softplus',
    'logSigmoid',
    'clamp',
  ] as const)('%s of NaN is NaN', (name) => {
    expect(tensor([NaN])[name]()).toBeAllClose([NaN]);
  });
});

describe('pow', () => {
  const powers = (a: number[], b: number[]): { y: Tensor; da: Tensor; db: Tensor } => {
    const [base, exponent] = [a, b].map((data) => tensor(data, { dtype: 'float64', requiresGrad: true }));
    const y = base.pow(exponent);
    y.sum().backward();
    return { y, da: base.grad!, db: exponent.grad! };
  };

  test('of a base of 0', () => {
    const { y, da, db } = powers([0, 0, 0, 0, 0], [0, 1, 2, 0.5, -1]);
    expect(y).toBeAllClose([1, 0, 0, 0, INF]);
    expect(da).toBeAllClose([0, 1, 0, INF, -INF]);
    expect(db).toBeAllClose([0, 0, 0, 0, -INF]);
  });

  test('of a negative base', () => {
    const { y, da, db } = powers([-2, -2, -2], [2, 3, 0.5]);
    expect(y).toBeAllClose([4, -8, NaN]);
    expect(da).toBeAllClose([-4, 12, NaN]);
    expect(db).toBeAllClose([NaN, NaN, NaN]);
  });

  test('a number as exponent leaves no NaN behind', () => {
    const { y, dx } = valueAndGradient([-2, 0, 3], (x) => x.pow(2));
    expect(y).toBeAllClose([4, 0, 9]);
    expect(dx).toBeAllClose([-4, 0, 6]);
  });

  test('of 1, and to the power 0, is 1 even beside NaN, as in IEEE 754', () => {
    expect(powers([1, 1, NaN, -1], [NaN, INF, 0, INF]).y).toBeAllClose([1, 1, 1, 1]);
  });
});

describe('where', () => {
  test('keeps the gradient of the side not taken out, even where that is NaN', () => {
    const { y, dx } = valueAndGradient([4, -1], (x) => where(x.greater(0), x, x.mul(0)));
    expect(y).toBeAllClose([4, 0]);
    expect(dx).toBeAllClose([1, 0]);
    const x = tensor([NaN, 2], { requiresGrad: true });
    where(x.isNaN(), 0, x).sum().backward();
    expect(x.grad).toBeAllClose([0, 1]);
  });

  test('takes numbers on either side', () => {
    const condition = tensor([1, 0]);
    expect(where(condition, 1, tensor([5, 6]))).toBeAllClose([1, 6]);
    expect(where(condition, tensor([5, 6], { dtype: 'float64' }), 2).dtype).toBe('float64');
    expect(where(condition, 1, 2)).toBeAllClose([1, 2]);
  });
});
