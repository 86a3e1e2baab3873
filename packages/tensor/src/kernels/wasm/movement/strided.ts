// Walks over float32 numbers. Loops are merged first, so that what is contiguous is moved in long runs; sums are float64.

import { fits, inOut, isFloat32, isWorthCopying, partsFor, pieceOf } from '../arrays.js';
import type { Call, Engine } from '../engine.js';
import type { Kernel } from '../kernel.js';
import { areDistinct, cut, dimensionsOf, spanOf, type Dimension } from './stridedNest.js';
import { moves, type Task } from './stridedMove.js';
import { PARTIAL, sums } from './stridedSum.js';

/**
 * out[i] = x[walk(i)], the same bits. False, and nothing written, for float64, and where an array outside kernel memory
 * does not fit or is much longer than the walk.
 */
export const readStrided: Kernel<'readStrided'> = (engine, x, walk, out) => {
  if (!isFloat32(x) || !isFloat32(out)) return false;
  if (out.length === 0) return true;
  const { first, last } = spanOf(walk);
  const read = x.subarray(first, last + 1);
  const dims = dimensionsOf(walk).map(({ size, walked, rows }) => ({ size, from: walked, to: rows }));
  const isOneRun = dims.length === 1 && dims[0].from === 1;
  if (isOneRun) {
    out.set(read);
    return true;
  }
  if (!isWorthCopying(engine, read, out.length) || !fits(engine, [read, out])) return false;
  engine.scratch((allocate) => {
    const from = engine.input(read, allocate) + 4 * (walk.offset - first);
    const { address, copyBack } = engine.output(out, allocate);
    split(engine, dims, out.length, (piece) =>
      moves(engine, 'copy', from + 4 * piece.from, address + 4 * piece.to, piece.dims),
    );
    copyBack();
  });
  return true;
};

/** out[walk(i)] = x[i], the same bits. False, and nothing written, as readStrided, and for walks that meet themselves. */
export const writeStrided: Kernel<'writeStrided'> = (engine, x, walk, out) => {
  if (!isFloat32(x) || !isFloat32(out)) return false;
  if (x.length === 0) return true;
  const { first, last } = spanOf(walk);
  const changed = out.subarray(first, last + 1);
  const dims = dimensionsOf(walk).map(({ size, walked, rows }) => ({ size, from: rows, to: walked }));
  const loops = dims.filter(({ size }) => size > 1);
  if (!areDistinct(loops.map(({ size, to }) => ({ size, stride: to })))) return false;
  const isOneRun = loops.length === 0 || (loops.length === 1 && loops[0].to === 1);
  if (isOneRun) {
    changed.set(x);
    return true;
  }
  if (!isWorthCopying(engine, changed, x.length) || !fits(engine, [x, changed])) return false;
  engine.scratch((allocate) => {
    const from = engine.input(x, allocate);
    const { address, copyBack } = inOut(engine, changed, allocate);
    const to = address + 4 * (walk.offset - first);
    split(engine, dims, x.length, (piece) =>
      moves(engine, 'copy', from + 4 * piece.from, to + 4 * piece.to, piece.dims),
    );
    copyBack();
  });
  return true;
};

/**
 * out[walk(i)] += x[i]; where a stride is 0, the sum is float64 and rounded once. Sums along the last dimension are
 * added in another order than the reference's, all else gives its bits. False, and nothing written, for float64, for
 * walks that meet themselves without a stride of 0, and where an array outside kernel memory does not fit or is much
 * longer than the walk.
 */
export const addStrided: Kernel<'addStrided'> = (engine, x, walk, out) => {
  if (!isFloat32(x) || !isFloat32(out)) return false;
  if (x.length === 0) return true;
  const { first, last } = spanOf(walk);
  const changed = out.subarray(first, last + 1);
  const dims = dimensionsOf(walk).map(({ size, walked, rows }) => ({ size, from: rows, to: walked }));
  const kept = dims.filter(({ to }) => to !== 0);
  const summed = dims.filter(({ to }) => to === 0);
  if (!areDistinct(kept.map(({ size, to }) => ({ size, stride: to })))) return false;
  if (!isWorthCopying(engine, changed, x.length)) return false;
  if (!fits(engine, [x, changed], engine.threads * PARTIAL)) return false;
  engine.scratch((allocate) => {
    const from = engine.input(x, allocate);
    const { address, copyBack } = inOut(engine, changed, allocate);
    const to = address + 4 * (walk.offset - first);
    if (summed.length > 0 && kept.length > 0) {
      const tasks: Tasks = (piece) => [
        sums(engine, from + 4 * piece.from, to + 4 * piece.to, piece.dims, summed),
      ];
      split(engine, kept, x.length, tasks, { repeatable: false });
    } else if (summed.length > 0) {
      addTotal(engine, from, to, 4 * allocate(engine.threads * PARTIAL), summed, x.length);
    } else {
      const tasks: Tasks = (piece) =>
        moves(engine, 'add', from + 4 * piece.from, to + 4 * piece.to, piece.dims);
      split(engine, kept, x.length, tasks, { repeatable: false });
    }
    copyBack();
  });
  return true;
};

/** The sum of everything: each part sums a piece of the longest loop, and the sums are added at the end. */
function addTotal(
  engine: Engine,
  from: number,
  to: number,
  partials: number,
  summed: readonly Dimension[],
  numbers: number,
): void {
  let parts = 0;
  split(engine, summed, numbers, (piece, part) => {
    parts = Math.max(parts, part + 1);
    return [sums(engine, from + 4 * piece.from, partials + 4 * PARTIAL * part, [], piece.dims, true)];
  });
  let total = engine.floats[to / 4];
  for (let part = 0; part < parts; part++) {
    total += engine.memory.doubles[(partials + 4 * PARTIAL * part) / 8];
  }
  engine.floats[to / 4] = total;
}

/** What is to be done with a piece of the loops, `from` and `to` numbers ahead. */
type Tasks = (piece: { dims: readonly Dimension[]; from: number; to: number }, part: number) => Task[];

/** Shares the calls between threads by cutting the longest loop: where it is long, at multiples of 4 as blocks have. */
function split(
  engine: Engine,
  dims: readonly Dimension[],
  numbers: number,
  tasks: Tasks,
  options?: { repeatable: boolean },
): void {
  const longest = dims.reduce((best, { size }, i) => (size > dims[best].size ? i : best), 0);
  const size = dims.length > 0 ? dims[longest].size : 1;
  const parts = Math.min(partsFor(engine, numbers), size);
  const unit = size >= 16 * parts ? 4 : 1;
  const work = (call: Call, part: number): void => {
    const { from, to } = pieceOf(Math.ceil(size / unit), part, parts);
    const piece =
      parts === 1 ? { dims, from: 0, to: 0 } : cut(dims, longest, unit * from, Math.min(size, unit * to));
    for (const { fn, args } of tasks(piece, part)) call(fn, ...args);
  };
  engine.parallel(parts, work, options);
}
