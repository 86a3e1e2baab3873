import type { ConvSizes } from '../../kernels.js';
import type { FloatArray } from '../../../storage.js';
import { roundUp } from '../arrays.js';
import type { ModuleBuilder } from '../assembler/assembler.js';
import { emitInterleave } from './channelLayout.js';
import type { Allocate, Engine } from '../engine.js';

/** Output channels that are computed together, and lie beside each other in packed weights and gradients: two vectors. */
export const CHANNELS = 8;

/** Multiplications that are worth a thread of their own: about 50 µs. */
export const WORK_OF_PART = 2 ** 20;

/** An image with zeros around it, in numbers: the length of a row, of a channel, and of all. */
export interface Padded {
  readonly width: number;
  readonly plane: number;
  readonly size: number;
}

/** The padded image as a convolution reads it. */
export function paddedSizes({ c, h, w, padH, padW }: ConvSizes): Padded {
  const width = w + 2 * padW;
  const plane = width * (h + 2 * padH);
  return { width, plane, size: c * plane };
}

/**
 * pad(source, target): copies one image [C, H, W] into the middle of its padded place, whose border stays as it is.
 * For each row: vectors of four numbers, then the rest one by one.
 */
export function emitPad(module: ModuleBuilder, { c, h, w, padH, padW }: ConvSizes, padded: Padded): void {
  const vectors = Math.floor(w / 4);
  const rest = w % 4;
  module.func('pad', ['i32', 'i32'], null, (f, source, target) => {
    const [channel, row, vector] = f.localArray('i32', 3);
    f.increase(target, 4 * (padH * padded.width + padW));
    f.times(channel, c, () => {
      f.times(row, h, () => {
        f.times(vector, vectors, () => {
          f.get(target).load('v128.load', source).store('v128.store');
          f.increase(source, 16).increase(target, 16);
        });
        for (let i = 0; i < rest; i++) {
          f.get(target).load('f32.load', source, 4 * i);
          f.store('f32.store', 4 * i);
        }
        f.increase(source, 4 * rest).increase(target, 4 * (padded.width - 4 * vectors));
      });
      f.increase(target, 4 * (padded.plane - h * padded.width));
    });
  });
}

/** layOutGradient(source, target, peak): the gradient of one image [O, P] as [P, O], rows a multiple of 8 long. */
export function emitLayOutGradient(module: ModuleBuilder, { o, outH, outW }: ConvSizes): void {
  emitInterleave(module, 'layOutGradient', {
    channels: o,
    rows: 1,
    columns: outH * outW,
    channelStep: outH * outW,
    rowStep: outH * outW,
    targetColumn: roundUp(o, CHANNELS),
    targetRow: 0,
    targetGroup: 4,
  });
}

/** addSums(sums, others): sums += others, `count` numbers, a multiple of 4. */
export function emitAddSums(module: ModuleBuilder, count: number): void {
  module.func('addSums', ['i32', 'i32'], null, (f, sums, others) => {
    const vector = f.local('i32');
    f.times(vector, count / 4, () => {
      f.get(sums).load('v128.load', sums).load('v128.load', others).op('f32x4.add').store('v128.store');
      f.increase(sums, 16).increase(others, 16);
    });
  });
}

/** Takes memory for numbers that are 0 at first and gives its address. */
export function allocateZeros(engine: Engine, allocate: Allocate, floats: number): number {
  const start = allocate(floats);
  engine.floats.fill(0, start, start + floats);
  return 4 * start;
}

/** Weights [O, C, KH, KW] as [O/8, C, KH, KW, 8], zeros for channels beyond O. */
export function packWeights(
  weight: Float32Array,
  sizes: ConvSizes,
  floats: Float32Array,
  target: number,
): void {
  const { c, o, kernelH, kernelW } = sizes;
  const taps = c * kernelH * kernelW;
  floats.fill(0, target, target + roundUp(o, CHANNELS) * taps);
  for (let to = 0; to < o; to++) {
    const panel = target + Math.floor(to / CHANNELS) * taps * CHANNELS + (to % CHANNELS);
    for (let t = 0; t < taps; t++) floats[panel + t * CHANNELS] = weight[to * taps + t];
  }
}

/** The inverse of `packWeights`. */
export function unpackPanels(floats: Float32Array, start: number, sizes: ConvSizes, out: FloatArray): void {
  const { c, o, kernelH, kernelW } = sizes;
  const taps = c * kernelH * kernelW;
  for (let to = 0; to < o; to++) {
    const panel = start + Math.floor(to / CHANNELS) * taps * CHANNELS + (to % CHANNELS);
    for (let t = 0; t < taps; t++) out[to * taps + t] = floats[panel + t * CHANNELS];
  }
}
