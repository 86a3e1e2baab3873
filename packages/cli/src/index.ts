export { auroc, expectedCalibrationError, falsePositiveRate } from './detection.js';
export { InformationRequest, UsageError } from './errors.js';
export { ReferenceNetwork } from './network.js';
export type { ReferenceNetworkOptions } from './network.js';
export type {
  HeadQuality,
  OpenSetReport,
  Rejection,
  Separation,
  UnknownName,
  UnknownResult,
} from './openSetReport.js';
export { parseOptions } from './options.js';
export type { GmmlTrainOptions } from './options.js';
export { jsonReporter, silentReporter, textReporter } from './report.js';
export type { BatchProgress, EpochResult, Reporter, RunDescription } from './report.js';
export { defaultTrainOptions, train } from './train.js';
export type { TrainOptions, TrainResult } from './train.js';
