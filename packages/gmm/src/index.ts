/**
 * The mixture layer, mixtures fitted by EM, and a classifier that may answer “none of these”.
 *
 * @module @gmml/gmm
 */

export type { CovType, Parametrization } from './feasible.js';
export type { GMMLFit, GMMLFitOptions } from './fit.js';
export { fitHead, type FitHeadOptions, type HeadedModel } from './fitHead.js';
export { fitBest, type Candidate, type FitBestOptions } from './fitBest.js';
export {
  GaussianMixture,
  type FitOptions,
  type MixtureProgress,
  type PartialFitOptions,
} from './gaussianMixture.js';
export { GMML } from './gmml.js';
export type { GMMLOptions, MixtureParameters } from './gmmlOptions.js';
export { GMMLoss, type GMMLossOptions } from './loss.js';
export { kMeans, type KMeansOptions, type KMeansResult } from './kMeans.js';
export type { CovarianceType } from './mixture/covarianceTypes.js';
export type { Shrinkage as MixtureShrinkage } from './mixture/model.js';
export type { GaussianMixtureOptions } from './mixture/options.js';
export type { Rows as MixtureRows, Vector as MixtureVector } from './mixture/rows.js';
export type { InitialLabels, InitialParameters, MixtureInit } from './mixture/start.js';
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
export type { GMMLSampleOptions, LabelledSamples } from './sample.js';
export type { Priors } from './openSet/openSetModel.js';
export type { FeatureScore, Score } from './openSet/openSetScores.js';
export type { Shrinkage as OpenSetShrinkage } from './openSet/shrinkage.js';
export type { Vector as OpenSetVector, Vectors as OpenSetVectors } from './openSet/vectors.js';
