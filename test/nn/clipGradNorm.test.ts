import { clipGradNorm, SGD } from '@gmml/nn';
import { ArgumentError, NotFiniteError, ones, type Tensor, tensor } from '@gmml/tensor';
import { describe, expect, test } from 'vitest';

/** Parameters with these gradients; null for none. */
function withGradients(...gradients: (number[] | null)[]): Tensor[] {
  return gradients.map((gradient) => {
    const parameter = ones([gradient?.length ?? 1], { dtype: 'float64', requiresGrad: true });
    if (gradient !== null) parameter.grad = tensor(gradient, { dtype: 'float64' });
    return parameter;
  });
}

const gradientsOf = (parameters: Tensor[]): (number[] | undefined)[] =>
  parameters.map(({ grad }) => grad?.toArray() as number[] | undefined);

describe('clipGradNorm', () => {
  test.each([
    { normType: 2, norm: 13 },
    { normType: 1, norm: 19 },
    { normType: 3, norm: Math.cbrt(27 + 64 + 1728) },
    { normType: Infinity, norm: 12 },
  ])('scales all gradients to the joint norm of order $normType', ({ normType, norm }) => {
    const parameters = withGradients([3, -4], null, [12]);
    expect(clipGradNorm(parameters, 6.5, { normType })).toBeCloseTo(norm, 13);
    const scale = 6.5 / (norm + 1e-6);
    const [a, none, b] = gradientsOf(parameters);
    expect(a).toBeAllClose([3 * scale, -4 * scale], { rtol: 1e-14 });
    expect(none).toBeUndefined();
    expect(b).toBeAllClose([12 * scale], { rtol: 1e-14 });
  });

  test('leaves gradients within the norm bit for bit', () => {
    const parameters = withGradients([3, -4], [0.1]);
    expect(clipGradNorm(parameters, 6)).toBeCloseTo(Math.sqrt(25.01), 14);
    expect(gradientsOf(parameters)).toEqual([[3, -4], [0.1]]);
    clipGradNorm(parameters, Infinity);
    expect(gradientsOf(parameters)).toEqual([[3, -4], [0.1]]);
  });

  test('is 0 without gradients', () => {
    expect(clipGradNorm(withGradients(null, null), 1)).toBe(0);
    expect(clipGradNorm([], 1)).toBe(0);
  });

  test('sums float32 gradients in float64', () => {
    const parameter = ones([2], { requiresGrad: true });
    parameter.grad = tensor([1e30, 1e30]);
    expect(clipGradNorm([parameter], 1)).toBeCloseTo(Math.SQRT2 * Math.fround(1e30), -20);
    expect(parameter.grad).toBeAllClose([Math.SQRT1_2, Math.SQRT1_2], { rtol: 1e-6 });
  });

  test('bounds the next step', () => {
    const [parameter] = withGradients([300, -400]);
    clipGradNorm([parameter], 1);
    new SGD([parameter], { lr: 1 }).step();
    expect(parameter.sub(1).square().sum().sqrt().item()).toBeCloseTo(1, 7);
  });

  test('with errorIfNonFinite refuses a norm that is not a number, changing nothing', () => {
    const parameters = withGradients([1, Number.NaN], [2]);
    expect(() => clipGradNorm(parameters, 1, { errorIfNonFinite: true })).toThrow(
      new NotFiniteError('clipGradNorm: the norm of the gradients must be finite: it is NaN.'),
    );
    expect(gradientsOf(parameters)).toEqual([[1, Number.NaN], [2]]);
  });

  test('without it NaN shows everywhere, and infinite gradients become NaN, as in torch', () => {
    const nan = withGradients([1, Number.NaN], [2]);
    expect(clipGradNorm(nan, 1)).toBeNaN();
    expect(gradientsOf(nan)).toEqual([[Number.NaN, Number.NaN], [Number.NaN]]);
    const infinite = withGradients([1, -Infinity], [2]);
    expect(clipGradNorm(infinite, 1)).toBe(Infinity);
    expect(gradientsOf(infinite)).toEqual([[0, Number.NaN], [0]]);
  });

  test('refuses bounds and orders out of range', () => {
    expect(() => clipGradNorm([], -1)).toThrow(
      new ArgumentError('clipGradNorm: maxNorm must be at least 0: it is -1.'),
    );
    expect(() => clipGradNorm([], Number.NaN)).toThrow(
      new ArgumentError('clipGradNorm: maxNorm must be at least 0: it is NaN.'),
    );
    expect(() => clipGradNorm([], 1, { normType: 0 })).toThrow(
      new ArgumentError('clipGradNorm: normType must be above 0: it is 0.'),
    );
  });
});
