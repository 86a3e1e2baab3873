export { auroc, expectedCalibrationError, falsePositiveRate } from './openSet/detection.js';
export { InformationRequest, UsageError } from './errors.js';
export { loadNetwork, type LoadedNetwork, type TrainedNetwork } from './training/loadNetwork.js';
export { ReferenceNetwork } from './training/network.js';
export type { ReferenceNetworkOptions } from './training/network.js';
export type { HeadQuality } from './openSet/headQuality.js';
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
export { defaultTrainOptions } from './training/settings.js';
export type { TrainOptions } from './training/settings.js';
export { train } from './training/train.js';
export type { TrainResult } from './training/train.js';
