import type { Kernels } from '../kernels.js';
import { forEachRun } from './strided.js';

export const map: Kernels['map'] = (fn, x, out) => {
  const f = fn.f;
  for (let i = 0; i < out.length; i++) out[i] = f(x[i]);
};

export const mapBackward: Kernels['mapBackward'] = (fn, saved, g, out) => {
  const df = fn.df;
  for (let i = 0; i < out.length; i++) {
    const d = df(saved[i]);
    out[i] = d === 0 ? 0 : g[i] * d;
  }
};

export const zip: Kernels['zip'] = (fn, a, stridesA, b, stridesB, out, shape) => {
  const f = fn.f;
  forEachRun(shape, [stridesA, stridesB], (start, length, [i, j], [stepA, stepB]) => {
    for (let n = 0; n < length; n++) out[start + n] = f(a[i + n * stepA], b[j + n * stepB]);
  });
};

export const zipBackward: Kernels['zipBackward'] = (fn, wrt, a, stridesA, b, stridesB, g, out, shape) => {
  const df = fn[wrt];
  forEachRun(shape, [stridesA, stridesB], (start, length, [i, j], [stepA, stepB]) => {
    for (let n = 0; n < length; n++) {
      const d = df(a[i + n * stepA], b[j + n * stepB]);
      out[start + n] = d === 0 ? 0 : g[start + n] * d;
    }
  });
};

export const select: Kernels['select'] = (condition, a, b, out) => {
  for (let i = 0; i < out.length; i++) out[i] = condition[i] !== 0 ? a[i] : b[i];
};
