export type { CovType, Parametrization } from './feasible.js';
export { GMML, type GMMLOptions, type MixtureParameters } from './gmml.js';
export { MultivariateNormal, type NormalScale } from './multivariateNormal.js';
export { achlioptas, type ProjectionOptions } from './projection.js';
export type { OpenSetCovariance } from './openSet/classGaussians.js';
export { OpenSetClassifier } from './openSet/openSetClassifier.js';
export type {
  CalibrateOptions,
  OpenSetAnswer,
  OpenSetOptions,
  PredictOptions,
} from './openSet/openSetOptions.js';
export type { Priors } from './openSet/openSetModel.js';
export type { FeatureScore, Score } from './openSet/openSetScores.js';
export type { Shrinkage } from './openSet/shrinkage.js';
export type { Vector, Vectors } from './openSet/vectors.js';
