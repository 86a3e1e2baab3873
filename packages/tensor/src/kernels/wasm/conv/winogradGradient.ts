import type { ConvSizes } from '../../kernels.js';
import { roomFor } from '../arrays.js';
import type { ModuleBuilder } from '../assembler/assembler.js';
import { emitInterleave, PEAK } from './channelLayout.js';
import { allocateZeros, emitAddSums } from './convLayout.js';
import type { Call, Engine } from '../engine.js';
import type { Emitted } from '../webAssembly.js';
import { convKey } from '../windowKey.js';
import { emitImageTransform, tileStride } from './winograd.js';
import { emitAddProducts, PANEL } from './winogradProducts.js';
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
import { scaleRows, transformsOf, transposed, type Matrix, type Transforms } from './winogradTransforms.js';

/**
 * The gradient of a convolution in its weight by minimal filtering, F(5×5, 4×4), F(5×5, 2×2) or F(3×3, 4×4): the tiles
 * of the image that the forward has, and tiles of the output's gradient as their filters. Point by point their products
 * are summed over all tiles, up to 256 in float32 before the sum is added to another, and the sums are transformed.
 *
 * With P × P tiles an entry is off by at most γₙ · Aᵀ[Σ (|G||g||Gᵀ|) ⊙ (|Bᵀ||d||B|)]A with
 * n = min(T, 256) + blocks + threads + 14 + 2P, the sum over all T tiles d, in blocks of whole rows of tiles, all
 * matrices in magnitudes: where all numbers have one magnitude at most 373·γₙ·Σ|g||x| for F(5×5, 4×4),
 * 115·γₙ·Σ|g||x| for F(5×5, 2×2) and 69·γₙ·Σ|g||x| for F(3×3, 4×4). Measured as for `winogradConv2d`, of F(5×5, 4×4) the
 * root mean square is 0.5 to 1.1·10⁻⁷·Σ|g||x| and the most 1.3·10⁻⁶·Σ|g||x|.
 * False where the direct kernel is to do it, as `winogradConv2d`.
 */
export function winogradWeightGradient(
  engine: Engine,
  g: Float32Array,
  x: Float32Array,
  sizes: ConvSizes,
  out: Float32Array,
): boolean {
  const tiling = tilingOf(sizes, (channels, outChannels) => channels + outChannels);
  if (tiling === null) return false;
  const { n, c, h, w, kernelH: taps } = sizes;
  // The gradient at a tap that meets nothing but padding is exactly 0, and not a rounding away from it.
  if (h + sizes.padH < taps || w + sizes.padW < taps) return false;
  const parts = partsOf(engine, sizes, tiling);
  const gradientArea = tiling.step * tiling.step * tiling.tilesAcross * tiling.tilesDown;
  const inPart = {
    imagePeak: PEAK,
    gradientPeak: PEAK,
    image: tiling.channels * tiling.width * tiling.height,
    gradient: tiling.outChannels * gradientArea,
    buffer: 4 * tiling.tile * tiling.width,
    tiles: tiling.points * tileStride(tiling),
    filters: tiling.points * gradientStride(tiling),
    sums: tiling.points * tiling.channels * tiling.outChannels,
  };
  const room = parts * roomFor(Object.values(inPart));
  if (!engine.hasRoom(g.length + x.length + out.length + room)) return false;

  const transforms = transformsOf(taps, tiling.step);
  const key = convKey('winograd gradient', sizes);
  const kernels = engine.module(key, (module) => emitGradient(module, sizes, tiling, transforms));
  return engine.scratch((allocate) => {
    const zeros = (floats: number): number => allocateZeros(engine, allocate, floats);
    const images = engine.input(x, allocate);
    const gradients = engine.input(g, allocate);
    const target = engine.output(out, allocate);
    const scratch = Array.from({ length: parts }, () => ({
      imagePeak: zeros(inPart.imagePeak),
      gradientPeak: zeros(inPart.gradientPeak),
      image: zeros(inPart.image),
      gradient: zeros(inPart.gradient),
      sums: zeros(inPart.sums),
      buffer: 4 * allocate(inPart.buffer),
      tiles: 4 * allocate(inPart.tiles),
      filters: 4 * allocate(inPart.filters),
    }));
    const layer = { kernels, sizes, tiling, parts, images, gradients };
    const work = (call: Call, part: number): void => addPart(call, layer, part, scratch[part]);
    engine.parallel(parts, work, { repeatable: false });
    const [{ sums }] = scratch;
    for (const other of scratch.slice(1)) kernels.addSums(sums, other.sums);
    for (let panel = 0; panel < tiling.outChannels; panel += PANEL) {
      const write = panel + PANEL < tiling.outChannels ? kernels.writePanel : kernels.writeLastPanel;
      write(sums + 4 * panel, target.address + 4 * panel * c * taps * taps, 0, scratch[0].buffer, 1, 0);
    }
    const imagePeaks = scratch.map(({ imagePeak }) => imagePeak);
    const gradientPeaks = scratch.map(({ gradientPeak }) => gradientPeak);
    const inputs = { peak: peakAt(engine, imagePeaks), transform: transforms.input };
    const filter = { peak: peakAt(engine, gradientPeaks), transform: transforms.filter };
    if (!staysFinite(inputs, filter, scaledOutput(transforms), n * tiling.tilesDown * tiling.tilesAcross))
      return false;
    target.copyBack();
    return true;
  });
}

/** What all parts share: the code, how the work is cut, and addresses. */
interface Layer {
  readonly kernels: Readonly<Record<string, Emitted>>;
  readonly sizes: ConvSizes;
  readonly tiling: Tiling;
  readonly parts: number;
  readonly images: number;
  readonly gradients: number;
}

/** What a part has to itself: addresses. */
interface Scratch {
  readonly imagePeak: number;
  readonly gradientPeak: number;
  readonly image: number;
  readonly gradient: number;
  readonly sums: number;
  readonly buffer: number;
  readonly tiles: number;
  readonly filters: number;
}

/** Block by block of a part's rows of tiles: transforms those of image and gradient, and adds their products to the sums. */
function addPart(call: Call, layer: Layer, part: number, own: Scratch): void {
  const { kernels, sizes, tiling } = layer;
  const { c, h, w, o, outH, outW } = sizes;
  let image = -1;
  forEachBlock(sizes, tiling, part, layer.parts, (runs, count) => {
    for (const run of runs) {
      if (run.image !== image) {
        const pixels = layer.images + 4 * run.image * c * h * w;
        call(kernels.layOutImage, pixels, own.image + 4 * tiling.inside, own.imagePeak);
        const gradient = layer.gradients + 4 * run.image * o * outH * outW;
        call(kernels.layOutGradient, gradient, own.gradient, own.gradientPeak);
      }
      image = run.image;
      const tile = run.before * tiling.tilesAcross;
      const row = 16 * run.row * tiling.step;
      const tiles = own.tiles + 4 * tile * tiling.channels;
      call(kernels.transformImage, own.image + row * tiling.width, tiles, own.buffer, run.rows);
      const from = own.gradient + row * tiling.step * tiling.tilesAcross;
      call(kernels.transformGradient, from, own.filters + 4 * tile * PANEL, own.buffer, run.rows);
    }
    call(kernels.addProducts, own.tiles, own.filters, own.sums, count);
  });
}

/** Numbers from one point to the next of the transformed tiles of the gradient [P, O/8, tiles, 8]. */
function gradientStride({ capacity, outChannels }: Tiling): number {
  return pointStride(capacity * outChannels);
}

function scaledOutput({ output, scale }: Transforms): Matrix {
  return transposed(scaleRows(transposed(output), scale));
}

function emitGradient(module: ModuleBuilder, sizes: ConvSizes, tiling: Tiling, transforms: Transforms): void {
  const { c, o, outH, outW, kernelH: taps } = sizes;
  const width = tiling.step * tiling.tilesAcross;
  const plane = 4 * width * tiling.step * tiling.tilesDown;
  emitImageTransform(module, sizes, tiling, transforms.input);
  emitInterleave(module, 'layOutGradient', {
    channels: o,
    rows: outH,
    columns: outW,
    channelStep: outH * outW,
    rowStep: outW,
    targetColumn: 4,
    targetRow: 4 * width,
    targetGroup: plane,
  });
  emitTileTransform(module, 'transformGradient', {
    matrix: transforms.filter,
    step: tiling.step,
    tilesAcross: tiling.tilesAcross,
    width,
    sourceRow: 4 * width,
    sourceGroup: plane,
    groups: 2,
    panels: tiling.outChannels / PANEL,
    targetPoint: gradientStride(tiling),
    targetPanel: tiling.capacity * PANEL,
    targetTile: PANEL,
  });
  const sumsPoint = tiling.channels * tiling.outChannels;
  emitAddProducts(
    module,
    {
      points: tiling.points,
      c,
      channels: tiling.channels,
      leftPoint: tileStride(tiling),
      rightPoint: gradientStride(tiling),
      productPoint: sumsPoint,
    },
    tiling.outChannels / PANEL,
    tiling.capacity * PANEL,
  );
  emitAddSums(module, tiling.points * sumsPoint);
  const written = { writePanel: PANEL, writeLastPanel: o - tiling.outChannels + PANEL };
  for (const [name, channels] of Object.entries(written)) {
    // The input channels are the tiles of a row, each K × K outputs that lie one after another.
    emitOutputTransform(module, name, {
      matrix: scaledOutput(transforms),
      tilesAcross: c,
      sourcePoint: sumsPoint,
      sourceTile: tiling.outChannels,
      channels,
      lastColumns: taps,
      lastRows: taps,
      targetChannel: c * taps * taps,
      targetRow: taps,
      targetTile: taps * taps,
      targetTileRow: 0,
      bias: false,
    });
  }
}
