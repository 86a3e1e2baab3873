/**
 * What gmml-train and gmml run, for programs of your own. For Node.
 *
 * @module @gmml/cli
 */

export { auroc, expectedCalibrationError, falsePositiveRate } from './openSet/detection.js';
export { InformationRequest, UsageError } from './errors.js';
export { loadNetwork, type LoadedNetwork } from './training/loadNetwork.js';
export type { HeadQuality } from './openSet/headQuality.js';
export { Augmentation } from './training/augmentation.js';
export type { AugmentName } from './training/augmentation.js';
export { EarlyStopping } from './training/earlyStopping.js';
export type { BestEpoch } from './training/earlyStopping.js';
export { LinearProbe } from './training/networks/linearProbe.js';
export { makeNetwork } from './training/networks/makeNetwork.js';
export type { ModelName, NetworkDescription, NetworkName } from './training/networks/makeNetwork.js';
export { MultilayerPerceptron } from './training/networks/multilayerPerceptron.js';
export type { MultilayerPerceptronOptions } from './training/networks/multilayerPerceptron.js';
export { Network } from './training/networks/network.js';
export type { ImageShape, NetworkOptions } from './training/networks/network.js';
export { ReferenceNetwork } from './training/networks/referenceNetwork.js';
export type { ReferenceNetworkOptions } from './training/networks/referenceNetwork.js';
export type {
  OpenSetReport,
  Rejection,
  Separation,
  UnknownName,
  UnknownResult,
} from './openSet/openSetReport.js';
export { InterruptedError } from './training/checkpoint/interruption.js';
export type { RunControl } from './training/checkpoint/openRun.js';
export { parseOptions } from './training/options.js';
export type { GmmlTrainOptions } from './training/options.js';
export { jsonReporter } from './progress/jsonReporter.js';
export { quietReporter } from './progress/quietReporter.js';
export { silentReporter } from './progress/reporter.js';
export { textReporter } from './progress/textReporter.js';
export type {
  BatchProgress,
  EpochResult,
  Reporter,
  RunDescription,
  TestProgress,
} from './progress/reporter.js';
export type { OptimizerName, ScheduleName } from './training/optimizers.js';
export { presets } from './training/presets.js';
export type { PresetName } from './training/presets.js';
export { defaultTrainOptions } from './training/settings.js';
export type { TrainOptions } from './training/settings.js';
export { train } from './training/train.js';
export type { TrainResult } from './training/train.js';
