import { ArgumentError } from '@gmml/tensor';
import { Graph, type Output, type Value } from './graph.js';
import { headOf, type Head } from './heads.js';
import { stepsOf, type OnnxModel } from './model.js';
import { OUTPUT_NAMES, type HeadOutputs, type OutputName } from './outputs.js';

/** Options of `toOnnx`. */
export interface OnnxOptions {
  /** The shape of one input, without the batch: `[1, 28, 28]`. */
  readonly inputShape: readonly number[];
  /** What the file answers. Default: all that the head can. */
  readonly outputs?: readonly OutputName[];
  /** What the classes are called, in their order. Default: the labels of an OpenSetClassifier, none of another head. */
  readonly labels?: readonly string[];
  /** Further metadata, such as how inputs are scaled. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * A trained network as the bytes of an ONNX file (opset 17, float32), which every ONNX runtime answers as the network does in
 * evaluation mode. The input is `input` [N, ...inputShape], for any N.
 *
 * The model is a `Sequential`, or a `Layered` module, or a layer, that ends in a GMML or a Linear (whose outputs are logits);
 * an OpenSetClassifier; a GaussianMixture; or `{ features, head }`: layers and one of these. Its outputs are
 * - `logPosteriors` [N, C] – log p(class | x), of an OpenSetClassifier given that x is of one of the labels, of a GaussianMixture
 *   the log-responsibilities of its components;
 * - `label` [N], int64 – the most probable class; of a calibrated OpenSetClassifier −1 where x is too untypical for any;
 * - `logDensity` [N] – log p(x), a density that may exceed 0; of a mixture or an OpenSetClassifier;
 * - `typicality` [N] – the p-value in (0, 1], of a calibrated OpenSetClassifier from features alone, or with the posterior of the
 *   network's trained head where the model is `{ features, head, posterior }`.
 *
 * Typicality is a rank: of a sample within rounding to float32 of a calibration sample it may be one of a neighbouring rank.
 *
 * Numbers in the graph have their names in the state dict. Metadata: `head`, `labels` (JSON), `keep` (OpenSetClassifier).
 * Parameters in float64 are rounded to float32; factors of covariances are inverted in float64 first.
 *
 * @throws ArgumentError for a layer without an ONNX form, with its place in the model; for numbers of more than 2 GB; for
 *   options that are not allowed, and outputs that the head does not have. ShapeError where a layer does not fit to what it gets; NotFiniteError for parameters
 *   that are not finite in float32; the errors of a mixture that has no feasible values
 * @see https://onnx.ai/onnx/repo-docs/Operators.html, the operators of opset 17
 * @example
 * const network = new Sequential(new Flatten(), new Linear(784, 64), new ReLU(), new GMML(64, 64, 10));
 * writeFileSync('digits.onnx', toOnnx(network, { inputShape: [1, 28, 28] }));
 */
export function toOnnx(model: OnnxModel, options: OnnxOptions): Uint8Array {
  const { inputShape, labels, metadata = {} } = options;
  checkInputShape(inputShape);
  const graph = new Graph();
  const input: Value = { name: 'input', shape: inputShape };
  const head = headOf(graph, stepsOf(model), input);
  const { nClass, values, kind, own } = head;

  const wanted = checkOutputs(options.outputs, values, kind);
  checkLabels(labels, nClass, own);
  const described = { head: kind, ...own, ...(labels && { labels: JSON.stringify(labels) }) };
  checkMetadata(metadata, described);
  const outputs = wanted.map((name) => declaredOutput(name, values[name]!(), nClass));
  const doc = `A network with a ${kind} head for ${nClass} classes, written by gmml.`;
  return graph.encode({ input, outputs, doc, metadata: { ...described, ...metadata } });
}

function declaredOutput(output: OutputName, name: string, nClass: number): Output {
  const docs: Readonly<Record<OutputName, string>> = {
    logPosteriors: 'log p(class | x).',
    label: 'The most probable class; -1 for none of them.',
    logDensity: 'log p(x), a density that may exceed 0.',
    typicality: 'The p-value of x among known samples.',
  };
  const shape = output === 'logPosteriors' ? [nClass] : [];
  return { name, shape, type: output === 'label' ? 'int64' : 'float', doc: docs[output] };
}

function checkInputShape(shape: readonly number[]): void {
  const fits =
    Array.isArray(shape) && shape.length > 0 && shape.every((size) => Number.isSafeInteger(size) && size > 0);
  if (fits) return;
  throw new ArgumentError(
    `toOnnx: inputShape must be the sizes of one input, without the batch, integers of at least 1: it is ${JSON.stringify(shape)}.`,
  );
}

/** The outputs that are wanted, in the order of the documentation. */
function checkOutputs(
  wanted: readonly OutputName[] | undefined,
  values: HeadOutputs['values'],
  kind: Head['kind'],
): OutputName[] {
  const has = OUTPUT_NAMES.filter((name) => values[name] !== undefined);
  if (wanted === undefined) return has;
  const bad = wanted.find((name) => !has.includes(name));
  if (bad === undefined && wanted.length > 0) return has.filter((name) => wanted.includes(name));
  const isUncalibrated = bad === 'typicality' && kind === 'OpenSetClassifier';
  throw new ArgumentError(
    `toOnnx: outputs of a model with head ${kind} must be some of ${has.map((name) => `'${name}'`).join(', ')}: ${bad === undefined ? 'there are none' : `one is '${bad}'`}.${isUncalibrated ? ' Call calibrate first.' : ''}`,
  );
}

function checkLabels(labels: readonly string[] | undefined, nClass: number, own: Head['own']): void {
  if (labels === undefined) return;
  if (own.labels !== undefined) {
    throw new ArgumentError(
      `toOnnx: labels must be left out with an OpenSetClassifier, which has its own: they are ${JSON.stringify(labels)}.`,
    );
  }
  if (labels.length === nClass && labels.every((label) => typeof label === 'string')) return;
  throw new ArgumentError(
    `toOnnx: labels must be ${nClass} strings, one for each class: they are ${JSON.stringify(labels)}.`,
  );
}

function checkMetadata(
  metadata: Readonly<Record<string, string>>,
  own: Readonly<Record<string, string>>,
): void {
  for (const [key, value] of Object.entries(metadata)) {
    if (typeof value !== 'string') {
      throw new ArgumentError(`toOnnx: metadata must be strings: '${key}' is ${String(value)}.`);
    }
    if (Object.hasOwn(own, key)) {
      throw new ArgumentError(
        `toOnnx: metadata must not name what toOnnx writes itself: '${key}' is there already.`,
      );
    }
  }
}
