/**
 * Trained models as ONNX files.
 *
 * @module @gmml/onnx
 */

export type { FeaturesAndHead, Layered, OnnxModel } from './model.js';
export type { OutputName } from './outputs.js';
export { toOnnx, type OnnxOptions } from './toOnnx.js';
