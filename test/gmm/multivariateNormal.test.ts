import { describe, expect, it } from 'vitest';
import { MultivariateNormal } from '@gmml/gmm';
import { eye, full, Generator, ones, randn, tensor, zeros, type Tensor } from '@gmml/tensor';
import { gradcheck } from '@gmml/tensor/testing';

const generator = new Generator(11);
const draw = (...shape: number[]): Tensor =>
  randn(shape, { dtype: 'float64', generator, requiresGrad: true });
const positive = (x: Tensor): Tensor => x.softplus().add(0.1);
const factor = (x: Tensor): Tensor => x.tril(-1).add(positive(x.diagonal()).diagEmbed());
const covariance = (x: Tensor): Tensor =>
  x.matmul(x, { transposeB: true }).add(eye(x.shape[x.ndim - 1], { dtype: 'float64' }));

describe('MultivariateNormal', () => {
  it('is the standard normal where nothing else is said', () => {
    const normal = new MultivariateNormal(zeros([2], { dtype: 'float64' }), {
      scaleDiag: ones([2], { dtype: 'float64' }),
    });
    expect(
      normal.logProb(
        tensor(
          [
            [0, 0],
            [3, 4],
          ],
          { dtype: 'float64' },
        ),
      ),
    ).toBeAllClose([-Math.log(2 * Math.PI), -Math.log(2 * Math.PI) - 12.5]);
    expect(normal.entropy().item()).toBeCloseTo(1 + Math.log(2 * Math.PI), 12);
  });

  it('is differentiable in the input and every parameter, for each way to give the scale', () => {
    const [x, mean] = [draw(4, 1, 3), draw(2, 3)];
    const scales = [
      { from: draw(2, 3), make: (s: Tensor) => ({ scaleDiag: positive(s) }) },
      { from: draw(2, 3, 3), make: (s: Tensor) => ({ scaleTril: factor(s) }) },
      { from: draw(2, 3, 3), make: (s: Tensor) => ({ covariance: covariance(s) }) },
    ];
    for (const { from, make } of scales) {
      gradcheck((value, m, s) => new MultivariateNormal(m, make(s)).logProb(value), [x, mean, from]);
      gradcheck((s) => new MultivariateNormal(mean.detach(), make(s)).entropy(), [from]);
      const sampled = (m: Tensor, s: Tensor): Tensor =>
        new MultivariateNormal(m, make(s)).sample(5, { generator: new Generator(1) });
      gradcheck(sampled, [mean, from]);
    }
  });

  it('agrees between the three ways', () => {
    const [mean, l, x] = [draw(3), factor(draw(3, 3)), draw(6, 3)];
    const byFactor = new MultivariateNormal(mean, { scaleTril: l });
    const byCovariance = new MultivariateNormal(mean, { covariance: l.matmul(l, { transposeB: true }) });
    expect(byCovariance.logProb(x)).toBeAllClose(byFactor.logProb(x), { rtol: 1e-9 });
    expect(byCovariance.entropy()).toBeAllClose(byFactor.entropy(), { rtol: 1e-9 });
    const diagonal = positive(draw(3));
    const flat = new MultivariateNormal(mean, { scaleDiag: diagonal });
    const square = new MultivariateNormal(mean, { scaleTril: diagonal.diagEmbed() });
    expect(flat.logProb(x)).toBeAllClose(square.logProb(x), { rtol: 1e-12 });
    expect(flat.covariance()).toBeAllClose(square.covariance());
  });

  it('broadcasts input, mean and scale against each other', () => {
    const [mean, scale] = [draw(3), factor(draw(4, 2, 3, 3))];
    const normal = new MultivariateNormal(mean, { scaleTril: scale });
    expect(normal.batchShape).toEqual([4, 2]);
    expect(normal.logProb(draw(5, 1, 1, 3)).shape).toEqual([5, 4, 2]);
    const x = draw(3);
    const each = normal.logProb(x);
    for (let i = 0; i < 4; i++) {
      for (let j = 0; j < 2; j++) {
        const own = scale.indexSelect(0, [i]).indexSelect(1, [j]).reshape([3, 3]);
        const one = new MultivariateNormal(mean, { scaleTril: own });
        expect(each.indexSelect(0, [i]).indexSelect(1, [j]).item()).toBeCloseTo(one.logProb(x).item(), 10);
      }
    }
    const shared = new MultivariateNormal(draw(4, 1, 3), { scaleTril: factor(draw(3, 3)) });
    expect(shared.logProb(draw(2, 3)).shape).toEqual([4, 2]);
    expect(shared.sample([7, 2], { generator }).shape).toEqual([7, 2, 4, 1, 3]);
  });

  it('draws samples with its mean and covariance', () => {
    const mean = tensor([1, -2], { dtype: 'float64' });
    const scaleTril = tensor(
      [
        [2, 0],
        [-1, 0.5],
      ],
      { dtype: 'float64' },
    );
    const normal = new MultivariateNormal(mean, { scaleTril });
    const drawn = normal.sample(40_000, { generator: new Generator(6) });
    expect(drawn.mean(0)).toBeAllClose(mean, { atol: 0.05 });
    const centred = drawn.sub(drawn.mean(0));
    expect(centred.matmul(centred, { transposeA: true }).div(40_000)).toBeAllClose(normal.covariance(), {
      atol: 0.1,
    });
  });

  it('keeps its digits far from the origin', () => {
    const normal = new MultivariateNormal(tensor([1e4]), { scaleDiag: tensor([1]) });
    expect(normal.logProb(tensor([1e4 + 0.5])).item()).toBeCloseTo(-0.5 * Math.log(2 * Math.PI) - 0.125, 6);
  });

  it('says what is wrong before it computes anything', () => {
    const mean = zeros([2]);
    expect(() => new MultivariateNormal(mean, {})).toThrow(
      'MultivariateNormal: exactly one of covariance, scaleTril and scaleDiag: given none.',
    );
    expect(() => new MultivariateNormal(mean, { scaleTril: eye(2), scaleDiag: ones([2]) })).toThrow(
      'MultivariateNormal: exactly one of covariance, scaleTril and scaleDiag: given scaleTril and scaleDiag.',
    );
    expect(() => new MultivariateNormal(mean, { covariance: eye(3) })).toThrow(
      'MultivariateNormal: the mean must be [..., D] and covariance [..., D, D]: the mean is [2], covariance is [3, 3].',
    );
    expect(() => new MultivariateNormal(mean, { scaleDiag: tensor([1, -1]) })).toThrow(
      'MultivariateNormal: scaleDiag must be positive: entry 1 is -1.',
    );
    expect(() => new MultivariateNormal(mean, { scaleDiag: tensor([1, NaN]) })).toThrow(
      'MultivariateNormal: scaleDiag must be finite: entry 1 is NaN.',
    );
    expect(() => new MultivariateNormal(full([2], Infinity), { scaleDiag: ones([2]) })).toThrow(
      'MultivariateNormal: mean must be finite: entry 0 is Infinity.',
    );
    expect(
      () =>
        new MultivariateNormal(mean, {
          covariance: tensor([
            [1, 2],
            [0, 1],
          ]),
        }),
    ).toThrow('MultivariateNormal: covariance must be symmetric: entry [0, 1] is 2, [1, 0] is 0.');
    expect(
      () =>
        new MultivariateNormal(mean, {
          covariance: tensor([
            [1, 2],
            [2, 1],
          ]),
        }),
    ).toThrow(
      'cholesky: matrix 0 of 1 is not positive definite: pivot 1 is -3. Add jitter to the diagonal, or use more samples per component.',
    );
    const normal = new MultivariateNormal(mean, { scaleDiag: ones([2]) });
    expect(() => normal.logProb(zeros([3]))).toThrow(
      'MultivariateNormal.logProb: x must be [..., 2]: it is [3].',
    );
  });

  it('does not read what stands above the diagonal of a triangular factor', () => {
    const [mean, x] = [zeros([2]), ones([2])];
    const clean = new MultivariateNormal(mean, {
      scaleTril: tensor([
        [1, 0],
        [0.5, 1],
      ]),
    });
    const normal = new MultivariateNormal(mean, {
      scaleTril: tensor([
        [1, NaN],
        [0.5, 1],
      ]),
    });
    expect(normal.logProb(x).item()).toBe(clean.logProb(x).item());
    expect(normal.entropy().item()).toBe(clean.entropy().item());
    expect(normal.covariance().toArray()).toEqual(clean.covariance().toArray());
    const draws = [normal, clean].map((each) => each.sample(3, { generator: new Generator(1) }).toArray());
    expect(draws[0]).toEqual(draws[1]);
    expect(
      () =>
        new MultivariateNormal(mean, {
          scaleTril: tensor([
            [1, 0],
            [NaN, 1],
          ]),
        }),
    ).toThrow('MultivariateNormal: scaleTril must be finite: entry 2 is NaN.');
  });

  it('gives standard deviations back, where coordinates are independent', () => {
    const scaleDiag = tensor([[1, 2, 3]]);
    expect(new MultivariateNormal(zeros([2, 3]), { scaleDiag }).scaleDiag()).toBe(scaleDiag);
    expect(new MultivariateNormal(zeros([2]), { scaleTril: eye(2) }).scaleDiag()).toBeNull();
  });
});
