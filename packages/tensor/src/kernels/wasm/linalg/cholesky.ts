import { cholesky as referenceCholesky } from '../../reference/linalg.js';
import type { FunctionBuilder, Local, ModuleBuilder } from '../assembler/assembler.js';
import { isFloat32, outside, pieceOf, roundUp } from '../arrays.js';
import { unpackKernel } from './choleskyUnpack.js';
import { packKernel } from './matmulPacking.js';
import { FLOAT32 } from './numberFormat.js';
import { PANEL_ROW, substitutionEmitter, subtractProduct, TILE_COLUMNS, TILE_ROWS } from './substitution.js';
import type { Kernel } from '../kernel.js';
import { WORTH_A_THREAD } from './worth.js';

/** Half the distance of float32 numbers from 1 on. */
const ROUNDING = 2 ** -24;

/** The halves of eight columns. */
const BOTH = [0, 1];

/** Below this products of entries of L would lose digits to the denormal numbers. */
const SMALLEST_PIVOT = 2 ** -100;

/**
 * The lower factor of `batch` symmetric [n, n] matrices, lower triangles read only: Lᵀ row by row, 4 rows by 8 columns at a
 * time, with sums in float32. |LLᵀ − A| ≤ γ|L||Lᵀ| with γ the error of such a sum (Higham, "Accuracy and Stability of
 * Numerical Algorithms", 2002, theorem 10.3). A matrix with a pivot that is no larger than its own rounding error is left to
 * the reference and its float64, which factors it or says where that fails: what the reference factors never fails here.
 * False, and nothing written, for float64 and what does not fit into kernel memory.
 *
 * @returns as the reference: the first pivot that is not positive, or null
 */
export const cholesky: Kernel<'cholesky'> = (engine, a, batch, n, out) => {
  if (!isFloat32(a) || !isFloat32(out)) return false;
  if (batch * n === 0) return null;
  const panels = Math.ceil(n / TILE_COLUMNS);
  const parts = Math.min(engine.threads, batch, Math.ceil((batch * n ** 3) / (6 * WORTH_A_THREAD)));
  const scratchFloats = panels * n * TILE_COLUMNS;
  if (!engine.hasRoom(outside(engine, a, out) + roundUp(batch, 4) + parts * scratchFloats)) return false;
  const { factor } = engine.module(`cholesky ${n}`, (module) => emitFactor(module, n));
  const left = engine.scratch((allocate) => {
    const source = engine.input(a, allocate);
    const target = engine.output(out, allocate);
    const passed = allocate(batch);
    const scratch = allocate(parts * scratchFloats);
    engine.parallel(parts, (call, part) => {
      const first = 4 * (scratch + part * scratchFloats);
      const { from, to } = pieceOf(batch, part, parts);
      for (let t = from; t < to; t++) {
        const start = 4 * t * n * n;
        forEachPanel(n, (lanes, depth, offset) => {
          const pack = packKernel(engine, FLOAT32, lanes, TILE_COLUMNS, false);
          call(pack, source + start + offset, first + offset, depth, 1, 4 * n);
        });
        call(factor, first, 4 * (passed + t));
        forEachPanel(n, (lanes, depth, offset) => {
          const unpack = unpackKernel(engine, lanes);
          call(unpack, first + offset, target.address + start + offset, depth, n - depth, 4 * n);
        });
      }
    });
    target.copyBack();
    const all = Array.from({ length: batch }, (_, t) => t);
    return all.filter((t) => engine.floats[passed + t] === 0);
  });
  for (const matrix of left) {
    const own = [matrix * n * n, (matrix + 1) * n * n] as const;
    const failed = referenceCholesky(a.subarray(...own), 1, n, out.subarray(...own));
    if (failed) return { ...failed, matrix };
  }
  return null;
};

/**
 * For each 8 rows of L: how many they are, how many columns they have up to the last diagonal entry, and where they
 * start, in bytes: an [n, 8] panel is as long as 8 rows.
 */
function forEachPanel(n: number, visit: (lanes: number, depth: number, start: number) => void): void {
  for (let row = 0; row < n; row += TILE_COLUMNS) {
    const lanes = Math.min(TILE_COLUMNS, n - row);
    visit(lanes, row + lanes, 4 * row * n);
  }
}

/**
 * factor(panels, passed): A's lower triangle as panels of Lᵀ becomes L's, zeros elsewhere; passed = 1, or 0 where a pivot was
 * too small. For each 4 (at the end fewer) rows of Lᵀ: the panel with the diagonal, then each panel right of it.
 */
function emitFactor(module: ModuleBuilder, n: number): void {
  const panelBytes = n * PANEL_ROW;
  module.func('factor', ['i32', 'i32'], null, (f, diagonal, passed) => {
    const [eights, other, others, panel, found, known, entry, target] = f.localArray('i32', 8);
    const ok = f.local('v128');
    const triangle = { down: 4, across: PANEL_ROW, unitDiagonal: false };
    const { rest, subtract, solve } = substitutionEmitter(f, triangle);
    const pivots = pivotEmitter(f, rest, n, ok);

    const load = (pointer: Local, count: number, halves: readonly number[]): void => {
      for (let r = 0; r < count; r++) {
        for (const h of halves) f.load('v128.load', pointer, PANEL_ROW * r + 16 * h).set(rest[2 * r + h]);
      }
    };
    const store = (pointer: Local, count: number): void => {
      for (const [i, value] of rest.slice(0, 2 * count).entries()) {
        f.get(pointer)
          .get(value)
          .store('v128.store', 16 * i);
      }
    };
    const setEntry = (half: number): void => {
      f.get(diagonal)
        .set(entry)
        .increase(entry, 16 * half);
    };
    /** Rows `found` …, which the diagonal crosses in the given half of the panel `diagonal`. */
    const emitRows = (count: number, half: number): void => {
      // In the second half all that stands in the first is left of the diagonal.
      const halves = half === 0 ? BOTH : [1];
      f.get(found).i32(Math.log2(PANEL_ROW)).op('i32.shl').get(diagonal).op('i32.add').set(target);
      f.get(diagonal).set(known);
      setEntry(half);
      load(target, count, halves);
      pivots.prepare(count, half);
      subtract(count, halves, entry, known, found);
      pivots.eliminate(count, half, halves);
      store(target, count);
      f.get(diagonal).set(panel);
      f.times(other, others, () => {
        f.increase(panel, panelBytes).increase(target, panelBytes);
        f.get(panel).set(known);
        setEntry(half);
        load(target, count, BOTH);
        subtract(count, BOTH, entry, known, found);
        solve(count, BOTH, entry);
        store(target, count);
      });
      f.increase(found, count);
    };

    f.f32x4(0).f32x4(0).op('f32x4.eq').set(ok);
    f.i32(Math.ceil(n / TILE_COLUMNS) - 1).set(others);
    f.times(eights, Math.floor(n / TILE_COLUMNS), () => {
      emitRows(TILE_ROWS, 0);
      emitRows(TILE_ROWS, 1);
      f.increase(diagonal, panelBytes).increase(others, -1);
    });
    const remaining = n % TILE_COLUMNS;
    if (remaining > 0) emitRows(Math.min(TILE_ROWS, remaining), 0);
    if (remaining > TILE_ROWS) emitRows(remaining - TILE_ROWS, 1);
    f.get(passed).f32(1).f32(0).get(ok).op('i32x4.all_true').op('select').store('f32.store');
  });
}

/** The largest relative error of a float32 sum of n terms in blocks of 256, and of the division and root after it. */
function errorOf(n: number): number {
  return (Math.min(n, 256) + Math.ceil(n / 256) + 3) * ROUNDING;
}

/** The code for the rows that the diagonal crosses. */
interface Pivots {
  /** Before the found rows are subtracted: what the pivots must be larger than, their entries of A times the error. */
  readonly prepare: (count: number, half: number) => void;
  /** Row by row: the root of the pivot, the row over it, and what it takes from the rows below. */
  readonly eliminate: (count: number, half: number, halves: readonly number[]) => void;
}

function pivotEmitter(f: FunctionBuilder, rest: readonly Local[], n: number, ok: Local): Pivots {
  const limits = f.localArray('v128', TILE_ROWS);
  const [error, smallest, factor, zero] = f.localArray('v128', 4);
  f.f32x4(errorOf(n)).set(error).f32x4(SMALLEST_PIVOT).set(smallest);
  const pushLane = (value: Local, lane: number): void => {
    f.get(value).get(value);
    f.shuffle(...SPREAD_LANE[lane]);
  };
  return {
    prepare(count, half) {
      for (const [r, limit] of limits.slice(0, count).entries()) {
        f.get(rest[2 * r + half])
          .get(error)
          .op('f32x4.mul')
          .get(smallest)
          .op('f32x4.max')
          .set(limit);
      }
    },
    eliminate(count, half, halves) {
      for (let r = 0; r < count; r++) {
        const own = rest[2 * r + half];
        pushLane(own, r);
        f.tee(factor);
        pushLane(limits[r], r);
        f.op('f32x4.gt').get(ok).op('v128.and').set(ok);
        f.get(factor).op('f32x4.sqrt').set(factor);
        for (const h of halves) {
          f.get(rest[2 * r + h])
            .get(factor)
            .op('f32x4.div')
            .set(rest[2 * r + h]);
        }
        for (let s = r + 1; s < count; s++) {
          pushLane(own, s);
          f.set(factor);
          for (const h of halves) subtractProduct(f, rest[2 * s + h], factor, rest[2 * r + h]);
        }
        f.get(own)
          .get(zero)
          .shuffle(...FROM_LANE[r])
          .set(own);
        if (half === 1) f.get(zero).set(rest[2 * r]);
      }
    },
  };
}

type Lanes = readonly [number, number, number, number];

/** The shuffles that spread lane i of a vector, and that put zeros in place of the lanes before i. */
const SPREAD_LANE: readonly Lanes[] = [
  [0, 0, 0, 0],
  [1, 1, 1, 1],
  [2, 2, 2, 2],
  [3, 3, 3, 3],
];
const FROM_LANE: readonly Lanes[] = [
  [0, 1, 2, 3],
  [4, 1, 2, 3],
  [4, 4, 2, 3],
  [4, 4, 4, 3],
];
