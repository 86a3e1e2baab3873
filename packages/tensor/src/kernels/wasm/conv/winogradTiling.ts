import type { ConvSizes } from '../../kernels.js';
import { pieceOf, roundUp } from '../arrays.js';
import type { Engine } from '../engine.js';
import { WORK_OF_PART } from './convLayout.js';
import { MOST_TERMS, PANEL } from './winogradProducts.js';
import { rowNorm, type Matrix, type TileLength } from './winogradTransforms.js';

/** Numbers of transformed tiles that are worked on at a time: they stay in the second-level cache. */
const BLOCK_FLOATS = 128 * 1024;

/** Tiles that are worked on at a time at least: a block goes through all filters, which may be many. */
const LEAST_BLOCK = 32;

/** With fewer channels on either side the transforms cost about as much as the multiplications they save. */
const LEAST_CHANNELS = 8;

/** With fewer tiles the filters' transforms cost more than they save. */
const LEAST_TILES = 16;

/** Products of the direct kernel below which it is faster: it takes 30 µs for as many. */
const LEAST_PRODUCTS = 2 ** 20;

/** The largest float32 number. */
const LARGEST = (2 - 2 ** -23) * 2 ** 127;

/** Lengths of tiles to choose from, by the length of the kernel. Those of 8 for 3 × 3 would be less exact. */
const TILES: Readonly<Record<number, readonly TileLength[]>> = { 3: [6], 5: [8, 6] };

/** Operations of a two-dimensional transform for each point of a tile: three in each dimension. */
const TRANSFORM_WORK = 6;

/** How images are cut into tiles; lengths in pixels. */
export interface Tiling {
  /** Numbers along one side of a tile, and points of a tile. */
  readonly tile: TileLength;
  readonly points: number;
  /** Rows and columns from one tile to the next. */
  readonly step: number;
  readonly tilesDown: number;
  readonly tilesAcross: number;
  /** The image with zeros around it: the padding, and what the last tiles read beyond. */
  readonly width: number;
  readonly height: number;
  /** Numbers before the first pixel of the image, with four channels beside each other. */
  readonly inside: number;
  /** Channels in and out with those added that fill vectors and panels. */
  readonly channels: number;
  readonly outChannels: number;
  /** Tiles that are worked on at a time: whole rows of tiles, and at most 256 tiles. */
  readonly capacity: number;
}

/** Rows of tiles of one image, in a block of such rows. */
export interface Run {
  readonly image: number;
  readonly row: number;
  readonly rows: number;
  /** Rows of tiles in the block before these. */
  readonly before: number;
}

/**
 * The tiling for blocks that have `floatsOf(channels, outChannels)` numbers at each point of a tile, or null where the
 * direct kernel is to do it: minimal filtering is for 3 × 3 and 5 × 5, stride 1 and enough to do.
 */
export function tilingOf(
  sizes: ConvSizes,
  floatsOf: (channels: number, outChannels: number) => number,
): Tiling | null {
  const { c, o, kernelH, padH, padW, outH, outW } = sizes;
  const tile = tileLengthOf(sizes);
  if (tile === null) return null;
  const points = tile * tile;
  const step = tile + 1 - kernelH;
  const tilesDown = Math.ceil(outH / step);
  const tilesAcross = Math.ceil(outW / step);
  const width = (tilesAcross - 1) * step + tile;
  const height = (tilesDown - 1) * step + tile;
  const [channels, outChannels] = [roundUp(c, 4), roundUp(o, PANEL)];
  const fitting = BLOCK_FLOATS / (points * floatsOf(channels, outChannels));
  const most = Math.min(MOST_TERMS, Math.max(LEAST_BLOCK, fitting));
  const rows = Math.max(1, Math.floor(most / tilesAcross));
  // Products are computed four tiles at a time.
  const capacity = tilesAcross * (rows > 4 ? rows - (rows % 4) : rows);
  const inside = 4 * (padH * width + padW);
  return {
    tile,
    points,
    step,
    tilesDown,
    tilesAcross,
    width,
    height,
    inside,
    channels,
    outChannels,
    capacity,
  };
}

/** The length of the tiles that take the least work; null where minimal filtering is not faster. */
function tileLengthOf(sizes: ConvSizes): TileLength | null {
  const { n, c, o, kernelH, kernelW, padH, padW, outH, outW } = sizes;
  if (kernelH !== kernelW || sizes.strideH !== 1 || sizes.strideW !== 1) return null;
  if (sizes.dilationH !== 1 || sizes.dilationW !== 1) return null;
  // Outputs that read nothing but padding are exactly the bias, and not a rounding away from it.
  if (padH >= kernelH || padW >= kernelW) return null;
  const products = n * c * o * kernelH * kernelW * outH * outW;
  if (Math.min(c, o) < LEAST_CHANNELS || products < LEAST_PRODUCTS) return null;
  const choices = (TILES[kernelH] ?? []).flatMap((tile) => {
    const [down, across] = [outH, outW].map((length) => Math.ceil(length / (tile + 1 - kernelH)));
    const tiles = n * down * across;
    if (tiles < LEAST_TILES || across > MOST_TERMS) return [];
    const transforms = TRANSFORM_WORK * (tiles * (c + o) + c * o);
    return [{ tile, work: tile * tile * (tiles * c * o + transforms) }];
  });
  return choices.toSorted((a, b) => a.work - b.work)[0]?.tile ?? null;
}

/** Parts to share the work in. */
export function partsOf(engine: Engine, { n, c, o }: ConvSizes, tiling: Tiling): number {
  const { tilesDown, tilesAcross, points } = tiling;
  const work = n * tilesDown * tilesAcross * points * c * o;
  return Math.max(1, Math.min(engine.threads, n * tilesDown, Math.floor(work / WORK_OF_PART)));
}

/** Calls `visit` for each block of the part-th of `parts` pieces of all rows of tiles, with the tiles of the block. */
export function forEachBlock(
  { n }: ConvSizes,
  { tilesDown, tilesAcross, capacity }: Tiling,
  part: number,
  parts: number,
  visit: (runs: readonly Run[], tiles: number) => void,
): void {
  const { from, to } = pieceOf(n * tilesDown, part, parts);
  const mostRows = capacity / tilesAcross;
  for (let first = from; first < to; first += mostRows) {
    const end = Math.min(to, first + mostRows);
    const runs: Run[] = [];
    for (let at = first; at < end;) {
      const row = at % tilesDown;
      const rows = Math.min(tilesDown - row, end - at);
      runs.push({ image: Math.floor(at / tilesDown), row, rows, before: at - first });
      at += rows;
    }
    visit(runs, (end - first) * tilesAcross);
  }
}

/**
 * The stride, in numbers, from one point to the next of arrays that have `floats` for each: an odd number of cache
 * lines. With a power of two the places that a tile is written to would share a few sets of the cache.
 */
export function pointStride(floats: number): number {
  const lines = Math.ceil(floats / 16);
  return 16 * (lines % 2 === 0 ? lines + 1 : lines);
}

/** The largest of the magnitudes at some addresses, four at each; NaN if one is. */
export function peakAt(engine: Engine, addresses: readonly number[]): number {
  return Math.max(...addresses.flatMap((at) => [...engine.floats.subarray(at / 4, at / 4 + 4)]));
}

/**
 * Whether nothing overflows where inputs and filters have these largest magnitudes (false for NaN): neither they, nor
 * their transforms, nor the sums of `terms` products, nor the transforms of those.
 */
export function staysFinite(
  left: { readonly peak: number; readonly transform: Matrix },
  right: { readonly peak: number; readonly transform: Matrix },
  output: Matrix,
  terms: number,
): boolean {
  const most = LARGEST / 2;
  const [a, b] = [left, right].map(({ peak, transform }) => peak * rowNorm(transform) ** 2);
  return a <= most && b <= most && Math.max(1, rowNorm(output)) ** 2 * terms * a * b <= most;
}
