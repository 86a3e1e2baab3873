/**
 * The mixture layer, mixtures fitted by EM, and a classifier that may answer “none of these”.
 *
 * @module @gmml/gmm
 */

export type { CovType, Parametrization } from './layer/feasible.js';
export type { GMMLFit, GMMLFitOptions } from './layer/fit.js';
export { fitHead, type FitHeadOptions, type HeadedModel } from './layer/fitHead.js';
export { GMML } from './layer/gmml.js';
export type { GMMLOptions, MixtureParameters } from './layer/gmmlOptions.js';
export { GMMLoss, type GMMLossOptions } from './layer/gmmLoss.js';
export { achlioptas, type ProjectionOptions } from './layer/projection.js';
export type { GMMLSampleOptions, LabelledSamples } from './layer/sample.js';
export type { CovarianceType } from './mixture/covarianceTypes.js';
export { fitBest, type Candidate, type FitBestOptions } from './mixture/fitBest.js';
export { GaussianMixture } from './mixture/gaussianMixture.js';
export { kMeans, type KMeansOptions, type KMeansResult } from './mixture/kMeans.js';
export type { Shrinkage as MixtureShrinkage } from './mixture/model.js';
export type {
  FitOptions,
  GaussianMixtureOptions,
  MixtureProgress,
  PartialFitOptions,
} from './mixture/options.js';
export type { Rows as MixtureRows, Vector as MixtureVector } from './mixture/rows.js';
export type { InitialLabels, InitialParameters, MixtureInit } from './mixture/start.js';
export { MultivariateNormal, type NormalScale } from './multivariateNormal.js';
export type { OpenSetCovariance } from './openSet/classGaussians.js';
export { OpenSetClassifier } from './openSet/openSetClassifier.js';
export type { Priors } from './openSet/openSetModel.js';
export type {
  CalibrateOptions,
  OpenSetAnswer,
  OpenSetOptions,
  PredictOptions,
} from './openSet/openSetOptions.js';
export type { FeatureScore, Score } from './openSet/openSetScores.js';
export type { Shrinkage as OpenSetShrinkage } from './openSet/shrinkage.js';
export type { Vector as OpenSetVector, Vectors as OpenSetVectors } from './openSet/vectors.js';
