import type { SolveSizes } from '../kernels.js';
import type { FloatArray } from '../../storage.js';
import type { FunctionBuilder, Local, ModuleBuilder } from './assembler.js';
import { isFloat32, up } from './arrays.js';
import type { Engine } from './engine.js';

/** Rows and columns of X that are found together: 4 × 8 is eight vectors. */
const TILE_ROWS = 4;
const TILE_COLUMNS = 8;

/** Terms that are added in float32 before the sum is taken from the right-hand side; a power of 2. */
const BLOCK = 256;

/**
 * X of op(A) X = B by blocked substitution: 4 rows by 8 columns of X at a time. What the rows already found
 * take away is a small matrix product, whose sums stay in registers; the 4 × 4 triangle on the diagonal is
 * then solved in registers too. Columns beyond the edge are zeros.
 * False, and nothing written, for float64 and what does not fit into kernel memory.
 * (Golub and Van Loan, "Matrix Computations", 2013, §3.1.4.)
 */
export function triangularSolve(
  engine: Engine,
  a: FloatArray,
  b: FloatArray,
  sizes: SolveSizes,
  out: FloatArray,
): boolean {
  if (!isFloat32(a) || !isFloat32(b) || !engine.hasRoom(room(sizes))) return false;
  const { batch, n, m, upper, transpose, unitDiagonal } = sizes;
  if (n === 0 || m === 0) return true;
  const key = `solve ${[n, padded(m), upper, transpose, unitDiagonal].join(' ')}`;
  const { solve } = engine.module(key, (module) => emitSolve(module, walkOf(sizes)));
  const { floats } = engine;
  engine.scratch((allocate) => {
    const matrix = allocate(n * n);
    const right = allocate(n * padded(m));
    floats.fill(0, right, right + n * padded(m));
    for (let t = 0; t < batch; t++) {
      floats.set(a.subarray(t * n * n, (t + 1) * n * n), matrix);
      copyRows(b, t * n * m, m, floats, right, padded(m), n, m);
      solve(4 * matrix, 4 * right);
      copyRows(floats, right, padded(m), out, t * n * m, m, n, m);
    }
  });
  return true;
}

/** How many numbers of kernel memory a system takes. */
function room({ n, m }: SolveSizes): number {
  return n * n + n * padded(m);
}

/** How substitution walks, in bytes: from the first row or from the last, along rows of A or down its columns. */
interface Walk {
  readonly n: number;
  /** From the start of X to the row that is found first, and from a row to the next. */
  readonly firstRow: number;
  readonly rowStep: number;
  readonly columnTiles: number;
  /** From the start of A to its first pivot, and from an entry of op(A) to the next down and across. */
  readonly firstPivot: number;
  readonly down: number;
  readonly across: number;
  readonly unitDiagonal: boolean;
}

function walkOf({ n, m, upper, transpose, unitDiagonal }: SolveSizes): Walk {
  // op(A) is lower triangular, solved from the first row on, or upper, from the last.
  const forward = upper === transpose;
  const sign = forward ? 4 : -4;
  const rowBytes = 4 * padded(m);
  return {
    n,
    firstRow: forward ? 0 : (n - 1) * rowBytes,
    rowStep: forward ? rowBytes : -rowBytes,
    columnTiles: padded(m) / TILE_COLUMNS,
    firstPivot: forward ? 0 : 4 * (n * n - 1),
    down: sign * (transpose ? 1 : n),
    across: sign * (transpose ? n : 1),
    unitDiagonal,
  };
}

/** solve(a, x): x holds B and becomes X. For each 8 columns, for each 4 (at the end fewer) rows: a tile. */
function emitSolve(module: ModuleBuilder, walk: Walk): void {
  module.func('solve', ['i32', 'i32'], null, (f, a, x) => {
    const [tiles, blocks, rows, row, found] = f.localArray('i32', 5);
    const tile = tileEmitter(f, walk);
    f.increase(x, walk.firstRow);
    f.times(tiles, walk.columnTiles, () => {
      f.get(a).i32(walk.firstPivot).op('i32.add').set(row);
      f.get(x).set(rows).i32(0).set(found);
      f.times(blocks, Math.floor(walk.n / TILE_ROWS), () => {
        tile(TILE_ROWS, row, rows, x, found);
        f.increase(row, TILE_ROWS * walk.down).increase(rows, TILE_ROWS * walk.rowStep);
        f.increase(found, TILE_ROWS);
      });
      if (walk.n % TILE_ROWS > 0) tile(walk.n % TILE_ROWS, row, rows, x, found);
      f.increase(x, 4 * TILE_COLUMNS);
    });
  });
}

/**
 * The code of a tile of `count` rows. `row` is the address of the first of its rows in op(A), at the first
 * column; `rows` that of the same row of X, `x` that of the row of X found first, `found` how many are.
 */
type EmitTile = (count: number, row: Local, rows: Local, x: Local, found: Local) => void;

function tileEmitter(f: FunctionBuilder, walk: Walk): EmitTile {
  const { down, across, rowStep, unitDiagonal } = walk;
  const [blocks, step, known, entry, target] = f.localArray('i32', 5);
  const sums = f.localArray('v128', 2 * TILE_ROWS);
  const rest = f.localArray('v128', 2 * TILE_ROWS);
  const [low, high, factor] = f.localArray('v128', 3);

  /** rest −= Σ over `terms` known rows of op(A)'s entry times the row. */
  const subtract = (count: number, terms: number | Local): void => {
    for (const sum of sums.slice(0, 2 * count)) f.f32x4(0).set(sum);
    f.times(step, terms, () => {
      f.load('v128.load', known, 0).set(low).load('v128.load', known, 16).set(high);
      for (let r = 0; r < count; r++) {
        f.load('v128.load32_splat', entry, fromLowest(r * down, (count - 1) * down)).set(factor);
        f.multiplyAdd(sums[2 * r], factor, low).multiplyAdd(sums[2 * r + 1], factor, high);
      }
      f.increase(known, rowStep).increase(entry, across);
    });
    for (let i = 0; i < 2 * count; i++) f.get(rest[i]).get(sums[i]).op('f32x4.sub').set(rest[i]);
  };

  /** The triangle on the diagonal, whose entries start at `entry`. */
  const solveTriangle = (count: number): void => {
    const at = (r: number, s: number): number =>
      fromLowest(r * down, (count - 1) * down) + fromLowest(s * across, (count - 1) * across);
    for (let r = 0; r < count; r++) {
      for (let s = 0; s < r; s++) {
        f.load('v128.load32_splat', entry, at(r, s)).set(factor);
        for (const half of [0, 1]) {
          f.get(rest[2 * r + half])
            .get(factor)
            .get(rest[2 * s + half])
            .op('f32x4.mul');
          f.op('f32x4.sub').set(rest[2 * r + half]);
        }
      }
      if (unitDiagonal) continue;
      f.load('v128.load32_splat', entry, at(r, r)).set(factor);
      for (const half of [0, 1]) {
        f.get(rest[2 * r + half])
          .get(factor)
          .op('f32x4.div')
          .set(rest[2 * r + half]);
      }
    }
  };

  return (count, row, rows, x, found) => {
    // Offsets of memory instructions cannot be negative: pointers go to the lowest address of the tile.
    f.get(rows)
      .i32(Math.min(0, (count - 1) * rowStep))
      .op('i32.add')
      .set(target);
    const offset = (r: number, half: number): number =>
      fromLowest(r * rowStep, (count - 1) * rowStep) + 16 * half;
    for (let r = 0; r < count; r++) {
      for (const half of [0, 1]) f.load('v128.load', target, offset(r, half)).set(rest[2 * r + half]);
    }
    f.get(x)
      .set(known)
      .get(row)
      .i32(Math.min(0, (count - 1) * down))
      .op('i32.add')
      .set(entry);
    f.get(found).i32(Math.log2(BLOCK)).op('i32.shr_s').set(blocks);
    f.times(blocks, blocks, () => subtract(count, BLOCK));
    f.get(found)
      .i32(BLOCK - 1)
      .op('i32.and')
      .set(blocks);
    subtract(count, blocks);
    f.increase(entry, Math.min(0, (count - 1) * across));
    solveTriangle(count);
    for (let r = 0; r < count; r++) {
      for (const half of [0, 1])
        f.get(target)
          .get(rest[2 * r + half])
          .store('v128.store', offset(r, half));
    }
  };
}

/** An offset counted from the lowest of those from 0 to `last`. */
function fromLowest(offset: number, last: number): number {
  return offset - Math.min(0, last);
}

function padded(m: number): number {
  return up(m, TILE_COLUMNS);
}

function copyRows(
  from: FloatArray,
  start: number,
  stride: number,
  to: FloatArray,
  target: number,
  targetStride: number,
  rows: number,
  length: number,
): void {
  for (let i = 0; i < rows; i++) {
    const row = start + i * stride;
    to.set(from.subarray(row, row + length), target + i * targetStride);
  }
}
