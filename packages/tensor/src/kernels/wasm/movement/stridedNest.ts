// Loop nests over numbers that lie at any strides: which loops there are, and the code of them.

import type { Walk } from '../../kernels.js';
import { mergeDimensions } from '../../reference/strided.js';
import type { FunctionBuilder, Local, ValueType } from '../assembler/assembler.js';

/** One loop of a nest: how often it runs, and the numbers that source and target are apart from turn to turn. */
export interface Dimension {
  readonly size: number;
  readonly from: number;
  readonly to: number;
}

/** The loops, outermost first, that visit a walk (`walked`) and a row-major array of its shape (`rows`). */
export function dimensionsOf(walk: Walk): { size: number; walked: number; rows: number }[] {
  const {
    sizes,
    strides: [strides],
  } = mergeDimensions(walk.shape, [walk.strides]);
  let rows = sizes.reduce((count, size) => count * size, 1);
  return sizes.map((size, i) => {
    rows /= size;
    return { size, walked: strides[i], rows };
  });
}

/** Positions of the first and last number that a walk over something visits. */
export function spanOf({ shape, strides, offset }: Walk): { first: number; last: number } {
  let [first, last] = [offset, offset];
  for (let i = 0; i < shape.length; i++) {
    const end = (shape[i] - 1) * strides[i];
    if (end < 0) first += end;
    else last += end;
  }
  return { first, last };
}

/** Whether loops with these strides visit no place twice: each stride steps over all that the smaller ones reach. */
export function areDistinct(loops: readonly { size: number; stride: number }[]): boolean {
  let reach = 0;
  return loops
    .map(({ size, stride }) => ({ size, stride: Math.abs(stride) }))
    .toSorted((a, b) => a.stride - b.stride)
    .every(({ size, stride }) => {
      const steps = stride > reach;
      reach += (size - 1) * stride;
      return steps;
    });
}

/** The loops with loop `split` cut to its turns `start` … `end` − 1, and how far ahead that begins. */
export function cut(
  dims: readonly Dimension[],
  split: number,
  start: number,
  end: number,
): { dims: Dimension[]; from: number; to: number } {
  const { from, to } = dims[split];
  return {
    dims: dims.with(split, { size: end - start, from, to }),
    from: start * from,
    to: start * to,
  };
}

/** The parameters of an emitted nest of `depth` loops that moves `pointers` pointers. */
export function nestParameters(depth: number, pointers: number): ValueType[] {
  return Array.from({ length: depth * (1 + pointers) }, () => 'i32' as const);
}

/**
 * What to call an emitted nest with: for each loop its count, then the bytes that the pointer to the source, and with
 * two `pointers` the one to the target, moves behind each turn, which takes back what the loop within has moved it.
 */
export function nestArguments(dims: readonly Dimension[], pointers: 1 | 2): number[] {
  const args: number[] = [];
  for (let i = 0; i < dims.length; i++) {
    const { size, from, to } = dims[i];
    const inner = i + 1 < dims.length ? dims[i + 1] : NO_LOOP;
    args.push(size, 4 * (from - inner.size * inner.from));
    if (pointers === 2) args.push(4 * (to - inner.size * inner.to));
  }
  return args;
}

const NO_LOOP: Dimension = { size: 0, from: 0, to: 0 };

/** The body in a nest of loops whose counts and steps are the `bounds`; it must leave the pointers as they are. */
export function emitNest(
  f: FunctionBuilder,
  bounds: readonly Local[],
  pointers: readonly Local[],
  body: () => void,
): void {
  if (bounds.length === 0) {
    body();
    return;
  }
  const [count, ...steps] = bounds.slice(0, 1 + pointers.length);
  f.times(f.local('i32'), count, () => {
    emitNest(f, bounds.slice(1 + pointers.length), pointers, body);
    for (const [k, pointer] of pointers.entries()) f.increase(pointer, steps[k]);
  });
}
