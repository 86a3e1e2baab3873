// Sums of a row-major array over some of its dimensions, in float64.

import type { FunctionBuilder, Local, ModuleBuilder } from '../assembler/assembler.js';
import { emitNest, nestArguments, nestParameters, type Dimension } from './stridedNest.js';
import type { Engine } from '../engine.js';
import type { Task } from './stridedMove.js';

/** Columns that are summed side by side: a cache line, in eight accumulators. */
const COLUMNS = 16;

/** Numbers of a row that are summed in one turn of the loop, in eight lanes. */
const TURN = 8;

/** Numbers that one partial sum takes in memory. */
export const PARTIAL = 4;

/**
 * The call that adds to the places of the loops `kept` the sums over the loops `summed`, whose step in the target is
 * 0. Where the target is `partial`, it is a float64 and is set to the sum alone.
 */
export function sums(
  engine: Engine,
  from: number,
  to: number,
  kept: readonly Dimension[],
  summed: readonly Dimension[],
  partial = false,
): Task {
  const row = summed.findIndex((dim) => dim.from === 1);
  const columns = kept.findIndex((dim) => dim.from === 1 && dim.to === 1);
  const kind = row >= 0 ? 'rows' : columns >= 0 ? 'columns' : 'singles';
  const length = row >= 0 ? summed[row].size : columns >= 0 ? kept[columns].size : 1;
  const around = kept.filter((_, i) => i !== columns);
  const within = summed.filter((_, i) => i !== row);
  const key = `sum ${kind} ${around.length} ${within.length} ${partial}`;
  const { run } = engine.module(key, (module) => {
    emitSums(module, around.length, within.length, (f, source, target, count, loops) => {
      if (kind === 'columns') emitColumns(f, source, target, count, loops);
      else emitRows(f, source, target, kind === 'rows' ? count : null, loops, partial);
    });
  });
  const args = [from, to, length, ...nestArguments(around, 2), ...nestArguments(within, 1)];
  return { fn: run, args };
}

/** run(from, to, length, kept loops…, summed loops…): the body in the kept loops; it gets the summed ones. */
function emitSums(
  module: ModuleBuilder,
  kept: number,
  summed: number,
  body: (f: FunctionBuilder, from: Local, to: Local, length: Local, summedLoops: readonly Local[]) => void,
): void {
  const keptLoops = nestParameters(kept, 2);
  const parameters = ['i32', 'i32', 'i32', ...keptLoops, ...nestParameters(summed, 1)] as const;
  module.func('run', parameters, null, (f, from, to, length, ...loops) => {
    emitNest(f, loops.slice(0, keptLoops.length), [from, to], () => {
      body(f, from, to, length, loops.slice(keptLoops.length));
    });
  });
}

/**
 * One sum: in the summed loops, for each 8 numbers of the row: two each are added to four accumulators; for each
 * number that remains, to a fifth. Then all of them to the target. Without a length, each row is one number, and the
 * sum begins with the target's, as the reference's does.
 */
function emitRows(
  f: FunctionBuilder,
  from: Local,
  to: Local,
  length: Local | null,
  loops: readonly Local[],
  partial: boolean,
): void {
  const [start, source, counter, turns, rest] = f.localArray('i32', 5);
  const lanes = length === null ? [] : f.localArray('v128', TURN / 2);
  const single = f.local('v128');
  for (const sum of lanes) f.f32x4(0).set(sum);
  if (length === null && !partial) f.load('v128.load32_zero', to).op('f64x2.promote_low_f32x4').set(single);
  else f.f32x4(0).set(single);
  if (length !== null) {
    f.get(length).i32(3).op('i32.shr_s').set(turns);
    f.get(length)
      .i32(TURN - 1)
      .op('i32.and')
      .set(rest);
  }
  const addOne = (pointer: Local): void => {
    f.get(single).load('v128.load32_zero', pointer).op('f64x2.promote_low_f32x4').op('f64x2.add').set(single);
  };
  f.get(from).set(start);
  emitNest(f, loops, [start], () => {
    if (length === null) {
      addOne(start);
      return;
    }
    f.get(start).set(source);
    f.times(counter, turns, () => {
      addPairs(f, lanes, source);
      f.increase(source, 4 * TURN);
    });
    f.times(counter, rest, () => {
      addOne(source);
      f.increase(source, 4);
    });
  });
  f.get(to).get(single);
  for (const sum of lanes) f.get(sum).op('f64x2.add');
  f.set(single);
  if (length !== null) {
    f.get(single).get(single).shuffle(2, 3, 2, 3).get(single).op('f64x2.add').set(single);
  }
  if (partial) f.get(single).store('v128.store');
  else {
    if (length !== null) {
      f.get(single).load('v128.load32_zero', to).op('f64x2.promote_low_f32x4').op('f64x2.add').set(single);
    }
    f.get(single).op('f32x4.demote_f64x2_zero').storeLane(0);
  }
}

/** For each 16 columns, then for each 4 and each one that remain: their sums, from the target's numbers on. */
function emitColumns(
  f: FunctionBuilder,
  from: Local,
  to: Local,
  length: Local,
  loops: readonly Local[],
): void {
  const [first, target, source, counter, count] = f.localArray('i32', 5);
  const all = f.localArray('v128', COLUMNS / 2);
  f.get(from).set(first).get(to).set(target);
  const pass = (width: number): void => {
    const accumulators = all.slice(0, Math.ceil(width / 2));
    const load = width === 1 ? 'v128.load32_zero' : 'v128.load64_zero';
    accumulators.forEach((sum, i) => {
      f.load(load, target, 8 * i)
        .op('f64x2.promote_low_f32x4')
        .set(sum);
    });
    f.get(first).set(source);
    emitNest(f, loops, [source], () => addPairs(f, accumulators, source, load));
    if (width === 1) f.get(target).get(all[0]).op('f32x4.demote_f64x2_zero').storeLane(0);
    for (let i = 0; i + 1 < accumulators.length; i += 2) {
      f.get(target);
      for (const sum of accumulators.slice(i, i + 2)) f.get(sum).op('f32x4.demote_f64x2_zero');
      f.shuffle(0, 1, 4, 5).store('v128.store', 8 * i);
    }
    f.increase(first, 4 * width).increase(target, 4 * width);
  };
  f.get(length).i32(4).op('i32.shr_s').set(count);
  f.times(counter, count, () => pass(COLUMNS));
  f.get(length).i32(2).op('i32.shr_s').i32(3).op('i32.and').set(count);
  f.times(counter, count, () => pass(4));
  f.get(length).i32(3).op('i32.and').set(count);
  f.times(counter, count, () => pass(1));
}

/** Adds two numbers from the address on to the first accumulator, the next two to the second, … */
function addPairs(
  f: FunctionBuilder,
  accumulators: readonly Local[],
  source: Local,
  load: 'v128.load64_zero' | 'v128.load32_zero' = 'v128.load64_zero',
): void {
  accumulators.forEach((sum, i) => {
    f.get(sum)
      .load(load, source, 8 * i)
      .op('f64x2.promote_low_f32x4')
      .op('f64x2.add')
      .set(sum);
  });
}
