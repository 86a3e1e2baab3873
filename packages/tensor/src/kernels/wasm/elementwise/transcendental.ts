// eˣ, log x and what is made of them, on lanes of float64. These are not the reference's bits: each number, rounded
// to float32, is within 0.51 units in the last place of the exact one, where the reference's is within 0.5. Special
// numbers are as Math.* has them: NaN, infinities, the sign of zero, denormal arguments and results, and overflow
// where the exact number rounds to infinity.

import type { FunctionBuilder, Local } from '../assembler/assembler.js';
import {
  bounded,
  exp,
  EXP_CONSTANTS,
  expm1,
  log,
  log1pOfUnit,
  LOG1P_CONSTANTS,
  LOG_CONSTANTS,
} from './exponential.js';

/** A function of one operand on float64 lanes: `write` pushes it. */
export interface LaneFunction {
  /** Numbers that `write` gets in vectors. */
  readonly constants: readonly number[];
  readonly write: (f: FunctionBuilder, operands: readonly Local[], constants: readonly Local[]) => void;
}

/** Beyond this, e^±x rounds to infinity and 0 in float32. */
const SINGLE = 110;

/** Within this, e^±x and 1 + e^±x are normal numbers of float64. */
const DOUBLE = 708;

/** By the names that the ops have. */
export const TRANSCENDENTALS: Readonly<Record<string, LaneFunction>> = {
  exp: {
    constants: [-SINGLE, SINGLE, ...EXP_CONSTANTS],
    write: (f, [x], [low, high, ...constants]) => exp(f, bounded(f.get(x), low, high), constants),
  },
  expm1: {
    constants: [-SINGLE, SINGLE, ...EXP_CONSTANTS],
    write: (f, [x], [low, high, ...constants]) => expm1(f, bounded(f.get(x), low, high), constants),
  },
  log: {
    constants: LOG_CONSTANTS,
    write: (f, [x], constants) => log(f, x, constants),
  },
  log1p: {
    constants: [1, ...LOG_CONSTANTS],
    write(f, [x], [one, ...constants]) {
      const sum = f.local('v128');
      f.get(one).get(x).op('f64x2.add').set(sum);
      log(f, sum, constants, x);
    },
  },
  // With d = e^(−2|x|) − 1, which has no rounding error to speak of for small x, tanh |x| = −d/(2 + d).
  tanh: {
    constants: [-SINGLE, 0, -2, 2, -0, ...EXP_CONSTANTS],
    write(f, [x], [low, high, minusTwo, two, sign, ...constants]) {
      const d = f.local('v128');
      f.get(x);
      f.get(x).op('f64x2.abs').get(minusTwo).op('f64x2.mul');
      expm1(f, bounded(f, low, high), constants);
      f.tee(d).get(d).get(two).op('f64x2.add').op('f64x2.div');
      f.get(sign).op('v128.bitselect');
    },
  },
  sigmoid: {
    constants: [-SINGLE, SINGLE, 1, ...EXP_CONSTANTS],
    write: (f, [x], [low, high, one, ...constants]) => {
      f.get(x).op('f64x2.neg');
      logistic(f, bounded(f, low, high), one, constants);
    },
  },
  // max(x, 0) + log(1 + e^−|x|)
  softplus: {
    constants: [-SINGLE, 0, ...EXP_CONSTANTS, ...LOG1P_CONSTANTS],
    write(f, [x], constants) {
      log1pOfDecay(f, x, constants);
      f.get(x).get(constants[1]).op('f64x2.pmax').op('f64x2.add');
    },
  },
  // min(x, 0) − log(1 + e^−|x|)
  logSigmoid: {
    constants: [-SINGLE, 0, ...EXP_CONSTANTS, ...LOG1P_CONSTANTS],
    write(f, [x], constants) {
      f.get(x).get(constants[1]).op('f64x2.pmin');
      log1pOfDecay(f, x, constants);
      f.op('f64x2.sub');
    },
  },
};

/** 1/(1 + e⁻ˣ) in all of float64's normal range, as a factor of any float32: 0 below. */
export const LOGISTIC = wideLogistic(false);

/** 1/(1 + eˣ) in the same way. */
export const LOGISTIC_OF_MINUS = wideLogistic(true);

function wideLogistic(ofMinus: boolean): LaneFunction {
  return {
    constants: [-DOUBLE, DOUBLE, 1, ...EXP_CONSTANTS],
    write(f, [x], [low, high, one, ...constants]) {
      const minus = f.local('v128');
      f.get(x);
      if (!ofMinus) f.op('f64x2.neg');
      f.set(minus);
      logistic(f, bounded(f.get(minus), low, high), one, constants);
      f.get(high).get(minus).op('f64x2.lt').op('v128.andnot');
    },
  };
}

/** Pushes 1/(1 + e^minus): where e^minus is large it is exact too, and float64 does not overflow. */
function logistic(f: FunctionBuilder, minus: Local, one: Local, constants: readonly Local[]): void {
  f.get(one);
  exp(f, minus, constants);
  f.get(one).op('f64x2.add').op('f64x2.div');
}

/** Pushes log(1 + e^−|x|). */
function log1pOfDecay(f: FunctionBuilder, x: Local, [low, high, ...constants]: readonly Local[]): void {
  const decay = f.local('v128');
  f.get(x).op('f64x2.abs').op('f64x2.neg');
  exp(f, bounded(f, low, high), constants.slice(0, EXP_CONSTANTS.length));
  f.set(decay);
  log1pOfUnit(f, decay, constants.slice(EXP_CONSTANTS.length));
}
