import type { FunctionBuilder, Local } from '../assembler/assembler.js';
import { FLOAT32, type NumberFormat } from './numberFormat.js';

/** Rows of X that are found together, and in float32 columns: two vectors of each row. */
export const TILE_ROWS = 4;
export const TILE_COLUMNS = 8;

/** Bytes of a row of a panel: two vectors of columns of X, the rows one below the other in the order in which they are found. */
export const PANEL_ROW = 32;

/** Terms that are added before the sum is taken from the right-hand side; a power of 2. */
const BLOCK = 256;

/** How the triangular matrix lies: bytes from an entry to the next down and across, in the order of substitution. */
export interface Triangle {
  readonly down: number;
  readonly across: number;
  readonly unitDiagonal: boolean;
}

/** The code of the two halves of a tile of `count` rows of X, on the vectors `rest`: two for each row. */
export interface Substitution {
  /** What is left of the right-hand side, and in the end X: vector 2r + half belongs to row r. */
  readonly rest: readonly Local[];
  /**
   * rest −= what the `found` rows take away that start at `known`. `entry` is the address of the tile's first entry,
   * moved by `entryOffset`. Both pointers end behind the found rows and columns.
   */
  readonly subtract: (
    count: number,
    halves: readonly number[],
    entry: Local,
    known: Local,
    found: Local,
  ) => void;
  /** Solves with the triangle on the diagonal, whose first entry is at `entry`, moved by `entryOffset`. */
  readonly solve: (count: number, halves: readonly number[], entry: Local) => void;
}

/** What to add to the address of an entry, so that offsets to all others of a tile are not negative. */
export function entryOffset({ down, across }: Triangle, count: number): number {
  return Math.min(0, (count - 1) * down) + Math.min(0, (count - 1) * across);
}

/**
 * Substitution in tiles of 4 rows by two vectors: what the rows already found take away is a small matrix product,
 * whose sums stay in registers; the 4 × 4 triangle on the diagonal is then solved in registers too.
 */
export function substitutionEmitter(
  f: FunctionBuilder,
  triangle: Triangle,
  { shape, splat }: NumberFormat = FLOAT32,
): Substitution {
  const { down, across, unitDiagonal } = triangle;
  const [blocks, step] = f.localArray('i32', 2);
  const sums = f.localArray('v128', 2 * TILE_ROWS);
  const rest = f.localArray('v128', 2 * TILE_ROWS);
  const vectors = f.localArray('v128', 2);
  const factor = f.local('v128');

  const at = (count: number, r: number, s: number): number =>
    r * down + s * across - entryOffset(triangle, count);

  const subtractBlock = (
    count: number,
    halves: readonly number[],
    entry: Local,
    known: Local,
    terms: number | Local,
  ): void => {
    for (let r = 0; r < count; r++) for (const half of halves) f.f32x4(0).set(sums[2 * r + half]);
    f.times(step, terms, () => {
      for (const half of halves) f.load('v128.load', known, 16 * half).set(vectors[half]);
      for (let r = 0; r < count; r++) {
        f.load(splat, entry, at(count, r, 0)).set(factor);
        for (const half of halves) f.multiplyAdd(sums[2 * r + half], factor, vectors[half], shape);
      }
      f.increase(known, PANEL_ROW).increase(entry, across);
    });
    for (let r = 0; r < count; r++) {
      for (const half of halves) {
        const own = rest[2 * r + half];
        f.get(own)
          .get(sums[2 * r + half])
          .op(`${shape}.sub`)
          .set(own);
      }
    }
  };

  return {
    rest,
    subtract(count, halves, entry, known, found) {
      f.get(found).i32(Math.log2(BLOCK)).op('i32.shr_s').set(blocks);
      f.times(blocks, blocks, () => subtractBlock(count, halves, entry, known, BLOCK));
      f.get(found)
        .i32(BLOCK - 1)
        .op('i32.and')
        .set(blocks);
      subtractBlock(count, halves, entry, known, blocks);
    },
    solve(count, halves, entry) {
      for (let r = 0; r < count; r++) {
        for (let s = 0; s < r; s++) {
          f.load(splat, entry, at(count, r, s)).set(factor);
          for (const half of halves)
            subtractProduct(f, rest[2 * r + half], factor, rest[2 * s + half], shape);
        }
        if (unitDiagonal) continue;
        f.load(splat, entry, at(count, r, r)).set(factor);
        for (const half of halves) {
          const row = rest[2 * r + half];
          f.get(row).get(factor).op(`${shape}.div`).set(row);
        }
      }
    },
  };
}

/** x −= a·b. */
export function subtractProduct(
  f: FunctionBuilder,
  x: Local,
  a: Local,
  b: Local,
  shape: NumberFormat['shape'] = 'f32x4',
): void {
  f.get(x).get(a).get(b).op(`${shape}.mul`).op(`${shape}.sub`).set(x);
}
