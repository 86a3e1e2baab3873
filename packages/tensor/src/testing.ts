/**
 * Checking gradients and comparing numbers.
 *
 * @module @gmml/tensor/testing
 */

export { allClose, type Comparable, type Comparison, type Tolerance } from './allClose.js';
export { gradcheck, type GradcheckOptions } from './gradcheck.js';
