import type { SolveSizes } from '../../kernels.js';
import type { Local, ModuleBuilder } from '../assembler/assembler.js';
import { outside, pieceOf } from '../arrays.js';
import { emitLoadLanes, emitStoreLanes } from './lanes.js';
import { tileColumns } from './matmulTiles.js';
import { FLOAT64, formatOf, type NumberFormat } from './numberFormat.js';
import { entryOffset, PANEL_ROW, substitutionEmitter, TILE_ROWS, type Triangle } from './substitution.js';
import type { Kernel } from '../kernel.js';
import { WORTH_A_THREAD, WORTH_COPYING } from './worth.js';

/** Panels of two vectors of columns that are solved together, so that each entry of A is fetched once for all of them. */
const PANELS = 8;

/**
 * X of op(A) X = B by blocked substitution in the number format of A and B, 4 rows by two vectors of columns of X at a time.
 * A and B are read and X is written where they lie; a copy of up to 8 panels of X is what the next rows read.
 * False, and nothing written, for what does not fit into kernel memory and for little work in float64.
 * (Golub and Van Loan, "Matrix Computations", 2013, §3.1.4.)
 */
export const triangularSolve: Kernel<'triangularSolve'> = (engine, a, b, sizes, out) => {
  const format = formatOf(a, b, out);
  if (format === null) return false;
  const { batch, n, m, upper, transpose, unitDiagonal } = sizes;
  if (batch * n * m === 0) return true;
  if (format === FLOAT64 && batch * n * n * m < WORTH_COPYING) return false;
  const { bytes } = format;
  const columns = tileColumns(format);
  const panels = Math.ceil(m / columns);
  const wanted = Math.min(engine.threads, Math.ceil((batch * n * n * m) / (2 * WORTH_A_THREAD)));
  const together = Math.min(PANELS, Math.max(1, Math.floor((batch * panels) / wanted)));
  const groups = Math.ceil(panels / together);
  const parts = Math.min(wanted, batch * groups);
  const scratchFloats = (n * together * PANEL_ROW) / 4;
  if (!engine.hasRoom(outside(engine, a, b, out) + parts * scratchFloats)) return false;
  const key = `solve ${[format.shape, n, m, upper, transpose, unitDiagonal].join(' ')}`;
  const { solve, solveEdge } = engine.module(key, (module) => emitModule(module, format, sizes));
  engine.scratch((allocate) => {
    const matrices = engine.input(a, allocate);
    const right = engine.input(b, allocate);
    const target = engine.output(out, allocate);
    const scratch = allocate(parts * scratchFloats);
    engine.parallel(parts, (call, part) => {
      const found = 4 * (scratch + part * scratchFloats);
      const { from, to } = pieceOf(batch * groups, part, parts);
      for (let at = from; at < to; at++) {
        const t = Math.floor(at / groups);
        const column = (at % groups) * together * columns;
        const width = Math.min(together * columns, m - column);
        const whole = Math.floor(width / columns);
        const matrix = matrices + bytes * t * n * n;
        const start = bytes * (t * n * m + column);
        if (whole > 0) call(solve, matrix, right + start, target.address + start, found, whole);
        if (width % columns === 0) continue;
        const edge = start + PANEL_ROW * whole;
        call(solveEdge, matrix, right + edge, target.address + edge, found + n * PANEL_ROW * whole, 1);
      }
    });
    target.copyBack();
  });
  return true;
};

/** The order of substitution, in bytes: from the first row or from the last, along rows of A or down its columns. */
interface SubstitutionOrder extends Triangle {
  readonly n: number;
  /** From the start of B to the row that is solved first, and from a row to the next. */
  readonly firstRow: number;
  readonly rowStep: number;
  /** From the start of A to its first pivot. */
  readonly firstPivot: number;
}

function orderOf(
  { bytes }: NumberFormat,
  { n, m, upper, transpose, unitDiagonal }: SolveSizes,
): SubstitutionOrder {
  // op(A) is lower triangular, solved from the first row on, or upper, from the last.
  const forward = upper === transpose;
  const sign = forward ? bytes : -bytes;
  return {
    n,
    firstRow: forward ? 0 : bytes * (n - 1) * m,
    rowStep: sign * m,
    firstPivot: forward ? 0 : bytes * (n * n - 1),
    down: sign * (transpose ? 1 : n),
    across: sign * (transpose ? n : 1),
    unitDiagonal,
  };
}

/** solve(a, b, out, found, panels) for panels of two vectors, and solveEdge for the one that is narrower. */
function emitModule(module: ModuleBuilder, format: NumberFormat, sizes: SolveSizes): void {
  const order = orderOf(format, sizes);
  const columns = tileColumns(format);
  emitSolve(module, 'solve', format, order, columns);
  const rest = sizes.m % columns;
  if (rest > 0) emitSolve(module, 'solveEdge', format, order, rest);
}

/** For each 4 (at the end fewer) rows of X, for each panel of `columns` columns: a tile. */
function emitSolve(
  module: ModuleBuilder,
  name: string,
  format: NumberFormat,
  order: SubstitutionOrder,
  columns: number,
): void {
  const { n, rowStep, down } = order;
  const halves = columns > format.lanes ? [0, 1] : [0];
  // In words of four bytes.
  const words = (format.bytes / 4) * columns;
  const lanes = (half: number): number => Math.min(4, words - 4 * half);
  module.func(name, ['i32', 'i32', 'i32', 'i32', 'i32'], null, (f, a, b, out, x, panels) => {
    const [tiles, panel, row, known, found] = f.localArray('i32', 5);
    const [entry, start, from, to] = f.localArray('i32', 4);
    const { rest, subtract, solve } = substitutionEmitter(f, order, format);

    const tile = (count: number): void => {
      // Offsets of memory instructions cannot be negative: pointers go to the lowest address of the tile.
      const lowest = Math.min(0, (count - 1) * rowStep);
      const offset = (r: number, half: number): number => r * rowStep - lowest + 16 * half;
      const pointAt = (pointer: Local, origin: Local, bytes: number): void => {
        f.get(origin).set(pointer).increase(pointer, bytes);
      };
      pointAt(from, b, lowest);
      pointAt(to, out, lowest);
      f.get(x).set(start);
      f.times(panel, panels, () => {
        for (let r = 0; r < count; r++) {
          for (const half of halves) {
            emitLoadLanes(f, from, lanes(half), offset(r, half));
            f.set(rest[2 * r + half]);
          }
        }
        pointAt(entry, row, entryOffset(order, count));
        f.get(start).set(known);
        subtract(count, halves, entry, known, found);
        solve(count, halves, entry);
        for (let r = 0; r < count; r++) {
          for (const half of halves) {
            f.get(known).get(rest[2 * r + half]);
            f.store('v128.store', PANEL_ROW * r + 16 * half);
            emitStoreLanes(f, to, rest[2 * r + half], lanes(half), offset(r, half));
          }
        }
        f.increase(from, PANEL_ROW)
          .increase(to, PANEL_ROW)
          .increase(start, n * PANEL_ROW);
      });
    };

    f.increase(b, order.firstRow).increase(out, order.firstRow);
    f.get(a).set(row).increase(row, order.firstPivot);
    f.times(tiles, Math.floor(n / TILE_ROWS), () => {
      tile(TILE_ROWS);
      f.increase(row, TILE_ROWS * down).increase(found, TILE_ROWS);
      f.increase(b, TILE_ROWS * rowStep).increase(out, TILE_ROWS * rowStep);
    });
    if (n % TILE_ROWS > 0) tile(n % TILE_ROWS);
  });
}
