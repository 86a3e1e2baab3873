import { ArgumentError, Tensor } from '@gmml/tensor';
import { checkObject, sameShape, show } from '@gmml/tensor/checks';

/**
 * A tensor that a module trains: a leaf that requires a gradient. It shares the storage of the tensor it is made of, which
 * moves to the memory that the backend computes in and outlives a scope.
 */
export class Parameter extends Tensor {
  constructor(tensor: Tensor) {
    super(tensor.storage, tensor.shape);
    this.storage.persist();
    this.requiresGrad = true;
  }
}

/** A tensor that belongs to a module's or an optimizer's state but is not trained; held like a `Parameter`. */
export class Buffer extends Tensor {
  constructor(tensor: Tensor) {
    super(tensor.storage, tensor.shape);
    this.storage.persist();
  }
}

/** Options of {@link Module.loadStateDict}. */
export interface LoadOptions {
  /** Refuse missing and unexpected entries. Default true. Wrong shapes are refused either way. */
  strict?: boolean;
}

/** The entries that {@link Module.loadStateDict} passed over; both empty when `strict`. */
export interface LoadReport {
  /** Names in the model that the state dict lacks. */
  missing: string[];
  /** Names in the state dict that the model lacks. */
  unexpected: string[];
}

/** A field of a module, or an element of an array in one, under its name in the state dict. */
type Member = readonly [name: string, value: Parameter | Buffer | Module];

/**
 * The base of every layer and model: its fields are its parts.
 *
 * Fields that hold a `Parameter`, a `Buffer`, another `Module`, or an array of these are found in the order in
 * which they were assigned. Names join with dots as in PyTorch: `conv.weight`, `layers.0.bias`. A private
 * `#field` stays hidden.
 *
 * @example
 * class Head extends Module {
 *   readonly hidden = new Linear(4, 8);
 *   readonly out = new Linear(8, 2);
 *   override forward(x: Tensor): Tensor {
 *     return this.out.forward(this.hidden.forward(x).relu());
 *   }
 * }
 * Object.keys(new Head().stateDict()); // ['hidden.weight', 'hidden.bias', 'out.weight', 'out.bias']
 */
export abstract class Module {
  /** Whether the module is being trained: dropout drops, batch normalisation uses the batch. Set by train and eval. */
  training = true;

  /** What the module computes. */
  abstract forward(x: Tensor): Tensor;

  /** The parameters of this module and of all within it, each once. */
  *parameters(): IterableIterator<Parameter> {
    for (const [, parameter] of this.namedParameters()) yield parameter;
  }

  /** The parameters with their names in the state dict, each once, under its first name. */
  namedParameters(): IterableIterator<[name: string, parameter: Parameter]> {
    return onceEach(this.#state(), Parameter);
  }

  /** The buffers with their names in the state dict, each once, under its first name. */
  namedBuffers(): IterableIterator<[name: string, buffer: Buffer]> {
    return onceEach(this.#state(), Buffer);
  }

  /** This module and all within it, each once, a module before its parts. */
  *modules(): IterableIterator<Module> {
    for (const [, module] of this.namedModules()) yield module;
  }

  /** This module (named '') and all within it with their names, each once, a module before its parts. */
  namedModules(): IterableIterator<[name: string, module: Module]> {
    return onceEach(this.#tree('', []), Module);
  }

  /**
   * A copy of every parameter and buffer by name: a module's own parameters, its own buffers, then those of
   * the modules within it. The copies need no gradient and share no memory with the model.
   */
  stateDict(): Record<string, Tensor> {
    return Object.fromEntries(Array.from(this.#state(), ([name, value]) => [name, value.detach().clone()]));
  }

  /**
   * Writes the numbers of a state dict into the parameters and buffers of the same names. float32 and float64
   * convert into each other. Gradients and `requiresGrad` stay as they are.
   *
   * @throws ArgumentError when an entry is missing, unexpected, of another shape or not a tensor: the message
   *   lists them all, and the model is unchanged
   */
  loadStateDict(dict: Readonly<Record<string, Tensor>>, { strict = true }: LoadOptions = {}): LoadReport {
    checkObject('loadStateDict', 'the state dict', dict);
    const state = [...this.#state()];
    const names = new Set(state.map(([name]) => name));
    const missing = [...names].filter((name) => !Object.hasOwn(dict, name));
    const unexpected = Object.keys(dict).filter((name) => !names.has(name));
    const present = state.filter(([name]) => Object.hasOwn(dict, name));

    const problems: string[] = [];
    if (strict && missing.length > 0) problems.push(`missing: ${missing.join(', ')}`);
    if (strict && unexpected.length > 0) problems.push(`unexpected: ${unexpected.join(', ')}`);
    const misfits = present.flatMap(([name, target]) => misfit(name, target, dict[name]));
    if (misfits.length > 0) problems.push(`wrong shape: ${misfits.join(', ')}`);
    if (problems.length > 0) {
      throw new ArgumentError(
        `loadStateDict: the entries must fit the model: ${problems.join('; ')}. ` +
          'Nothing was loaded. Build the model with the options that the state dict was saved with.',
      );
    }

    for (const [name, target] of present) target.copyFrom(dict[name].data);
    return { missing, unexpected };
  }

  /** Sets `training` here and in every module within. */
  train(mode = true): this {
    for (const module of this.modules()) module.training = mode;
    return this;
  }

  /** The same as `train(false)`: the model is used, not trained. */
  eval(): this {
    return this.train(false);
  }

  /** Forgets the gradients of all parameters. */
  zeroGrad(): void {
    for (const parameter of this.parameters()) parameter.zeroGrad();
  }

  /**
   * The name in the state dict of a field, or of an array's element (`layers.0`). A module overrides it where
   * its fields are named otherwise than its checkpoints.
   */
  protected stateName(field: string): string {
    return field;
  }

  /** Every parameter and buffer under every name it has. */
  *#state(): IterableIterator<[name: string, value: Parameter | Buffer]> {
    for (const [prefix, module] of this.#tree('', [])) {
      const own = [...module.#members()].filter(isState);
      for (const kind of [Parameter, Buffer]) {
        for (const [name, value] of own) if (value instanceof kind) yield [join(prefix, name), value];
      }
    }
  }

  /** This module and all within it, under every name they have. `above` is the path from the root. */
  *#tree(name: string, above: readonly Module[]): IterableIterator<[name: string, module: Module]> {
    if (above.includes(this)) {
      throw new ArgumentError(`Module: a module must not contain itself: it does at ${name}.`);
    }
    yield [name, this];
    for (const [child, value] of this.#members()) {
      if (value instanceof Module) yield* value.#tree(join(name, child), [...above, this]);
    }
  }

  *#members(): IterableIterator<Member> {
    for (const [field, value] of Object.entries(this)) {
      if (isMember(value)) yield [this.stateName(field), value];
      if (!Array.isArray(value)) continue;
      for (const [i, element] of value.entries()) {
        if (isMember(element)) yield [this.stateName(`${field}.${i}`), element];
      }
    }
  }
}

/** The members of a kind, each once, under its first name. */
function* onceEach<Kind>(
  members: Iterable<Member>,
  kind: abstract new (...of: never[]) => Kind,
): IterableIterator<[name: string, value: Kind]> {
  const seen = new Set<unknown>();
  for (const [name, value] of members) {
    if (!(value instanceof kind) || seen.has(value)) continue;
    seen.add(value);
    yield [name, value];
  }
}

function isMember(value: unknown): value is Parameter | Buffer | Module {
  return value instanceof Parameter || value instanceof Buffer || value instanceof Module;
}

function isState(member: Member): member is readonly [string, Parameter | Buffer] {
  return !(member[1] instanceof Module);
}

function join(prefix: string, name: string): string {
  return prefix === '' ? name : `${prefix}.${name}`;
}

/** What is wrong with `source` as the new value of `target`: one line or none. */
function misfit(name: string, target: Tensor, source: unknown): string[] {
  if (!(source instanceof Tensor)) return [`${name} is not a tensor, must be ${show(target.shape)}`];
  return sameShape(source.shape, target.shape)
    ? []
    : [`${name} is ${show(source.shape)}, must be ${show(target.shape)}`];
}
