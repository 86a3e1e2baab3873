import { GaussianMixture, GMML } from '@gmml/gmm';
import { Dropout, Linear, type Module } from '@gmml/nn';
import { ArgumentError, ShapeError } from '@gmml/tensor';
import { gmmlOutputs } from './gmmlHead.js';
import type { Graph, Value } from './graph.js';
import { formOf, type Form } from './layers.js';
import { logSoftmax } from './logSumExp.js';
import { mixtureOutputs } from './mixtureHead.js';
import { hasForwardOf, type Step, type Steps } from './model.js';
import { openSetOutputs } from './openSetHead.js';
import { once, type HeadOutputs } from './outputs.js';
import { Place, showBatch, titleOf } from './place.js';

/** A head in the graph. */
export interface Head extends HeadOutputs {
  readonly kind: 'GMML' | 'Linear' | 'OpenSetClassifier' | 'GaussianMixture';
  /** Its own metadata. */
  readonly own: Readonly<Record<string, string>>;
}

/**
 * Adds the layers before the head; nodes of the head are made when outputs are asked for.
 * @throws as `toOnnx` for layers, and for a head that does not fit
 */
export function headOf(graph: Graph, { body, classifier, posterior, names }: Steps, input: Value): Head {
  if (classifier === null) return layeredHead(graph, body, names, input);
  const x = computed(graph, body, names, input);
  const name = body.length === 0 ? '' : 'head';
  const placeOf = (kind: string): Place => new Place(graph, name, `${name} '${kind}'`.trimStart());
  if (classifier instanceof GaussianMixture) {
    const kind = 'GaussianMixture';
    return { ...mixtureOutputs(placeOf(kind), x, classifier), kind, own: {} };
  }
  const kind = 'OpenSetClassifier';
  const trained = posterior && {
    ...layeredHead(graph, posterior.steps, names, x, { isPart: true }),
    classes: posterior.classes,
  };
  const { labels, keep, ...outputs } = openSetOutputs(placeOf(kind), x, classifier, trained);
  const own = { labels: JSON.stringify(labels), ...(keep !== null && { keep: String(keep) }) };
  return { ...outputs, kind, own };
}

/** A head that is the last of layers. */
function layeredHead(
  graph: Graph,
  steps: readonly Step[],
  names: Steps['names'],
  input: Value,
  options: { readonly isPart?: boolean } = {},
): Head {
  // Dropout after the last layer does nothing.
  const end = steps.findLastIndex(({ module }) => !(module instanceof Dropout));
  const last = steps.at(end);
  if (last !== undefined && last.module instanceof GMML && hasForwardOf(last.module, GMML)) {
    const x = computed(graph, steps.slice(0, end), names, input);
    const place = Place.of(graph, last, names, options);
    return { ...gmmlOutputs(place, x, last.module), kind: 'GMML', own: {} };
  }
  const x = computed(graph, steps, names, input);
  if (last === undefined || !(last.module instanceof Linear)) {
    throw new ArgumentError(
      `toOnnx: the ${options.isPart ? 'posterior must end in a GMML or a Linear' : 'model must end in a GMML, a Linear or an OpenSetClassifier'}: ${last === undefined ? 'it has no layers' : `it ends in ${titleOf(last)}`}. ${options.isPart ? "Give the network's trained head." : 'Give { features, head }.'}`,
    );
  }
  if (x.shape.length !== 1) {
    throw new ShapeError(
      `toOnnx: ${titleOf(last)} must give one vector an input: it gives ${showBatch(x.shape)}. Flatten before it.`,
    );
  }
  return { ...linearOutputs(Place.of(graph, last, names, options), x), kind: 'Linear', own: {} };
}

/** Of logits [N, C]. */
function linearOutputs(at: Place, logits: Value): HeadOutputs {
  const logPosteriors = once(() => logSoftmax(at, logits.name, 1, 'logPosteriors'));
  const label = once(() => at.output('label', 'ArgMax', [logPosteriors()], { axis: 1, keepdims: 0 }));
  return { nClass: logits.shape[0], values: { logPosteriors, label } };
}

/** What the layers make of x, one after the other. */
function computed(graph: Graph, steps: readonly Step[], names: Steps['names'], x: Value): Value {
  return steps.reduce((value, step) => formAt(step)(Place.of(graph, step, names), value), x);
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
