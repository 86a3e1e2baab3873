// What may differ: nothing, or so much as rounding allows.
import { expect } from 'vitest';

/** Half the distance of float32 numbers from 1 on: the largest relative error of one rounding. */
export const ROUNDING = 2 ** -24;

/** Where two arrays first differ in a bit that matters (all NaN are one), and both numbers; null if nowhere. */
export function firstDifference(
  actual: Float32Array | Int32Array,
  expected: Float32Array | Int32Array,
): string | null {
  const at = expected.findIndex((value, i) => !Object.is(value, actual[i]));
  if (at >= 0) return `${actual[at]} instead of ${expected[at]} at ${at}`;
  return actual.length === expected.length ? null : `${actual.length} numbers`;
}

/** The same numbers, bit for bit but for NaN. */
export function expectSame(actual: Float32Array, expected: Float32Array, message?: string): void {
  expect(firstDifference(actual, expected), message).toBe(null);
}
