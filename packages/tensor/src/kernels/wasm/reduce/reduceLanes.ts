// How the rows of an [outer, length, inner] layout are walked four numbers at a time, so that a reduction is written
// once. The four lanes of a vector are
//   along:    four numbers of one row, where inner is 1 and rows are long; lanes are merged at the end of a pass;
//   across:   one number of each of four rows that lie side by side, where inner is 4 or more;
//   gathered: one number of each of four rows that lie anywhere, read one by one, for short rows and small inner.
// Where four do not go into the number, the last four overlap the ones before: their results are written twice.

import type { Rows } from '../../../shape.js';
import type { FloatArray } from '../../../storage.js';
import { fits, isFloat32, pieceOf, roomFor } from '../arrays.js';
import type { FunctionBuilder, Local, ModuleBuilder } from '../assembler/assembler.js';
import type { Engine } from '../engine.js';

/** Arrays of a reduction: one number for each of the layout's, or one for each row. */
export interface Arrays {
  readonly elements: readonly FloatArray[];
  readonly perRow: readonly FloatArray[];
  /** The last of `elements`, or of `perRow`, is written; no array is read and written. */
  readonly writes: 'elements' | 'perRow';
}

/** What a reduction does for four lanes of rows. */
export interface Program {
  /** Names the program among all; the emitted code depends on it and the layout only. */
  readonly key: string;
  /** Numbers that `write` gets in vectors of float64: those of the program, then those of this run. */
  readonly constants: readonly number[];
  readonly numbers?: readonly number[];
  /** Two vectors are kept for each step from one pass to the next. */
  readonly keeps?: boolean;
  readonly write: (lanes: Lanes, constants: readonly Local[]) => void;
}

/** What is emitted at one step of a pass: `load` pushes the numbers of an array, `store` writes them. */
export interface Step {
  readonly load: (array: number) => void;
  readonly store: (array: number, value: Local) => void;
  /** Where the step's kept vectors lie. */
  readonly kept: Local;
  /** All bits set in lanes whose number no step before had; null where that is all of them. */
  readonly fresh: Local | null;
  /** Pushes the positions in their rows that the lanes have, as i32. */
  readonly positions: () => void;
}

/** Four lanes of rows. */
export interface Lanes {
  readonly f: FunctionBuilder;
  /** Runs the body for all numbers of the rows, from the first on, four at a time. */
  readonly pass: (body: (step: Step) => void) => void;
  /** Lanes belong to one row: what they found has to be merged. */
  readonly oneRow: boolean;
  /** Pushes the numbers that an array has for the rows. */
  readonly loadRow: (array: number) => void;
  readonly storeRow: (array: number, value: Local) => void;
}

type Layout = 'along' | 'across' | 'gathered';

const LANES = 4;

/** Bytes that are kept for a step. */
const KEPT = 32;

/** Rows of fewer numbers are gathered: merging lanes costs as much as a few steps. */
const SHORTEST_ROW = 32;

/** Numbers that are worth a thread of their own. */
const SHARE = 32768;

/** Runs the program over all rows; false, and nothing written, for float64 and where the rows fit no layout. */
export function reduce(engine: Engine, program: Program, rows: Rows, arrays: Arrays): boolean {
  const { length, inner } = rows;
  const all = [...arrays.elements, ...arrays.perRow];
  const layout = layoutOf(rows);
  if (layout === null || !all.every(isFloat32)) return false;
  const { numbers = [] } = program;
  const parts = partsOf(engine, rows, layout);
  const steps = layout === 'along' ? Math.ceil(length / LANES) : length;
  const kept = program.keeps ? (KEPT / 4) * steps : 0;
  if (!fits(engine, all, roomFor([2 * numbers.length, parts * kept]))) return false;

  const count = arrays.elements.length;
  const { run } = engine.module(`${program.key} ${layout}`, (module) => {
    emitProgram(module, program, layout, count, arrays.perRow.length);
  });
  const written = arrays.writes === 'elements' ? count - 1 : all.length - 1;
  engine.scratch((allocate) => {
    const output = engine.output(all[written], allocate);
    const addresses = all.map((x, k) => (k === written ? output.address : engine.input(x, allocate)));
    const scratch = 4 * allocate(parts * kept);
    const table = 4 * allocate(2 * numbers.length);
    engine.memory.doubles.set(numbers, table / 8);
    engine.parallel(parts, (call, part) => {
      const { blocks, side, element, row } = shareOf(rows, layout, part, parts);
      const pointers = addresses.map((address, k) => address + 4 * (k < count ? element : row));
      call(run, length, inner, blocks, side, scratch + 4 * part * kept, table, ...pointers);
    });
    output.copyBack();
  });
  return true;
}

function layoutOf({ outer, length, inner }: Rows): Layout | null {
  if (outer * length * inner === 0) return null;
  if (inner >= LANES) return 'across';
  if (inner === 1 && length >= SHORTEST_ROW) return 'along';
  return outer >= LANES ? 'gathered' : null;
}

/** How many parts share the rows: one has at least four rows side by side where lanes belong to several. */
function partsOf(engine: Engine, { outer, length, inner }: Rows, layout: Layout): number {
  const most = {
    along: outer,
    across: Math.max(outer, Math.floor(inner / LANES)),
    gathered: Math.floor(outer / LANES),
  };
  const wanted = Math.min(engine.threads, Math.floor((outer * length * inner) / SHARE));
  return Math.max(1, Math.min(wanted, most[layout]));
}

/**
 * The rows of a part: blocks of rows side by side, from this element and this row on. Rows that lie side by side in
 * memory are shared only where there are too few others.
 */
function shareOf(
  { outer, length, inner }: Rows,
  layout: Layout,
  part: number,
  parts: number,
): { blocks: number; side: number; element: number; row: number } {
  if (layout === 'across' && outer < parts) {
    const { from, to } = pieceOf(inner, part, parts);
    return { blocks: outer, side: to - from, element: from, row: from };
  }
  const { from, to } = pieceOf(outer, part, parts);
  const start = { element: from * length * inner, row: from * inner };
  return layout === 'across'
    ? { blocks: to - from, side: inner, ...start }
    : { blocks: inner, side: to - from, ...start };
}

/**
 * run(length, inner, blocks, rows, kept, numbers, addresses…): for each block of rows side by side, for each row
 * (along) or each four rows: the program.
 */
function emitProgram(
  module: ModuleBuilder,
  program: Program,
  layout: Layout,
  elements: number,
  perRow: number,
): void {
  const { constants, numbers = [] } = program;
  const parameters = Array.from({ length: 6 + elements + perRow }, () => 'i32' as const);
  module.func('run', parameters, null, (f, length, inner, blocks, rows, kept, table, ...arrays) => {
    const values = f.localArray('v128', constants.length + numbers.length);
    for (const [k, constant] of constants.entries()) f.f64x2(constant).set(values[k]);
    for (const k of numbers.keys()) {
      f.load('v128.load64_splat', table, 8 * k).set(values[constants.length + k]);
    }
    const starts = f.localArray('i32', arrays.length);
    const [block, group, groups, row] = f.localArray('i32', 4);
    const [step, size] = f.localArray('i32', 2);
    f.get(inner).i32(2).op('i32.shl').tee(step).get(length).op('i32.mul').set(size);
    // How far rows side by side, and blocks of them, are apart: their elements, and their values.
    const apart: readonly [number | Local, number | Local] = layout === 'across' ? [4, 4] : [size, step];
    const blockApart: readonly [number | Local, number | Local] = layout === 'across' ? [size, step] : [4, 4];
    const lanes = lanesOf(f, layout, { length, step, size, kept, starts, elements });

    f.get(rows);
    if (layout !== 'along') {
      f.i32(LANES - 1)
        .op('i32.add')
        .i32(2)
        .op('i32.shr_s');
    }
    f.set(groups);
    f.times(block, blocks, () => {
      f.i32(0).set(row);
      f.times(group, groups, () => {
        for (const [k, start] of starts.entries()) {
          f.get(arrays[k]).get(row);
          push(f, apart[k < elements ? 0 : 1])
            .op('i32.mul')
            .op('i32.add')
            .set(start);
        }
        program.write(lanes, values);
        if (layout === 'along') f.increase(row, 1);
        else nextGroup(f, row, rows);
      });
      for (const [k, array] of arrays.entries()) f.increase(array, blockApart[k < elements ? 0 : 1]);
    });
  });
}

/** row = min(row + 4, rows − 4). */
function nextGroup(f: FunctionBuilder, row: Local, rows: Local): void {
  f.increase(row, LANES);
  f.get(row).get(rows).i32(-LANES).op('i32.add');
  f.get(row).get(rows).i32(-LANES).op('i32.add').op('i32.lt_s').op('select').set(row);
}

/** The locals that the emitted code walks with. */
interface WalkLocals {
  readonly length: Local;
  /** Bytes from a number of a row to the next, and between rows that are gathered. */
  readonly step: Local;
  readonly size: Local;
  readonly kept: Local;
  /** Where the arrays of the present rows start: those of elements, then those per row. */
  readonly starts: readonly Local[];
  readonly elements: number;
}

function lanesOf(f: FunctionBuilder, layout: Layout, walk: WalkLocals): Lanes {
  const { length, step, size, kept, starts, elements } = walk;
  const oneRow = layout === 'along';
  const [counter, count, position, slot] = f.localArray('i32', 4);
  const [fresh, order] = f.localArray('v128', 2);
  const pointers = f.localArray('i32', elements);

  const { load, store } = layout === 'gathered' ? gatheredAccess(f) : vectorAccess(f);
  const stepOn = (isFresh: boolean): Step => ({
    load: (array) => load(pointers[array], size),
    store: (array, value) => store(pointers[array], size, value),
    kept: slot,
    fresh: isFresh ? null : fresh,
    positions() {
      f.get(position).op('i32x4.splat');
      if (oneRow) f.get(order).op('i32x4.add');
    },
  });

  if (oneRow) f.i32x4(0, 1, 2, 3).set(order);
  return {
    f,
    oneRow,
    pass(body) {
      for (const [k, pointer] of pointers.entries()) f.get(starts[k]).set(pointer);
      f.get(kept).set(slot).i32(0).set(position).get(length);
      if (oneRow) f.i32(2).op('i32.shr_s');
      f.set(count);
      f.times(counter, count, () => {
        body(stepOn(true));
        for (const pointer of pointers) f.increase(pointer, oneRow ? 16 : step);
        f.increase(slot, KEPT).increase(position, oneRow ? LANES : 1);
      });
      if (!oneRow) return;
      f.get(length).i32(3).op('i32.and').tee(count);
      f.if(() => {
        // The last four; those before the last `count` have been there.
        f.get(count).i32(-LANES).op('i32.add').set(count);
        for (const pointer of pointers)
          f.get(pointer).get(count).i32(2).op('i32.shl').op('i32.add').set(pointer);
        f.increase(position, count);
        f.get(order).get(count).op('i32x4.splat').op('i32x4.add').i32(-1).op('i32x4.splat');
        f.op('i32x4.gt_s').set(fresh);
        body(stepOn(false));
      });
    },
    loadRow(array) {
      if (oneRow) f.load('v128.load32_splat', starts[elements + array]);
      else load(starts[elements + array], step);
    },
    storeRow(array, value) {
      if (oneRow)
        f.get(starts[elements + array])
          .get(value)
          .storeLane(0);
      else store(starts[elements + array], step, value);
    },
  };
}

/** Pushes the numbers of four lanes from a pointer on, or writes them there; lanes that are gathered lie `stride` bytes apart. */
interface Access {
  readonly load: (pointer: Local, stride: Local) => void;
  readonly store: (pointer: Local, stride: Local, value: Local) => void;
}

function vectorAccess(f: FunctionBuilder): Access {
  return {
    load: (pointer) => void f.load('v128.load', pointer),
    store: (pointer, _, value) => void f.get(pointer).get(value).store('v128.store'),
  };
}

function gatheredAccess(f: FunctionBuilder): Access {
  const address = f.local('i32');
  const found = f.local('v128');
  const forEachLane = (pointer: Local, stride: Local, visit: (lane: number) => void): void => {
    f.get(pointer).set(address);
    for (let lane = 0; lane < LANES; lane++) {
      if (lane > 0) f.increase(address, stride);
      visit(lane);
    }
  };
  return {
    load(pointer, stride) {
      // The first into all lanes, so that nothing waits for the vector before.
      forEachLane(pointer, stride, (lane) => {
        if (lane === 0) f.load('v128.load32_splat', address).set(found);
        else f.get(address).get(found).loadLane(lane).set(found);
      });
      f.get(found);
    },
    store(pointer, stride, value) {
      forEachLane(pointer, stride, (lane) => f.get(address).get(value).storeLane(lane));
    },
  };
}

function push(f: FunctionBuilder, value: number | Local): FunctionBuilder {
  return typeof value === 'number' ? f.i32(value) : f.get(value);
}
