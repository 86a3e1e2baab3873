import type { FunctionBuilder, Local, ModuleBuilder } from '../assembler/assembler.js';
import type { Engine } from '../engine.js';
import { emitLoadLanes, emitStoreLanes } from './lanes.js';
import type { NumberFormat } from './numberFormat.js';
import type { Emitted } from '../webAssembly.js';

/**
 * Rows of the tile of the product that is held in registers, each of two vectors. With fused multiply-add 6 × 8 is 5 %
 * faster on Node 24, but Node 22 runs out of registers and takes twice the time.
 */
export const TILE_ROWS = 4;

/** Columns of the tile. */
export function tileColumns({ lanes }: NumberFormat): number {
  return 2 * lanes;
}

/**
 * multiply(a, b, c, depth, down, across, stepA, panelA, stepB, panelB, rowBytes, add) for tiles of `rows` by
 * `columns` (1 to 8, of one or two rows up to 32): c = Σⱼ a[j]·b[j], or c += where `add` is not 0, over `depth` numbers j. The `rows` numbers of
 * a[j] are neighbours, and so are those of b[j]; `step` bytes on are those of j + 1, and `panel` bytes on
 * those of the next tile down (a) or across (b).
 */
export function tileKernel(engine: Engine, format: NumberFormat, rows: number, columns: number): Emitted {
  const key = (KEYS[512 * format.bytes + 64 * rows + columns] ??=
    `matmul ${format.shape} ${rows} ${columns}`);
  return engine.module(key, (module) => emitTiles(module, format, rows, columns)).multiply;
}

/** Keys of kernels, made once: a small product takes less time than a string. */
const KEYS: string[] = [];

/** For each panel of B, for each panel of A, for each j: `rows` splats of a[j] meet the vectors of b[j]. */
function emitTiles(module: ModuleBuilder, format: NumberFormat, rows: number, columns: number): void {
  const { bytes, lanes, shape, splat } = format;
  const parameters = Array.from({ length: 12 }, () => 'i32' as const);
  module.func('multiply', parameters, null, (f, a, b, c, depth, down, across, ...others) => {
    const [stepA, panelA, stepB, panelB, rowBytes, add] = others;
    const [tilesAcross, tilesDown, step, panel, left, right, tile] = f.localArray('i32', 7);
    const vectors = Math.ceil(columns / lanes);
    const sums = f.localArray('v128', rows * vectors);
    const row = f.localArray('v128', vectors);
    const factor = f.local('v128');
    f.times(tilesAcross, across, () => {
      f.get(a).set(panel).get(c).set(tile);
      f.times(tilesDown, down, () => {
        f.get(panel).set(left).get(b).set(right);
        for (const sum of sums) f.f32x4(0).set(sum);
        f.times(step, depth, () => {
          for (const [v, part] of row.entries()) f.load('v128.load', right, 16 * v).set(part);
          for (let i = 0; i < rows; i++) {
            f.load(splat, left, bytes * i).set(factor);
            for (const [v, part] of row.entries()) f.multiplyAdd(sums[i * vectors + v], factor, part, shape);
          }
          f.increase(left, stepA).increase(right, stepB);
        });
        for (let i = 0; i < rows; i++) {
          emitStoreRow(f, format, tile, sums.slice(i * vectors, (i + 1) * vectors), columns, add);
          f.increase(tile, rowBytes);
        }
        f.increase(panel, panelA);
      });
      f.increase(b, panelB).increase(c, bytes * columns);
    });
  });
}

/** Writes or adds the first `columns` numbers of the vectors at `target`; nothing beyond is touched. */
function emitStoreRow(
  f: FunctionBuilder,
  { bytes, shape }: NumberFormat,
  target: Local,
  sums: readonly Local[],
  columns: number,
  add: Local,
): void {
  // Lanes are counted in words of four bytes.
  const words = (v: number): number => Math.min(4, (bytes / 4) * columns - 4 * v);
  f.get(add).if(() => {
    for (const [v, sum] of sums.entries()) {
      f.get(sum);
      emitLoadLanes(f, target, words(v), 16 * v);
      f.op(`${shape}.add`).set(sum);
    }
  });
  for (const [v, sum] of sums.entries()) emitStoreLanes(f, target, sum, words(v), 16 * v);
}
