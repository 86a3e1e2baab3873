import type { ConvSizes } from '../../kernels.js';
import type { ModuleBuilder } from '../assembler/assembler.js';
import { emitInterleave } from './channelLayout.js';
import { allocateZeros, emitAddSums } from './convLayout.js';
import type { Call, Engine } from '../engine.js';
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
  const t = tilingOf(sizes, (channels, outChannels) => channels + outChannels);
  if (t === null) return false;
  const { n, c, h, w, o, outH, outW, kernelH: taps } = sizes;
  // The gradient at a tap that meets nothing but padding is exactly 0, and not a rounding away from it.
  if (h + sizes.padH < taps || w + sizes.padW < taps) return false;
  const parts = partsOf(engine, sizes, t);
  const gradientArea = t.step * t.step * t.tilesAcross * t.tilesDown;
  const lengths = {
    image: t.channels * t.width * t.height,
    gradient: t.outChannels * gradientArea,
    buffer: 4 * t.tile * t.width,
    tiles: t.points * tileStride(t),
    filters: t.points * gradientStride(t),
    sums: t.points * t.channels * t.outChannels,
  };
  const room = Object.values(lengths).reduce((sum, length) => sum + length, 64);
  if (!engine.hasRoom(g.length + x.length + out.length + parts * room)) return false;

  const transforms = transformsOf(taps, t.step);
  const key = `winograd gradient ${Object.values({ ...sizes, n: 0 }).join(' ')}`;
  const kernels = engine.module(key, (module) => emitGradient(module, sizes, t, transforms));
  return engine.scratch((allocate) => {
    const zeros = (floats: number): number => allocateZeros(engine, allocate, floats);
    const images = engine.input(x, allocate);
    const gradients = engine.input(g, allocate);
    const target = engine.output(out, allocate);
    const scratch = Array.from({ length: parts }, () => ({
      imagePeak: zeros(4),
      gradientPeak: zeros(4),
      image: zeros(lengths.image),
      gradient: zeros(lengths.gradient),
      sums: zeros(lengths.sums),
      buffer: 4 * allocate(lengths.buffer),
      tiles: 4 * allocate(lengths.tiles),
      filters: 4 * allocate(lengths.filters),
    }));
    const work = (call: Call, part: number): void => {
      const own = scratch[part];
      let image = -1;
      forEachBlock(sizes, t, part, parts, (runs, count) => {
        for (const run of runs) {
          if (run.image !== image) {
            const first = images + 4 * run.image * c * h * w;
            call(kernels.layOutImage, first, own.image + 4 * t.inside, own.imagePeak);
            call(
              kernels.layOutGradient,
              gradients + 4 * run.image * o * outH * outW,
              own.gradient,
              own.gradientPeak,
            );
          }
          image = run.image;
          const tile = run.before * t.tilesAcross;
          const row = 16 * run.row * t.step;
          call(
            kernels.transformImage,
            own.image + row * t.width,
            own.tiles + 4 * tile * t.channels,
            own.buffer,
            run.rows,
          );
          const from = own.gradient + row * t.step * t.tilesAcross;
          call(kernels.transformGradient, from, own.filters + 4 * tile * PANEL, own.buffer, run.rows);
        }
        call(kernels.addProducts, own.tiles, own.filters, own.sums, count);
      });
    };
    engine.parallel(parts, work, { repeatable: false });
    const [{ sums }] = scratch;
    for (const other of scratch.slice(1)) kernels.addSums(sums, other.sums);
    for (let panel = 0; panel < t.outChannels; panel += PANEL) {
      const write = panel + PANEL < t.outChannels ? kernels.writePanel : kernels.writeLastPanel;
      write(sums + 4 * panel, target.address + 4 * panel * c * taps * taps, 0, scratch[0].buffer, 1, 0);
    }
    const peaks = [scratch.map((s) => s.imagePeak), scratch.map((s) => s.gradientPeak)].map((at) =>
      peakAt(engine, at),
    );
    const inputs = { peak: peaks[0], transform: transforms.input };
    const filter = { peak: peaks[1], transform: transforms.filter };
    if (!staysFinite(inputs, filter, scaledOutput(transforms), n * t.tilesDown * t.tilesAcross)) return false;
    target.take();
    return true;
  });
}

/** Numbers from one point to the next of the transformed tiles of the gradient [P, O/8, tiles, 8]. */
function gradientStride({ capacity, outChannels }: Tiling): number {
  return pointStride(capacity * outChannels);
}

function scaledOutput({ output, scale }: Transforms): Matrix {
  return transposed(scaleRows(transposed(output), scale));
}

function emitGradient(module: ModuleBuilder, sizes: ConvSizes, t: Tiling, transforms: Transforms): void {
  const { c, o, outH, outW, kernelH: taps } = sizes;
  const width = t.step * t.tilesAcross;
  const plane = 4 * width * t.step * t.tilesDown;
  emitImageTransform(module, sizes, t, transforms.input);
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
    step: t.step,
    tilesAcross: t.tilesAcross,
    width,
    sourceRow: 4 * width,
    sourceGroup: plane,
    groups: 2,
    panels: t.outChannels / PANEL,
    targetPoint: gradientStride(t),
    targetPanel: t.capacity * PANEL,
    targetTile: PANEL,
  });
  const sumsPoint = t.channels * t.outChannels;
  emitAddProducts(
    module,
    {
      points: t.points,
      c,
      channels: t.channels,
      leftPoint: tileStride(t),
      rightPoint: gradientStride(t),
      productPoint: sumsPoint,
    },
    t.outChannels / PANEL,
    t.capacity * PANEL,
  );
  emitAddSums(module, t.points * sumsPoint);
  const written = { writePanel: PANEL, writeLastPanel: o - t.outChannels + PANEL };
  for (const [name, channels] of Object.entries(written)) {
    // The input channels are the tiles of a row, each K × K outputs that lie one after another.
    emitOutputTransform(module, name, {
      matrix: scaledOutput(transforms),
      tilesAcross: c,
      sourcePoint: sumsPoint,
      sourceTile: t.outChannels,
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
