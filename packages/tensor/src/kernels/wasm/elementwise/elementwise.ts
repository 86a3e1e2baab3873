// Elementwise kernels for float32. All but those of transcendental.ts give the reference's numbers bit for bit: it computes
// in float64 and rounds once. For one sum, difference, product, quotient or root of float32 numbers, float32 lanes come to the same
// (Figueroa, "When is double rounding innocuous?", 1995); where several operations stand in a row, lanes are float64.

import { stridesOf, type Shape } from '../../../shape.js';
import type { FloatArray } from '../../../storage.js';
import { forEachRun } from '../../reference/strided.js';
import type { FunctionBuilder, Local, ModuleBuilder } from '../assembler/assembler.js';
import {
  mapDerivative,
  mapFormula,
  SELECT,
  zipDerivative,
  zipFormula,
  type Formula,
} from './elementwiseFormulas.js';
import { isFloat32, pieceOf } from '../arrays.js';
import type { Engine } from '../engine.js';
import type { Kernel } from '../kernel.js';

/** Numbers of an array outside kernel memory that are copied, computed and copied back together, to stay in cache. */
export const PIECE = 4096;

/** Numbers for which it pays to wake another thread. */
const SHARED = 65536;

/** out[i] = f(x[i]); false, and nothing written, where there is no kernel for the function or the number format. */
export const map: Kernel<'map'> = (engine, fn, x, out) => {
  const formula = mapFormula(fn.name, fn.parameters);
  return compute(engine, `map ${fn.name}`, formula, flat(x), out, [out.length]);
};

/** out[i] = g[i]·df(saved[i]), 0 where df is 0; false, and nothing written, where there is no kernel. */
export const mapBackward: Kernel<'mapBackward'> = (engine, fn, saved, g, out) => {
  const formula = mapDerivative(fn.name, fn.parameters);
  return compute(engine, `mapBackward ${fn.name}`, formula, flat(g, saved), out, [out.length]);
};

/** out = f(a, b) over `shape`; false, and nothing written, where there is no kernel for the function or the strides. */
export const zip: Kernel<'zip'> = (engine, fn, a, stridesA, b, stridesB, out, shape) => {
  const operands = [
    { x: a, strides: stridesA },
    { x: b, strides: stridesB },
  ];
  return compute(engine, `zip ${fn.name}`, zipFormula(fn.name), operands, out, shape);
};

/** out = g·∂f over `shape`, 0 where ∂f is 0; false, and nothing written, where there is no kernel. */
export const zipBackward: Kernel<'zipBackward'> = (
  engine,
  fn,
  wrt,
  a,
  stridesA,
  b,
  stridesB,
  g,
  out,
  shape,
) => {
  const operands = [
    { x: g, strides: stridesOf(shape) },
    { x: a, strides: stridesA },
    { x: b, strides: stridesB },
  ];
  const formula = zipDerivative(fn.name, wrt);
  return compute(engine, `zipBackward ${fn.name} ${wrt}`, formula, operands, out, shape);
};

/** out[i] = condition[i] ≠ 0 ? a[i] : b[i]; false, and nothing written, where an array is not float32. */
export const select: Kernel<'select'> = (engine, condition, a, b, out) => {
  return compute(engine, 'select', SELECT, flat(condition, a, b), out, [out.length]);
};

/**
 * For each four numbers from the pointers on, then for each of the up to three that remain: the body. `load` pushes
 * what lies at a pointer, `store` writes a vector there; the pointers end behind the numbers.
 */
export function emitVectors(
  f: FunctionBuilder,
  length: Local,
  pointers: readonly Local[],
  body: (load: (pointer: Local) => void, store: (pointer: Local, value: Local) => void) => void,
): void {
  const [counter, count] = f.localArray('i32', 2);
  f.get(length).i32(2).op('i32.shr_s').set(count);
  f.times(counter, count, () => {
    body(
      (pointer) => f.load('v128.load', pointer),
      (pointer, value) => f.get(pointer).get(value).store('v128.store'),
    );
    for (const pointer of pointers) f.increase(pointer, 16);
  });
  f.get(length).i32(3).op('i32.and').set(count);
  f.times(counter, count, () => {
    body(
      (pointer) => f.load('v128.load32_splat', pointer),
      (pointer, value) => f.get(pointer).get(value).storeLane(0),
    );
    for (const pointer of pointers) f.increase(pointer, 4);
  });
}

/** Sets `wide` to the first (half 0) or last two (half 1) lanes of x as float64. */
export function promote(f: FunctionBuilder, x: Local, half: number, wide: Local): void {
  f.get(x);
  if (half === 1) f.get(x).shuffle(2, 3, 2, 3);
  f.op('f64x2.promote_low_f32x4').set(wide);
}

interface Operand<A = FloatArray> {
  readonly x: A;
  readonly strides: readonly number[];
}

/** Rows in which each operand is contiguous (step 1) or one number (step 0), and the dimensions around them. */
interface OperandRows {
  readonly length: number;
  readonly steps: readonly number[];
  readonly outer: Shape;
  readonly outerStrides: readonly (readonly number[])[];
}

/** Fewer numbers between two jumps of an operand than this, and the reference's loops are as fast. */
const SHORTEST_VISIT = 256;

/** Evaluates the formula over `shape`: where the arrays lie, or in pieces that are copied; false where it cannot. */
function compute(
  engine: Engine,
  name: string,
  formula: Formula | undefined,
  operands: readonly Operand[],
  out: FloatArray,
  shape: Shape,
): boolean {
  const rows = rowsOf(shape, operands);
  if (formula === undefined || rows === null || !operands.every(holdsFloat32)) return false;
  if (!isFloat32(out) || !engine.hasRoom((operands.length + 1) * PIECE)) return false;
  if (out.length === 0) return true;
  const { length, steps, outer, outerStrides } = rows;
  const key = `${name} ${formula.variant ?? ''} ${steps.join('')}`;
  const { run } = engine.module(key, (module) => emitRows(module, formula, steps));
  const inPlace = [out, ...operands.map(({ x }) => x)].every((x) => engine.memory.holds(x));

  forEachRun(outer, outerStrides, (start, rowCount, positions, rowSteps) => {
    const addresses = operands.map(({ x }, k) => x.byteOffset + 4 * positions[k]);
    const pointersAt = (row: number, column: number): number[] =>
      addresses.flatMap((address, k) => [
        address + 4 * (row * rowSteps[k] + column * steps[k]),
        4 * rowSteps[k],
      ]);
    const target = out.byteOffset + 4 * start * length;
    if (inPlace && rowCount * length < SHARED) {
      run(target, rowCount, length, ...pointersAt(0, 0), ...formula.constants);
      return;
    }
    if (inPlace) {
      const parts = engine.threads;
      engine.parallel(parts, (call, part) => {
        const down = rowCount === 1 ? { from: 0, to: 1 } : pieceOf(rowCount, part, parts);
        const across = rowCount === 1 ? pieceOf(length, part, parts) : { from: 0, to: length };
        const to = target + 4 * (down.from * length + across.from);
        const pointers = pointersAt(down.from, across.from);
        call(run, to, down.to - down.from, across.to - across.from, ...pointers, ...formula.constants);
      });
      return;
    }
    forEachPiece(rowCount, length, (row, down, column, across) => {
      engine.scratch((allocate) => {
        const pointers = operands.flatMap(({ x }, k) => {
          const from = positions[k] + row * rowSteps[k] + column * steps[k];
          const size = (down - 1) * rowSteps[k] + (across - 1) * steps[k] + 1;
          return [engine.input(x.subarray(from, from + size), allocate), 4 * rowSteps[k]];
        });
        const to = (start + row) * length + column;
        const piece = engine.output(out.subarray(to, to + down * across), allocate);
        run(piece.address, down, across, ...pointers, ...formula.constants);
        piece.copyBack();
      });
    });
  });
  return true;
}

/** Visits rows × columns in pieces of whole rows or parts of a row. */
function forEachPiece(
  rows: number,
  columns: number,
  visit: (row: number, down: number, column: number, across: number) => void,
): void {
  const width = Math.min(columns, PIECE);
  const height = Math.floor(PIECE / width);
  for (let row = 0; row < rows; row += height) {
    for (let column = 0; column < columns; column += width) {
      visit(row, Math.min(height, rows - row), column, Math.min(width, columns - column));
    }
  }
}

/** The longest rows; null where an operand is neither contiguous nor one number in them, or jumps too often. */
function rowsOf(shape: Shape, operands: readonly Operand[]): OperandRows | null {
  const row = joined(shape, operands, shape.length);
  const column = joined(shape, operands, row.from);
  const fits = row.steps.every((step, k) => {
    const jump = column.steps[k];
    return (step === 0 || step === 1) && (jump === 0 || jump === (step === 1 ? row.length : 1));
  });
  const isOneVisit = column.from === 0;
  if (!fits || !(isOneVisit || row.length * column.length >= SHORTEST_VISIT)) return null;
  const outerStrides = operands.map(({ strides }) => strides.slice(0, row.from));
  return { length: row.length, steps: row.steps, outer: shape.slice(0, row.from), outerStrides };
}

/** The dimensions before `to` that every operand walks through in equal steps, as if they were one. */
function joined(
  shape: Shape,
  operands: readonly Operand[],
  to: number,
): { length: number; steps: number[]; from: number } {
  let length = 1;
  let steps = operands.map(() => 0);
  let from = to;
  for (; from > 0; from--) {
    const size = shape[from - 1];
    if (size === 1) continue;
    const strides = operands.map((operand) => operand.strides[from - 1]);
    if (length === 1) steps = strides;
    else if (strides.some((stride, k) => stride !== length * steps[k])) break;
    length *= size;
  }
  return { length, steps, from };
}

/**
 * run(target, rows, length, (operand, bytes from row to row)…, constants…): for each row, for each vector and each
 * of the numbers that remain: the formula. Operands of step 0 are spread once a row.
 */
function emitRows(module: ModuleBuilder, formula: Formula, steps: readonly number[]): void {
  const pairs = steps.flatMap(() => ['i32', 'i32'] as const);
  const numbers = formula.constants.map(() => (formula.double ? 'f64' : 'f32'));
  module.func(
    'run',
    ['i32', 'i32', 'i32', ...pairs, ...numbers],
    null,
    (f, target, rows, length, ...rest) => {
      const [counter] = f.localArray('i32', 1);
      const pointers = f.localArray('i32', steps.length);
      const values = f.localArray('v128', steps.length);
      const evaluate = formula.double ? emitDouble : emitSingle;
      const constants = rest.slice(pairs.length).map((number) => {
        const constant = f.local('v128');
        f.get(number)
          .op(formula.double ? 'f64x2.splat' : 'f32x4.splat')
          .set(constant);
        return constant;
      });
      const moving = steps.flatMap((step, k) => (step === 1 ? [k] : []));
      f.times(counter, rows, () => {
        for (const [k, step] of steps.entries()) {
          if (step === 0) f.load('v128.load32_splat', rest[2 * k]).set(values[k]);
          else f.get(rest[2 * k]).set(pointers[k]);
        }
        emitVectors(f, length, [target, ...moving.map((k) => pointers[k])], (load, store) => {
          for (const k of moving) {
            load(pointers[k]);
            f.set(values[k]);
          }
          store(target, evaluate(f, formula, values, constants));
        });
        for (const k of steps.keys()) f.increase(rest[2 * k], rest[2 * k + 1]);
      });
    },
  );
}

/** The formula on four lanes; gives the local that holds the result. */
function emitSingle(
  f: FunctionBuilder,
  formula: Formula,
  operands: readonly Local[],
  constants: readonly Local[],
): Local {
  const result = f.local('v128');
  formula.write(f, operands, constants);
  f.set(result);
  return result;
}

/** The formula on twice two lanes of float64, rounded once and joined. */
function emitDouble(
  f: FunctionBuilder,
  formula: Formula,
  operands: readonly Local[],
  constants: readonly Local[],
): Local {
  const halves = f.localArray('v128', 2);
  const wide = f.localArray('v128', operands.length);
  for (const [half, result] of halves.entries()) {
    for (const [k, operand] of operands.entries()) promote(f, operand, half, wide[k]);
    formula.write(f, wide, constants);
    f.op('f32x4.demote_f64x2_zero').set(result);
  }
  f.get(halves[0]).get(halves[1]).shuffle(0, 1, 4, 5).set(halves[0]);
  return halves[0];
}

function flat(...arrays: readonly FloatArray[]): Operand[] {
  return arrays.map((x) => ({ x, strides: [1] }));
}

function holdsFloat32(operand: Operand): operand is Operand<Float32Array> {
  return isFloat32(operand.x);
}
