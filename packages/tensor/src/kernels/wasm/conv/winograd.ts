import type { ConvSizes } from '../../kernels.js';
import type { ModuleBuilder } from '../assembler/assembler.js';
import { emitInterleave } from './channelLayout.js';
import { allocateZeros } from './convLayout.js';
import type { Engine } from '../engine.js';
import { emitProducts, PANEL } from './winogradProducts.js';
import { emitOutputTransform, emitTileTransform } from './winogradTiles.js';
import {
  forEachBlock,
  partsOf,
  peakAt,
  pointStride,
  staysFinite,
  tilingOf,
  type Tiling,
} from './winogradTiling.js';
import { scaleRows, transformsOf, type Matrix, type Transforms } from './winogradTransforms.js';

/**
 * Convolution by minimal filtering, F(4×4, 5×5) or F(4×4, 3×3): tiles of 8 × 8 or 6 × 6 inputs are transformed,
 * multiplied point by point with transformed filters and summed over channels: 64 (36) multiplications where direct
 * convolution needs 400 (144). For 5 × 5 and few pixels it is F(2×2, 5×5), on tiles of 6 × 6.
 * (Lavin and Gray, "Fast algorithms for convolutional neural networks", 2016.)
 *
 * With P × P tiles an output is off by at most γₙ · Aᵀ[Σ (|G||w||Gᵀ|) ⊙ (|Bᵀ||d||B|)]A with
 * n = min(C, 256) + ⌈C/256⌉ + 14 + 2P and γₙ = n·2⁻²⁴/(1 − n·2⁻²⁴), the sum over channels, all matrices in magnitudes,
 * d the numbers of the output's tile: an output of small numbers may be off by the rounding of large ones beside them.
 * Where all numbers have one magnitude that is at most 302·γₙ·Σ|w||x| for F(4×4, 5×5), 62·γₙ·Σ|w||x| for F(2×2, 5×5)
 * and 84·γₙ·Σ|w||x| for F(4×4, 3×3). Measured for 16 or 64 channels of normal numbers, some with negative ones set to 0:
 * of F(4×4, 5×5) the root mean square is 1.4 to 2.3·10⁻⁷·Σ|w||x|, 9 to 14 times a direct sum's, and the most
 * 4.2·10⁻⁶·Σ|w||x|; of F(2×2, 5×5) 0.4 to 0.7·10⁻⁷ and 0.9·10⁻⁶.
 *
 * With `turned` the weights are [C, O, K, K] and turned by 180°, which gives the gradient in the input.
 * False where the direct kernel is to do it, whatever has been written: other windows, little to do, no room, numbers
 * that are not finite (which would spread over a tile) or so large that a transform could overflow.
 */
export function winogradConv2d(
  engine: Engine,
  x: Float32Array,
  weight: Float32Array,
  bias: Float32Array | null,
  sizes: ConvSizes,
  out: Float32Array,
  turned = false,
): boolean {
  const t = tilingOf(sizes, (channels) => channels + PANEL);
  if (t === null) return false;
  const { c, h, w, o, outH, outW, kernelH: taps } = sizes;
  const parts = partsOf(engine, sizes, t);
  const lengths = {
    weights: t.outChannels * c * taps * taps,
    filters: t.points * filterStride(sizes, t),
    image: t.channels * t.width * t.height,
    buffer: 4 * t.tile * t.width,
    tiles: t.points * tileStride(t),
    products: t.points * productStride(t),
  };
  const shared = x.length + weight.length + out.length + t.outChannels + lengths.weights + lengths.filters;
  const room = lengths.image + lengths.buffer + lengths.tiles + lengths.products + 32;
  if (!engine.hasRoom(shared + parts * room)) return false;

  const transforms = transformsOf(t.step, taps);
  const key = `winograd ${turned} ${Object.values({ ...sizes, n: 0 }).join(' ')}`;
  const kernels = engine.module(key, (module) => emitForward(module, sizes, t, transforms, turned));
  return engine.scratch((allocate) => {
    const zeros = (floats: number): number => allocateZeros(engine, allocate, floats);
    const source = engine.input(x, allocate);
    const target = engine.output(out, allocate);
    const start = zeros(t.outChannels);
    if (bias) engine.floats.set(bias, start / 4);
    const scratch = Array.from({ length: parts }, () => ({
      peak: zeros(4),
      image: zeros(lengths.image),
      buffer: 4 * allocate(lengths.buffer),
      tiles: 4 * allocate(lengths.tiles),
      products: 4 * allocate(lengths.products),
    }));

    const weights = zeros(lengths.weights);
    const weightPeak = zeros(4);
    const filters = 4 * allocate(lengths.filters);
    kernels.layOutWeights(engine.input(weight, allocate), weights, weightPeak);
    kernels.transformWeights(weights, filters, scratch[0].buffer, c);

    engine.parallel(parts, (call, part) => {
      const own = scratch[part];
      let image = -1;
      forEachBlock(sizes, t, part, parts, (runs, count) => {
        for (const run of runs) {
          if (run.image !== image) {
            call(kernels.layOutImage, source + 4 * run.image * c * h * w, own.image + 4 * t.inside, own.peak);
          }
          image = run.image;
          const from = own.image + 16 * run.row * t.step * t.width;
          const to = own.tiles + 4 * run.before * t.tilesAcross * t.channels;
          call(kernels.transformImage, from, to, own.buffer, run.rows);
        }
        for (let panel = 0; panel < t.outChannels; panel += PANEL) {
          call(kernels.multiply, own.tiles, filters + 4 * panel * c, own.products, count >> 2, count & 3);
          const write = panel + PANEL < t.outChannels ? kernels.writePanel : kernels.writeLastPanel;
          for (const run of runs) {
            const from = own.products + 4 * run.before * t.tilesAcross * PANEL;
            const row = run.row * t.step;
            const to = target.address + 4 * ((run.image * o + panel) * outH + row) * outW;
            const cut = outH < row + run.rows * t.step ? 1 : 0;
            call(write, from, to, start + 4 * panel, own.buffer, run.rows - cut, cut);
          }
        }
      });
    });

    const inputs = {
      peak: peakAt(
        engine,
        scratch.map(({ peak }) => peak),
      ),
      transform: transforms.input,
    };
    const filter = { peak: peakAt(engine, [weightPeak]), transform: scaledFilter(transforms) };
    if (!staysFinite(inputs, filter, transforms.output, c)) return false;
    target.take();
    return true;
  });
}

/** layOutImage and transformImage: an image with four channels beside each other, and the points [P, tiles, C]. */
export function emitImageTransform(module: ModuleBuilder, sizes: ConvSizes, t: Tiling, input: Matrix): void {
  const { c, h, w } = sizes;
  const plane = 4 * t.width * t.height;
  emitInterleave(module, 'layOutImage', {
    channels: c,
    rows: h,
    columns: w,
    channelStep: h * w,
    rowStep: w,
    targetColumn: 4,
    targetRow: 4 * t.width,
    targetGroup: plane,
  });
  emitTileTransform(module, 'transformImage', {
    matrix: input,
    step: t.step,
    tilesAcross: t.tilesAcross,
    width: t.width,
    sourceRow: 4 * t.width,
    sourceGroup: plane,
    groups: t.channels / 4,
    panels: 1,
    targetPoint: tileStride(t),
    targetPanel: t.channels,
    targetTile: t.channels,
  });
}

/** Numbers from one point to the next of the transformed tiles [P, tiles, C]. */
export function tileStride({ capacity, channels }: Tiling): number {
  return pointStride(capacity * channels);
}

/** The same of a panel's products [P, tiles, 8]. */
function productStride({ capacity }: Tiling): number {
  return pointStride(capacity * PANEL);
}

/** The same of the transformed filters [P, O/8, C, 8]. */
function filterStride({ c }: ConvSizes, { outChannels }: Tiling): number {
  return pointStride(outChannels * c);
}

function scaledFilter({ filter, scale }: Transforms): Matrix {
  return scaleRows(filter, scale);
}

function emitForward(
  module: ModuleBuilder,
  sizes: ConvSizes,
  t: Tiling,
  transforms: Transforms,
  turned: boolean,
): void {
  const { c, o, outH, outW, kernelH: taps } = sizes;
  const area = taps * taps;
  const filter = scaledFilter(transforms);
  emitInterleave(module, 'layOutWeights', {
    channels: o,
    rows: c,
    columns: area,
    channelStep: turned ? area : c * area,
    rowStep: turned ? o * area : area,
    targetColumn: 4,
    targetRow: 4 * area,
    targetGroup: 4 * c * area,
  });
  // The filters of an output channel lie below each other, like tiles that do not overlap.
  emitTileTransform(module, 'transformWeights', {
    matrix: turned ? filter.map((row) => row.toReversed()) : filter,
    step: taps,
    tilesAcross: 1,
    width: taps,
    sourceRow: 4 * taps,
    sourceGroup: 4 * c * area,
    groups: 2,
    panels: t.outChannels / PANEL,
    targetPoint: filterStride(sizes, t),
    targetPanel: c * PANEL,
    targetTile: PANEL,
  });
  emitImageTransform(module, sizes, t, transforms.input);
  emitProducts(module, {
    points: t.points,
    c,
    channels: t.channels,
    leftPoint: tileStride(t),
    rightPoint: filterStride(sizes, t),
    productPoint: productStride(t),
  });
  const written = { writePanel: PANEL, writeLastPanel: o - t.outChannels + PANEL };
  for (const [name, channels] of Object.entries(written)) {
    emitOutputTransform(module, name, {
      matrix: transforms.output,
      tilesAcross: t.tilesAcross,
      sourcePoint: productStride(t),
      sourceTile: PANEL,
      channels,
      lastColumns: outW - t.step * (t.tilesAcross - 1),
      lastRows: outH - t.step * (t.tilesDown - 1),
      targetChannel: outH * outW,
      targetRow: outW,
      targetTile: t.step,
      targetTileRow: t.step * outW,
      bias: true,
    });
  }
}
