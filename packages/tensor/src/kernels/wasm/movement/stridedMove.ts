// Copying numbers from one array to another, or adding them there, both at any strides.

import type { FunctionBuilder, Local, ModuleBuilder, ValueType } from '../assembler/assembler.js';
import { cut, emitNest, nestArguments, nestParameters, type Dimension } from './stridedNest.js';
import type { Engine } from '../engine.js';
import type { Emitted } from '../webAssembly.js';

/** What happens to the number in the target's place. */
export type Mode = 'copy' | 'add';

/** A call of an emitted function. */
export interface Task {
  readonly fn: Emitted;
  readonly args: readonly number[];
}

/** Rows and columns of a block that is transposed in registers. */
const BLOCK = 4;

/**
 * The calls that move the numbers at address `from` to address `to`, over loops in any order: rows that are
 * contiguous on both sides by vectors; where one loop is contiguous in the source and another in the target, 4 × 4
 * blocks transposed in registers; one number repeated along a row by vectors; all else number by number.
 */
export function moves(
  engine: Engine,
  mode: Mode,
  from: number,
  to: number,
  dims: readonly Dimension[],
): Task[] {
  if (dims.some(({ size }) => size === 0)) return [];
  const row = dims.findIndex((dim) => dim.from === 1 && dim.to === 1);
  if (row >= 0) return [rowMove(engine, mode, 'rows', from, to, dims, row)];
  const repeated = dims.findIndex((dim) => dim.from === 0 && dim.to === 1);
  if (repeated >= 0 && mode === 'copy') return [rowMove(engine, mode, 'repeat', from, to, dims, repeated)];
  const down = dims.findIndex((dim) => dim.from === 1 && dim.size >= BLOCK);
  const across = dims.findIndex((dim) => dim.to === 1 && dim.size >= BLOCK);
  if (down >= 0 && across >= 0) return transposition(engine, mode, from, to, dims, down, across);
  return [singles(engine, mode, from, to, dims)];
}

function rowMove(
  engine: Engine,
  mode: Mode,
  kind: 'rows' | 'repeat',
  from: number,
  to: number,
  dims: readonly Dimension[],
  row: number,
): Task {
  const outer = dims.toSpliced(row, 1);
  const write = kind === 'rows' ? emitRow : emitRepeat;
  const { run } = engine.module(`move ${kind} ${mode} ${outer.length}`, (module) => {
    emitMove(module, outer.length, ['i32'], (f, source, target, [length]) => {
      write(f, mode, source, target, length);
    });
  });
  return { fn: run, args: [from, to, dims[row].size, ...nestArguments(outer, 2)] };
}

function singles(engine: Engine, mode: Mode, from: number, to: number, dims: readonly Dimension[]): Task {
  const { run } = engine.module(`move singles ${mode} ${dims.length}`, (module) => {
    emitMove(module, dims.length, [], (f, source, target) => {
      f.get(target).load('f32.load', source);
      if (mode === 'add') f.load('f32.load', target).op('f32.add');
      f.store('f32.store');
    });
  });
  return { fn: run, args: [from, to, ...nestArguments(dims, 2)] };
}

/** Blocks as far as they go, then the numbers beside them. */
function transposition(
  engine: Engine,
  mode: Mode,
  from: number,
  to: number,
  dims: readonly Dimension[],
  down: number,
  across: number,
): Task[] {
  const rows = dims[down].size - (dims[down].size % BLOCK);
  const columns = dims[across].size - (dims[across].size % BLOCK);
  const outer = dims.filter((_, i) => i !== down && i !== across);
  const { run } = engine.module(`move blocks ${mode} ${outer.length}`, (module) => {
    emitMove(module, outer.length, ['i32', 'i32', 'i32', 'i32'], (f, source, target, sizes) => {
      emitBlocks(f, mode, source, target, sizes);
    });
  });
  const block = [rows / BLOCK, columns / BLOCK, 4 * dims[across].from, 4 * dims[down].to];
  const rest = [
    cut(dims, down, rows, dims[down].size),
    cut(cut(dims, down, 0, rows).dims, across, columns, dims[across].size),
  ];
  return [
    { fn: run, args: [from, to, ...block, ...nestArguments(outer, 2)] },
    ...rest.flatMap((piece) => moves(engine, mode, from + 4 * piece.from, to + 4 * piece.to, piece.dims)),
  ];
}

/** run(from, to, more…, loops…): the body in a nest of loops over both addresses. */
function emitMove(
  module: ModuleBuilder,
  depth: number,
  more: readonly ValueType[],
  body: (f: FunctionBuilder, from: Local, to: Local, more: readonly Local[]) => void,
): void {
  const parameters = ['i32', 'i32', ...more, ...nestParameters(depth, 2)] as const;
  module.func('run', parameters, null, (f, from, to, ...rest) => {
    emitNest(f, rest.slice(more.length), [from, to], () => body(f, from, to, rest.slice(0, more.length)));
  });
}

/** For each vector of a row, then for each of the up to three numbers that remain: moves it. Leaves the pointers. */
export function emitRow(f: FunctionBuilder, mode: Mode, from: Local, to: Local, length: Local): void {
  const [source, target, counter, count] = f.localArray('i32', 4);
  f.get(from).set(source).get(to).set(target);
  const four = (offset: number): void => {
    f.get(target).load('v128.load', source, offset);
    if (mode === 'add') f.load('v128.load', target, offset).op('f32x4.add');
    f.store('v128.store', offset);
  };
  f.get(length).i32(4).op('i32.shr_s').set(count);
  f.times(counter, count, () => {
    for (let v = 0; v < 4; v++) four(16 * v);
    f.increase(source, 64).increase(target, 64);
  });
  f.get(length).i32(2).op('i32.shr_s').i32(3).op('i32.and').set(count);
  f.times(counter, count, () => {
    four(0);
    f.increase(source, 16).increase(target, 16);
  });
  f.get(length).i32(3).op('i32.and').set(count);
  f.times(counter, count, () => {
    f.get(target).load('f32.load', source);
    if (mode === 'add') f.load('f32.load', target).op('f32.add');
    f.store('f32.store').increase(source, 4).increase(target, 4);
  });
}

/** For each vector of a row, then for each number that remains: writes the number at `from`. */
function emitRepeat(f: FunctionBuilder, _mode: Mode, from: Local, to: Local, length: Local): void {
  const value = f.local('v128');
  const [target, counter, count] = f.localArray('i32', 3);
  f.load('v128.load32_splat', from).set(value);
  f.get(to).set(target);
  f.get(length).i32(2).op('i32.shr_s').set(count);
  f.times(counter, count, () => f.get(target).get(value).store('v128.store').increase(target, 16));
  f.get(length).i32(3).op('i32.and').set(count);
  f.times(counter, count, () => f.get(target).get(value).storeLane(0).increase(target, 4));
}

/**
 * For each 4 numbers of the loop that is contiguous in the source, for each 4 of the one that is contiguous in the
 * target: four vectors are loaded, transposed, and stored as four.
 */
function emitBlocks(
  f: FunctionBuilder,
  mode: Mode,
  from: Local,
  to: Local,
  [down, across, fromStep, toStep]: readonly Local[],
): void {
  const [downCounter, acrossCounter, firstSource, firstTarget] = f.localArray('i32', 4);
  const sources = f.localArray('i32', BLOCK);
  const targets = f.localArray('i32', BLOCK);
  const rows = f.localArray('v128', BLOCK);
  const [low, lowNext, high, highNext] = f.localArray('v128', 4);
  const start = (pointers: readonly Local[], first: Local, step: Local): void => {
    f.get(first).set(pointers[0]);
    for (let i = 1; i < BLOCK; i++) {
      f.get(pointers[i - 1])
        .get(step)
        .op('i32.add')
        .set(pointers[i]);
    }
  };
  const put = (target: Local, a: Local, b: Local, lanes: [number, number, number, number]): void => {
    f.get(target)
      .get(a)
      .get(b)
      .shuffle(...lanes);
    if (mode === 'add') f.load('v128.load', target).op('f32x4.add');
    f.store('v128.store').increase(target, 4 * BLOCK);
  };
  f.get(from).set(firstSource).get(to).set(firstTarget);
  f.times(downCounter, down, () => {
    start(sources, firstSource, fromStep);
    start(targets, firstTarget, toStep);
    f.times(acrossCounter, across, () => {
      for (const [i, row] of rows.entries()) f.load('v128.load', sources[i]).set(row);
      f.get(rows[0]).get(rows[1]).shuffle(0, 4, 1, 5).set(low);
      f.get(rows[2]).get(rows[3]).shuffle(0, 4, 1, 5).set(lowNext);
      f.get(rows[0]).get(rows[1]).shuffle(2, 6, 3, 7).set(high);
      f.get(rows[2]).get(rows[3]).shuffle(2, 6, 3, 7).set(highNext);
      put(targets[0], low, lowNext, [0, 1, 4, 5]);
      put(targets[1], low, lowNext, [2, 3, 6, 7]);
      put(targets[2], high, highNext, [0, 1, 4, 5]);
      put(targets[3], high, highNext, [2, 3, 6, 7]);
      for (const source of sources) {
        f.get(source).get(fromStep).i32(2).op('i32.shl').op('i32.add').set(source);
      }
    });
    f.increase(firstSource, 4 * BLOCK);
    f.get(firstTarget).get(toStep).i32(2).op('i32.shl').op('i32.add').set(firstTarget);
  });
}
