import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NotPositiveDefiniteError } from '@gmml/tensor';
import {
  covTypes,
  drawClasses,
  fitted,
  logLikelihood,
  logPosterior,
  problem,
  type Classes,
} from './fitSamples.js';

const close = { rtol: 1e-8, atol: 1e-8 };

/** The rows of the classes that are kept, which move down to their place in `kept`. */
function only(classes: Classes, kept: readonly number[]): Classes {
  const rows = classes.labels.flatMap((label, n) => (kept.includes(label) ? [n] : []));
  return {
    ...classes,
    x: rows.map((n) => classes.x[n]),
    labels: rows.map((n) => kept.indexOf(classes.labels[n])),
    nClass: kept.length,
  };
}

const firstOf = (count: number): number[] => Array.from({ length: count }, (_, k) => k);

describe('GMML.addClass', () => {
  it('gives what a fit of all classes gives, without shrinkage', () => {
    fc.assert(
      fc.property(problem, covTypes, (shape, covType) => {
        const classes = drawClasses(shape);
        const last = classes.nClass - 1;
        const before = fitted(only(classes, firstOf(last)), 0, { covType });
        const rows = only(classes, [last]).x;
        const [added, together] = [before.addClass(rows, { shrinkage: 0 }), fitted(classes, 0, { covType })];
        expect(added.means()).toBeAllClose(together.means(), close);
        expect(added.covariances()).toBeAllClose(together.covariances(), close);
        expect(added.mixtureWeights()).toBeAllClose(together.mixtureWeights(), close);
        expect(logLikelihood(added, classes.x)).toBeAllClose(logLikelihood(together, classes.x), close);
        expect(logPosterior(added, classes.x)).toBeAllClose(logPosterior(together, classes.x), close);
      }),
    );
  });

  it('shrinks the class toward the mean covariance of the others, and them not at all', () => {
    const amounts = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(problem, covTypes, amounts, (shape, covType, amount) => {
        const classes = drawClasses(shape);
        const last = classes.nClass - 1;
        const before = fitted(only(classes, firstOf(last)), 0.2, { covType });
        const added = before.addClass(only(classes, [last]).x, { shrinkage: amount });
        const own = fitted(only(classes, [last]), 0, { covType })
          .covariances()
          .squeeze(0);
        const target = before.covariances().mean(0);
        const expected = own.mul(1 - amount).add(target.mul(amount));
        const found = added.covariances();
        expect(found.slice(0, 0, last)).toBeAllClose(before.covariances(), close);
        // Every ridge is a millionth of a mean variance: one on top of those in `own` and `target`.
        const scale = expected.trace().max().item();
        expect(found.slice(0, last).squeeze(0)).toBeAllClose(expected, { rtol: 0, atol: 2.1e-6 * scale });
      }),
    );
  });

  it.each(['tril', 'full'] as const)('names the class that has no %s covariance', (covType) => {
    for (const nClass of [1, 3]) {
      const head = fitted(drawClasses({ seed: 1, d: 2, nClass, rows: 20, apart: 2 }), 0, { covType });
      const before = head.stateDict();
      const add = (): unknown =>
        head.addClass(
          [
            [1e200, 0],
            [-1e200, 1],
            [0, 2],
          ],
          { shrinkage: 0 },
        );
      expect(add).toThrow(NotPositiveDefiniteError);
      expect(add).toThrow(
        new NotPositiveDefiniteError(
          `GMML.addClass: the covariance of class ${nClass}, component 0 is not positive definite. Use more shrinkage or give more rows.`,
          nClass,
        ),
      );
      expect(head.stateDict()).toEqual(before);
    }
  });
});

describe('GMML.removeClass', () => {
  it('gives what a fit of the other classes gives, without shrinkage', () => {
    fc.assert(
      fc.property(problem, covTypes, fc.boolean(), fc.nat(3), (shape, covType, learnPriors, drawn) => {
        const classes = drawClasses(shape);
        const label = drawn % classes.nClass;
        const kept = firstOf(classes.nClass).filter((k) => k !== label);
        const left = fitted(classes, 0, { covType, learnPriors }).removeClass(label);
        const alone = fitted(only(classes, kept), 0, { covType, learnPriors });
        const [state, expected] = [left.stateDict(), alone.stateDict()];
        expect(Object.keys(state)).toEqual(Object.keys(expected));
        for (const [name, value] of Object.entries(expected))
          expect(state[name], name).toBeAllClose(value, close);
        expect(logPosterior(left, classes.x)).toBeAllClose(logPosterior(alone, classes.x), close);
      }),
    );
  });

  it('takes back what addClass gave', () => {
    fc.assert(
      fc.property(problem, covTypes, fc.boolean(), (shape, covType, learnPriors) => {
        const classes = drawClasses(shape);
        const last = classes.nClass - 1;
        const before = fitted(only(classes, firstOf(last)), 'auto', { covType, learnPriors });
        const back = before.addClass(only(classes, [last]).x).removeClass(last);
        const state = back.stateDict();
        for (const [name, value] of Object.entries(before.stateDict()))
          expect(state[name], name).toBeAllClose(value, { rtol: 1e-12, atol: 1e-12 });
      }),
    );
  });
});
