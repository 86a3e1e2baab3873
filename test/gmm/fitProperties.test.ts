import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Generator } from '@gmml/tensor';
import {
  covTypes,
  drawClasses,
  fitted,
  float64,
  logLikelihood,
  logPosterior,
  problem,
  turned,
  type Classes,
} from './fitSamples.js';

const shrinkages = fc.constantFrom<number | 'auto'>(0, 0.1, 0.6, 1, 'auto');
const wholeTypes = fc.constantFrom('tril' as const, 'full' as const);

/** Each row mapped. */
function mapped(classes: Classes, map: (row: readonly number[]) => number[]): Classes {
  return { ...classes, x: classes.x.map(map) };
}

describe('GMML.fit', () => {
  it('gives the same posteriors after turns, a common scale and a shift, shrunk or not', () => {
    fc.assert(
      fc.property(problem, wholeTypes, shrinkages, (shape, covType, shrinkage) => {
        const classes = drawClasses(shape);
        const generator = new Generator(shape.seed + 1);
        const [angles, shift] = [0, 1].map(() => classes.x[0].map(() => 3 * generator.normal()));
        const scale = Math.exp(0.5 * generator.normal());
        const moved = mapped(classes, (row) =>
          turned(row, angles).map((value, j) => scale * value + shift[j]),
        );
        const [here, there] = [classes, moved].map((each) => fitted(each, shrinkage, { covType }));
        expect(logPosterior(there, moved.x)).toBeAllClose(logPosterior(here, classes.x), {
          rtol: 1e-7,
          atol: 1e-7,
        });
        const density = logLikelihood(here, classes.x).sub(classes.d * Math.log(scale));
        expect(logLikelihood(there, moved.x)).toBeAllClose(density, { rtol: 1e-7, atol: 1e-7 });
      }),
    );
  });

  it('gives the same posteriors after any map of the features where nothing is shrunk', () => {
    fc.assert(
      fc.property(problem, wholeTypes, (shape, covType) => {
        const classes = drawClasses(shape);
        const generator = new Generator(shape.seed + 1);
        const [angles, shift] = [0, 1].map(() => classes.x[0].map(() => 3 * generator.normal()));
        const scales = shift.map(() => 0.7 + 0.8 * generator.uniform());
        const moved = mapped(classes, (row) =>
          turned(
            row.map((value, j) => scales[j] * value),
            angles,
          ).map((value, j) => value + shift[j]),
        );
        const [here, there] = [classes, moved].map((each) => fitted(each, 0, { covType }));
        const posterior = logPosterior(here, classes.x).exp();
        // The ridge of a millionth of the mean variance is what does not move along.
        expect(logPosterior(there, moved.x).exp()).toBeAllClose(posterior, { rtol: 0, atol: 1e-3 });
      }),
    );
  });

  it('does not depend on the order of the rows', () => {
    fc.assert(
      fc.property(problem, covTypes, shrinkages, (shape, covType, shrinkage) => {
        const classes = drawClasses(shape);
        const order = Array.from(new Generator(shape.seed + 1).permutation(classes.x.length));
        const mixed = {
          ...classes,
          x: order.map((n) => classes.x[n]),
          labels: order.map((n) => classes.labels[n]),
        };
        const [a, b] = [classes, mixed].map((each) => fitted(each, shrinkage, { covType }));
        expect(b.means()).toBeAllClose(a.means(), { rtol: 1e-10, atol: 1e-10 });
        expect(b.covariances()).toBeAllClose(a.covariances(), { rtol: 1e-10, atol: 1e-10 });
        expect(logPosterior(b, classes.x)).toBeAllClose(logPosterior(a, classes.x), {
          rtol: 1e-8,
          atol: 1e-8,
        });
      }),
    );
  });

  it('gives relabelled classes their outputs in the new order', () => {
    fc.assert(
      fc.property(problem, covTypes, shrinkages, fc.boolean(), (shape, covType, shrinkage, learnPriors) => {
        const classes = drawClasses(shape);
        const renamed = Array.from(new Generator(shape.seed + 1).permutation(classes.nClass));
        const other = { ...classes, labels: classes.labels.map((label) => renamed[label]) };
        const [a, b] = [classes, other].map((each) => fitted(each, shrinkage, { covType, learnPriors }));
        const back = logPosterior(b, classes.x).indexSelect(1, renamed);
        expect(back).toBeAllClose(logPosterior(a, classes.x), { rtol: 1e-8, atol: 1e-8 });
      }),
    );
  });

  it('makes its own rows the most probable where nothing is shrunk', () => {
    const amounts = fc.double({ min: 1e-3, max: 1, noNaN: true });
    fc.assert(
      fc.property(problem, covTypes, amounts, (shape, covType, amount) => {
        const classes = drawClasses(shape);
        const [none, some] = [0, amount].map((shrinkage) => {
          const density = logLikelihood(fitted(classes, shrinkage, { covType }), classes.x);
          const own = density.gather(1, float64(classes.labels.map((label) => [label])));
          return own.mean().item();
        });
        // The ridge moves the maximum by a millionth, and its value by the square of that.
        expect(none).toBeGreaterThan(some + (amount > 0.2 ? 0 : -1e-8));
      }),
    );
  });

  it('finds again what it is given samples of', () => {
    fc.assert(
      fc.property(problem, covTypes, (shape, covType) => {
        const head = fitted(drawClasses(shape), 0.1, { covType });
        const generator = new Generator(shape.seed + 1);
        const each = 400;
        const draws = Array.from({ length: shape.nClass }, (_, label) =>
          head.sample(each, { label, generator }),
        );
        const again = fitted(
          {
            ...shape,
            x: draws.flatMap(({ x }) => x.toArray() as number[][]),
            labels: draws.flatMap(({ labels }) => labels.toArray() as number[]),
          },
          0,
          { covType },
        );
        const covariances = head.covariances();
        const variances = covariances.diagonal();
        const error = variances.div(each).sqrt();
        expect(again.means().sub(head.means()).div(error).abs().max().item()).toBeLessThan(6);
        // The variance of an entry is (Σᵢᵢ Σⱼⱼ + Σᵢⱼ²)/n.
        const products = variances.unsqueeze(-1).mul(variances.unsqueeze(-2));
        const spread = products.add(covariances.square()).div(each).sqrt();
        expect(again.covariances().sub(covariances).div(spread).abs().max().item()).toBeLessThan(8);
      }),
      { numRuns: 40 },
    );
  });
});
