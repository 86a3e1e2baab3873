// Errors in units in the last place of float32.
import { expect } from 'vitest';

const number64 = new Float64Array(1);
const bits64 = new Uint32Array(number64.buffer);

/** Fails with the worst number, if it is more than `most` units off beyond the error that is allowed for it. */
export function expectUnits(
  actual: Float32Array,
  exact: Float64Array,
  most: number,
  allowed: (i: number) => number = () => 0,
): void {
  let [worst, at] = [0, 0];
  for (const [i, y] of actual.entries()) {
    const off = unitsOff(y, exact[i], allowed(i));
    if (off > worst) [worst, at] = [off, i];
  }
  const found = worst <= most ? 'within' : `${worst} units off at ${at}: ${actual[at]} for ${exact[at]}`;
  expect(found).toBe('within');
}

/** The distance of float32 numbers around an exact number: 2⁻¹⁴⁹ among the denormals. */
function unitAt(exact: number): number {
  number64[0] = Math.abs(exact);
  const exponent = Math.max(-126, Math.min(127, (bits64[1] >>> 20) - 1023));
  return 2 ** (exponent - 23);
}

/**
 * How far a float32 is from the exact number beyond an error that is allowed, in units in the last place. Infinity
 * counts as 2¹²⁸, the next number if float32 had it. NaN for a number, a number for NaN, and a zero with the wrong
 * sign are infinitely far.
 */
function unitsOff(actual: number, exact: number, allowed = 0): number {
  if (Object.is(actual, Math.fround(exact))) return 0;
  if (Number.isNaN(actual) || Number.isNaN(exact)) return Infinity;
  if (actual === 0 && allowed === 0 && Object.is(actual, -0) !== (exact < 0 || Object.is(exact, -0)))
    return Infinity;
  return Math.max(0, Math.abs(finite(actual) - finite(exact)) - allowed) / unitAt(exact);
}

function finite(x: number): number {
  return Math.max(-(2 ** 128), Math.min(2 ** 128, x));
}
