import { allClose, type Comparable, type Tolerance } from '@gmml/tensor/testing';

declare module 'vitest' {
  interface Matchers<T = any> {
    /** Entry by entry within `atol + rtol · |expected|` (1e-8, 1e-5), and of the same shape where both have one. */
    toBeAllClose(expected: Comparable, tolerance?: Tolerance): T;
  }
}

/** For `expect.extend`. */
export const matchers = {
  toBeAllClose(actual: Comparable, expected: Comparable, tolerance?: Tolerance) {
    const { ok, message } = allClose(actual, expected, tolerance);
    return { pass: ok, message: () => message };
  },
};
