// Blocks of float32 numbers that are taken from, and added to, positions in an array.

import type { FunctionBuilder, Local, ModuleBuilder, ValueType } from '../assembler/assembler.js';
import { fits, inOut, isFloat32, isWorthCopying, partsFor, pieceOf } from '../arrays.js';
import type { Call, Engine } from '../engine.js';
import type { Kernel } from '../kernel.js';
import { emitRow, type Mode } from './stridedMove.js';
import type { Emitted } from '../webAssembly.js';

/** How often a position was met: the bytes of a map. */
const ONCE = 1;
const OFTEN = 2;
/** Met often, and its block of sums has been begun. */
const BEGUN = 3;

/**
 * out block i = x block positions[i], the same bits. False, and nothing written, for float64, and where an array
 * outside kernel memory does not fit or is much longer than the blocks.
 */
export const takeBlocks: Kernel<'takeBlocks'> = (engine, x, positions, block, out) => {
  if (!isFloat32(x) || !isFloat32(out) || !fits(engine, [x, positions, out])) return false;
  if (!isWorthCopying(engine, x, out.length)) return false;
  if (out.length === 0) return true;
  engine.scratch((allocate) => {
    const source = engine.input(x, allocate);
    const places = engine.input(positions, allocate);
    const target = engine.output(out, allocate);
    transfer(engine, 'take', source, target.address, places, positions.length, block);
    target.copyBack();
  });
  return true;
};

/**
 * out block positions[i] += g block i; where blocks meet in one place, the sums are float64 and rounded once: the
 * reference's bits. False, and nothing written, for float64, and where an array outside kernel memory does not fit or is
 * much longer than the blocks.
 */
export const addBlocks: Kernel<'addBlocks'> = (engine, g, positions, block, out) => {
  if (!isFloat32(g) || !isFloat32(out)) return false;
  if (g.length === 0) return true;
  const blocks = out.length / block;
  if (!isWorthCopying(engine, out, g.length)) return false;
  if (!fits(engine, [g, positions, out], blocks / 4)) return false;
  const { meetings, addMet } = blockModule(engine, block);
  return engine.scratch((allocate) => {
    const source = engine.input(g, allocate);
    const places = engine.input(positions, allocate);
    const mapVectors = Math.ceil(blocks / 16);
    const map = 4 * allocate(4 * mapVectors);
    const count = positions.length;
    const meet = meetings(map, mapVectors, places, count) !== 0;
    // At most half of the positions are met twice; each has a number, and as many sums as a block has numbers.
    const most = Math.floor(count / 2);
    if (!fits(engine, [out], meet ? blocks + most + 2 * block * most : 0)) return false;
    const { address, copyBack } = inOut(engine, out, allocate);
    if (meet) {
      const memory = [blocks, most, 2 * block * most].map((floats) => 4 * allocate(floats));
      addMet(source, address, places, count, block, map, ...memory);
    } else transfer(engine, 'add', source, address, places, count, block);
    copyBack();
    return true;
  });
};

/** Shares the positions between threads: what is added to has no two that are equal. */
function transfer(
  engine: Engine,
  name: 'take' | 'add',
  source: number,
  target: number,
  positions: number,
  count: number,
  block: number,
): void {
  const fn = blockModule(engine, block)[name];
  const parts = partsFor(engine, count * block);
  const work = (call: Call, part: number): void => {
    const { from, to } = pieceOf(count, part, parts);
    const ahead = 4 * from * block;
    // The blocks of a piece are together on one side, at their positions on the other.
    const [x, out] = name === 'take' ? [source, target + ahead] : [source + ahead, target];
    call(fn, x, out, positions + 4 * from, to - from, block);
  };
  engine.parallel(parts, work, { repeatable: name === 'take' });
}

function blockModule(engine: Engine, block: number): Record<string, Emitted> {
  return engine.module(`blocks ${block === 1}`, (module) => {
    const isOne = block === 1;
    emitMeetings(module);
    emitTransfer(module, 'take', isOne);
    emitTransfer(module, 'add', isOne);
    emitAddMet(module, isOne);
  });
}

/**
 * take(x, out, positions, count, block), add(g, out, positions, count, block): for each position: its block of x to
 * the next of out, or the next block of g to its block of out.
 */
function emitTransfer(module: ModuleBuilder, name: 'take' | 'add', isOne: boolean): void {
  module.func(name, INTEGERS.slice(0, 5), null, (f, source, target, positions, count, block) => {
    const [counter, bytes, place] = f.localArray('i32', 3);
    f.get(block).i32(2).op('i32.shl').set(bytes);
    f.times(counter, count, () => {
      f.load('i32.load', positions).get(bytes).op('i32.mul');
      f.get(name === 'take' ? source : target)
        .op('i32.add')
        .set(place);
      if (name === 'take') emitBlock(f, 'copy', place, target, block, isOne);
      else emitBlock(f, 'add', source, place, block, isOne);
      f.increase(name === 'take' ? target : source, bytes).increase(positions, 4);
    });
  });
}

/** meetings(map, vectors, positions, count): marks in the map, cleared before, what is met once and often; whether any is. */
function emitMeetings(module: ModuleBuilder): void {
  module.func('meetings', INTEGERS.slice(0, 4), 'i32', (f, map, vectors, positions, count) => {
    const [counter, cleared, place, before, any] = f.localArray('i32', 5);
    const zero = f.local('v128');
    f.get(map).set(cleared);
    f.times(counter, vectors, () => f.get(cleared).get(zero).store('v128.store').increase(cleared, 16));
    f.times(counter, count, () => {
      f.load('i32.load', positions).get(map).op('i32.add').tee(place);
      f.load('i32.load8_u', place).i32(0).op('i32.ne').tee(before).i32(ONCE).op('i32.add');
      f.store('i32.store8');
      f.get(any).get(before).op('i32.or').set(any).increase(positions, 4);
    });
    f.get(any);
  });
}

/**
 * addMet(g, out, positions, count, block, map, numbers, owners, sums): as add, but what the map says is met often gets
 * a number at its first meeting, and a block of float64 sums that begins as its block of out. At the end these are
 * rounded to out. `numbers` has the number of each block of out, `owners` the block of each number.
 */
function emitAddMet(module: ModuleBuilder, isOne: boolean): void {
  module.func('addMet', INTEGERS, null, (f, g, out, positions, count, block, map, numbers, owners, sums) => {
    const [counter, bytes, at, place, state, next, sum] = f.localArray('i32', 7);
    const sumOf = (number: Local): void => {
      f.get(number).get(bytes).op('i32.mul').i32(1).op('i32.shl').get(sums).op('i32.add').set(sum);
    };
    const blockOf = (position: Local): void => {
      f.get(position).get(bytes).op('i32.mul').get(out).op('i32.add').set(place);
    };
    const slot = f.local('i32');
    f.get(block).i32(2).op('i32.shl').set(bytes);
    f.times(counter, count, () => {
      f.load('i32.load', positions).set(at);
      blockOf(at);
      f.get(at).get(map).op('i32.add').set(state);
      f.load('i32.load8_u', state).i32(ONCE).op('i32.eq');
      f.if(
        () => emitBlock(f, 'add', g, place, block, isOne),
        () => {
          f.get(at).i32(2).op('i32.shl').get(numbers).op('i32.add').set(slot);
          f.load('i32.load8_u', state).i32(OFTEN).op('i32.eq');
          f.if(() => {
            f.get(state).i32(BEGUN).store('i32.store8');
            f.get(slot).get(next).store('i32.store');
            f.get(next).i32(2).op('i32.shl').get(owners).op('i32.add').get(at).store('i32.store');
            sumOf(next);
            emitWide(f, 'begin', place, sum, block, isOne);
            f.increase(next, 1);
          });
          f.load('i32.load', slot).set(at);
          sumOf(at);
          emitWide(f, 'add', g, sum, block, isOne);
        },
      );
      f.increase(g, bytes).increase(positions, 4);
    });
    f.get(sums).set(sum);
    f.times(counter, next, () => {
      f.load('i32.load', owners).set(at);
      blockOf(at);
      emitWide(f, 'round', place, sum, block, isOne);
      f.increase(owners, 4);
      f.get(bytes).i32(1).op('i32.shl').get(sum).op('i32.add').set(sum);
    });
  });
}

const INTEGERS: readonly ValueType[] = Array.from({ length: 9 }, () => 'i32');

function emitBlock(
  f: FunctionBuilder,
  mode: Mode,
  from: Local,
  to: Local,
  block: Local,
  isOne: boolean,
): void {
  if (!isOne) {
    emitRow(f, mode, from, to, block);
    return;
  }
  f.get(to).load('f32.load', from);
  if (mode === 'add') f.load('f32.load', to).op('f32.add');
  f.store('f32.store');
}

/** For each number of a block: begins its float64 sum, adds to it, or is what it rounds to. */
function emitWide(
  f: FunctionBuilder,
  what: 'begin' | 'add' | 'round',
  narrow: Local,
  wide: Local,
  block: Local,
  isOne: boolean,
): void {
  const [x, sum, counter] = f.localArray('i32', 3);
  f.get(narrow).set(x).get(wide).set(sum);
  const one = (): void => {
    if (what === 'round') f.get(x).load('v128.load64_zero', sum).op('f32x4.demote_f64x2_zero').storeLane(0);
    else {
      f.get(sum).load('f32.load', x).op('f64.promote_f32');
      if (what === 'add') f.load('f64.load', sum).op('f64.add');
      f.store('f64.store');
    }
  };
  if (isOne) one();
  else {
    f.times(counter, block, () => {
      one();
      f.increase(x, 4).increase(sum, 8);
    });
  }
}
