/**
 * Modules, layers, losses, optimizers, schedulers and safetensors.
 *
 * @module @gmml/nn
 */

export { Buffer, Module, Parameter } from './module.js';
export type { LoadOptions, LoadReport } from './module.js';
export { kaimingUniform, uniform } from './init.js';
export type { InitOptions } from './init.js';
export { BatchNorm2d } from './layers/batchNorm2d.js';
export type { BatchNorm2dOptions } from './layers/batchNorm2d.js';
export { Conv2d } from './layers/conv2d.js';
export type { Conv2dOptions } from './layers/conv2d.js';
export { Dropout } from './layers/dropout.js';
export type { DropoutOptions } from './layers/dropout.js';
export { Flatten } from './layers/flatten.js';
export { LayerNorm } from './layers/layerNorm.js';
export type { LayerNormOptions } from './layers/layerNorm.js';
export { Linear } from './layers/linear.js';
export type { LinearOptions } from './layers/linear.js';
export { MaxPool2d } from './layers/pooling.js';
export type { MaxPool2dOptions } from './layers/pooling.js';
export { ReLU } from './layers/activation.js';
export { Sequential } from './layers/sequential.js';
export { crossEntropy, mseLoss, nllLoss } from './losses.js';
export type { CrossEntropyOptions, LossOptions, Reduction } from './losses.js';
export { Adadelta } from './optim/adadelta.js';
export type { AdadeltaOptions } from './optim/adadelta.js';
export { Adam, AdamW } from './optim/adam.js';
export type { AdamOptions } from './optim/adam.js';
export { clipGradNorm } from './optim/clipGradNorm.js';
export type { ClipGradNormOptions } from './optim/clipGradNorm.js';
export { Optimizer } from './optim/optimizer.js';
export type { OptimizerState } from './optim/optimizer.js';
export { CosineAnnealingLR, Scheduler, StepLR } from './optim/schedulers.js';
export type {
  CosineAnnealingLROptions,
  Scheduled,
  SchedulerState,
  StepLROptions,
} from './optim/schedulers.js';
export { SGD } from './optim/sgd.js';
export type { SGDOptions } from './optim/sgd.js';
export { parseSafetensors, serializeSafetensors } from './safetensors.js';
export type { Safetensors } from './safetensors.js';
export { loadSafetensors, saveSafetensors } from './safetensorsFile.js';
