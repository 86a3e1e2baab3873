import type { Kernels } from '../kernels.js';
import type { Shape } from '../../shape.js';

export const readStrided: Kernels['readStrided'] = (x, walk, out) => {
  forEachRun(walk.shape, [walk.strides], (start, length, [from], [step]) => {
    const first = walk.offset + from;
    for (let n = 0; n < length; n++) out[start + n] = x[first + n * step];
  });
};

export const writeStrided: Kernels['writeStrided'] = (x, walk, out) => {
  forEachRun(walk.shape, [walk.strides], (start, length, [to], [step]) => {
    const first = walk.offset + to;
    for (let n = 0; n < length; n++) out[first + n * step] = x[start + n];
  });
};

export const addStrided: Kernels['addStrided'] = (x, walk, out) => {
  // Several elements may meet in one place: they are summed in float64.
  const sums = out instanceof Float32Array && walk.strides.includes(0) ? new Float64Array(out) : out;
  forEachRun(walk.shape, [walk.strides], (start, length, [to], [step]) => {
    const first = walk.offset + to;
    if (step === 0) {
      let sum = 0;
      for (let n = 0; n < length; n++) sum += x[start + n];
      sums[first] += sum;
    } else {
      for (let n = 0; n < length; n++) sums[first + n * step] += x[start + n];
    }
  });
  if (sums !== out) out.set(sums);
};

export const takeBlocks: Kernels['takeBlocks'] = (x, positions, block, out) => {
  for (let i = 0; i < positions.length; i++) {
    const from = positions[i] * block;
    for (let j = 0; j < block; j++) out[i * block + j] = x[from + j];
  }
};

export const addBlocks: Kernels['addBlocks'] = (g, positions, block, out) => {
  // Where blocks meet in one place, they are summed in float64.
  const meet = out instanceof Float32Array && repeats(positions, out.length / block);
  const sums = meet ? new Float64Array(out) : out;
  for (let i = 0; i < positions.length; i++) {
    const to = positions[i] * block;
    for (let j = 0; j < block; j++) sums[to + j] += g[i * block + j];
  }
  if (sums !== out) out.set(sums);
};

/** Whether any of the positions, all below `count`, occurs twice. */
function repeats(positions: Int32Array, count: number): boolean {
  const seen = new Uint8Array(count);
  for (const position of positions) {
    if (seen[position] === 1) return true;
    seen[position] = 1;
  }
  return false;
}

export const triangle: Kernels['triangle'] = (x, rows, columns, k, upper, out) => {
  const size = rows * columns;
  for (let start = 0; start < out.length; start += size) {
    for (let i = 0; i < rows; i++) {
      const from = upper ? i + k : 0;
      const to = upper ? columns : i + k + 1;
      for (let j = 0; j < columns; j++) {
        const at = start + i * columns + j;
        out[at] = j >= from && j < to ? x[at] : 0;
      }
    }
  }
};

/**
 * Visits a row-major `shape` in runs along its last dimension, with the position each of the strided
 * operands has there and its step within the run. Neighbouring dimensions are merged where all
 * operands allow, so that the runs are long.
 */
export function forEachRun(
  shape: Shape,
  operands: readonly (readonly number[])[],
  visit: (start: number, length: number, positions: readonly number[], steps: readonly number[]) => void,
): void {
  const { sizes, strides } = mergeDimensions(shape, operands);
  if (sizes.includes(0)) return;
  const last = sizes.length - 1;
  const length = sizes[last];
  const steps = strides.map((s) => s[last]);
  const index = sizes.map(() => 0);
  const positions = operands.map(() => 0);
  for (let start = 0; ; start += length) {
    visit(start, length, positions, steps);
    let dim = last - 1;
    for (; dim >= 0; dim--) {
      index[dim]++;
      for (let k = 0; k < positions.length; k++) positions[k] += strides[k][dim];
      if (index[dim] < sizes[dim]) break;
      for (let k = 0; k < positions.length; k++) positions[k] -= strides[k][dim] * sizes[dim];
      index[dim] = 0;
    }
    if (dim < 0) return;
  }
}

/** Drops dimensions of size 1 and joins (i, j) where every operand has stride_i = size_j · stride_j. */
export function mergeDimensions(
  shape: Shape,
  operands: readonly (readonly number[])[],
): { sizes: number[]; strides: number[][] } {
  const sizes: number[] = [];
  const strides = operands.map((): number[] => []);
  for (let dim = 0; dim < shape.length; dim++) {
    if (shape[dim] === 1) continue;
    const top = sizes.length - 1;
    const joins = top >= 0 && operands.every((s, k) => strides[k][top] === shape[dim] * s[dim]);
    if (joins) sizes[top] *= shape[dim];
    else sizes.push(shape[dim]);
    for (let k = 0; k < operands.length; k++) {
      if (joins) strides[k][top] = operands[k][dim];
      else strides[k].push(operands[k][dim]);
    }
  }
  return sizes.length > 0 ? { sizes, strides } : { sizes: [1], strides: operands.map(() => [0]) };
}
