import { ArgumentError, ShapeError, Tensor, zeros } from '@gmml/tensor';
import type { FloatArray } from '@gmml/tensor';
import { checkNumber, checkObject, sameShape, show } from '@gmml/tensor/checks';
import { Buffer, Parameter } from '../module.js';

/** Everything an optimizer needs to go on where it was: its options, counts and copies of its buffers. */
export interface OptimizerState {
  /** The class that wrote it: 'SGD', 'Adadelta', 'Adam' or 'AdamW'. */
  readonly algorithm: string;
  /** Every option by its name, `lr` among them. */
  readonly options: Readonly<Record<string, unknown>>;
  /** How many updates each parameter has had, in the order of the parameters. */
  readonly steps: readonly number[];
  /** The buffers by name, one tensor a parameter in the same order; null where there was no update yet. */
  readonly buffers: Readonly<Record<string, readonly (Tensor | null)[]>>;
}

/** A parameter and what the optimizer remembers of it. */
interface Slot {
  readonly parameter: Tensor;
  /** Updates so far. */
  steps: number;
  /** In the order of the buffer names; empty before the first update. */
  buffers: Tensor[];
}

/**
 * What all optimizers share: one list of parameters, one set of options, and buffers for each parameter.
 *
 * Parameters are leaf tensors that require a gradient, of either number format. A frozen `Parameter`
 * (requiresGrad false) may be among them; whatever has no gradient at a step is skipped.
 */
export abstract class Optimizer<Options extends { readonly lr: number } = { readonly lr: number }> {
  /** Complete and checked. */
  protected options: Options;
  readonly #algorithm: string;
  readonly #slots: readonly Slot[];

  /**
   * @throws ArgumentError when an option is out of range, or when there are no parameters, one is given twice
   *   or one cannot be trained
   */
  protected constructor(algorithm: string, parameters: Iterable<Tensor>, options: Options) {
    const list = [...parameters];
    checkParameters(algorithm, list);
    this.checkOptions(algorithm, options);
    this.#algorithm = algorithm;
    this.options = structuredClone(options);
    this.#slots = list.map((parameter) => ({ parameter, steps: 0, buffers: [] }));
  }

  /** @throws ArgumentError, its message starting with `op`, when an option is out of range */
  protected abstract checkOptions(op: string, options: Options): void;

  /** The buffers that each updated parameter has, under these options. They start as zeros. */
  protected abstract bufferNames(options: Options): readonly string[];

  /** Update number `step` of one parameter (counted from 1) and of its buffers, in place. */
  protected abstract update(
    parameter: FloatArray,
    gradient: FloatArray,
    buffers: FloatArray[],
    step: number,
  ): void;

  /** The learning rate, at least 0. */
  get lr(): number {
    return this.options.lr;
  }

  /** @throws ArgumentError unless it is a finite number of at least 0 */
  set lr(lr: number) {
    checkNumber(this.#algorithm, 'lr', lr, { from: 0 });
    this.options = { ...this.options, lr };
  }

  /** Updates every parameter that has a gradient, in place. */
  step(): void {
    const names = this.bufferNames(this.options);
    for (const slot of this.#slots) {
      const { parameter } = slot;
      const gradient = parameter.peekGrad();
      if (gradient === null) continue;
      if (slot.steps === 0) slot.buffers = names.map(() => zerosLike(parameter));
      slot.steps += 1;
      const buffers = slot.buffers.map((buffer) => buffer.data);
      this.update(parameter.data, gradient.data, buffers, slot.steps);
      parameter.markChanged();
    }
  }

  /** Forgets the gradients of all parameters. */
  zeroGrad(): void {
    for (const { parameter } of this.#slots) parameter.zeroGrad();
  }

  /** A copy of everything that the next steps depend on, except the parameters and their gradients. */
  stateDict(): OptimizerState {
    const names = this.bufferNames(this.options);
    const copies = names.map((name, b) => [
      name,
      this.#slots.map(({ buffers }) => buffers[b]?.clone() ?? null),
    ]);
    return {
      algorithm: this.#algorithm,
      options: structuredClone(this.options),
      steps: this.#slots.map(({ steps }) => steps),
      buffers: Object.fromEntries(copies),
    };
  }

  /**
   * Goes on where the optimizer that wrote `state` was, with its options: over equal parameters and gradients the
   * next steps are bit-identical.
   *
   * @throws ArgumentError, ShapeError when the state is another algorithm's, or does not fit these parameters in
   *   number or shape, or has an option out of range; nothing is changed
   */
  loadStateDict(state: OptimizerState): void {
    const op = `${this.#algorithm}.loadStateDict`;
    const options = this.#optionsFrom(op, state);
    checkSteps(op, state.steps, this.#slots.length);
    const names = this.bufferNames(options);
    checkNames(op, 'buffers', Object.keys(state.buffers ?? {}), names);
    const buffers = this.#slots.map(({ parameter }, i) =>
      state.steps[i] === 0
        ? []
        : names.map((name) => bufferFrom(op, name, i, state.buffers[name]?.[i], parameter)),
    );

    this.options = options;
    for (const [i, slot] of this.#slots.entries()) {
      slot.steps = state.steps[i];
      slot.buffers = buffers[i];
    }
  }

  #optionsFrom(op: string, state: OptimizerState): Options {
    checkAlgorithm(op, state, this.#algorithm);
    checkNames(op, 'options', Object.keys(state.options ?? {}), Object.keys(this.options));
    const options = structuredClone(state.options) as unknown as Options;
    this.checkOptions(op, options);
    return options;
  }
}

/** @throws ArgumentError unless the state is of this algorithm */
export function checkAlgorithm(op: string, state: { readonly algorithm: string }, algorithm: string): void {
  checkObject(op, 'the state', state);
  if (state.algorithm === algorithm) return;
  throw new ArgumentError(`${op}: the state must come from ${algorithm}: it is from ${state.algorithm}.`);
}

function checkParameters(op: string, parameters: readonly Tensor[]): void {
  if (parameters.length === 0)
    throw new ArgumentError(`${op}: there must be a parameter to train: there are none.`);
  for (const [i, parameter] of parameters.entries()) {
    if (!(parameter instanceof Tensor)) {
      throw new ArgumentError(`${op}: parameters must be tensors: parameter ${i} is ${String(parameter)}.`);
    }
    if (!parameter.isLeaf) {
      throw new ArgumentError(
        `${op}: parameters must be leaves: parameter ${i}, ${show(parameter.shape)}, is the result of an ` +
          'operation. Give the tensor that it was computed from, or detach() it.',
      );
    }
    if (!parameter.requiresGrad && !(parameter instanceof Parameter)) {
      throw new ArgumentError(
        `${op}: parameters must require a gradient: parameter ${i}, ${show(parameter.shape)}, does not. ` +
          'Create it with { requiresGrad: true }.',
      );
    }
    if (parameters.indexOf(parameter) !== i) {
      throw new ArgumentError(
        `${op}: each parameter must be given once: parameter ${i} is parameter ${parameters.indexOf(parameter)} again.`,
      );
    }
  }
}

function checkSteps(op: string, steps: readonly number[], parameters: number): void {
  if (steps?.length !== parameters) {
    throw new ArgumentError(
      `${op}: the state must be of as many parameters as there are: it is of ${steps?.length ?? 0}, there are ${parameters}.`,
    );
  }
  const bad = steps.find((count) => !Number.isSafeInteger(count) || count < 0);
  if (bad !== undefined) {
    throw new ArgumentError(`${op}: steps must be integers of at least 0: one is ${bad}.`);
  }
}

function checkNames(op: string, what: string, given: readonly string[], wanted: readonly string[]): void {
  if (given.length === wanted.length && wanted.every((name) => given.includes(name))) return;
  throw new ArgumentError(
    `${op}: the state's ${what} must be ${wanted.join(', ') || 'none'}: they are ${given.join(', ') || 'none'}.`,
  );
}

/** A copy of a saved buffer of parameter i, in the parameter's number format. */
function bufferFrom(
  op: string,
  name: string,
  i: number,
  saved: Tensor | null | undefined,
  parameter: Tensor,
): Tensor {
  if (!(saved instanceof Tensor)) {
    throw new ArgumentError(
      `${op}: a parameter that was updated must have its ${name}: parameter ${i} has none.`,
    );
  }
  if (!sameShape(saved.shape, parameter.shape)) {
    throw new ShapeError(
      `${op}: ${name} ${i} must have its parameter's shape: it is ${show(saved.shape)}, ` +
        `the parameter ${show(parameter.shape)}.`,
    );
  }
  return zerosLike(parameter).copyFrom(saved.data);
}

function zerosLike({ shape, dtype }: Tensor): Tensor {
  return new Buffer(zeros(shape, { dtype }));
}
