import { stridesOf, type Shape } from '../shape.js';
import type { FloatArray } from '../storage.js';

/** Longer dimensions of large tensors show this many entries at either end. */
const EDGE = 3;
/** Tensors of more elements than this are shortened. */
const LIMIT = 1000;

/** Numbers as nested brackets, aligned, at most six significant digits, shortened when there are many. */
export function print(data: FloatArray, shape: Shape): string {
  if (data.length === 0) return '[]';
  const shorten = data.length > LIMIT;
  const strides = stridesOf(shape);
  const shown = visible(shape, shorten, strides).map((i) => format(data[i]));
  const width = Math.max(...shown.map((text) => text.length));
  let next = 0;
  const write = (dim: number, indent: string): string => {
    if (dim === shape.length) return shown[next++].padStart(width);
    const inner = `${indent} `;
    const entries = indices(shape[dim], shorten).map((i) => (i < 0 ? '…' : write(dim + 1, inner)));
    const separator = dim === shape.length - 1 ? ', ' : `,\n${'\n'.repeat(shape.length - 2 - dim)}${inner}`;
    return `[${entries.join(separator)}]`;
  };
  return write(0, '');
}

/** The positions that are shown along one dimension; −1 stands for those left out. */
function indices(length: number, shorten: boolean): number[] {
  const all = Array.from({ length: Math.min(length, shorten ? 2 * EDGE + 1 : length) }, (_, i) => i);
  if (!shorten || length <= 2 * EDGE) return all;
  return [...all.slice(0, EDGE), -1, ...all.slice(0, EDGE).map((i) => length - EDGE + i)];
}

function visible(shape: Shape, shorten: boolean, strides: readonly number[]): number[] {
  return shape.reduce<number[]>(
    (starts, length, dim) =>
      starts.flatMap((start) =>
        indices(length, shorten)
          .filter((i) => i >= 0)
          .map((i) => start + i * strides[dim]),
      ),
    [0],
  );
}

function format(x: number): string {
  if (!Number.isFinite(x)) return x === Infinity ? '∞' : x === -Infinity ? '-∞' : 'NaN';
  return String(Number(x.toPrecision(6)));
}
