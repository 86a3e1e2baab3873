import { GMML, OpenSetClassifier } from '@gmml/gmm';
import { serializeSafetensors } from '@gmml/nn';
import { toOnnx } from '@gmml/onnx';
import { ArgumentError, GmmlError } from '@gmml/tensor';
import { UsageError } from '../errors.js';
import { isLoadedNetwork, modelIn, type FileModel } from './modelFile.js';
import { torchState, type Parametrization } from './torchState.js';

/** What a model is written as. */
export interface ExportFormat {
  readonly format: 'onnx' | 'torch';
  /** Of a mixture head for torch. Default: as it is. */
  readonly parametrization?: Parametrization;
}

/**
 * The bytes of a model's file as those of a file for other programs.
 * @param name what messages call the file
 * @throws FormatError for bytes of no model; UsageError for a parametrization where there is no mixture head; ArgumentError, with the
 *   reason, for a model that has no such form
 */
export function exportModel(
  bytes: Uint8Array,
  name: string,
  { format, parametrization }: ExportFormat,
): Uint8Array {
  const model = modelIn(bytes, name);
  try {
    return format === 'onnx' ? onnxOf(model) : torchOf(model, parametrization);
  } catch (error) {
    if (!(error instanceof GmmlError) || error instanceof UsageError) throw error;
    throw new ArgumentError(`${name} cannot be exported: ${error.message}`, { cause: error });
  }
}

function onnxOf(file: FileModel): Uint8Array {
  if (isLoadedNetwork(file)) {
    const { network, inputShape, labels, metadata } = file;
    // What toOnnx writes itself.
    const { format: _format, head: _head, labels: _labels, ...others } = metadata;
    return toOnnx(network, { inputShape, labels, metadata: others });
  }
  const { model, labels } = file;
  if (model instanceof OpenSetClassifier) return toOnnx(model, { inputShape: [model.features] });
  const features = model instanceof GMML ? model.inputDim : model.means.shape[1];
  return toOnnx(model, { inputShape: [features], ...(labels && { labels }) });
}

function torchOf(file: FileModel, parametrization?: Parametrization): Uint8Array {
  const { tensors, metadata } = torchState(file, parametrization);
  return serializeSafetensors(tensors, { ...metadata, format: 'pt' });
}
