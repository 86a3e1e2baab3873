/**
 * Fits of data that comes in parts, on several processes or machines.
 *
 * @module @gmml/gmm/statistics
 */

export { ClassStatistics, type ClassStatisticsOptions } from './statistics/classStatistics.js';
export { fit, type ParallelFitOptions } from './statistics/fit.js';
export { MIXTURE_FORMAT, mixtureFromSafetensors, mixtureToSafetensors } from './mixture/mixtureFile.js';
export { OPEN_SET_FORMAT } from './openSet/openSetFile.js';
export { EM_FORMAT, EMStatistics } from './statistics/emStatistics.js';
export {
  GMML_FORMAT,
  modelFromSafetensors,
  modelToSafetensors,
  type FittedModel,
  type LoadedModel,
} from './statistics/models.js';
export { DuplicateShardError, type MergeOptions, type Shard } from './statistics/shards.js';
