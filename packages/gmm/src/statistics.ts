/**
 * Fits of data that comes in parts, on several processes or machines.
 *
 * @module @gmml/gmm/statistics
 */

export { ClassStatistics, type ClassStatisticsOptions } from './statistics/classStatistics.js';
export { fit, type ParallelFitOptions } from './statistics/fit.js';
export { mixtureFromSafetensors, mixtureToSafetensors } from './mixture/mixtureFile.js';
export { EMStatistics } from './statistics/emStatistics.js';
export {
  modelFromSafetensors,
  modelToSafetensors,
  type FittedModel,
  type LoadedModel,
} from './statistics/models.js';
export { DuplicateShardError, type MergeOptions, type Shard } from './statistics/shards.js';
