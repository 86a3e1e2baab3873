import type { ModuleBuilder } from '../assembler/assembler.js';
import type { Engine } from '../engine.js';
import { emitTranspose } from './lanes.js';
import type { Emitted } from '../webAssembly.js';

/** Rows whose products with a vector are found together. */
export const DOT_ROWS = 4;

/** Terms that `dots` adds between two additions to the output: each of eight lanes adds 256. */
export const DOT_DEPTH = 2048;

/**
 * dots(x, matrix, out, depth, count, rowBytes, add): out[i] = Σⱼ x[j]·matrix[i, j] for `count` times four rows
 * (`single`: one row) whose starts lie `rowBytes` apart, or out[i] += where `add` is not 0.
 */
export function dotKernel(engine: Engine, single: boolean): Emitted {
  const rows = single ? 1 : DOT_ROWS;
  return engine.module(`dots ${rows}`, (module) => emitDots(module, rows)).dots;
}

/** For each four rows, for each eight numbers of x: two vectors of x meet two of each row. Then number by number. */
function emitDots(module: ModuleBuilder, rows: number): void {
  const parameters = Array.from({ length: 7 }, () => 'i32' as const);
  module.func('dots', parameters, null, (f, x, matrix, out, depth, count, rowBytes, add) => {
    const [group, step, eights, from] = f.localArray('i32', 4);
    const row = f.localArray('i32', rows);
    const low = f.localArray('v128', DOT_ROWS);
    const high = f.localArray('v128', DOT_ROWS);
    const [first, second, factor] = f.localArray('v128', 3);
    f.get(depth).i32(3).op('i32.shr_s').set(eights);
    f.times(group, count, () => {
      f.get(x).set(from);
      for (const pointer of row) f.get(matrix).set(pointer).increase(matrix, rowBytes);
      for (const sum of [...low, ...high]) f.f32x4(0).set(sum);
      f.times(step, eights, () => {
        f.load('v128.load', from).set(first).load('v128.load', from, 16).set(second);
        for (const [i, pointer] of row.entries()) {
          f.load('v128.load', pointer).set(factor).multiplyAdd(low[i], factor, first);
          f.load('v128.load', pointer, 16).set(factor).multiplyAdd(high[i], factor, second);
          f.increase(pointer, 32);
        }
        f.increase(from, 32);
      });
      f.get(depth).i32(7).op('i32.and').set(step);
      f.times(step, step, () => {
        f.load('v128.load32_zero', from).set(first);
        for (const [i, pointer] of row.entries()) {
          f.load('v128.load32_zero', pointer).set(factor).multiplyAdd(low[i], factor, first);
          f.increase(pointer, 4);
        }
        f.increase(from, 4);
      });
      for (const i of row.keys()) f.get(low[i]).get(high[i]).op('f32x4.add').set(low[i]);
      // The sums of the lanes of each row are the sums of the columns.
      emitTranspose(f, low, high);
      f.get(low[0]).get(low[1]).op('f32x4.add').get(low[2]).get(low[3]).op('f32x4.add');
      f.op('f32x4.add').set(first);
      const load = rows === 1 ? 'v128.load32_zero' : 'v128.load';
      f.get(add).if(() => f.load(load, out).get(first).op('f32x4.add').set(first));
      f.get(out).get(first);
      if (rows === 1) f.storeLane(0);
      else f.store('v128.store');
      f.increase(out, 4 * rows);
    });
  });
}
