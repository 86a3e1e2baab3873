import type { FunctionBuilder, Local, ModuleBuilder } from '../assembler/assembler.js';
import { fits, isFloat32, partsFor, pieceOf } from '../arrays.js';
import type { Kernel } from '../kernel.js';

/**
 * What lies on or below (`upper`: above) diagonal k of each [rows, columns] matrix, 0 elsewhere: the reference's bits.
 * False, and nothing written, for float64 and for what does not fit into kernel memory.
 */
export const triangle: Kernel<'triangle'> = (engine, x, rows, columns, k, upper, out) => {
  if (!isFloat32(x) || !isFloat32(out) || !fits(engine, [x, out])) return false;
  if (out.length === 0) return true;
  const matrices = out.length / (rows * columns);
  const { run } = engine.module(`triangle ${upper}`, (module) => emitTriangle(module, upper));
  // Row i keeps the columns up to i + k, or from there on; the limit is the first column beyond or the first kept.
  const limit = Math.max(-rows, Math.min(columns, k)) + (upper ? 0 : 1);
  const parts = Math.min(partsFor(engine, out.length), rows);
  engine.scratch((allocate) => {
    const source = engine.input(x, allocate);
    const { address, copyBack } = engine.output(out, allocate);
    engine.parallel(parts, (call, part) => {
      const { from, to } = pieceOf(rows, part, parts);
      const start = 4 * from * columns;
      const skip = 4 * (rows - (to - from)) * columns;
      call(run, source + start, address + start, matrices, to - from, columns, limit + from, skip);
    });
    copyBack();
  });
  return true;
};

/**
 * run(x, out, matrices, rows, columns, limit, skip): for each matrix, for each row, for each vector and each number
 * that remains: what lies below the limit (upper: not below it) is kept by a mask. The limit grows by 1 from row to row.
 */
function emitTriangle(module: ModuleBuilder, upper: boolean): void {
  const parameters = ['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32'] as const;
  module.func('run', parameters, null, (f, x, out, matrices, rows, columns, limit, skip) => {
    const [matrix, row, column, vectors, rest] = f.localArray('i32', 5);
    const [firstLanes, lanes, limits, firstLimits, one, four] = f.localArray('v128', 6);
    emitLanes(f, firstLanes);
    f.i32(1).op('i32x4.splat').set(one).i32(4).op('i32x4.splat').set(four);
    f.get(limit).op('i32x4.splat').set(firstLimits);
    f.get(columns).i32(2).op('i32.shr_s').set(vectors).get(columns).i32(3).op('i32.and').set(rest);
    const keep = (load: 'v128.load' | 'v128.load32_splat'): void => {
      f.load(load, x).get(lanes).get(limits).op('i32x4.lt_s');
      f.op(upper ? 'v128.andnot' : 'v128.and');
    };
    f.times(matrix, matrices, () => {
      f.get(firstLimits).set(limits);
      f.times(row, rows, () => {
        f.get(firstLanes).set(lanes);
        f.times(column, vectors, () => {
          f.get(out);
          keep('v128.load');
          f.store('v128.store').increase(x, 16).increase(out, 16);
          f.get(lanes).get(four).op('i32x4.add').set(lanes);
        });
        f.times(column, rest, () => {
          f.get(out);
          keep('v128.load32_splat');
          f.storeLane(0).increase(x, 4).increase(out, 4);
          f.get(lanes).get(one).op('i32x4.add').set(lanes);
        });
        f.get(limits).get(one).op('i32x4.add').set(limits);
      });
      f.increase(x, skip).increase(out, skip);
    });
  });
}

/** Sets the lanes to 0, 1, 2, 3. */
function emitLanes(f: FunctionBuilder, lanes: Local): void {
  f.i32(0).op('i32x4.splat').i32(1).op('i32x4.splat').shuffle(0, 4, 4, 4);
  f.i32(2).op('i32x4.splat').i32(3).op('i32x4.splat').shuffle(0, 4, 0, 4).shuffle(0, 1, 4, 5).set(lanes);
}
