/**
 * The contract of a backend, and the one that is selected.
 *
 * @module @gmml/tensor/kernels
 */

export { kernels } from './backend.js';
export type { Kernels } from './kernels.js';
export { outsideScopes } from '../storage.js';
