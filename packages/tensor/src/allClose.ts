import { ShapeError } from './errors.js';
import { sameShape, type Shape, show, sizeOf } from './shape.js';
import { Tensor } from './tensor/tensor.js';

/** Numbers with or without a shape: nested arrays, a tensor, or a flat typed array. */
export type Comparable = Tensor | Nested | ArrayLike<number>;
type Nested = number | readonly Nested[];

/** How far numbers may be apart: `atol + rtol · |expected|`. */
export interface Tolerance {
  /** Relative to the expected number; default 1e-5. */
  rtol?: number;
  /** Absolute; default 1e-8. */
  atol?: number;
}

/** What `allClose` found; `message` says it in words. */
export interface Comparison {
  readonly ok: boolean;
  readonly message: string;
}

/**
 * Compares numbers entry by entry: `|actual − expected| ≤ atol + rtol · |expected|`. NaN equals NaN, an infinity only
 * itself. Shapes must be equal where both sides have one (a typed array has only a length).
 *
 * @returns `ok`, and a message that names the worst entry, both values, and error over tolerance.
 * @throws ShapeError for ragged nested arrays.
 *
 * @example
 * allClose(tensor([1, 2]), [1, 2.5]).message;
 * // 'allClose: 1 of 2 entries differs; worst at [1]: actual 2, expected 2.5, error 20000 times the tolerance.'
 */
export function allClose(
  actual: Comparable,
  expected: Comparable,
  { rtol = 1e-5, atol = 1e-8 }: Tolerance = {},
): Comparison {
  const a = flatten(actual);
  const b = flatten(expected);
  if (a.shape && b.shape && !sameShape(a.shape, b.shape)) {
    const message = `allClose: the shapes differ: actual is ${show(a.shape)}, expected is ${show(b.shape)}.`;
    return { ok: false, message };
  }
  if (a.values.length !== b.values.length) {
    const message = `allClose: the sizes differ: actual has ${a.values.length} entries, expected has ${b.values.length}.`;
    return { ok: false, message };
  }
  let worst = 0;
  let worstRatio = -1;
  let differing = 0;
  for (let i = 0; i < b.values.length; i++) {
    const ratio = errorOverTolerance(a.values[i], b.values[i], atol, rtol);
    if (ratio > 1) differing++;
    if (ratio > worstRatio) {
      worst = i;
      worstRatio = ratio;
    }
  }
  if (b.values.length === 0) return { ok: true, message: 'allClose: there are no entries to compare.' };
  const place = indexOf(worst, a.shape ?? b.shape ?? [b.values.length]);
  const detail = `worst at ${place}: actual ${a.values[worst]}, expected ${b.values[worst]}, error ${times(worstRatio)} the tolerance.`;
  const entries = `${differing} of ${b.values.length} entries ${differing === 1 ? 'differs' : 'differ'}`;
  return {
    ok: differing === 0,
    message: `allClose: ${differing === 0 ? 'all entries agree' : entries}; ${detail}`,
  };
}

/** Infinite for what can never agree: NaN beside a number, an infinity beside anything else. */
export function errorOverTolerance(actual: number, expected: number, atol: number, rtol: number): number {
  if (actual === expected || (Number.isNaN(actual) && Number.isNaN(expected))) return 0;
  if (!Number.isFinite(actual) || !Number.isFinite(expected)) return Infinity;
  return Math.abs(actual - expected) / (atol + rtol * Math.abs(expected));
}

export function times(ratio: number): string {
  return `${Number(ratio.toPrecision(3))} times`;
}

/** The place of flat index `i` in a row-major shape: `[1, 2]`. */
export function indexOf(i: number, shape: Shape): string {
  const index = shape.map((n, dim) => Math.floor(i / sizeOf(shape.slice(dim + 1))) % n);
  return show(index);
}

function flatten(x: Comparable): { values: ArrayLike<number>; shape: Shape | null } {
  if (x instanceof Tensor) return { values: x.data, shape: x.shape };
  if (typeof x === 'number') return { values: [x], shape: [] };
  if (!Array.isArray(x)) return { values: x as ArrayLike<number>, shape: null };
  const parts = x.map(flatten);
  const inner = parts[0]?.shape ?? [];
  const odd = parts.findIndex((part) => !sameShape(part.shape ?? [], inner));
  if (odd >= 0) {
    throw new ShapeError(
      `allClose: nested arrays must not be ragged: entry 0 is ${show(inner)}, entry ${odd} is ${show(parts[odd].shape ?? [])}.`,
    );
  }
  return { values: parts.flatMap((part) => Array.from(part.values)), shape: [x.length, ...inner] };
}
