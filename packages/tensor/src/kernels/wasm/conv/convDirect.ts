import type { ConvSizes } from '../../kernels.js';
import { pieceOf, roomFor, roundUp } from '../arrays.js';
import type { FunctionBuilder, Local, ModuleBuilder } from '../assembler/assembler.js';
import {
  allocateZeros,
  CHANNELS,
  emitAddSums,
  emitLayOutGradient,
  emitPad,
  packWeights,
  paddedSizes,
  unpackPanels,
  WORK_OF_PART,
  type Padded,
} from './convLayout.js';
import { PEAK } from './channelLayout.js';
import type { Call, Engine } from '../engine.js';
import { convKey } from '../windowKey.js';

/** Output pixels of a row that are computed together. */
const PIXELS = 4;

/**
 * Columns of the kernel whose weight gradients are held in registers together. An engine without relaxed SIMD also
 * allocates registers worse: with 5 it spills (16 to 32 channels, 64 images: 13.3 ms against 6.2 on Node 20, but
 * 5.8 against 8.4 on Node 24).
 */
const TAPS = { relaxed: 5, plain: 3 };

/** Terms that are added in float32 before the sum is added to another. */
const BLOCK = 256;

/**
 * Direct convolution, image by image over a zero-padded copy: a tile of 8 output channels by 4 pixels of a
 * row stays in registers while the input channels and the kernel's taps pass by, so that each input
 * number is spread once over 8 channels. Sums of up to 256 terms are float32.
 */
export function convolveDirectly(
  engine: Engine,
  x: Float32Array,
  weight: Float32Array,
  bias: Float32Array | null,
  sizes: ConvSizes,
  out: Float32Array,
): void {
  const { n, c, h, w, o, outH, outW } = sizes;
  const padded = paddedSizes(sizes);
  const { pad, convolve } = engine.module(convKey('conv', sizes), (module) => {
    emitPad(module, sizes, padded);
    emitConvolve(module, sizes, padded);
  });
  const parts = partsOf(engine, sizes);
  engine.scratch((allocate) => {
    const images = engine.input(x, allocate);
    const target = engine.output(out, allocate);
    const weights = allocate(roundUp(o, CHANNELS) * c * sizes.kernelH * sizes.kernelW);
    packWeights(weight, sizes, engine.floats, weights);
    const start = allocateZeros(engine, allocate, roundUp(o, CHANNELS));
    if (bias) engine.floats.set(bias, start / 4);
    const scratch = Array.from({ length: parts }, () => allocateZeros(engine, allocate, padded.size));
    engine.parallel(parts, (call, part) => {
      const { from, to } = pieceOf(n, part, parts);
      for (let i = from; i < to; i++) {
        call(pad, images + 4 * i * c * h * w, scratch[part]);
        call(convolve, scratch[part], 4 * weights, start, target.address + 4 * i * o * outH * outW);
      }
    });
    target.copyBack();
  });
}

/**
 * The gradient in the weight, image by image: 8 output channels by a few taps of a kernel row stay in
 * registers while the output pixels pass by. Sums of up to 256 pixels are float32, as is their sum.
 */
export function correlateDirectly(
  engine: Engine,
  g: Float32Array,
  x: Float32Array,
  sizes: ConvSizes,
  out: Float32Array,
): void {
  const { n, c, h, w, o, kernelH, kernelW, outH, outW } = sizes;
  const padded = paddedSizes(sizes);
  const count = roundUp(o, CHANNELS) * c * kernelH * kernelW;
  const { pad, layOutGradient, correlate, addSums } = engine.module(convKey('weights', sizes), (module) => {
    emitPad(module, sizes, padded);
    emitLayOutGradient(module, sizes);
    emitCorrelate(module, sizes, padded);
    emitAddSums(module, count);
  });
  const parts = partsOf(engine, sizes);
  engine.scratch((allocate) => {
    const zeros = (floats: number): number => allocateZeros(engine, allocate, floats);
    const images = engine.input(x, allocate);
    const gradients = engine.input(g, allocate);
    const scratch = Array.from({ length: parts }, () => ({
      image: zeros(padded.size),
      gradient: zeros(roundUp(o, CHANNELS) * outH * outW),
      peak: zeros(PEAK),
      panels: zeros(count),
    }));
    const work = (call: Call, part: number): void => {
      const { image, gradient, peak, panels } = scratch[part];
      const { from, to } = pieceOf(n, part, parts);
      for (let i = from; i < to; i++) {
        call(pad, images + 4 * i * c * h * w, image);
        call(layOutGradient, gradients + 4 * i * o * outH * outW, gradient, peak);
        call(correlate, image, gradient, panels);
      }
    };
    engine.parallel(parts, work, { repeatable: false });
    const [{ panels }] = scratch;
    for (const other of scratch.slice(1)) addSums(panels, other.panels);
    unpackPanels(engine.floats, panels / 4, sizes, out);
  });
}

/**
 * Whether there is a direct kernel: a kernel's plane and an output row no longer than a block of terms, and room to
 * work beside `length` numbers of inputs and output.
 */
export function hasDirectKernel(engine: Engine, sizes: ConvSizes, length: number): boolean {
  const { c, o, kernelH, kernelW, outH, outW } = sizes;
  if (kernelH * kernelW > BLOCK || outW > BLOCK) return false;
  const weights = roundUp(o, CHANNELS) * roundUp(c, CHANNELS) * kernelH * kernelW;
  const part = roomFor([paddedSizes(sizes).size, weights, roundUp(o, CHANNELS) * outH * outW, PEAK]);
  return engine.hasRoom(length + weights + roundUp(o, CHANNELS) + partsOf(engine, sizes) * part);
}

/** Parts to share the work in, which are whole images. */
function partsOf(engine: Engine, { n, c, o, kernelH, kernelW, outH, outW }: ConvSizes): number {
  const work = n * c * o * kernelH * kernelW * outH * outW;
  return Math.max(1, Math.min(engine.threads, n, Math.floor(work / WORK_OF_PART)));
}

/**
 * convolve(image, weights, bias, target) for one image:
 * for each 8 output channels, for each output row, for each 4 (at the end fewer) pixels:
 * for each input channel, kernel row, kernel column: 2 vectors of weights times each pixel.
 */
function emitConvolve(module: ModuleBuilder, sizes: ConvSizes, padded: Padded): void {
  const { c, o, kernelH, kernelW, strideH, strideW, outH, outW } = sizes;
  module.func('convolve', ['i32', 'i32', 'i32', 'i32'], null, (f, image, weights, bias, target) => {
    const [blocks, rows, tiles, row, pixel] = f.localArray('i32', 5);
    const tile = tileEmitter(f, sizes, padded);
    const block = (channels: number): void => {
      f.get(image).set(row);
      f.times(rows, outH, () => {
        f.get(row).set(pixel);
        f.times(tiles, Math.floor(outW / PIXELS), () => {
          tile(channels, PIXELS, pixel, weights, bias, target);
          f.increase(pixel, 4 * PIXELS * strideW).increase(target, 4 * PIXELS);
        });
        if (outW % PIXELS > 0) tile(channels, outW % PIXELS, pixel, weights, bias, target);
        f.increase(target, 4 * (outW % PIXELS)).increase(row, 4 * strideH * padded.width);
      });
      // The rows went through one plane of the eight.
      f.increase(target, 4 * (CHANNELS - 1) * outH * outW);
      f.increase(weights, 4 * CHANNELS * c * kernelH * kernelW).increase(bias, 4 * CHANNELS);
    };
    f.times(blocks, Math.floor(o / CHANNELS), () => block(CHANNELS));
    if (o % CHANNELS > 0) block(o % CHANNELS);
  });
}

type EmitTile = (
  channels: number,
  pixels: number,
  pixel: Local,
  weights: Local,
  bias: Local,
  target: Local,
) => void;

/** The code of one tile, of which `channels` are written; all tiles of a function share their locals. */
function tileEmitter(f: FunctionBuilder, sizes: ConvSizes, padded: Padded): EmitTile {
  const { c, kernelH, kernelW, strideW, dilationH, dilationW, outH, outW } = sizes;
  const [source, tap, blocks, channel, row, column] = f.localArray('i32', 6);
  const sums = f.localArray('v128', 2 * PIXELS);
  const totals = f.localArray('v128', 2 * PIXELS);
  const [low, high, value] = f.localArray('v128', 3);
  // Channels whose taps make a block of terms.
  const together = Math.min(c, Math.max(1, Math.floor(BLOCK / (kernelH * kernelW))));

  const addChannels = (pixels: number, count: number): void => {
    f.times(channel, count, () => {
      f.times(row, kernelH, () => {
        f.times(column, kernelW, () => {
          f.load('v128.load', tap, 0).set(low).load('v128.load', tap, 16).set(high);
          for (let i = 0; i < pixels; i++) {
            f.load('v128.load32_splat', source, 4 * i * strideW).set(value);
            f.multiplyAdd(sums[2 * i], value, low).multiplyAdd(sums[2 * i + 1], value, high);
          }
          f.increase(source, 4 * dilationW).increase(tap, 4 * CHANNELS);
        });
        f.increase(source, 4 * (dilationH * padded.width - kernelW * dilationW));
      });
      f.increase(source, 4 * (padded.plane - kernelH * dilationH * padded.width));
    });
  };

  return (channels, pixels, pixel, weights, bias, target) => {
    const used = sums.slice(0, 2 * pixels);
    f.get(pixel).set(source).get(weights).set(tap);
    for (const [i, total] of totals.slice(0, 2 * pixels).entries()) {
      f.load('v128.load', bias, 16 * (i % 2)).set(total);
    }
    const addBlock = (count: number): void => {
      for (const sum of used) f.f32x4(0).set(sum);
      addChannels(pixels, count);
      for (const [i, sum] of used.entries()) f.get(totals[i]).get(sum).op('f32x4.add').set(totals[i]);
    };
    f.times(blocks, Math.floor(c / together), () => addBlock(together));
    if (c % together > 0) addBlock(c % together);
    for (let i = 0; i < pixels; i++) {
      for (let k = 0; k < channels; k++) {
        f.get(target).get(totals[2 * i + (k >> 2)]);
        f.storeLane(k % 4, 4 * (k * outH * outW + i));
      }
    }
  };
}

/**
 * correlate(image, gradient, panels) for one image: for each 8 output channels, for each input channel, for
 * each row of the kernel and a few of its columns: over all output pixels, in blocks of at most 256, two
 * vectors of the gradient times what each tap reads there.
 */
function emitCorrelate(module: ModuleBuilder, sizes: ConvSizes, padded: Padded): void {
  const { c, o, kernelH, kernelW, strideH, strideW, dilationH, dilationW, outH, outW } = sizes;
  const channels = roundUp(o, CHANNELS);
  const rowsTogether = Math.min(outH, Math.max(1, Math.floor(BLOCK / outW)));
  module.func('correlate', ['i32', 'i32', 'i32'], null, (f, image, gradient, panels) => {
    const [blocks, channel, kernelRow, plane, origin, source, pixel] = f.localArray('i32', 7);
    const [rowBlocks, rows, columns] = f.localArray('i32', 3);
    const together = f.flavour.relaxed ? TAPS.relaxed : TAPS.plain;
    const sums = f.localArray('v128', 2 * together);
    const [low, high, value] = f.localArray('v128', 3);

    const addRows = (count: number, from: number, taps: number): void => {
      for (const sum of sums.slice(0, 2 * taps)) f.f32x4(0).set(sum);
      f.times(rows, count, () => {
        f.times(columns, outW, () => {
          f.load('v128.load', pixel, 0).set(low).load('v128.load', pixel, 16).set(high);
          for (let t = 0; t < taps; t++) {
            f.load('v128.load32_splat', source, 4 * (from + t) * dilationW).set(value);
            f.multiplyAdd(sums[2 * t], value, low).multiplyAdd(sums[2 * t + 1], value, high);
          }
          f.increase(source, 4 * strideW).increase(pixel, 4 * channels);
        });
        f.increase(source, 4 * (strideH * padded.width - outW * strideW));
      });
      for (const [i, sum] of sums.slice(0, 2 * taps).entries()) {
        const offset = 4 * CHANNELS * from + 16 * i;
        f.get(panels).load('v128.load', panels, offset).get(sum).op('f32x4.add');
        f.store('v128.store', offset);
      }
    };

    f.times(blocks, channels / CHANNELS, () => {
      f.get(image).set(plane);
      f.times(channel, c, () => {
        f.get(plane).set(origin);
        f.times(kernelRow, kernelH, () => {
          for (let from = 0; from < kernelW; from += together) {
            const taps = Math.min(together, kernelW - from);
            f.get(origin).set(source).get(gradient).set(pixel);
            f.times(rowBlocks, Math.floor(outH / rowsTogether), () => addRows(rowsTogether, from, taps));
            if (outH % rowsTogether > 0) addRows(outH % rowsTogether, from, taps);
          }
          f.increase(origin, 4 * dilationH * padded.width).increase(panels, 4 * CHANNELS * kernelW);
        });
        f.increase(plane, 4 * padded.plane);
      });
      f.increase(gradient, 4 * CHANNELS);
    });
  });
}
