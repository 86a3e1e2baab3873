import type { Kernels } from '../kernels.js';
import type { Rows } from '../../shape.js';
import type { FloatArray } from '../../storage.js';

export const extremum: Kernels['extremum'] = (sign, x, rows, out) => {
  forEachRow(rows, (row, start, step) => {
    let best = x[start];
    for (let i = 1; i < rows.length; i++) {
      const value = x[start + i * step];
      if (sign * value > sign * best || Number.isNaN(value)) best = value;
      if (Number.isNaN(best)) break;
    }
    out[row] = best;
  });
};

export const extremumBackward: Kernels['extremumBackward'] = (x, y, g, rows, out) => {
  forEachRow(rows, (row, start, step) => {
    const isBest = (value: number): boolean =>
      value === y[row] || (Number.isNaN(value) && Number.isNaN(y[row]));
    let ties = 0;
    for (let i = 0; i < rows.length; i++) if (isBest(x[start + i * step])) ties++;
    for (let i = 0; i < rows.length; i++) {
      const at = start + i * step;
      out[at] = isBest(x[at]) ? g[row] / ties : 0;
    }
  });
};

export const argExtremum: Kernels['argExtremum'] = (sign, x, rows, out) => {
  forEachRow(rows, (row, start, step) => {
    let best = 0;
    for (let i = 1; i < rows.length; i++) {
      const leader = x[start + best * step];
      if (Number.isNaN(leader)) break;
      const value = x[start + i * step];
      if (sign * value > sign * leader || Number.isNaN(value)) best = i;
    }
    out[row] = best;
  });
};

export const variance: Kernels['variance'] = (x, rows, correction, out) => {
  const freedom = rows.length - correction;
  forEachRow(rows, (row, start, step) => {
    const mean = meanOf(x, start, step, rows.length);
    let squares = 0;
    for (let i = 0; i < rows.length; i++) squares += (x[start + i * step] - mean) ** 2;
    out[row] = squares / Math.max(0, freedom);
  });
};

export const varianceBackward: Kernels['varianceBackward'] = (x, g, rows, correction, out) => {
  const freedom = Math.max(0, rows.length - correction);
  forEachRow(rows, (row, start, step) => {
    const mean = meanOf(x, start, step, rows.length);
    for (let i = 0; i < rows.length; i++) {
      out[start + i * step] = (g[row] * 2 * (x[start + i * step] - mean)) / freedom;
    }
  });
};

export const logSumExp: Kernels['logSumExp'] = (x, rows, out) => {
  forEachRow(rows, (row, start, step) => {
    const { max, sum } = scaledSum(x, start, step, rows.length);
    // Shifting by an infinite maximum would give ∞ − ∞.
    out[row] = Number.isFinite(max) ? max + Math.log(sum) : max;
  });
};

export const logSumExpBackward: Kernels['logSumExpBackward'] = (x, y, g, rows, out) => {
  forEachRow(rows, (row, start, step) => {
    // Where the sum is 0 there is nothing to share out; at +∞ the infinite terms share the whole.
    const empty = y[row] === -Infinity;
    const infinite = y[row] === Infinity ? countInfinite(x, start, step, rows.length) : 0;
    // Not exp(x − y): the rounding of y, relative to 1, would be that of the largest |x|.
    const { max, sum } = scaledSum(x, start, step, rows.length);
    for (let i = 0; i < rows.length; i++) {
      const at = start + i * step;
      const share = infinite > 0 ? (x[at] === Infinity ? 1 / infinite : 0) : Math.exp(x[at] - max) / sum;
      out[at] = empty || share === 0 ? 0 : g[row] * share;
    }
  });
};

export const softmax: Kernels['softmax'] = (x, rows, out) => {
  forEachRow(rows, (_, start, step) => {
    const { max, sum } = scaledSum(x, start, step, rows.length);
    for (let i = 0; i < rows.length; i++) out[start + i * step] = Math.exp(x[start + i * step] - max) / sum;
  });
};

export const softmaxBackward: Kernels['softmaxBackward'] = (y, g, rows, out) => {
  forEachRow(rows, (_, start, step) => {
    let dot = 0;
    for (let i = 0; i < rows.length; i++) dot += g[start + i * step] * y[start + i * step];
    for (let i = 0; i < rows.length; i++)
      out[start + i * step] = y[start + i * step] * (g[start + i * step] - dot);
  });
};

export const logSoftmax: Kernels['logSoftmax'] = (x, rows, out) => {
  forEachRow(rows, (_, start, step) => {
    const { max, sum } = scaledSum(x, start, step, rows.length);
    const logSum = Math.log(sum);
    // In this order: max + logSum would round to the size of max.
    for (let i = 0; i < rows.length; i++) out[start + i * step] = x[start + i * step] - max - logSum;
  });
};

export const logSoftmaxBackward: Kernels['logSoftmaxBackward'] = (y, g, rows, out) => {
  forEachRow(rows, (_, start, step) => {
    let sum = 0;
    for (let i = 0; i < rows.length; i++) sum += g[start + i * step];
    for (let i = 0; i < rows.length; i++) {
      out[start + i * step] = g[start + i * step] - Math.exp(y[start + i * step]) * sum;
    }
  });
};

/** The rows of a [outer, length, inner] layout: number of the row, where it starts, and its step. */
function forEachRow(rows: Rows, visit: (row: number, start: number, step: number) => void): void {
  const { outer, length, inner } = rows;
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) visit(o * inner + i, o * length * inner + i, inner);
  }
}

function meanOf(x: FloatArray, start: number, step: number, length: number): number {
  // The second pass takes out what rounding left in the first.
  let sum = 0;
  for (let i = 0; i < length; i++) sum += x[start + i * step];
  const mean = sum / length;
  let rest = 0;
  for (let i = 0; i < length; i++) rest += x[start + i * step] - mean;
  return mean + rest / length;
}

/** The largest, and Σ exp(x − largest), which is at least 1. */
function scaledSum(x: FloatArray, start: number, step: number, length: number): { max: number; sum: number } {
  let max = -Infinity;
  for (let i = 0; i < length; i++) {
    const value = x[start + i * step];
    if (value > max || Number.isNaN(value)) max = value;
    if (Number.isNaN(max)) break;
  }
  let sum = 0;
  for (let i = 0; i < length; i++) sum += Math.exp(x[start + i * step] - max);
  return { max, sum };
}

function countInfinite(x: FloatArray, start: number, step: number, length: number): number {
  let count = 0;
  for (let i = 0; i < length; i++) if (x[start + i * step] === Infinity) count++;
  return count;
}
