// Means of windows, and their gradient. Lanes are float64 and round where the reference rounds, so that the bits are its.

import type { WindowSizes } from '../../kernels.js';
import type { FunctionBuilder, Local, ModuleBuilder } from '../assembler/assembler.js';
import { fits, isFloat32 } from '../arrays.js';
import {
  emitCopyPlane,
  emitFill,
  emitTaps,
  isPoolable,
  LANES,
  loadTap,
  paddedPlane,
  paddingRoom,
  poolPlanes,
  storeWindows,
  type Tap,
} from './poolPlanes.js';
import { windowKey } from '../windowKey.js';
import type { Kernel } from '../kernel.js';

/**
 * The mean of each window, padding counted as zeros. Gives false and writes nothing where there is no kernel: for
 * float64, for windows wider than 64 numbers, and for what does not fit into kernel memory.
 */
export const avgPool2d: Kernel<'avgPool2d'> = (engine, x, sizes, out) => {
  if (!isFloat32(x) || !isFloat32(out) || !isPoolable(sizes)) return false;
  if (!fits(engine, [x, out], paddingRoom(engine, sizes))) return false;
  if (out.length === 0) return true;
  const { pool } = engine.module(windowKey('avgPool2d', sizes), (module) => emitPool(module, sizes));
  engine.scratch((allocate) => {
    const source = engine.input(x, allocate);
    const target = engine.output(out, allocate);
    poolPlanes(engine, pool, sizes, source, [target.address], allocate);
    target.copyBack();
  });
  return true;
};

/**
 * g/area to every pixel of a window, rounded at each addition in the order of the windows, and 0 outside of windows.
 * Gives false and writes nothing where `avgPool2d` does.
 */
export const avgPool2dBackward: Kernel<'avgPool2dBackward'> = (engine, g, sizes, out) => {
  if (!isFloat32(g) || !isFloat32(out) || !isPoolable(sizes)) return false;
  if (!fits(engine, [g, out], paddingRoom(engine, sizes))) return false;
  if (out.length === 0) return true;
  const { spread } = engine.module(windowKey('avgPool2dBackward', sizes), (m) => emitSpread(m, sizes));
  engine.scratch((allocate) => {
    const source = engine.input(g, allocate);
    const target = engine.output(out, allocate);
    poolPlanes(engine, spread, sizes, target.address, [source], allocate);
    target.copyBack();
  });
  return true;
};

/**
 * pool(x, out, planes, padded, start): for each plane, with a border of zeros where it has padding, for each output
 * row, for each 4 (at the end fewer) windows: the sum of the taps, by rows, over the area.
 */
function emitPool(module: ModuleBuilder, sizes: WindowSizes): void {
  const { h, w, strideW } = sizes;
  const padded = paddedPlane(sizes);
  const { h: height, w: width } = padded ?? sizes;
  module.func('pool', ['i32', 'i32', 'i32', 'i32', 'i32'], null, (f, x, out, planes, memory) => {
    const [plane, source] = f.localArray('i32', 2);
    const [value, low, high, zero] = f.localArray('v128', 4);
    const area = areaEmitter(f, sizes);
    if (padded) emitFill(f, memory, height * width, zero);
    f.times(plane, planes, () => {
      if (padded) emitCopyPlane(f, sizes, 'in', x, memory);
      f.get(padded ? memory : x).set(source);
      emitWindows(f, sizes, width, source, (windows) => {
        f.get(zero).set(low).get(zero).set(high);
        emitTaps(f, sizes, source, width, (tap) => {
          loadTap(f, tap, strideW, windows);
          f.set(value);
          f.get(low).get(value).op('f64x2.promote_low_f32x4').op('f64x2.add').set(low);
          if (windows <= 2) return;
          f.get(high)
            .get(value)
            .get(value)
            .shuffle(2, 3, 2, 3)
            .op('f64x2.promote_low_f32x4')
            .op('f64x2.add')
            .set(high);
        });
        for (const sum of [low, high]) f.get(sum).get(area).op('f64x2.div').op('f32x4.demote_f64x2_zero');
        f.shuffle(0, 1, 4, 5).set(value);
        storeWindows(f, out, value, windows);
        f.increase(out, 4 * windows);
      });
      f.increase(x, 4 * h * w);
    });
  });
}

/**
 * spread(out, g, planes, padded, start): for each plane of zeros, for each output row, for each 4 (at the end fewer)
 * windows: the shares g/area to the taps. Windows that overlap add them one by one, others write them rounded. Where
 * there is padding, the plane is a padded one, whose inside is copied to out.
 */
function emitSpread(module: ModuleBuilder, sizes: WindowSizes): void {
  const { h, w, kernelH, kernelW, strideH, strideW } = sizes;
  const padded = paddedPlane(sizes);
  const { h: height, w: width } = padded ?? sizes;
  const overlap = kernelH > strideH || kernelW > strideW;
  module.func('spread', ['i32', 'i32', 'i32', 'i32', 'i32'], null, (f, out, g, planes, memory) => {
    const [plane, target] = f.localArray('i32', 2);
    const [zero, low, high] = f.localArray('v128', 3);
    const area = areaEmitter(f, sizes);
    f.times(plane, planes, () => {
      f.get(padded ? memory : out).set(target);
      emitFill(f, target, height * width, zero);
      emitWindows(f, sizes, width, target, (windows) => {
        const share = (at: number, half: Local): void => {
          f.load(windows - at === 1 ? 'v128.load32_zero' : 'v128.load64_zero', g, 4 * at);
          f.op('f64x2.promote_low_f32x4').get(area).op('f64x2.div').set(half);
        };
        share(0, low);
        if (windows > 2) share(2, high);
        if (overlap) addShares(f, sizes, width, target, low, high, windows);
        else writeShares(f, sizes, width, target, low, high, zero, windows);
        f.increase(g, 4 * windows);
      });
      if (padded) emitCopyPlane(f, sizes, 'out', out, memory);
      f.increase(out, 4 * h * w);
    });
  });
}

/** Adds its share to each pixel of one window after another. */
function addShares(
  f: FunctionBuilder,
  sizes: WindowSizes,
  width: number,
  target: Local,
  low: Local,
  high: Local,
  windows: number,
): void {
  const share = f.local('v128');
  for (let window = 0; window < windows; window++) {
    const half = window < 2 ? low : high;
    f.get(half).get(half);
    if (window % 2 === 0) f.shuffle(0, 1, 0, 1).set(share);
    else f.shuffle(2, 3, 2, 3).set(share);
    emitTaps(f, sizes, target, width, ({ row, ahead }: Tap) => {
      const offset = 4 * (ahead + window * sizes.strideW);
      f.get(row).load('v128.load32_zero', row, offset).op('f64x2.promote_low_f32x4');
      f.get(share).op('f64x2.add').op('f32x4.demote_f64x2_zero').storeLane(0, offset);
    });
  }
}

/** Writes its rounded share to each pixel of each window; for pairs side by side, in whole vectors. */
function writeShares(
  f: FunctionBuilder,
  sizes: WindowSizes,
  width: number,
  target: Local,
  low: Local,
  high: Local,
  zero: Local,
  windows: number,
): void {
  const { kernelW, strideW } = sizes;
  const shares = f.local('v128');
  // Added to 0, as the reference does: a share of −0 becomes 0.
  for (const half of [low, high]) {
    f.get(half).get(zero).op('f64x2.add').op('f32x4.demote_f64x2_zero');
  }
  f.shuffle(0, 1, 4, 5).set(shares);
  const arePairs = kernelW === 2 && strideW === 2 && windows === LANES;
  emitTaps(f, sizes, target, width, ({ row, ahead, column }) => {
    if (!arePairs) {
      for (let window = 0; window < windows; window++) {
        f.get(row)
          .get(shares)
          .storeLane(window, 4 * (ahead + window * strideW));
      }
    } else if (column === 0) {
      f.get(row)
        .get(shares)
        .get(shares)
        .shuffle(0, 0, 1, 1)
        .store('v128.store', 4 * ahead);
      f.get(row)
        .get(shares)
        .get(shares)
        .shuffle(2, 2, 3, 3)
        .store('v128.store', 4 * (ahead + 4));
    }
  });
}

/** For each output row, for each 4 (at the end fewer) windows: the body; `corner` is the first one's address. */
function emitWindows(
  f: FunctionBuilder,
  { strideH, strideW, outH, outW }: WindowSizes,
  width: number,
  corner: Local,
  body: (windows: number) => void,
): void {
  const [row, tile] = f.localArray('i32', 2);
  const tiles = Math.floor(outW / LANES);
  f.times(row, outH, () => {
    f.times(tile, tiles, () => {
      body(LANES);
      f.increase(corner, 4 * LANES * strideW);
    });
    if (outW % LANES > 0) body(outW % LANES);
    f.increase(corner, 4 * (strideH * width - tiles * LANES * strideW));
  });
}

/** The area of a window, as float64 in both lanes. */
function areaEmitter(f: FunctionBuilder, { kernelH, kernelW }: WindowSizes): Local {
  const area = f.local('v128');
  f.f32x4(kernelH * kernelW)
    .op('f64x2.promote_low_f32x4')
    .set(area);
  return area;
}
