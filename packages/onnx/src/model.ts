import { GaussianMixture, OpenSetClassifier } from '@gmml/gmm';
import { Module, Sequential } from '@gmml/nn';
import { ArgumentError, type Tensor } from '@gmml/tensor';

/**
 * A Module with a forward of its own that says what it is made of: its forward must be that of these modules, one after the
 * other. Such a model can be exported, as a `Sequential` can. Modules that are its fields keep their names in the state dict.
 *
 * @example
 * class Network extends Module implements Layered {
 *   readonly conv = new Conv2d(1, 16, 5);
 *   readonly head = new GMML(16, 16, 10);
 *   layers(): Module[] {
 *     return [this.conv, new ReLU(), new MaxPool2d(24), new Flatten(), this.head];
 *   }
 *   override forward(x: Tensor): Tensor {
 *     return this.head.forward(maxPool2d(this.conv.forward(x).relu(), { kernelSize: 24 }).flatten(1));
 *   }
 * }
 */
export interface Layered {
  /** The layers that forward applies, one after the other. */
  layers(): readonly Module[];
}

/** A network in two parts: what makes features, a module or modules one after the other, and what judges them. */
export interface FeaturesAndHead {
  readonly features: Module | readonly Module[];
  readonly head: Module | OpenSetClassifier | GaussianMixture;
  /**
   * The network's trained head on the same features, ending in a GMML or a Linear: its posterior is a score of typicality, as where
   * `predict` is given one. For an OpenSetClassifier that was calibrated with it. Default: typicality is of the features alone.
   */
  readonly posterior?: Module;
  /** The label of each output of `posterior`; default: all labels, sorted. */
  readonly classes?: readonly string[];
}

/** What can be exported. */
export type OnnxModel = Module | OpenSetClassifier | GaussianMixture | FeaturesAndHead;

/** One layer. */
export interface Step {
  readonly module: Module;
  /** Where it is in the model, as in `features.layers[3]`. */
  readonly path: string;
  /** Its name in the state dict, as in `features.3`; '' for a model that is one layer. */
  readonly name: string;
}

/** A model as what is computed one after the other. */
export interface Steps {
  readonly body: readonly Step[];
  /** What judges the result; null where the last layer does. */
  readonly classifier: OpenSetClassifier | GaussianMixture | null;
  /** The trained head whose posterior counts, and the label of each of its outputs; null without one. */
  readonly posterior: { readonly steps: readonly Step[]; readonly classes?: readonly string[] } | null;
  /** The names that parameters and buffers have in the state dict. */
  readonly names: ReadonlyMap<Module | Tensor, string>;
}

/** One of the parts that a model is made of. */
type Part = readonly [path: string, name: string, module: Module];

/** @throws ArgumentError for what is no model, and for modules that contain themselves */
export function stepsOf(model: OnnxModel): Steps {
  const { body, classifier, posterior } = partsOf(model);
  const names = new Map<Module | Tensor, string>();
  for (const [, name, module] of posterior ? [...body, posterior.part] : body) {
    const own = [...module.namedModules(), ...module.namedParameters(), ...module.namedBuffers()];
    for (const [inner, value] of own) if (!names.has(value)) names.set(value, joined(name, inner));
  }
  const stepsIn = ([path, name, module]: Part): Step[] => expanded(module, path, name, names, []);
  return {
    body: body.flatMap(stepsIn),
    classifier,
    posterior: posterior && { steps: stepsIn(posterior.part), classes: posterior.classes },
    names,
  };
}

interface Parts extends Pick<Steps, 'classifier'> {
  readonly body: readonly Part[];
  readonly posterior: { readonly part: Part; readonly classes?: readonly string[] } | null;
}

function partsOf(model: OnnxModel): Parts {
  if (model instanceof Module) return { body: [['', '', model]], classifier: null, posterior: null };
  if (isClassifier(model)) return { body: [], classifier: model, posterior: null };
  checkParts(model);
  const { features, head, posterior, classes } = model;
  const body: Part[] =
    features instanceof Module
      ? [['features', 'features', features]]
      : features.map((module, i): Part => [`features[${i}]`, `features.${i}`, module]);
  if (head instanceof Module)
    return { body: [...body, ['head', 'head', head]], classifier: null, posterior: null };
  const part: Part | undefined = posterior && ['posterior', 'posterior', posterior];
  return { body, classifier: head, posterior: part ? { part, classes } : null };
}

function isClassifier(model: unknown): model is OpenSetClassifier | GaussianMixture {
  return model instanceof OpenSetClassifier || model instanceof GaussianMixture;
}

function checkParts(model: unknown): void {
  if (typeof model !== 'object' || model === null || !('features' in model && 'head' in model)) {
    throw new ArgumentError(
      `toOnnx: the model must be a Module, an OpenSetClassifier, a GaussianMixture or { features, head }: it is ${described(model)}.`,
    );
  }
  const { features, head, posterior, classes } = model as Record<keyof FeaturesAndHead, unknown>;
  for (const part of Array.isArray(features) ? features : [features]) {
    if (part instanceof Module) continue;
    throw new ArgumentError(
      `toOnnx: features must be a module or an array of modules: ${part === features ? 'it is' : 'one is'} ${described(part)}. Give the layers in an array where features are a function.`,
    );
  }
  if (!(head instanceof Module || isClassifier(head))) {
    throw new ArgumentError(
      `toOnnx: the head must be a Module, an OpenSetClassifier or a GaussianMixture: it is ${described(head)}.`,
    );
  }
  if (posterior === undefined && classes === undefined) return;
  if (!(head instanceof OpenSetClassifier)) {
    throw new ArgumentError(
      `toOnnx: posterior and classes are for an OpenSetClassifier, whose typicality they count in: the head is ${described(head)}. Leave them out.`,
    );
  }
  if (posterior instanceof Module) return;
  throw new ArgumentError(`toOnnx: the posterior must be a Module: it is ${described(posterior)}.`);
}

/** A module as its layers, where it says what they are. */
function expanded(
  module: Module,
  path: string,
  name: string,
  names: Steps['names'],
  above: readonly Module[],
): Step[] {
  if (above.includes(module)) {
    throw new ArgumentError(`toOnnx: a module must not contain itself: it does at ${path}.`);
  }
  const inside = layersIn(module);
  if (inside === null) return [{ module, path, name }];
  const [field, layers] = inside;
  return layers.flatMap((layer, i) => {
    const here = `${joined(path, field)}[${i}]`;
    if (layer instanceof Module) {
      return expanded(layer, here, names.get(layer) ?? joined(name, `layers.${i}`), names, [
        ...above,
        module,
      ]);
    }
    throw new ArgumentError(`toOnnx: ${here} must be a module: it is ${described(layer)}.`);
  });
}

/** The layers of a module and how they are reached. A Sequential whose forward is another's is no sequence. */
function layersIn(module: Module): [field: string, layers: readonly Module[]] | null {
  if (module instanceof Sequential && hasForwardOf(module, Sequential)) return ['layers', module.layers];
  if ('layers' in module && typeof module.layers === 'function') {
    return ['layers()', (module as Module & Layered).layers()];
  }
  return null;
}

/** Whether a module computes what the class does: it is one, and has not overridden its forward. */
export function hasForwardOf(module: Module, layer: { readonly prototype: Module }): boolean {
  return module.forward === layer.prototype.forward;
}

/** One name in another, dots between; one of them may be empty. */
export function joined(path: string, name: string): string {
  return path === '' || name === '' ? path + name : `${path}.${name}`;
}

function described(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  return typeof value === 'object' && value !== null
    ? `an object of ${value.constructor.name}`
    : String(value);
}
