import { Parameter, parseSafetensors, serializeSafetensors } from '@gmml/nn';
import { ArgumentError, FormatError, Generator, ShapeError, type Tensor } from '@gmml/tensor';
import { sameShape, show } from '@gmml/tensor/checks';
import { GaussianMixture, stateOf } from '../mixture/gaussianMixture.js';
import { GMML } from '../layer/gmml.js';
import type { GMMLOptions } from '../layer/gmmlOptions.js';
import { encodeMixture, MIXTURE_FORMAT, mixtureFromSafetensors } from '../mixture/mixtureFile.js';
import { refuse, shown } from '../fileReader.js';
import { OPEN_SET_FORMAT } from '../openSet/openSetFile.js';
import { OpenSetClassifier } from '../openSet/openSetClassifier.js';

/** A model that statistics give. */
export type FittedModel = GaussianMixture | OpenSetClassifier | GMML;

/** A model from a file, and the labels that its components or classes stand for, null where there are none. */
export interface LoadedModel {
  readonly model: FittedModel;
  readonly labels: readonly string[] | null;
}

/** What the metadata of a mixture layer's file has as its format. */
export const GMML_FORMAT = 'gmml.GMML.1';

const OP = 'modelFromSafetensors';

/**
 * A model as the bytes of a safetensors file. That of a mixture is `mixtureToSafetensors`' with `labels` as further metadata,
 * that of a classifier its own `toSafetensors`', that of a layer its state dict, with the constructor's arguments and `labels`
 * as metadata.
 * @param labels what the components of a mixture or the classes of a layer stand for, in their order; a classifier has its own
 * @throws ArgumentError before the first fit of a mixture, and unless there are as many labels as components or classes
 */
export function modelToSafetensors(model: FittedModel, labels: readonly string[] | null = null): Uint8Array {
  if (model instanceof OpenSetClassifier) return model.toSafetensors();
  const count = model instanceof GaussianMixture ? model.components : model.nClass;
  if (labels && !areLabels(labels, count)) {
    throw new ArgumentError(
      `modelToSafetensors: labels must be ${count} strings: they are ${JSON.stringify(labels)}.`,
    );
  }
  const more: Record<string, string> = labels ? { labels: JSON.stringify(labels) } : {};
  if (model instanceof GaussianMixture) return encodeMixture(stateOf('modelToSafetensors', model), more);
  const { inputDim, d, nClass, nComponent, covType, parametrization, logStretchTrick, projection } = model;
  const options: GMMLOptions = {
    nComponent,
    covType,
    parametrization,
    logStretchTrick,
    projection: projection && d === inputDim ? 'always' : 'auto',
    temperature: model.logTemperature !== undefined,
    learnPriors: model.logPrior instanceof Parameter,
    dtype: model.mean.dtype,
  };
  const made = JSON.stringify({ inputDim, d, nClass, options });
  return serializeSafetensors(model.stateDict(), { ...more, format: GMML_FORMAT, made });
}

/**
 * The model in the bytes of a file of `modelToSafetensors` or `gmml merge`, which says what it is.
 * @throws FormatError for other bytes
 */
export function modelFromSafetensors(bytes: Uint8Array | ArrayBuffer): LoadedModel {
  const { tensors, metadata } = parseSafetensors(bytes);
  if (metadata.format === MIXTURE_FORMAT) {
    const model = mixtureFromSafetensors(bytes);
    return { model, labels: labelsOf(metadata.labels, model.components) };
  }
  if (metadata.format === OPEN_SET_FORMAT) {
    const model = OpenSetClassifier.fromSafetensors(bytes);
    return { model, labels: model.labels };
  }
  if (metadata.format !== GMML_FORMAT) {
    refuse(
      OP,
      `the format must be '${MIXTURE_FORMAT}', '${OPEN_SET_FORMAT}' or '${GMML_FORMAT}': it is ${shown(metadata.format)}`,
    );
  }
  try {
    const made = JSON.parse(metadata.made) as Made;
    checkSizes(made, tensors);
    const { inputDim, d, nClass, options } = made;
    const model = new GMML(inputDim, d, nClass, { ...options, generator: new Generator(0) });
    model.loadStateDict(tensors);
    return { model, labels: labelsOf(metadata.labels, nClass) };
  } catch (error) {
    if (error instanceof FormatError) throw error;
    const problem = (error as Error).message.replace(/\.$/, '');
    return refuse(OP, `the layer must fit its tensors: ${problem}`);
  }
}

/** Before a layer of these sizes is made. @throws ShapeError unless its largest tensors are in the file */
function checkSizes(
  { inputDim, d, nClass, options = {} }: Made,
  tensors: Readonly<Record<string, Tensor>>,
): void {
  const { nComponent = 1, covType = 'diag', parametrization, projection } = options;
  const isGram = parametrization === 'gram';
  const means = [nClass, nComponent, d];
  const spreads = covType === 'diag' && !isGram ? means : [...means, d];
  const sizes: [name: string, shape: number[]][] = [
    [isGram ? 'mu_p' : 'mean', means],
    [isGram ? 'sigma_p' : 'sigma', spreads],
  ];
  if (isGram || projection === 'always' || d !== inputDim) {
    sizes.push([isGram ? 'bottleneck.weight' : 'projection', [d, inputDim]]);
  }
  for (const [name, shape] of sizes) {
    const found = Object.hasOwn(tensors, name) ? tensors[name].shape : null;
    if (found && sameShape(found, shape)) continue;
    throw new ShapeError(
      `${name} must be ${show(shape)}: ${found ? `it is ${show(found)}` : 'there is none'}`,
    );
  }
}

/** The constructor's arguments of a layer. */
interface Made {
  readonly inputDim: number;
  readonly d: number;
  readonly nClass: number;
  readonly options?: GMMLOptions;
}

function labelsOf(text: string | undefined, count: number): string[] | null {
  if (text === undefined) return null;
  try {
    const labels: unknown = JSON.parse(text);
    if (areLabels(labels, count)) return labels;
  } catch {
    // Said below.
  }
  return refuse(OP, `labels must be ${count} strings: they are ${shown(text)}`);
}

function areLabels(labels: unknown, count: number): labels is string[] {
  return (
    Array.isArray(labels) && labels.length === count && labels.every((label) => typeof label === 'string')
  );
}
