import type { ModuleBuilder } from '../assembler/assembler.js';
import type { Engine } from '../engine.js';
import { emitTranspose } from './lanes.js';
import { PANEL_ROW } from './substitution.js';
import type { Emitted } from '../webAssembly.js';

/**
 * unpack(panel, target, depth, zeros, stride): the first `lanes` (1 to 8) columns of a panel of `depth` rows become rows that
 * start `stride` bytes apart, each with so many zeros behind it.
 */
export function unpackKernel(engine: Engine, lanes: number): Emitted {
  return engine.module(`unpack ${lanes}`, (module) => emitUnpack(module, lanes)).unpack;
}

/** For each four rows of the panel: 4 × 4 transposes. Then the up to three that remain, and the zeros of each lane. */
function emitUnpack(module: ModuleBuilder, lanes: number): void {
  const parameters = ['i32', 'i32', 'i32', 'i32', 'i32'] as const;
  module.func('unpack', parameters, null, (f, panel, target, depth, zeros, stride) => {
    const [step, fours] = f.localArray('i32', 2);
    const to = f.localArray('i32', lanes);
    const rows = f.localArray('v128', 4);
    const other = f.localArray('v128', 4);
    const zero = f.local('v128');
    for (const [i, lane] of to.entries()) {
      f.get(target).set(lane);
      if (i + 1 < lanes) f.increase(target, stride);
    }
    f.get(depth).i32(2).op('i32.shr_s').set(fours);
    f.times(step, fours, () => {
      for (let i = 0; i < lanes; i += 4) {
        for (const [j, row] of rows.entries()) f.load('v128.load', panel, PANEL_ROW * j + 4 * i).set(row);
        emitTranspose(f, rows, other);
        for (const [j, lane] of to.slice(i, i + 4).entries()) {
          f.get(lane).get(rows[j]).store('v128.store').increase(lane, 16);
        }
      }
      f.increase(panel, 4 * PANEL_ROW);
    });
    f.get(depth).i32(3).op('i32.and').set(step);
    f.times(step, step, () => {
      for (const [i, lane] of to.entries()) {
        f.get(lane)
          .load('f32.load', panel, 4 * i)
          .store('f32.store')
          .increase(lane, 4);
      }
      f.increase(panel, PANEL_ROW);
    });
    f.get(zeros).i32(2).op('i32.shr_s').set(fours);
    for (const lane of to) {
      f.times(step, fours, () => f.get(lane).get(zero).store('v128.store').increase(lane, 16));
      f.get(zeros).i32(3).op('i32.and').set(step);
      f.times(step, step, () => f.get(lane).f32(0).store('f32.store').increase(lane, 4));
    }
  });
}
