import type { WindowSizes } from '../../kernels.js';
import type { FunctionBuilder, Local, ModuleBuilder } from '../assembler/assembler.js';
import { fits, isFloat32 } from '../arrays.js';
import {
  emitCopyPlane,
  emitFill,
  emitTaps,
  gather,
  isPoolable,
  LANES,
  loadTap,
  paddedPlane,
  paddingRoom,
  poolPlanes,
  storeWindows,
} from './poolPlanes.js';
import { windowKey } from '../windowKey.js';
import type { Kernel } from '../kernel.js';

/**
 * The largest of each window and where in x it is first met, the last NaN winning: the reference's results,
 * bit for bit. Four windows of a row are searched side by side, tap after tap in row-major order.
 * Gives false and writes nothing where there is no kernel: for float64, for windows wider than 64 numbers, for padding
 * of more than half a window, and for what does not fit into kernel memory.
 */
export const maxPool2d: Kernel<'maxPool2d'> = (engine, x, sizes, out, positions) => {
  if (!isFloat32(x) || !isFloat32(out) || !isPoolable(sizes)) return false;
  if (!fits(engine, [x, out, positions], paddingRoom(engine, sizes))) return false;
  if (out.length === 0) return true;
  const { pool } = engine.module(windowKey('maxPool2d', sizes), (module) => emitPool(module, sizes));
  engine.scratch((allocate) => {
    const source = engine.input(x, allocate);
    const target = engine.output(out, allocate);
    const found = engine.output(positions, allocate);
    poolPlanes(engine, pool, sizes, source, [target.address, found.address], allocate);
    target.copyBack();
    found.copyBack();
  });
  return true;
};

/**
 * pool(x, out, positions, planes, padded): for each plane, for each output row, for each 4 (at the end fewer) windows:
 * the first tap of each is the best; for each further tap, by rows: where it is larger or NaN, it is the best.
 * With padding, planes are first copied between borders of −∞, which nothing is smaller than.
 */
function emitPool(module: ModuleBuilder, sizes: WindowSizes): void {
  const { h, w, strideH, strideW, padH, padW, outH, outW } = sizes;
  const padded = paddedPlane(sizes);
  const { h: height, w: width } = padded ?? sizes;
  const tiles = Math.floor(outW / LANES);
  const rest = outW % LANES;
  const parameters = ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'] as const;
  module.func('pool', parameters, null, (f, x, out, positions, planes, memory, start) => {
    const [plane, row, tile, source, corner, above, left] = f.localArray('i32', 7);
    const [best, bestAt, lowest] = f.localArray('v128', 3);
    const search = searchEmitter(f, sizes, width, { source, corner, above, left, best, bestAt, lowest });
    const pool = (windows: number): void => {
      search(windows);
      storeWindows(f, out, best, windows);
      storeWindows(f, positions, bestAt, windows);
      f.increase(out, 4 * windows).increase(positions, 4 * windows);
    };
    f.f32x4(-Infinity).set(lowest);
    if (padded) emitFill(f, memory, padded.h * padded.w, lowest);
    else f.get(x).set(source);
    f.get(start)
      .i32(padH * w + padW)
      .op('i32.sub')
      .set(corner);
    f.times(plane, planes, () => {
      if (padded) {
        emitCopyPlane(f, sizes, 'in', x, memory);
        f.increase(x, 4 * h * w);
        f.get(memory).set(source);
        f.i32(padH * w).set(above);
      }
      f.times(row, outH, () => {
        if (padded) f.i32(padW).set(left);
        f.times(tile, tiles, () => {
          pool(LANES);
          f.increase(source, 4 * LANES * strideW).increase(corner, LANES * strideW);
          if (padded) f.increase(left, -LANES * strideW);
        });
        if (rest > 0) pool(rest);
        f.increase(source, 4 * (strideH * width - tiles * LANES * strideW));
        f.increase(corner, strideH * w - tiles * LANES * strideW);
        if (padded) f.increase(above, -strideH * w);
      });
      f.increase(source, 4 * (height - outH * strideH) * width);
      f.increase(corner, (h - outH * strideH) * w);
    });
  });
}

interface Search {
  /** The address of the first window's first tap. */
  readonly source: Local;
  /** Where in x that tap is; with padding, it may lie outside. */
  readonly corner: Local;
  /** With padding: the numbers of x, by whole rows, and the columns that this corner lies outside. */
  readonly above: Local;
  readonly left: Local;
  readonly best: Local;
  readonly bestAt: Local;
  /** −∞. */
  readonly lowest: Local;
}

/** The code that searches up to 4 windows; what all searches of a function need is computed here, before its loops. */
function searchEmitter(
  f: FunctionBuilder,
  sizes: WindowSizes,
  width: number,
  { source, corner, above, left, best, bestAt, lowest }: Search,
): (windows: number) => void {
  const { w, kernelW, strideW } = sizes;
  const isPadded = paddedPlane(sizes) !== null;
  const [starts, right, down, zero, at, value, better] = f.localArray('v128', 7);
  gather(f, LANES, (lane) => f.i32(lane * strideW).op('i32x4.splat')).set(starts);
  f.i32(1).op('i32x4.splat').set(right);
  f.i32(w - kernelW + 1)
    .op('i32x4.splat')
    .set(down);

  return (windows) => {
    f.get(corner).op('i32x4.splat').get(starts).op('i32x4.add').tee(at).set(bestAt);
    f.get(lowest).set(best);
    if (isPadded) {
      // Where no number is larger than −∞, the first inside the image is the best.
      f.get(bestAt).get(above).op('i32x4.splat').get(zero).op('i32x4.max_s').op('i32x4.add');
      f.get(left).op('i32x4.splat').get(starts).op('i32x4.sub').get(zero).op('i32x4.max_s');
      f.op('i32x4.add').set(bestAt);
    }
    emitTaps(f, sizes, source, width, (tap) => {
      loadTap(f, tap, strideW, windows);
      if (tap.isFirst && !isPadded) f.set(best);
      else {
        f.set(value);
        f.get(value).get(best).op('f32x4.gt').get(value).get(value).op('f32x4.ne').op('v128.or').set(better);
        f.get(value).get(best).get(better).op('v128.bitselect').set(best);
        f.get(at).get(bestAt).get(better).op('v128.bitselect').set(bestAt);
      }
      f.get(at)
        .get(tap.column < kernelW - 1 ? right : down)
        .op('i32x4.add')
        .set(at);
    });
  };
}
