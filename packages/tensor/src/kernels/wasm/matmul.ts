import type { MatmulSizes } from '../kernels.js';
import type { FloatArray } from '../../storage.js';
import type { FunctionBuilder, Local, ModuleBuilder } from './assembler.js';
import { isFloat32, up } from './arrays.js';
import type { Engine } from './engine.js';
import type { Emitted } from './webAssembly.js';

/** Rows and columns of the tile of the product that is held in registers: 4 × 8 is eight vectors. */
const TILE_ROWS = 4;
const TILE_COLUMNS = 8;

/** Terms of a sum that are added in float32 before the sum goes to memory; also what keeps panels in cache. */
export const DEPTH = 256;

/** Rows of A that are multiplied with a block of B at a time: 96 × 256 floats fit the second-level cache. */
const BLOCK_ROWS = 96;

/** The module of matrix products, compiled at the first call. */
export function prepareMatmul(engine: Engine): Record<string, Emitted> {
  return engine.module('matmul', emitMatmul);
}

/**
 * out [batch, m, n] = op(A) op(B) by packed panels (Goto and van de Geijn, "Anatomy of high-performance
 * matrix multiplication", 2008): for each block of 256 along k, B is laid out in panels of 8 columns and A in
 * panels of 4 rows, each in the order in which the tile is computed; rows and columns beyond the edge are
 * zeros. Each sum of 256 terms is float32, and so is the sum of these.
 * False, and nothing written, for float64 and what does not fit into kernel memory.
 */
export function matmul(
  engine: Engine,
  a: FloatArray,
  b: FloatArray,
  sizes: MatmulSizes,
  out: FloatArray,
): boolean {
  if (!isFloat32(a) || !isFloat32(b) || !engine.hasRoom(room(sizes))) return false;
  const { batch, m, k, n } = sizes;
  const { addTiles } = prepareMatmul(engine);
  const { floats } = engine;
  const rows = up(m, TILE_ROWS);
  const columns = up(n, TILE_COLUMNS);
  engine.scratch((allocate) => {
    const panelsA = allocate(Math.min(rows, BLOCK_ROWS) * Math.min(k, DEPTH));
    const panelsB = allocate(Math.min(k, DEPTH) * columns);
    const product = allocate(rows * columns);
    for (let t = 0; t < batch; t++) {
      floats.fill(0, product, product + rows * columns);
      for (let from = 0; from < k; from += DEPTH) {
        const depth = Math.min(DEPTH, k - from);
        packB(b, t * sizes.strideB, sizes, from, depth, floats, panelsB);
        for (let row = 0; row < m; row += BLOCK_ROWS) {
          const count = Math.min(BLOCK_ROWS, m - row);
          packA(a, t * sizes.strideA, sizes, row, count, from, depth, floats, panelsA);
          const target = 4 * (product + row * columns);
          const tiles = [Math.ceil(count / TILE_ROWS), columns / TILE_COLUMNS];
          addTiles(4 * panelsA, 4 * panelsB, target, depth, tiles[0], tiles[1], 4 * columns);
        }
      }
      for (let i = 0; i < m; i++) {
        const start = product + i * columns;
        out.set(floats.subarray(start, start + n), (t * m + i) * n);
      }
    }
  });
  return true;
}

/** How many numbers of kernel memory a product takes. */
function room({ m, k, n }: MatmulSizes): number {
  const depth = Math.min(k, DEPTH);
  return (depth + up(m, TILE_ROWS)) * up(n, TILE_COLUMNS) + Math.min(up(m, TILE_ROWS), BLOCK_ROWS) * depth;
}

/** Rows `row` … of op(A), columns `from` …: panel after panel, column after column, 4 rows each. */
function packA(
  a: Float32Array,
  start: number,
  { m, k, transposeA }: MatmulSizes,
  row: number,
  count: number,
  from: number,
  depth: number,
  floats: Float32Array,
  target: number,
): void {
  const [stepI, stepJ] = transposeA ? [1, m] : [k, 1];
  for (let panel = 0; panel < count; panel += TILE_ROWS) {
    const to = target + panel * depth;
    for (let i = 0; i < TILE_ROWS; i++) {
      const inside = panel + i < count;
      const source = start + (row + panel + i) * stepI + from * stepJ;
      for (let j = 0; j < depth; j++) floats[to + j * TILE_ROWS + i] = inside ? a[source + j * stepJ] : 0;
    }
  }
}

/** Rows `from` … of op(B): panel after panel, row after row, 8 columns each. */
function packB(
  b: Float32Array,
  start: number,
  { k, n, transposeB }: MatmulSizes,
  from: number,
  depth: number,
  floats: Float32Array,
  target: number,
): void {
  const [stepJ, stepL] = transposeB ? [1, k] : [n, 1];
  for (let panel = 0; panel < n; panel += TILE_COLUMNS) {
    const to = target + panel * depth;
    const width = Math.min(TILE_COLUMNS, n - panel);
    for (let j = 0; j < depth; j++) {
      const source = start + (from + j) * stepJ + panel * stepL;
      const row = to + j * TILE_COLUMNS;
      for (let l = 0; l < width; l++) floats[row + l] = b[source + l * stepL];
      for (let l = width; l < TILE_COLUMNS; l++) floats[row + l] = 0;
    }
  }
}

/**
 * addTiles(a, b, c, depth, tilesDown, tilesAcross, rowBytes): for each panel of B, for each panel of A,
 * a 4 × 8 tile of c += Σⱼ a[j]·b[j]: per j four splats of a meet two vectors of b.
 */
function emitMatmul(module: ModuleBuilder): void {
  const parameters = ['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32'] as const;
  module.func('addTiles', parameters, null, (f, a, b, c, depth, tilesDown, tilesAcross, rowBytes) => {
    const [across, down, step, left, right, tile] = f.localArray('i32', 6);
    f.times(across, tilesAcross, () => {
      f.get(a).set(left).get(c).set(tile);
      f.times(down, tilesDown, () => {
        f.get(b).set(right);
        emitTile(f, left, right, tile, depth, rowBytes, step);
      });
      f.get(right)
        .set(b)
        .increase(c, 4 * TILE_COLUMNS);
    });
  });
}

/** One tile; `left` ends at the next panel of A, `right` at the next of B, `tile` at the next tile below. */
function emitTile(
  f: FunctionBuilder,
  left: Local,
  right: Local,
  tile: Local,
  depth: Local,
  rowBytes: Local,
  step: Local,
): void {
  const vectors = TILE_COLUMNS / 4;
  const sums = f.localArray('v128', TILE_ROWS * vectors);
  const columns = f.localArray('v128', vectors);
  const factor = f.local('v128');
  for (const sum of sums) f.f32x4(0).set(sum);
  f.times(step, depth, () => {
    columns.forEach((column, v) => f.load('v128.load', right, 16 * v).set(column));
    for (let i = 0; i < TILE_ROWS; i++) {
      f.load('v128.load32_splat', left, 4 * i).set(factor);
      columns.forEach((column, v) => f.multiplyAdd(sums[i * vectors + v], factor, column));
    }
    f.increase(left, 4 * TILE_ROWS).increase(right, 4 * TILE_COLUMNS);
  });
  for (let i = 0; i < TILE_ROWS; i++) {
    for (let v = 0; v < vectors; v++) {
      f.get(tile)
        .load('v128.load', tile, 16 * v)
        .get(sums[i * vectors + v])
        .op('f32x4.add');
      f.store('v128.store', 16 * v);
    }
    f.increase(tile, rowBytes);
  }
}
