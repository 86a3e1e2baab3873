import type { ConvSizes } from '../../kernels.js';
import { roomFor } from '../arrays.js';
import type { ModuleBuilder } from '../assembler/assembler.js';
import { emitInterleave, PEAK } from './channelLayout.js';
import { allocateZeros } from './convLayout.js';
import type { Call, Engine } from '../engine.js';
import type { Emitted } from '../webAssembly.js';
import { convKey } from '../windowKey.js';
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
  const tiling = tilingOf(sizes, (channels) => channels + PANEL);
  if (tiling === null) return false;
  const { c, kernelH: taps } = sizes;
  const parts = partsOf(engine, sizes, tiling);
  const shared = {
    start: tiling.outChannels,
    weights: tiling.outChannels * c * taps * taps,
    weightPeak: PEAK,
    filters: tiling.points * filterStride(sizes, tiling),
  };
  const inPart = {
    peak: PEAK,
    image: tiling.channels * tiling.width * tiling.height,
    buffer: 4 * tiling.tile * tiling.width,
    tiles: tiling.points * tileStride(tiling),
    products: tiling.points * productStride(tiling),
  };
  const room = roomFor(Object.values(shared)) + parts * roomFor(Object.values(inPart));
  if (!engine.hasRoom(x.length + weight.length + out.length + room)) return false;

  const transforms = transformsOf(tiling.step, taps);
  const key = convKey(`winograd ${turned}`, sizes);
  const kernels = engine.module(key, (module) => emitForward(module, sizes, tiling, transforms, turned));
  return engine.scratch((allocate) => {
    const zeros = (floats: number): number => allocateZeros(engine, allocate, floats);
    const source = engine.input(x, allocate);
    const target = engine.output(out, allocate);
    const start = zeros(shared.start);
    if (bias) engine.floats.set(bias, start / 4);
    const scratch = Array.from({ length: parts }, () => ({
      peak: zeros(inPart.peak),
      image: zeros(inPart.image),
      buffer: 4 * allocate(inPart.buffer),
      tiles: 4 * allocate(inPart.tiles),
      products: 4 * allocate(inPart.products),
    }));

    const weights = zeros(shared.weights);
    const weightPeak = zeros(shared.weightPeak);
    const filters = 4 * allocate(shared.filters);
    kernels.layOutWeights(engine.input(weight, allocate), weights, weightPeak);
    kernels.transformWeights(weights, filters, scratch[0].buffer, c);

    const layer = { kernels, sizes, tiling, parts, source, filters, bias: start, target: target.address };
    engine.parallel(parts, (call, part) => convolvePart(call, layer, part, scratch[part]));

    const peaks = scratch.map(({ peak }) => peak);
    const inputs = { peak: peakAt(engine, peaks), transform: transforms.input };
    const filter = { peak: peakAt(engine, [weightPeak]), transform: scaledFilter(transforms) };
    if (!staysFinite(inputs, filter, transforms.output, c)) return false;
    target.copyBack();
    return true;
  });
}

/** What all parts of a convolution share: the code, how the work is cut, and addresses. */
interface Layer {
  readonly kernels: Readonly<Record<string, Emitted>>;
  readonly sizes: ConvSizes;
  readonly tiling: Tiling;
  readonly parts: number;
  readonly source: number;
  readonly filters: number;
  readonly bias: number;
  readonly target: number;
}

/** What a part has to itself: addresses. */
interface Scratch {
  readonly peak: number;
  readonly image: number;
  readonly buffer: number;
  readonly tiles: number;
  readonly products: number;
}

/** Block by block of a part's rows of tiles: transforms them, multiplies by the filters of each panel, and writes outputs. */
function convolvePart(call: Call, layer: Layer, part: number, own: Scratch): void {
  const { kernels, sizes, tiling } = layer;
  const { c, h, w, o, outH, outW } = sizes;
  let image = -1;
  forEachBlock(sizes, tiling, part, layer.parts, (runs, count) => {
    for (const run of runs) {
      if (run.image !== image) {
        const from = layer.source + 4 * run.image * c * h * w;
        call(kernels.layOutImage, from, own.image + 4 * tiling.inside, own.peak);
      }
      image = run.image;
      const from = own.image + 16 * run.row * tiling.step * tiling.width;
      const to = own.tiles + 4 * run.before * tiling.tilesAcross * tiling.channels;
      call(kernels.transformImage, from, to, own.buffer, run.rows);
    }
    for (let panel = 0; panel < tiling.outChannels; panel += PANEL) {
      call(kernels.multiply, own.tiles, layer.filters + 4 * panel * c, own.products, count >> 2, count & 3);
      const write = panel + PANEL < tiling.outChannels ? kernels.writePanel : kernels.writeLastPanel;
      for (const run of runs) {
        const from = own.products + 4 * run.before * tiling.tilesAcross * PANEL;
        const row = run.row * tiling.step;
        const to = layer.target + 4 * ((run.image * o + panel) * outH + row) * outW;
        const cut = outH < row + run.rows * tiling.step ? 1 : 0;
        call(write, from, to, layer.bias + 4 * panel, own.buffer, run.rows - cut, cut);
      }
    }
  });
}

/** layOutImage and transformImage: an image with four channels beside each other, and the points [P, tiles, C]. */
export function emitImageTransform(
  module: ModuleBuilder,
  sizes: ConvSizes,
  tiling: Tiling,
  input: Matrix,
): void {
  const { c, h, w } = sizes;
  const plane = 4 * tiling.width * tiling.height;
  emitInterleave(module, 'layOutImage', {
    channels: c,
    rows: h,
    columns: w,
    channelStep: h * w,
    rowStep: w,
    targetColumn: 4,
    targetRow: 4 * tiling.width,
    targetGroup: plane,
  });
  emitTileTransform(module, 'transformImage', {
    matrix: input,
    step: tiling.step,
    tilesAcross: tiling.tilesAcross,
    width: tiling.width,
    sourceRow: 4 * tiling.width,
    sourceGroup: plane,
    groups: tiling.channels / 4,
    panels: 1,
    targetPoint: tileStride(tiling),
    targetPanel: tiling.channels,
    targetTile: tiling.channels,
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
  tiling: Tiling,
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
    panels: tiling.outChannels / PANEL,
    targetPoint: filterStride(sizes, tiling),
    targetPanel: c * PANEL,
    targetTile: PANEL,
  });
  emitImageTransform(module, sizes, tiling, transforms.input);
  emitProducts(module, {
    points: tiling.points,
    c,
    channels: tiling.channels,
    leftPoint: tileStride(tiling),
    rightPoint: filterStride(sizes, tiling),
    productPoint: productStride(tiling),
  });
  const written = { writePanel: PANEL, writeLastPanel: o - tiling.outChannels + PANEL };
  for (const [name, channels] of Object.entries(written)) {
    emitOutputTransform(module, name, {
      matrix: transforms.output,
      tilesAcross: tiling.tilesAcross,
      sourcePoint: productStride(tiling),
      sourceTile: PANEL,
      channels,
      lastColumns: outW - tiling.step * (tiling.tilesAcross - 1),
      lastRows: outH - tiling.step * (tiling.tilesDown - 1),
      targetChannel: outH * outW,
      targetRow: outW,
      targetTile: tiling.step,
      targetTileRow: tiling.step * outW,
      bias: true,
    });
  }
}
