import type { ConvSizes } from '../kernels.js';
import type { FloatArray } from '../../storage.js';
import type { FunctionBuilder, Local, ModuleBuilder } from './assembler.js';
import { isFloat32, up } from './arrays.js';
import type { Engine } from './engine.js';
import { padInto, packGradient, packWeights, paddedSizes, unpackPanels, type Padded } from './convLayout.js';

/** Output channels that are computed together: two vectors. */
export const CHANNELS = 8;

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
 * False, and nothing written, for float64 and what there is no kernel for.
 */
export function conv2d(
  engine: Engine,
  x: FloatArray,
  weight: FloatArray,
  bias: FloatArray | null,
  sizes: ConvSizes,
  out: FloatArray,
): boolean {
  if (!isFloat32(x) || !isFloat32(weight) || !hasKernel(engine, sizes)) return false;
  const { n, c, h, w, o, outH, outW } = sizes;
  const padded = paddedSizes(sizes);
  const { floats } = engine;
  const { convolve } = engine.module(keyOf('conv', sizes), (m) => emitConvolve(m, sizes, padded));
  engine.scratch((allocate) => {
    const image = allocate(padded.size);
    const weights = allocate(up(o, CHANNELS) * c * sizes.kernelH * sizes.kernelW);
    const start = allocate(up(o, CHANNELS));
    const target = allocate(up(o, CHANNELS) * outH * outW);
    packWeights(weight, sizes, floats, weights);
    floats.fill(0, start, start + up(o, CHANNELS));
    if (bias) floats.set(bias, start);
    floats.fill(0, image, image + padded.size);
    for (let i = 0; i < n; i++) {
      padInto(x, i * c * h * w, sizes, padded, floats, image);
      convolve(4 * image, 4 * weights, 4 * start, 4 * target);
      out.set(floats.subarray(target, target + o * outH * outW), i * o * outH * outW);
    }
  });
  return true;
}

/**
 * The gradient in the input: where the stride is 1 a convolution of g with the kernel turned by 180°, channels
 * swapped. False, and nothing written, for float64 and what there is no kernel for.
 */
export function conv2dInputGradient(
  engine: Engine,
  g: FloatArray,
  weight: FloatArray,
  sizes: ConvSizes,
  out: FloatArray,
): boolean {
  const turned = turnedSizes(sizes);
  if (turned === null || !isFloat32(g) || !isFloat32(weight) || !hasKernel(engine, turned)) return false;
  const { c, o, kernelH, kernelW } = sizes;
  const taps = kernelH * kernelW;
  const swapped = new Float32Array(weight.length);
  for (let to = 0; to < o; to++) {
    for (let from = 0; from < c; from++) {
      for (let t = 0; t < taps; t++) {
        swapped[(from * o + to) * taps + t] = weight[(to * c + from) * taps + taps - 1 - t];
      }
    }
  }
  return conv2d(engine, g, swapped, null, turned, out);
}

/**
 * The gradient in the weight, image by image: 8 output channels by a few taps of a kernel row stay in
 * registers while the output pixels pass by. Sums of up to 256 pixels are float32, as is their sum.
 * False, and nothing written, for float64 and what there is no kernel for.
 */
export function conv2dWeightGradient(
  engine: Engine,
  g: FloatArray,
  x: FloatArray,
  sizes: ConvSizes,
  out: FloatArray,
): boolean {
  if (!isFloat32(g) || !isFloat32(x) || !hasKernel(engine, sizes)) return false;
  const { n, c, h, w, o, kernelH, kernelW, outH, outW } = sizes;
  const padded = paddedSizes(sizes);
  const { floats } = engine;
  const { correlate } = engine.module(keyOf('weights', sizes), (m) => emitCorrelate(m, sizes, padded));
  engine.scratch((allocate) => {
    const image = allocate(padded.size);
    const gradient = allocate(up(o, CHANNELS) * outH * outW);
    const count = up(o, CHANNELS) * c * kernelH * kernelW;
    const panels = allocate(count);
    floats.fill(0, image, image + padded.size);
    floats.fill(0, gradient, gradient + up(o, CHANNELS) * outH * outW);
    floats.fill(0, panels, panels + count);
    for (let i = 0; i < n; i++) {
      padInto(x, i * c * h * w, sizes, padded, floats, image);
      packGradient(g, i * o * outH * outW, sizes, floats, gradient);
      correlate(4 * image, 4 * gradient, 4 * panels);
    }
    unpackPanels(floats, panels, sizes, out);
  });
  return true;
}

/** Whether there is a kernel: a kernel's plane and an output row no longer than a block of terms, and room to work. */
function hasKernel(engine: Engine, sizes: ConvSizes): boolean {
  const { c, o, kernelH, kernelW, outH, outW } = sizes;
  if (kernelH * kernelW > BLOCK || outW > BLOCK) return false;
  const weights = up(o, CHANNELS) * up(c, CHANNELS) * kernelH * kernelW;
  return engine.hasRoom(paddedSizes(sizes).size + weights + up(o, CHANNELS) * (outH * outW + 1));
}

/**
 * The sizes of the convolution that gives the gradient in the input. There is one at stride 1, or null:
 * also where it would need a negative padding.
 */
function turnedSizes(sizes: ConvSizes): ConvSizes | null {
  const { c, o, h, w, strideH, strideW, outH, outW } = sizes;
  const padH = sizes.dilationH * (sizes.kernelH - 1) - sizes.padH;
  const padW = sizes.dilationW * (sizes.kernelW - 1) - sizes.padW;
  if (strideH !== 1 || strideW !== 1 || padH < 0 || padW < 0) return null;
  return { ...sizes, c: o, o: c, h: outH, w: outW, outH: h, outW: w, padH, padW };
}

function keyOf(name: string, sizes: ConvSizes): string {
  return `${name} ${Object.values({ ...sizes, n: 0 }).join(' ')}`;
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
    f.times(blocks, up(o, CHANNELS) / CHANNELS, () => {
      f.get(image).set(row);
      f.times(rows, outH, () => {
        f.get(row).set(pixel);
        f.times(tiles, Math.floor(outW / PIXELS), () => {
          tile(PIXELS, pixel, weights, bias, target);
          f.increase(pixel, 4 * PIXELS * strideW).increase(target, 4 * PIXELS);
        });
        if (outW % PIXELS > 0) tile(outW % PIXELS, pixel, weights, bias, target);
        f.increase(target, 4 * (outW % PIXELS)).increase(row, 4 * strideH * padded.width);
      });
      // The rows went through one plane of the eight.
      f.increase(target, 4 * (CHANNELS - 1) * outH * outW);
      f.increase(weights, 4 * CHANNELS * c * kernelH * kernelW).increase(bias, 4 * CHANNELS);
    });
  });
}

type EmitTile = (pixels: number, pixel: Local, weights: Local, bias: Local, target: Local) => void;

/** The code of one tile; all tiles of a function share their locals. */
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

  return (pixels, pixel, weights, bias, target) => {
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
      for (let k = 0; k < CHANNELS; k++) {
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
  const channels = up(o, CHANNELS);
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
