export { kernels } from './backend.js';
export type { Kernels } from './kernels.js';
export { outsideScopes } from '../storage.js';
