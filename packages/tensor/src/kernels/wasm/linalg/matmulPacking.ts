import type { FunctionBuilder, Local, ModuleBuilder } from '../assembler/assembler.js';
import type { Engine } from '../engine.js';
import { roundUp } from '../arrays.js';
import { emitLoadLanes, emitTransposeOf } from './lanes.js';
import type { NumberFormat } from './numberFormat.js';
import type { Emitted } from '../webAssembly.js';

/**
 * pack(source, target, depth, panels, stride) lays panels of `lanes` (1 to 8) numbers out in the order in which a tile
 * reads them: target[j·width + i] is number i of a[j], 0 for i from `lanes` to `width` (`lanes`, or whole vectors).
 * With `neighbours` the lanes lie side by side and `stride` bytes lead from j to j + 1; otherwise j and j + 1 are side by
 * side and `stride` leads from lane to lane.
 */
export function packKernel(
  engine: Engine,
  format: NumberFormat,
  lanes: number,
  width: number,
  neighbours: boolean,
): Emitted {
  const { bytes, shape } = format;
  const key = (KEYS[256 * (bytes + Number(neighbours)) + 16 * width + lanes] ??=
    `pack ${shape} ${lanes} ${width} ${neighbours}`);
  const words = bytes / 4;
  return engine.module(key, (module) => {
    if (neighbours) emitPackNeighbours(module, words * lanes, words * width);
    else emitPackTransposed(module, format, lanes, width);
  }).pack;
}

/** Keys of kernels, made once: a small product takes less time than a string. */
const KEYS: string[] = [];

const PARAMETERS = ['i32', 'i32', 'i32', 'i32', 'i32'] as const;

/** For each panel, for each j: up to two vectors of words of four bytes. A part of a vector runs over into j + 1, which is written after it. */
function emitPackNeighbours(module: ModuleBuilder, lanes: number, width: number): void {
  module.func('pack', PARAMETERS, null, (f, source, target, depth, panels, stride) => {
    const [panel, step, from] = f.localArray('i32', 3);
    f.times(panel, panels, () => {
      f.get(source).set(from);
      f.times(step, depth, () => {
        for (let i = 0; i < lanes; i += 4) {
          f.get(target);
          emitLoadLanes(f, from, Math.min(4, lanes - i), 4 * i);
          f.store('v128.store', 4 * i);
        }
        f.increase(from, stride).increase(target, 4 * width);
      });
      f.increase(source, 4 * lanes);
    });
  });
}

/**
 * For each panel, for as many j at a time as a vector has lanes: transposes, the last lanes first, since a part of a vector
 * runs over into what is written after it. Then the j that remain, number by number.
 */
function emitPackTransposed(module: ModuleBuilder, format: NumberFormat, lanes: number, width: number): void {
  const { bytes, lanes: vector } = format;
  module.func('pack', PARAMETERS, null, (f, source, target, depth, panels, stride) => {
    const [panel, step, whole] = f.localArray('i32', 3);
    const from = f.localArray('i32', lanes);
    const rows = f.localArray('v128', vector);
    const other = f.localArray('v128', vector);
    f.get(depth).i32(Math.log2(vector)).op('i32.shr_s').set(whole);
    f.times(panel, panels, () => {
      for (const [i, lane] of from.entries()) {
        f.get(i === 0 ? source : from[i - 1]);
        if (i > 0) f.get(stride).op('i32.add');
        f.set(lane);
      }
      f.get(from[lanes - 1])
        .get(stride)
        .op('i32.add')
        .set(source);
      f.times(step, whole, () => {
        for (let i = roundUp(lanes, vector) - vector; i >= 0; i -= vector) {
          emitLoadRows(f, from.slice(i, i + vector), rows);
          emitTransposeOf(format, f, rows, other);
          for (const [j, row] of rows.entries()) {
            f.get(target)
              .get(row)
              .store('v128.store', bytes * (j * width + i));
          }
        }
        for (const lane of from) f.increase(lane, 16);
        f.increase(target, 16 * width);
      });
      f.get(depth)
        .i32(vector - 1)
        .op('i32.and')
        .set(step);
      f.times(step, step, () => {
        for (const [i, lane] of from.entries()) {
          f.get(target)
            .load(format.load, lane)
            .store(format.store, bytes * i);
          f.increase(lane, bytes);
        }
        for (let i = lanes; i < width; i++) {
          f.get(target).f32(0);
          if (bytes === 8) f.op('f64.promote_f32');
          f.store(format.store, bytes * i);
        }
        f.increase(target, bytes * width);
      });
    });
  });
}

/** A vector of each lane; zeros for the lanes that are missing. */
function emitLoadRows(f: FunctionBuilder, lanes: readonly Local[], rows: readonly Local[]): void {
  for (const [i, row] of rows.entries()) {
    if (i < lanes.length) f.load('v128.load', lanes[i]);
    else f.f32x4(0);
    f.set(row);
  }
}
