import type { FunctionBuilder, Local, ModuleBuilder } from '../assembler/assembler.js';
import type { Engine } from '../engine.js';
import { emitLoadLanes, emitTranspose } from './lanes.js';
import type { Emitted } from '../webAssembly.js';

/**
 * pack(source, target, depth, panels, stride) lays panels of `lanes` (1 to 8) numbers out in the order in which a tile
 * reads them: target[j·width + i] is number i of a[j], 0 for i from `lanes` to `width` (`lanes`, or a multiple of 4).
 * With `neighbours` the lanes lie side by side and `stride` bytes lead from j to j + 1; otherwise j and j + 1 are side by
 * side and `stride` leads from lane to lane.
 */
export function packKernel(engine: Engine, lanes: number, width: number, neighbours: boolean): Emitted {
  const key = (KEYS[256 * Number(neighbours) + 16 * width + lanes] ??=
    `pack ${lanes} ${width} ${neighbours}`);
  const emit = neighbours ? emitPackNeighbours : emitPackTransposed;
  return engine.module(key, (module) => emit(module, lanes, width)).pack;
}

/** Keys of kernels, made once: a small product takes less time than a string. */
const KEYS: string[] = [];

const PARAMETERS = ['i32', 'i32', 'i32', 'i32', 'i32'] as const;

/** For each panel, for each j: up to two vectors. A part of a vector runs over into j + 1, which is written after it. */
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
 * For each panel, for each four j: 4 × 4 transposes, the last lanes first, since a part of a vector runs over into what is
 * written after it. Then the up to three j that remain, number by number.
 */
function emitPackTransposed(module: ModuleBuilder, lanes: number, width: number): void {
  module.func('pack', PARAMETERS, null, (f, source, target, depth, panels, stride) => {
    const [panel, step, fours] = f.localArray('i32', 3);
    const from = f.localArray('i32', lanes);
    const rows = f.localArray('v128', 4);
    const other = f.localArray('v128', 4);
    f.get(depth).i32(2).op('i32.shr_s').set(fours);
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
      f.times(step, fours, () => {
        for (let i = 4 * Math.ceil(lanes / 4) - 4; i >= 0; i -= 4) {
          emitLoadRows(f, from.slice(i, i + 4), rows);
          emitTranspose(f, rows, other);
          for (const [j, row] of rows.entries()) {
            f.get(target)
              .get(row)
              .store('v128.store', 4 * (j * width + i));
          }
        }
        for (const lane of from) f.increase(lane, 16);
        f.increase(target, 16 * width);
      });
      f.get(depth).i32(3).op('i32.and').set(step);
      f.times(step, step, () => {
        for (const [i, lane] of from.entries()) {
          f.get(target)
            .load('f32.load', lane)
            .store('f32.store', 4 * i);
          f.increase(lane, 4);
        }
        for (let i = lanes; i < width; i++) {
          f.get(target)
            .f32(0)
            .store('f32.store', 4 * i);
        }
        f.increase(target, 4 * width);
      });
    });
  });
}

/** Four numbers of each lane; zeros for the lanes that are missing. */
function emitLoadRows(f: FunctionBuilder, lanes: readonly Local[], rows: readonly Local[]): void {
  for (const [i, row] of rows.entries()) {
    if (i < lanes.length) f.load('v128.load', lanes[i]);
    else f.f32x4(0);
    f.set(row);
  }
}
