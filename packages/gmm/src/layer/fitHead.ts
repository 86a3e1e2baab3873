import { Module } from '@gmml/nn';
import { ArgumentError, noGrad, scope, tensor, type Tensor } from '@gmml/tensor';
import { checkFeatures, checkOneLabelEach } from '../checks.js';
import { joined } from '../linearAlgebra/vectors.js';
import type { GMMLFitOptions } from './fit.js';
import { GMML } from './gmml.js';

/** A network that ends in a mixture: what comes before the head, and the head. A Module, or any object. */
export interface HeadedModel {
  /** Must be a GMML, unless the options give one; its type is wider for networks that also have other heads. */
  readonly head?: unknown;
  /** Inputs [B, ...] → features [B, inputDim]. */
  features?(x: Tensor): Tensor;
}

/** Options of `fitHead`. */
export interface FitHeadOptions extends GMMLFitOptions {
  /** The mixture to fit. Default `model.head`. */
  readonly head?: GMML;
  /** Inputs [B, ...] → features [B, inputDim]. Default `model.features(x)`. */
  readonly features?: (x: Tensor) => Tensor;
}

/**
 * Fits the head of a trained network to the features that reach it: one pass over the data in evaluation mode,
 * without gradients, each batch in a scope of its own, and then `GMML.fit`. Every module's `training` is what it was
 * afterwards, also when something throws.
 *
 * @param model the network, or `{ head, features }`; of a Module every part is switched to evaluation mode
 * @param loader the training data as batches [inputs, labels], such as a DataLoader
 * @returns the number of rows the head was fitted to
 * @throws ArgumentError without a GMML, a function `features` or any row; ShapeError for features that are not
 *   [B, inputDim] and labels that are not [B]; what `GMML.fit` throws. The head is then as it was.
 * @example
 * class Network extends Module {
 *   readonly hidden = new Linear(2, 8);
 *   readonly head = new GMML(8, 8, 3);
 *   features(x: Tensor): Tensor {
 *     return this.hidden.forward(x).tanh();
 *   }
 *   override forward(x: Tensor): Tensor {
 *     return this.head.forward(this.features(x));
 *   }
 * }
 * const points = { images: randn([90, 2]), labels: tensor(Array.from({ length: 90 }, (_, n) => n % 3)) };
 * fitHead(new Network(), new DataLoader(points, { batchSize: 30 })); // 90
 */
export function fitHead(
  model: Module | HeadedModel,
  loader: Iterable<readonly [x: Tensor, labels: Tensor]>,
  options: FitHeadOptions = {},
): number {
  const own: HeadedModel = 'head' in model || 'features' in model ? model : {};
  const { head = own.head, features = own.features?.bind(model), ...fit } = options;
  if (!(head instanceof GMML)) {
    throw new ArgumentError(
      `fitHead: the head must be a GMML: it is ${nameOf(head)}. Give the model a field head, or the option head.`,
    );
  }
  if (typeof features !== 'function') {
    throw new ArgumentError(
      `fitHead: features must be a function: it is ${nameOf(features)}. Give the model a method features(x), or the option features.`,
    );
  }
  const modules = model instanceof Module ? [...model.modules()] : [];
  const modes = modules.map((module) => module.training);
  for (const module of modules) module.training = false;
  try {
    const collected = collect(head.inputDim, loader, features);
    const rows = collected.labels.length;
    const x = tensor(collected.features, { shape: [rows, head.inputDim] });
    head.fit(x, tensor(collected.labels), fit);
    return rows;
  } finally {
    for (const [i, module] of modules.entries()) module.training = modes[i];
  }
}

/** All features and labels, one batch after the other, in float64. */
function collect(
  inputDim: number,
  loader: Iterable<readonly [x: Tensor, labels: Tensor]>,
  features: (x: Tensor) => Tensor,
): { features: Float64Array; labels: Float64Array } {
  const parts: { features: Float64Array; labels: Float64Array }[] = [];
  for (const [x, labels] of loader) {
    const made = noGrad(() =>
      scope(() => {
        const batch = features(x);
        checkFeatures('fitHead', batch, 'B', inputDim);
        checkOneLabelEach('fitHead', batch, labels);
        return Float64Array.from(batch.data);
      }),
    );
    parts.push({ features: made, labels: Float64Array.from(labels.data) });
  }
  if (parts.every(({ labels }) => labels.length === 0)) {
    throw new ArgumentError('fitHead: the loader must give rows: it gave none.');
  }
  return {
    features: joined(parts.map((part) => part.features)),
    labels: joined(parts.map((part) => part.labels)),
  };
}

function nameOf(value: unknown): string {
  return typeof value === 'object' && value !== null ? `a ${value.constructor.name}` : String(value);
}
