// What pooling kernels share: planes that are pooled one by one, with the padding laid around them, and windows that lie
// side by side in the lanes of a vector.

import type { WindowSizes } from '../../kernels.js';
import { partsFor, pieceOf, roomFor } from '../arrays.js';
import type { FunctionBuilder, Local } from '../assembler/assembler.js';
import type { Allocate, Engine } from '../engine.js';
import { emitRow } from '../movement/stridedMove.js';
import type { Emitted } from '../webAssembly.js';

/** Windows of a row that are computed together, one in each lane of a vector. */
export const LANES = 4;

/** The widest window that has a kernel: the taps of a row are written out one by one. */
const WIDEST = 64;

/** Up to this many taps, all rows of a window are written out; beyond, they are a loop. */
const MOST_TAPS = 64;

/** Whether there are kernels for the window: it meets the image wherever it lies, and is not too wide. */
export function isPoolable({ kernelH, kernelW, padH, padW }: WindowSizes): boolean {
  return kernelW <= WIDEST && 2 * padH <= kernelH && 2 * padW <= kernelW;
}

/** A plane with its padding; null where there is none. */
export function paddedPlane({ h, w, padH, padW }: WindowSizes): { h: number; w: number } | null {
  return padH > 0 || padW > 0 ? { h: h + 2 * padH, w: w + 2 * padW } : null;
}

/** Numbers that `poolPlanes` takes of memory. */
export function paddingRoom(engine: Engine, sizes: WindowSizes): number {
  const padded = paddedPlane(sizes);
  return padded === null ? 0 : engine.threads * roomFor([padded.h * padded.w]);
}

/**
 * run(image, pooled…, planes, padded, start) for the planes, shared between threads: the address of images
 * [N, C, H, W], those of arrays [N, C, OH, OW], a number of planes, memory for a padded one, and how many numbers of
 * all images lie before.
 */
export function poolPlanes(
  engine: Engine,
  run: Emitted,
  sizes: WindowSizes,
  image: number,
  pooled: readonly number[],
  allocate: Allocate,
): void {
  const { n, c, h, w, outH, outW } = sizes;
  const planes = n * c;
  const parts = Math.max(1, Math.min(planes, partsFor(engine, planes * h * w)));
  const padded = paddedPlane(sizes);
  const memory = Array.from({ length: parts }, () =>
    padded === null ? 0 : 4 * allocate(padded.h * padded.w),
  );
  engine.parallel(parts, (call, part) => {
    const { from, to } = pieceOf(planes, part, parts);
    const addresses = pooled.map((address) => address + 4 * from * outH * outW);
    const start = from * h * w;
    call(run, image + 4 * start, ...addresses, to - from, memory[part], start);
  });
}

/** For each row of a plane: copies it from the image into the padded plane, or back. Leaves the pointers. */
export function emitCopyPlane(
  f: FunctionBuilder,
  { h, w, padH, padW }: WindowSizes,
  way: 'in' | 'out',
  image: Local,
  padded: Local,
): void {
  const [row, outer, inner, length] = f.localArray('i32', 4);
  const width = w + 2 * padW;
  f.get(image).set(outer).get(padded).set(inner);
  f.i32(w)
    .set(length)
    .increase(inner, 4 * (padH * width + padW));
  f.times(row, h, () => {
    if (way === 'in') emitRow(f, 'copy', outer, inner, length);
    else emitRow(f, 'copy', inner, outer, length);
    f.increase(outer, 4 * w).increase(inner, 4 * width);
  });
}

/** For each vector, then for each number that remains: writes the value, the same in all lanes. Leaves the pointer. */
export function emitFill(f: FunctionBuilder, pointer: Local, count: number, value: Local): void {
  const [target, counter] = f.localArray('i32', 2);
  f.get(pointer).set(target);
  f.times(counter, Math.floor(count / 4), () => {
    f.get(target).get(value).store('v128.store').increase(target, 16);
  });
  for (let i = 0; i < count % 4; i++) {
    f.get(target)
      .get(value)
      .storeLane(0, 4 * i);
  }
}

/** One number of a window: `ahead` numbers beyond the pointer. */
export interface Tap {
  readonly row: Local;
  readonly ahead: number;
  readonly column: number;
  /** Known to be the window's first number. */
  readonly isFirst: boolean;
}

/** For each tap of a window, by rows: the body. The window begins at `source`, in rows of `width` numbers. */
export function emitTaps(
  f: FunctionBuilder,
  { kernelH, kernelW }: WindowSizes,
  source: Local,
  width: number,
  body: (tap: Tap) => void,
): void {
  if (kernelH * kernelW <= MOST_TAPS) {
    for (let i = 0; i < kernelH; i++) {
      for (let column = 0; column < kernelW; column++) {
        body({ row: source, ahead: i * width + column, column, isFirst: i === 0 && column === 0 });
      }
    }
    return;
  }
  const [row, counter] = f.localArray('i32', 2);
  f.get(source).set(row);
  f.times(counter, kernelH, () => {
    for (let column = 0; column < kernelW; column++) body({ row, ahead: column, column, isFirst: false });
    f.increase(row, 4 * width);
  });
}

/** Pushes one tap of each of up to 4 windows, reading nothing beyond the last of them. */
export function loadTap(f: FunctionBuilder, { row, ahead }: Tap, stride: number, windows: number): void {
  if (windows === LANES && stride === 1) {
    f.load('v128.load', row, 4 * ahead);
  } else if (windows === LANES && stride === 2) {
    f.load('v128.load', row, 4 * ahead).load('v128.load', row, 4 * (ahead + 3));
    f.shuffle(0, 2, 5, 7);
  } else {
    gather(f, windows, (lane) => f.load('v128.load32_splat', row, 4 * (ahead + lane * stride)));
  }
}

/** Pushes a vector of one lane from each of `count` vectors that have it in all their lanes. */
export function gather(f: FunctionBuilder, count: number, push: (lane: number) => void): FunctionBuilder {
  push(0);
  for (let lane = 1; lane < count; lane++) {
    push(lane);
    f.shuffle(0, lane === 1 ? 4 : 1, lane === 2 ? 4 : 2, lane === 3 ? 4 : 3);
  }
  return f;
}

/** Writes the vector, or its first lanes where there are fewer windows than 4. */
export function storeWindows(f: FunctionBuilder, target: Local, values: Local, windows: number): void {
  if (windows === LANES) {
    f.get(target).get(values).store('v128.store');
    return;
  }
  for (let lane = 0; lane < windows; lane++) {
    f.get(target)
      .get(values)
      .storeLane(lane, 4 * lane);
  }
}
