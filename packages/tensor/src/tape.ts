import { ArgumentError, DTypeError, GradientError, ScopeError } from './errors.js';
import { addViews } from './ops/arithmetic.js';
import type { AnyOp, Context, Op } from './ops/op.js';
import { sameShape, show, sizeOf, type Shape } from './shape.js';
import { allocate, currentScope, dtypeOf, Storage, type Scope, type View } from './storage.js';

/** What the tape needs to know of a tensor. */
export interface Traced {
  readonly shape: Shape;
  readonly storage: Storage;
  readonly requiresGrad: boolean;
  /** How it was computed; null for a leaf. */
  readonly node: Node | null;
  /** Adds a gradient to a leaf. */
  accumulateGrad(g: View): void;
}

/** One application of an op, kept until backward has passed through it. */
export interface Node {
  readonly op: AnyOp;
  /** Nodes are numbered as they are made, so inputs always have smaller numbers. */
  readonly order: number;
  inputs: readonly Traced[];
  /** What backward reads; null once it has been used. */
  context: Context<unknown, unknown> | null;
  /** Saved storages with their versions when saved. */
  saved: readonly (readonly [Storage, number])[];
  /** The scope with whose end the saved values go. */
  readonly scope: Scope | null;
}

let enabled = true;
let nodes = 0;

/** Whether operations are being recorded. */
export function isGradEnabled(): boolean {
  return enabled;
}

/**
 * Runs `fn` without recording, for inference and updates. Nests; an exception restores the state.
 * @throws ArgumentError when `fn` returns a promise, whose later part would be recorded.
 * @example
 * const x = ones([2], { requiresGrad: true });
 * noGrad(() => x.mul(2)).requiresGrad; // false
 */
export function noGrad<T>(fn: () => T): T {
  const before = enabled;
  enabled = false;
  try {
    const result = fn();
    if (result instanceof Promise) {
      throw new ArgumentError('noGrad: the callback must be synchronous: it returned a promise.');
    }
    return result;
  } finally {
    enabled = before;
  }
}

/** Applies an op: checks, computes, and records it if a gradient may flow. */
export function apply<A, E>(
  op: Op<A, E>,
  tensors: readonly Traced[],
  attributes: A,
): { storage: Storage; shape: Shape; node: Node | null } {
  const inputs = tensors.map((tensor, i) => {
    if (!tensor?.storage) {
      throw new ArgumentError(`${op.name}: inputs must be tensors: input ${i} is none.`);
    }
    return { data: tensor.storage.data, shape: tensor.shape };
  });
  const inputDType = dtypeOf(inputs[0].data);
  for (const [i, { data }] of inputs.entries()) {
    if (dtypeOf(data) === inputDType) continue;
    throw new DTypeError(
      `${op.name}: number formats must agree: input 0 is ${inputDType}, input ${i} is ${dtypeOf(data)}. Convert one with .to('${inputDType}').`,
    );
  }
  const shape = op.shape(inputs, attributes);
  const storage = op.alias
    ? tensors[0].storage
    : new Storage(allocate(op.dtype?.(attributes) ?? inputDType, sizeOf(shape)));
  const extra = op.forward(inputs, { data: storage.data, shape }, attributes);

  const needs = tensors.map((tensor) => tensor.requiresGrad);
  if (!enabled || op.backward === undefined || !needs.includes(true)) return { storage, shape, node: null };
  const savesInputs = op.saves === 'inputs' || op.saves === 'both';
  const savesOutput = op.saves === 'output' || op.saves === 'both';
  const context = {
    attributes,
    inputDType,
    shapes: inputs.map((x) => x.shape),
    inputs: savesInputs ? inputs : [],
    output: { data: savesOutput ? storage.data : storage.data.subarray(0, 0), shape },
    extra,
    needs,
  };
  const saved = [...(savesInputs ? tensors.map((t) => t.storage) : []), ...(savesOutput ? [storage] : [])];
  const versions = saved.map((s) => [s, s.version] as const);
  const node = { op, order: nodes++, inputs: tensors, context, saved: versions, scope: currentScope() };
  return { storage, shape, node };
}

/** A node in the place of `node` from which no gradient goes further: its op's backward throws. */
export function deadEnd(op: Op, { order }: Node): Node {
  const unread = {} as Context<unknown, unknown>;
  return { op, order, inputs: [], context: unread, saved: [], scope: null };
}

/**
 * Reverse-mode differentiation: visits what `root` was computed from, latest first, so that every
 * gradient is complete before it is passed on, and adds what arrives at leaves to them.
 * The saved values are released on the way.
 */
export function backward(root: Traced, seed: View): void {
  const order = latestFirst(root);
  order.forEach(checkUsable);
  const gradients = new Map<Traced, View>([[root, seed]]);
  for (const tensor of order) {
    const g = gradients.get(tensor);
    gradients.delete(tensor);
    if (tensor.node === null) {
      if (g) tensor.accumulateGrad(g);
      continue;
    }
    const { op, inputs, context } = release(tensor.node);
    if (g === undefined) continue;
    const parts = op.backward!(g, context);
    for (const [i, input] of inputs.entries()) {
      const part = parts[i];
      if (!input.requiresGrad || !part) continue;
      if (!sameShape(part.shape, input.shape)) {
        throw new GradientError(
          `backward: ${op.name} gave input ${i} of shape ${show(input.shape)} a gradient of ${show(part.shape)}.`,
        );
      }
      const before = gradients.get(input);
      gradients.set(input, before ? addViews(before, part) : part);
    }
  }
}

/** Everything `root` depends on that needs a gradient, latest first; leaves come last. */
function latestFirst(root: Traced): Traced[] {
  const seen = new Set<Traced>([root]);
  // A set is visited in order of insertion, what is added on the way included.
  for (const { node } of seen) {
    for (const input of node?.inputs ?? []) if (input.requiresGrad) seen.add(input);
  }
  return [...seen].toSorted((a, b) => (b.node?.order ?? -1) - (a.node?.order ?? -1));
}

function checkUsable({ node }: Traced): void {
  if (node === null) return;
  if (node.scope?.ended) {
    throw new ScopeError(
      `backward: ${node.op.name} was computed inside a scope that has ended. Call backward() inside the scope.`,
    );
  }
  if (node.context === null) {
    throw new GradientError(
      `backward: the saved values of ${node.op.name} were released by an earlier backward. Run the forward pass again, or add the losses up and call backward once.`,
    );
  }
  for (const [storage, version] of node.saved) {
    if (storage.version !== version) {
      throw new GradientError(
        `backward: a value saved by ${node.op.name} was changed in place after the forward pass (version ${storage.version}, saved at ${version}). Call backward before changing it.`,
      );
    }
  }
}

/** Takes a node's saved values, which it then no longer has. */
function release(node: Node): { op: AnyOp; inputs: readonly Traced[]; context: Context<unknown, unknown> } {
  const { op, inputs, context } = node;
  node.inputs = [];
  node.context = null;
  node.saved = [];
  return { op, inputs, context: context! };
}
