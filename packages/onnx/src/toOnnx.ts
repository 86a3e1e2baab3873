import { GMML } from '@gmml/gmm';
import { Dropout, Linear, type Module } from '@gmml/nn';
import { ArgumentError, ShapeError } from '@gmml/tensor';
import { gmmlOutputs } from './gmmlHead.js';
import { Graph, type Output, type Value } from './graph.js';
import { formOf, type Form } from './layers.js';
import { logSoftmax } from './logSumExp.js';
import { hasForwardOf, stepsOf, type OnnxModel, type Step, type Steps } from './model.js';
import { openSetOutputs } from './openSetHead.js';
import { once, OUTPUT_NAMES, type HeadOutputs, type OutputName } from './outputs.js';
import { Place, showBatch, titleOf } from './place.js';

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
 * an OpenSetClassifier; or `{ features, head }`: layers and one of these. Its outputs are
 * - `logPosteriors` [N, C]: log p(class | x), of an OpenSetClassifier given that x is of one of the labels;
 * - `label` [N], int64: the most probable class; of a calibrated OpenSetClassifier −1 where x is too untypical for any;
 * - `logDensity` [N]: log p(x), a density that may exceed 0; of a mixture or an OpenSetClassifier;
 * - `typicality` [N]: the p-value in (0, 1], of a calibrated OpenSetClassifier from features alone.
 *
 * Typicality is a rank: of a sample within rounding to float32 of a calibration sample it may be one of a neighbouring rank.
 *
 * Numbers in the graph have their names in the state dict. Metadata: `head`, `labels` (JSON), `keep` (OpenSetClassifier).
 * Parameters in float64 are rounded to float32; factors of covariances are inverted in float64 first.
 *
 * @throws ArgumentError for a layer without an ONNX form, with its place in the model; for options that are not allowed, and
 *   outputs that the head does not have. ShapeError where a layer does not fit to what it gets; NotFiniteError for parameters
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

/** A head in the graph. */
interface Head extends HeadOutputs {
  readonly kind: 'GMML' | 'Linear' | 'OpenSetClassifier';
  /** Its own metadata. */
  readonly own: Readonly<Record<string, string>>;
}

/** Adds the layers before the head; nodes of the head are made when outputs are asked for. */
function headOf(graph: Graph, { body, classifier, names }: Steps, input: Value): Head {
  // Dropout after the last layer does nothing.
  const end =
    classifier === null ? body.findLastIndex(({ module }) => !(module instanceof Dropout)) : body.length;
  const last = body.at(end);
  const run = (steps: readonly Step[]): Value =>
    steps.reduce((x, step) => formAt(step)(Place.of(graph, step, names), x), input);

  if (classifier !== null) {
    const x = run(body);
    const name = body.length === 0 ? '' : 'head';
    const place = new Place(graph, name, `${name} 'OpenSetClassifier'`.trimStart());
    const { labels, keep, ...outputs } = openSetOutputs(place, x, classifier);
    const own = { labels: JSON.stringify(labels), ...(keep !== null && { keep: String(keep) }) };
    return { ...outputs, kind: 'OpenSetClassifier', own };
  }
  if (last !== undefined && last.module instanceof GMML && hasForwardOf(last.module, GMML)) {
    const x = run(body.slice(0, end));
    return { ...gmmlOutputs(Place.of(graph, last, names), x, last.module), kind: 'GMML', own: {} };
  }
  const x = run(body);
  if (last === undefined || !(last.module instanceof Linear)) {
    throw new ArgumentError(
      `toOnnx: the model must end in a GMML, a Linear or an OpenSetClassifier: ${last === undefined ? 'it has no layers' : `it ends in ${titleOf(last)}`}. Give { features, head }.`,
    );
  }
  const place = Place.of(graph, last, names);
  if (x.shape.length !== 1) {
    throw new ShapeError(
      `toOnnx: ${titleOf(last)} must give one vector an input: it gives ${showBatch(x.shape)}. Flatten before it.`,
    );
  }
  return { ...linearOutputs(place, x), kind: 'Linear', own: {} };
}

/** Of logits [N, C]. */
function linearOutputs(at: Place, logits: Value): HeadOutputs {
  const logPosteriors = once(() => logSoftmax(at, logits.name, 1, 'logPosteriors'));
  const label = once(() => at.output('label', 'ArgMax', [logPosteriors()], { axis: 1, keepdims: 0 }));
  return { nClass: logits.shape[0], values: { logPosteriors, label } };
}

function formAt(step: Step): Form {
  const form = formOf(step.module);
  if (form !== null) return form;
  throw new ArgumentError(
    `toOnnx: ${titleOf(step)} has no ONNX form: ${whyNot(step.module)}. Use layers of @gmml/nn, or give a module with a forward of its own a method layers().`,
  );
}

function whyNot(module: Module): string {
  if (module instanceof GMML && hasForwardOf(module, GMML)) return 'a mixture must be the last layer';
  return 'its forward is its own';
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
