// Softmax and logSumExp of rows, by the reference's rules: maxima in float32, all else in float64 and rounded once.
// These are not the reference's bits, but within a bound of the exact numbers. In units in the last place, softmax,
// logSoftmax and logSumExpBackward are within 0.51. logSumExp is within 0.5 and 2⁻³¹·(1 + log length) more. In the
// other two gradients numbers may cancel: beyond 0.51, softmaxBackward is off by what the order of a float64 sum
// changes, logSoftmaxBackward by 2⁻³¹·eʸ·|Σ g| as well. An exponential below e^−708 counts as 0.

import type { Local } from '../assembler/assembler.js';
import { bounded, exp, EXP_CONSTANTS, log, LOG_CONSTANTS } from '../elementwise/exponential.js';
import { extremumOf } from './reduce.js';
import { reduce, type Lanes, type Program, type Step } from './reduceLanes.js';
import { HALVES, rounded, setWide, sumOver, wide, type Wide } from './reduceSums.js';
import type { Kernel } from '../kernel.js';

/** log Σ eˣ, shifted by the largest; false, and nothing written, where there is no kernel. */
export const logSumExp: Kernel<'logSumExp'> = (engine, x, rows, out) => {
  return reduce(engine, LOG_SUM_EXP, rows, { elements: [x], perRow: [out], writes: 'perRow' });
};

/** g·e^(x − y), 0 where y is −∞ or the factor is 0. False, and nothing written, as in `logSumExp`. */
export const logSumExpBackward: Kernel<'logSumExpBackward'> = (engine, x, y, g, rows, out) => {
  const arrays = { elements: [x, out], perRow: [y, g], writes: 'elements' } as const;
  return reduce(engine, LOG_SUM_EXP_BACKWARD, rows, arrays);
};

/** eˣ/Σ eˣ. False, and nothing written, as in `logSumExp`. */
export const softmax: Kernel<'softmax'> = (engine, x, rows, out) => {
  return reduce(engine, SOFTMAX, rows, { elements: [x, out], perRow: [], writes: 'elements' });
};

/** y(g − Σ g·y). False, and nothing written, as in `logSumExp`. */
export const softmaxBackward: Kernel<'softmaxBackward'> = (engine, y, g, rows, out) => {
  return reduce(engine, SOFTMAX_BACKWARD, rows, { elements: [y, g, out], perRow: [], writes: 'elements' });
};

/** x − max − log Σ e^(x − max). False, and nothing written, as in `logSumExp`. */
export const logSoftmax: Kernel<'logSoftmax'> = (engine, x, rows, out) => {
  return reduce(engine, LOG_SOFTMAX, rows, { elements: [x, out], perRow: [], writes: 'elements' });
};

/** g − eʸ Σ g. False, and nothing written, as in `logSumExp`. */
export const logSoftmaxBackward: Kernel<'logSoftmaxBackward'> = (engine, y, g, rows, out) => {
  const arrays = { elements: [y, g, out], perRow: [], writes: 'elements' } as const;
  return reduce(engine, LOG_SOFTMAX_BACKWARD, rows, arrays);
};

/** Where eˣ is a normal number of float64. */
const BOUNDS = [-708, 708];

/** What `exponential` needs. */
const CONSTANTS = [...BOUNDS, ...EXP_CONSTANTS];

const LOG_SUM_EXP: Program = {
  key: 'logSumExp',
  constants: [...CONSTANTS, Infinity, ...LOG_CONSTANTS],
  write(lanes, constants) {
    const { f } = lanes;
    const { max, sum } = scaledSum(lanes, constants, false);
    const [infinity, ...logConstants] = constants.slice(CONSTANTS.length);
    const result = f.local('v128');
    for (const half of HALVES) {
      // Shifting by an infinite maximum would give ∞ − ∞: the maximum itself then.
      f.get(max[half]);
      log(f, sum[half], logConstants);
      f.op('f64x2.add').get(max[half]).get(max[half]).op('f64x2.abs').get(infinity).op('f64x2.lt');
      f.op('v128.bitselect').set(sum[half]);
    }
    rounded(f, sum);
    f.set(result);
    lanes.storeRow(0, result);
  },
};

/** The shares of softmax times g; at a maximum of +∞ the infinite elements share the whole. */
const LOG_SUM_EXP_BACKWARD: Program = {
  key: 'logSumExpBackward',
  constants: [...CONSTANTS, Infinity, -Infinity, 1],
  keeps: true,
  write(lanes, constants) {
    const { f } = lanes;
    const [infinity, none, one] = constants.slice(CONSTANTS.length);
    const [y, g, share] = [wide(f), wide(f), wide(f)];
    const [zero, result] = f.localArray('v128', 2);
    const { sum } = scaledSum(lanes, constants, true, (x, max) => {
      f.get(x).get(infinity).op('f64x2.eq').get(one).op('v128.and');
      exponential(lanes, difference(lanes, x, max), constants);
      f.get(max).get(infinity).op('f64x2.eq').op('v128.bitselect');
    });
    lanes.loadRow(0);
    setWide(f, y);
    lanes.loadRow(1);
    setWide(f, g);
    lanes.pass((step) => {
      for (const half of HALVES) {
        f.load('v128.load', step.kept, 16 * half)
          .get(sum[half])
          .op('f64x2.div')
          .tee(share[half]);
        f.get(g[half]).op('f64x2.mul');
        f.get(share[half]).get(zero).op('f64x2.eq').get(y[half]).get(none).op('f64x2.eq').op('v128.or');
        f.op('v128.andnot').set(share[half]);
      }
      rounded(f, share);
      f.set(result);
      step.store(1, result);
    });
  },
};

const SOFTMAX: Program = {
  key: 'softmax',
  constants: CONSTANTS,
  keeps: true,
  write(lanes, constants) {
    const { f } = lanes;
    const share = wide(f);
    const result = f.local('v128');
    const { sum } = scaledSum(lanes, constants, true);
    lanes.pass((step) => {
      for (const half of HALVES) {
        f.load('v128.load', step.kept, 16 * half)
          .get(sum[half])
          .op('f64x2.div')
          .set(share[half]);
      }
      rounded(f, share);
      f.set(result);
      step.store(1, result);
    });
  },
};

const SOFTMAX_BACKWARD: Program = {
  key: 'softmaxBackward',
  constants: [],
  write(lanes) {
    const { f } = lanes;
    const [y, g] = [wide(f), wide(f)];
    const result = f.local('v128');
    const load = (step: Step): void => {
      for (const [k, target] of [y, g].entries()) {
        step.load(k);
        setWide(f, target);
      }
    };
    const dot = sumOver(lanes, load, (_, half) => f.get(g[half]).get(y[half]).op('f64x2.mul'));
    lanes.pass((step) => {
      load(step);
      for (const half of HALVES) {
        f.get(y[half]).get(g[half]).get(dot[half]).op('f64x2.sub').op('f64x2.mul').set(y[half]);
      }
      rounded(f, y);
      f.set(result);
      step.store(2, result);
    });
  },
};

const LOG_SOFTMAX: Program = {
  key: 'logSoftmax',
  constants: [...CONSTANTS, ...LOG_CONSTANTS],
  write(lanes, constants) {
    const { f } = lanes;
    const x = wide(f);
    const result = f.local('v128');
    const { max, sum } = scaledSum(lanes, constants, false);
    for (const half of HALVES) {
      log(f, sum[half], constants.slice(CONSTANTS.length));
      f.set(sum[half]);
    }
    lanes.pass((step) => {
      step.load(0);
      setWide(f, x);
      for (const half of HALVES) {
        // In this order: max + log Σ would round to the size of max.
        f.get(x[half]).get(max[half]).op('f64x2.sub').get(sum[half]).op('f64x2.sub').set(x[half]);
      }
      rounded(f, x);
      f.set(result);
      step.store(1, result);
    });
  },
};

const LOG_SOFTMAX_BACKWARD: Program = {
  key: 'logSoftmaxBackward',
  constants: CONSTANTS,
  write(lanes, constants) {
    const { f } = lanes;
    const [y, g] = [wide(f), wide(f)];
    const result = f.local('v128');
    const load = (step: Step, array: 0 | 1): void => {
      step.load(array);
      setWide(f, array === 0 ? y : g);
    };
    const sum = sumOver(
      lanes,
      (step) => load(step, 1),
      (_, half) => f.get(g[half]),
    );
    lanes.pass((step) => {
      load(step, 0);
      load(step, 1);
      for (const half of HALVES) {
        f.get(g[half]);
        exponential(lanes, y[half], constants);
        f.get(sum[half]).op('f64x2.mul').op('f64x2.sub').set(y[half]);
      }
      rounded(f, y);
      f.set(result);
      step.store(2, result);
    });
  },
};

/** The largest of array 0's rows and Σ e^(x − largest), whose terms are kept for the next pass if asked. */
function scaledSum(
  lanes: Lanes,
  constants: readonly Local[],
  keeps: boolean,
  pushTerm = (x: Local, max: Local): void => exponential(lanes, difference(lanes, x, max), constants),
): { max: Wide; sum: Wide } {
  const { f } = lanes;
  const [max, x] = [wide(f), wide(f)];
  const term = f.local('v128');
  f.get(extremumOf(lanes, 1));
  setWide(f, max);
  const sum = sumOver(
    lanes,
    ({ load }) => {
      load(0);
      setWide(f, x);
    },
    ({ kept }, half) => {
      pushTerm(x[half], max[half]);
      if (!keeps) return;
      f.set(term);
      f.get(kept)
        .get(term)
        .store('v128.store', 16 * half);
      f.get(term);
    },
  );
  return { max, sum };
}

/** x − max in a local. */
function difference({ f }: Lanes, x: Local, max: Local): Local {
  const result = f.local('v128');
  f.get(x).get(max).op('f64x2.sub').set(result);
  return result;
}

/** Pushes eˣ, and 0 where it is not a normal number. */
function exponential({ f }: Lanes, x: Local, constants: readonly Local[]): void {
  const [low, high, ...others] = constants.slice(0, CONSTANTS.length);
  exp(f, bounded(f.get(x), low, high), others);
  f.get(x).get(low).op('f64x2.lt').op('v128.andnot');
}
