import { tensor } from '../create.js';
import type { Shape } from '../shape.js';
import type { DType, FloatArray } from '../storage.js';
import { Tensor } from '../tensor/tensor.js';

/** What can be posted to another thread, and the buffers that go over to it. */
export interface Parcel {
  readonly value: unknown;
  readonly buffers: ArrayBuffer[];
}

/** A tensor on its way. */
interface Packed {
  readonly [MARK]: true;
  readonly shape: Shape;
  readonly dtype: DType;
  readonly data: FloatArray;
}

const MARK = '@gmml/tensor';

/**
 * Prepares a value for `postMessage`: of each tensor in its arrays and plain objects a copy is handed over, without gradient
 * and history; everything else is left to the structured clone.
 */
export function pack(value: unknown): Parcel {
  const buffers: ArrayBuffer[] = [];
  const packed = mapped(value, (part) => {
    if (!(part instanceof Tensor)) return part;
    const data = part.data.slice() as FloatArray & { readonly buffer: ArrayBuffer };
    buffers.push(data.buffer);
    return { [MARK]: true, shape: part.shape, dtype: part.dtype, data } satisfies Packed;
  });
  return { value: packed, buffers };
}

/** What was packed, with tensors again. */
export function unpack(value: unknown): unknown {
  return mapped(value, (part) =>
    isPacked(part) ? tensor(part.data, { shape: part.shape, dtype: part.dtype }) : part,
  );
}

function isPacked(value: unknown): value is Packed {
  return (
    typeof value === 'object' && value !== null && MARK in value && ArrayBuffer.isView((value as Packed).data)
  );
}

/** A copy in which every part is replaced; arrays and plain objects that are not are gone through, each once. */
function mapped(whole: unknown, replace: (part: unknown) => unknown): unknown {
  const copies = new Map<unknown, unknown>();
  const copyOf = (part: unknown): unknown => {
    if (typeof part !== 'object' || part === null) return part;
    if (copies.has(part)) return copies.get(part);
    const replaced = replace(part);
    const isOpen = replaced === part && (Array.isArray(part) || isPlain(part));
    const copy = isOpen ? emptyLike(part) : replaced;
    copies.set(part, copy);
    if (isOpen) {
      for (const [key, value] of Object.entries(part)) {
        // Defined and not assigned: a key may be '__proto__'.
        const property = { value: copyOf(value), writable: true, enumerable: true, configurable: true };
        Object.defineProperty(copy, key, property);
      }
    }
    return copy;
  };
  return copyOf(whole);
}

/** An array of as many holes, or an object without properties. */
function emptyLike(part: object): object {
  return Array.isArray(part) ? Object.assign([], { length: part.length }) : {};
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
