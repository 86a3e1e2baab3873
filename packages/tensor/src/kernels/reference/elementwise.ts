import type { BinaryFunction, UnaryFunction } from '../kernels.js';
import type { Shape } from '../../shape.js';
import type { FloatArray } from '../../storage.js';
import { forEachRun } from './strided.js';

export function map(fn: UnaryFunction, x: FloatArray, out: FloatArray): void {
  const f = fn.f;
  for (let i = 0; i < out.length; i++) out[i] = f(x[i]);
}

export function mapBackward(fn: UnaryFunction, saved: FloatArray, g: FloatArray, out: FloatArray): void {
  const df = fn.df;
  for (let i = 0; i < out.length; i++) {
    const d = df(saved[i]);
    out[i] = d === 0 ? 0 : g[i] * d;
  }
}

export function zip(
  fn: Pick<BinaryFunction, 'name' | 'f'>,
  a: FloatArray,
  stridesA: readonly number[],
  b: FloatArray,
  stridesB: readonly number[],
  out: FloatArray,
  shape: Shape,
): void {
  const f = fn.f;
  forEachRun(shape, [stridesA, stridesB], (start, length, [i, j], [stepA, stepB]) => {
    for (let n = 0; n < length; n++) out[start + n] = f(a[i + n * stepA], b[j + n * stepB]);
  });
}

export function zipBackward(
  fn: BinaryFunction,
  wrt: 'da' | 'db',
  a: FloatArray,
  stridesA: readonly number[],
  b: FloatArray,
  stridesB: readonly number[],
  g: FloatArray,
  out: FloatArray,
  shape: Shape,
): void {
  const df = fn[wrt];
  forEachRun(shape, [stridesA, stridesB], (start, length, [i, j], [stepA, stepB]) => {
    for (let n = 0; n < length; n++) {
      const d = df(a[i + n * stepA], b[j + n * stepB]);
      out[start + n] = d === 0 ? 0 : g[start + n] * d;
    }
  });
}

export function select(condition: FloatArray, a: FloatArray, b: FloatArray, out: FloatArray): void {
  for (let i = 0; i < out.length; i++) out[i] = condition[i] !== 0 ? a[i] : b[i];
}
