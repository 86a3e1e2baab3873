import type { WindowSizes } from '../kernels.js';
import type { FloatArray } from '../../storage.js';
import type { FunctionBuilder, Local, ModuleBuilder } from './assembler.js';
import { isFloat32 } from './arrays.js';
import type { Engine } from './engine.js';

/** Windows of a row that are computed together, one in each lane of a vector. */
const LANES = 4;

/** The largest window that has a kernel: its taps are written out one by one. */
const MOST_TAPS = 64;

/**
 * The largest of each window and where in x it is first met, the last NaN winning: the reference's results,
 * bit for bit. Four windows of a row are searched side by side, tap after tap in row-major order.
 * Gives false and writes nothing where there is no kernel: for float64, with padding, for windows of more than 64
 * numbers, and for what does not fit into kernel memory.
 */
export function maxPool2d(
  engine: Engine,
  x: FloatArray,
  sizes: WindowSizes,
  out: FloatArray,
  positions: Int32Array,
): boolean {
  const { n, c, h, w, kernelH, kernelW, strideH, strideW, padH, padW, outH, outW } = sizes;
  const fits = engine.hasRoom(x.length + out.length + positions.length);
  if (!isFloat32(x) || !isFloat32(out)) return false;
  if (padH > 0 || padW > 0 || kernelH * kernelW > MOST_TAPS || !fits) return false;
  const key = ['maxPool2d', h, w, kernelH, kernelW, strideH, strideW, outH, outW].join(' ');
  const { pool } = engine.module(key, (module) => emitPool(module, sizes));
  engine.scratch((allocate) => {
    const source = engine.input(x, allocate);
    const target = engine.output(out, allocate);
    const found = allocate(positions.length);
    pool(source, target.address, 4 * found, n * c);
    target.take();
    positions.set(new Int32Array(engine.floats.buffer, 4 * found, positions.length));
  });
  return true;
}

/**
 * pool(x, out, positions, planes): for each plane, for each output row, for each 4 (at the end fewer) windows:
 * the first tap of each is the best; for each further tap, by rows: where it is larger or NaN, it is the best.
 */
function emitPool(module: ModuleBuilder, sizes: WindowSizes): void {
  const { h, w, strideH, strideW, outH, outW } = sizes;
  const tiles = Math.floor(outW / LANES);
  module.func('pool', ['i32', 'i32', 'i32', 'i32'], null, (f, x, out, positions, planes) => {
    const [plane, row, tile, source] = f.localArray('i32', 4);
    const [best, bestAt] = f.localArray('v128', 2);
    f.get(x).set(source);
    const search = searchEmitter(f, sizes, { x, source, best, bestAt });
    f.times(plane, planes, () => {
      f.times(row, outH, () => {
        f.times(tile, tiles, () => {
          search(LANES);
          f.get(out).get(best).store('v128.store');
          f.get(positions).get(bestAt).store('v128.store');
          f.increase(source, 4 * LANES * strideW);
          f.increase(out, 4 * LANES).increase(positions, 4 * LANES);
        });
        const rest = outW % LANES;
        if (rest > 0) search(rest);
        for (let lane = 0; lane < rest; lane++) {
          f.get(out)
            .get(best)
            .storeLane(lane, 4 * lane);
          f.get(positions)
            .get(bestAt)
            .storeLane(lane, 4 * lane);
        }
        f.increase(source, 4 * (strideH * w - tiles * LANES * strideW));
        f.increase(out, 4 * rest).increase(positions, 4 * rest);
      });
      f.increase(source, 4 * (h - outH * strideH) * w);
    });
  });
}

interface Search {
  readonly x: Local;
  /** The address of the first window's first tap. */
  readonly source: Local;
  readonly best: Local;
  readonly bestAt: Local;
}

/** The code that searches up to 4 windows; what all searches of a function need is computed here, before its loops. */
function searchEmitter(
  f: FunctionBuilder,
  { w, kernelH, kernelW, strideW }: WindowSizes,
  { x, source, best, bestAt }: Search,
): (windows: number) => void {
  const [starts, right, down, at, value, better] = f.localArray('v128', 6);
  gather(f, LANES, (lane) => f.i32(lane * strideW).op('i32x4.splat')).set(starts);
  f.i32(1).op('i32x4.splat').set(right);
  f.i32(w - kernelW + 1)
    .op('i32x4.splat')
    .set(down);

  return (windows) => {
    f.get(source).get(x).op('i32.sub').i32(2).op('i32.shr_s').op('i32x4.splat');
    f.get(starts).op('i32x4.add').tee(at).set(bestAt);
    for (let i = 0; i < kernelH; i++) {
      for (let j = 0; j < kernelW; j++) {
        loadTap(f, source, i * w + j, strideW, windows);
        if (i === 0 && j === 0) {
          f.set(best);
          continue;
        }
        f.set(value);
        f.get(at)
          .get(j > 0 ? right : down)
          .op('i32x4.add')
          .set(at);
        f.get(value).get(best).op('f32x4.gt').get(value).get(value).op('f32x4.ne').op('v128.or').set(better);
        f.get(value).get(best).get(better).op('v128.bitselect').set(best);
        f.get(at).get(bestAt).get(better).op('v128.bitselect').set(bestAt);
      }
    }
  };
}

/** Pushes one tap of each window, reading nothing beyond the last of them. */
function loadTap(f: FunctionBuilder, source: Local, tap: number, stride: number, windows: number): void {
  if (windows === LANES && stride === 1) {
    f.load('v128.load', source, 4 * tap);
  } else if (windows === LANES && stride === 2) {
    f.load('v128.load', source, 4 * tap).load('v128.load', source, 4 * (tap + 3));
    f.shuffle(0, 2, 5, 7);
  } else {
    gather(f, windows, (lane) => f.load('v128.load32_splat', source, 4 * (tap + lane * stride)));
  }
}

/** Pushes a vector of one lane from each of `count` vectors that have it in all their lanes. */
function gather(f: FunctionBuilder, count: number, push: (lane: number) => void): FunctionBuilder {
  push(0);
  for (let lane = 1; lane < count; lane++) {
    push(lane);
    f.shuffle(0, lane === 1 ? 4 : 1, lane === 2 ? 4 : 2, lane === 3 ? 4 : 3);
  }
  return f;
}
