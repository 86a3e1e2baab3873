export type { CovType, Parametrization } from './feasible.js';
export { GMML, type GMMLOptions, type MixtureParameters } from './gmml.js';
export { MultivariateNormal, type NormalScale } from './multivariateNormal.js';
export { achlioptas, type ProjectionOptions } from './projection.js';
