import { ArgumentError, ScopeError } from './errors.js';
import type { Op } from './ops/op.js';
import { runInScope, Storage, type Scope } from './storage.js';
import { deadEnd } from './tape.js';
import { Tensor } from './tensor/tensor.js';

/**
 * Runs `fn` and then releases the tensors that it made, all at once and without the garbage collector: the numbers lie
 * in an arena that the next scope uses again. A program is right without it, and fastest with one around each
 * step. On the reference backend they lie on the heap, and the same tensors are released.
 *
 * The tensors in what `fn` returns (a tensor, or arrays and plain objects of such) are copied out; gradients do not pass
 * back into the scope, so call `backward()` inside. Leaves from outside keep the gradients they get, and parameters,
 * buffers and optimizer state made inside stay. Scopes nest; an exception ends them too.
 *
 * @throws ArgumentError when `fn` returns a promise, whose later part would run after the end
 * @throws ScopeError, from any operation on a tensor of the scope after its end
 * @example
 * const [model, x, y] = [new Sequential(new Linear(3, 2)), randn([4, 3]), tensor([0, 1, 1, 0])];
 * const loss = scope(() => {
 *   const loss = crossEntropy(model.forward(x), y);
 *   loss.backward();
 *   return loss.item();
 * });
 */
export function scope<T>(fn: () => T): T {
  return runInScope(fn, (result, running) => {
    if (result instanceof Promise) {
      throw new ArgumentError('scope: the callback must be synchronous: it returned a promise.');
    }
    return copiedOut(result, running) as T;
  });
}

/** The value with copies in the place of the scope's tensors. */
function copiedOut(value: unknown, running: Scope): unknown {
  if (value instanceof Tensor) return value.storage.belongsTo(running) ? copyOf(value) : value;
  if (Array.isArray(value)) return value.map((entry) => copiedOut(entry, running));
  if (!isPlainObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, copiedOut(entry, running)]));
}

function copyOf(tensor: Tensor): Tensor {
  const { shape, node, requiresGrad, grad } = tensor;
  const storage = new Storage(tensor.data.slice());
  if (node !== null) return new Tensor(storage, shape, deadEnd(ended, node));
  const copy = new Tensor(storage, shape);
  copy.requiresGrad = requiresGrad;
  copy.grad = grad;
  return copy;
}

/** What a tensor that was copied out of its scope was computed by. */
const ended: Op = {
  name: 'scope',
  shape: ([x]) => x.shape,
  forward() {},
  backward() {
    throw new ScopeError(
      'backward: gradients do not pass back into a scope: it has ended. Call backward() inside the scope.',
    );
  },
};

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
