import type { FunctionBuilder, Local } from '../assembler/assembler.js';
import type { NumberFormat } from './numberFormat.js';

/** Pushes the `count` (1 to 4) numbers at `pointer` plus `offset` bytes as a vector; its other lanes are 0. */
export function emitLoadLanes(f: FunctionBuilder, pointer: Local, count: number, offset = 0): void {
  if (count === 4) f.load('v128.load', pointer, offset);
  else if (count === 1) f.load('v128.load32_zero', pointer, offset);
  else f.load('v128.load64_zero', pointer, offset);
  if (count === 3) f.load('v128.load32_zero', pointer, offset + 8).shuffle(0, 1, 4, 5);
}

/** Writes the first `count` (1 to 4) lanes of a vector at `pointer` plus `offset` bytes. */
export function emitStoreLanes(
  f: FunctionBuilder,
  pointer: Local,
  value: Local,
  count: number,
  offset = 0,
): void {
  if (count === 4) {
    f.get(pointer).get(value).store('v128.store', offset);
    return;
  }
  for (let lane = 0; lane < count; lane++) {
    f.get(pointer)
      .get(value)
      .storeLane(lane, offset + 4 * lane);
  }
}

/** Turns as many vectors as each has lanes, as a square matrix, in place. */
export function emitTransposeOf(
  format: NumberFormat,
  f: FunctionBuilder,
  rows: readonly Local[],
  other: readonly Local[],
): void {
  if (format.lanes === 4) return emitTranspose(f, rows, other);
  const [a, b] = rows;
  f.get(a).get(b).shuffle(0, 1, 4, 5).set(other[0]).get(a).get(b).shuffle(2, 3, 6, 7).set(b);
  f.get(other[0]).set(a);
}

/** Turns four vectors as a 4 × 4 matrix in place: lane i of vector j becomes lane j of vector i. */
export function emitTranspose(f: FunctionBuilder, rows: readonly Local[], other: readonly Local[]): void {
  const [a, b, c, d] = rows;
  const [ab, cd, ab2, cd2] = other;
  f.get(a).get(b).shuffle(0, 4, 1, 5).set(ab).get(c).get(d).shuffle(0, 4, 1, 5).set(cd);
  f.get(a).get(b).shuffle(2, 6, 3, 7).set(ab2).get(c).get(d).shuffle(2, 6, 3, 7).set(cd2);
  f.get(ab).get(cd).shuffle(0, 1, 4, 5).set(a).get(ab).get(cd).shuffle(2, 3, 6, 7).set(b);
  f.get(ab2).get(cd2).shuffle(0, 1, 4, 5).set(c).get(ab2).get(cd2).shuffle(2, 3, 6, 7).set(d);
}
