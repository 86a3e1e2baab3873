// Models as tensors that a PyTorch program takes by their names.
import { GaussianMixture, GMML, type OpenSetClassifier } from '@gmml/gmm';
import { lowerOf } from '@gmml/gmm/linearAlgebra';
import { openSetParameters } from '@gmml/gmm/parameters';
import { toGram } from '@gmml/gmm/torch';
import { tensor, type Tensor } from '@gmml/tensor';
import { concatenate } from '../concatenate.js';
import { UsageError } from '../errors.js';
import { isLoadedNetwork, type FileModel } from './modelFile.js';

/** How a mixture head is written: by our parameters, or by those of the original PyTorch layer. */
export type Parametrization = GMML['parametrization'];

/** Tensors by name, and metadata to write beside them. */
export interface TorchState {
  readonly tensors: Readonly<Record<string, Tensor>>;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * - Of a network or a GMML layer the state dict, whose names are torch's; with 'gram' a mixture has the original layer's `mu_p`,
 *   `omega_p`, `sigma_p` and `bottleneck.weight`.
 * - Of K normal distributions, of a mixture or of labels, the arguments of `torch.distributions`: `logits` [K] of a Categorical,
 *   `loc` [K, D] and `scale_tril` ([K, D, D], or [D, D] where all share it) of a MultivariateNormal, or `scale` [K, D] of a Normal. Not
 *   what calibrates typicality.
 * @param parametrization of a mixture head; default as it is
 * @throws UsageError for a parametrization where there is no mixture head; what `toGram` and `toParametrization` throw
 */
export function torchState(file: FileModel, parametrization?: Parametrization): TorchState {
  if (isLoadedNetwork(file)) {
    const { network, metadata } = file;
    const { head } = network;
    if (parametrization === undefined) return { tensors: network.stateDict(), metadata };
    if (!(head instanceof GMML)) throw noMixtureHead('a network with a linear head', parametrization);
    const ofHead = stateOf(head, parametrization);
    const body = Object.entries(network.stateDict()).filter(([name]) => !name.startsWith('head.'));
    const all = [...body, ...Object.entries(ofHead).map(([name, value]) => [`head.${name}`, value])];
    return { tensors: Object.fromEntries(all), metadata: { ...metadata, parametrization } };
  }
  const { model, labels } = file;
  const named: Record<string, string> = labels ? { labels: JSON.stringify(labels) } : {};
  if (model instanceof GMML) {
    const { covType, logStretchTrick } = model;
    const own = { covType, logStretchTrick: String(logStretchTrick) };
    const chosen = parametrization ?? model.parametrization;
    return { tensors: stateOf(model, chosen), metadata: { ...named, ...own, parametrization: chosen } };
  }
  const isMixture = model instanceof GaussianMixture;
  if (parametrization !== undefined) {
    throw noMixtureHead(isMixture ? 'a GaussianMixture' : 'an OpenSetClassifier', parametrization);
  }
  return { tensors: isMixture ? mixtureTensors(model) : classifierTensors(model), metadata: named };
}

function stateOf(head: GMML, parametrization: Parametrization): Record<string, Tensor> {
  if (parametrization === head.parametrization) return head.stateDict();
  return (parametrization === 'gram' ? toGram(head) : head.toParametrization(parametrization)).stateDict();
}

function mixtureTensors(mixture: GaussianMixture): Record<string, Tensor> {
  const { covariance, covariances, means, weights } = mixture;
  const distribution = { logits: weights.log(), loc: means };
  if (covariance === 'diag') return { ...distribution, scale: covariances.sqrt() };
  if (covariance !== 'spherical') return { ...distribution, scale_tril: covariances.cholesky() };
  return { ...distribution, scale: covariances.sqrt().unsqueeze(1).expand(means.shape) };
}

function classifierTensors(classifier: OpenSetClassifier): Record<string, Tensor> {
  const { normals, logPriors } = openSetParameters(classifier);
  const d = classifier.features;
  const distribution = {
    logits: tensor(Float64Array.from(logPriors)),
    loc: stacked(normals.map(({ mean }) => mean)).reshape([normals.length, d]),
  };
  const [{ scale }] = normals;
  const scales = normals.map((normal) => normal.scale);
  if (scale.length === d && classifier.covariance === 'diag') {
    return { ...distribution, scale: stacked(scales).reshape([normals.length, d]) };
  }
  const isShared = scales.every((other) => other === scale);
  const factors = stacked((isShared ? [scale] : scales).map((rows) => lowerOf(rows, d)));
  return { ...distribution, scale_tril: factors.reshape(isShared ? [d, d] : [normals.length, d, d]) };
}

function stacked(parts: readonly Float64Array[]): Tensor {
  return tensor(concatenate(parts, Float64Array));
}

function noMixtureHead(what: string, parametrization: Parametrization): UsageError {
  return new UsageError(
    `--parametrization ${parametrization} is for a mixture head: the model is ${what}. Leave it out.`,
  );
}
