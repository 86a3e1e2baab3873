// Exponentials and logarithms on lanes of float64, for results that are rounded to float32. Arguments are brought
// into a small interval (Cody and Waite, "Software Manual for the Elementary Functions", 1980; one step is enough
// where float64 serves float32), then a polynomial follows whose largest relative error was made smallest by Remez'
// exchange (Muller, "Elementary Functions", 2016, §3). That error, at most 2⁻³², is little beside a rounding to float32: the
// rounded result is within 0.51 units in the last place of the exact one, denormals included. It is not always the
// reference's number: one of some thousand is the neighbour. What fused multiply-add changes is smaller still.

import type { FunctionBuilder, Local } from '../assembler/assembler.js';

/** 1.5·2⁵²: a number added to it is rounded to an integer, which then stands in the lowest bits. */
const SHIFTER = 1.5 * 2 ** 52;

/** (eʳ − 1)/r for |r| ≤ ½ log 2, lowest power first; relative error 2⁻³². */
const EXP_POLYNOMIAL = [
  1.000000000031198, 0.5000000046654824, 0.16666666249605228, 0.04166635443753218, 0.008333402898988759,
  0.001394100595218342, 0.00019841252760115883,
];

/** 2·atanh(√z)/√z for √z ≤ (√2 − 1)/(√2 + 1); relative error 2⁻³⁷. */
const LOG_POLYNOMIAL = [
  2.0000000000084284, 0.666666652398706, 0.4000038598767606, 0.2853497841217373, 0.23617611619167184,
];

/** The same for √z ≤ 1/3; relative error 2⁻³³. */
const LOG1P_POLYNOMIAL = [
  1.9999999998028015, 0.6666667930814507, 0.399986908445872, 0.28620723759192845, 0.213932317750938,
  0.24413142977531976,
];

/** What `exp` and `expm1` need in vectors, spread before any loop. */
export const EXP_CONSTANTS: readonly number[] = [Math.LOG2E, SHIFTER, -Math.LN2, 1, ...EXP_POLYNOMIAL];

/** What `log` needs in vectors. */
export const LOG_CONSTANTS: readonly number[] = [
  // Added to the bits of x it carries into the exponent where the fraction is that of √½ or more.
  fromBits(0x00095f62, 0),
  fromBits(0x000fffff, 0xffffffff),
  fromBits(0x3fe6a09e, 0),
  2 ** 52,
  2 ** 52 + 1023,
  Math.LN2,
  1,
  2,
  Infinity,
  -Infinity,
  ...LOG_POLYNOMIAL,
];

/** What `log1pOfUnit` needs in vectors. */
export const LOG1P_CONSTANTS: readonly number[] = [2, ...LOG1P_POLYNOMIAL];

/** Pushes eˣ for |x| ≤ 708; NaN for NaN. */
export function exp(f: FunctionBuilder, x: Local, constants: readonly Local[]): void {
  const { shifted, rest } = reduce(f, x, constants);
  const [, , , one, ...polynomial] = constants;
  horner(f, rest, polynomial);
  timesPlus(f, rest, one);
  f.get(shifted).i32(52).op('i64x2.shl').op('i64x2.add');
}

/** Pushes eˣ − 1 for |x| ≤ 708, exact in relation to the result: −0 for −0, NaN for NaN. */
export function expm1(f: FunctionBuilder, x: Local, constants: readonly Local[]): void {
  const { shifted, rest } = reduce(f, x, constants);
  const [, , , one, ...polynomial] = constants;
  const power = f.local('v128');
  horner(f, rest, polynomial);
  f.get(rest).op('f64x2.mul');
  f.get(one).get(shifted).i32(52).op('i64x2.shl').op('i64x2.add').tee(power).op('f64x2.mul');
  // p·2ⁿ − (1 − 2ⁿ): in this form −0 − 0 stays −0.
  f.get(one).get(power).op('f64x2.sub').op('f64x2.sub');
}

/**
 * Pushes log x, or log(1 + y) where x is 1 + y rounded and `y` is given: exact in relation to the result for the
 * smallest y too. −∞ for 0, NaN below. x is not denormal, which numbers from float32 never are.
 */
export function log(f: FunctionBuilder, x: Local, constants: readonly Local[], y?: Local): void {
  const [carry, fraction, root, power52, bias, log2, one, two, top, bottom, ...polynomial] = constants;
  const [carried, minusExponent, over, result, zero] = f.localArray('v128', 5);
  f.get(x).get(carry).op('i64x2.add').set(carried);
  f.get(bias).get(carried).i32(52).op('i64x2.shr_u').get(power52).op('v128.or').op('f64x2.sub');
  f.set(minusExponent);
  f.get(carried).get(fraction).op('v128.and').get(root).op('i64x2.add').get(one).op('f64x2.sub').set(over);
  if (y) f.get(y).get(over).get(minusExponent).get(zero).op('f64x2.eq').op('v128.bitselect').set(over);
  // −0 − 0·log 2 is −0, where adding would give 0.
  logOfRatio(f, over, two, polynomial);
  f.get(minusExponent).get(log2).op('f64x2.mul').op('f64x2.sub').set(result);
  f.get(result).get(x).get(x).get(top).op('f64x2.lt').op('v128.bitselect');
  f.get(x).get(zero).op('f64x2.lt').op('v128.or').set(result);
  f.get(bottom).get(result).get(x).get(zero).op('f64x2.eq').op('v128.bitselect');
}

/** Pushes log(1 + y) for 0 ≤ y ≤ 1, exact in relation to the result; NaN for NaN. */
export function log1pOfUnit(f: FunctionBuilder, y: Local, [two, ...polynomial]: readonly Local[]): void {
  logOfRatio(f, y, two, polynomial);
}

/** Pops x and gives a local with x brought into [low, high]; NaN for NaN. */
export function bounded(f: FunctionBuilder, low: Local, high: Local): Local {
  const inside = f.local('v128');
  f.get(low).op('f64x2.pmax').get(high).op('f64x2.pmin').set(inside);
  return inside;
}

/** x = n·log 2 + rest with |rest| ≤ ½ log 2; n stands in the lowest bits of `shifted`. */
function reduce(
  f: FunctionBuilder,
  x: Local,
  [perLog2, shifter, minusLog2]: readonly Local[],
): { shifted: Local; rest: Local } {
  const [shifted, rest] = f.localArray('v128', 2);
  f.get(x);
  timesPlus(f, perLog2, shifter);
  f.tee(shifted).get(shifter).op('f64x2.sub');
  timesPlus(f, minusLog2, x);
  f.set(rest);
  return { shifted, rest };
}

/** Pushes log(1 + y) = 2·atanh(s) with s = y/(2 + y). */
function logOfRatio(f: FunctionBuilder, y: Local, two: Local, polynomial: readonly Local[]): void {
  const [s, square] = f.localArray('v128', 2);
  f.get(y).get(y).get(two).op('f64x2.add').op('f64x2.div').tee(s).get(s).op('f64x2.mul').set(square);
  horner(f, square, polynomial);
  f.get(s).op('f64x2.mul');
}

/** Pushes Σ coefficientsᵢ·xⁱ. */
function horner(f: FunctionBuilder, x: Local, coefficients: readonly Local[]): void {
  const [highest, ...others] = coefficients.toReversed();
  f.get(highest);
  for (const coefficient of others) timesPlus(f, x, coefficient);
}

/** Pops a and pushes a·b + c, rounded once where the flavour is relaxed and twice otherwise. */
function timesPlus(f: FunctionBuilder, b: Local, c: Local): void {
  if (f.flavour.relaxed) f.get(b).get(c).op('f64x2.relaxed_madd');
  else f.get(b).op('f64x2.mul').get(c).op('f64x2.add');
}

/** The float64 with these upper and lower 32 bits. */
function fromBits(upper: number, lower: number): number {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setUint32(0, upper);
  bits.setUint32(4, lower);
  return bits.getFloat64(0);
}
