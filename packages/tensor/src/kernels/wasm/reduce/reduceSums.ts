// Sums of four lanes in float64: two vectors, one for each half of the lanes.

import type { FunctionBuilder, Local } from '../assembler/assembler.js';
import { promote } from '../elementwise/elementwise.js';
import type { Lanes, Step } from './reduceLanes.js';

/** Lanes 0 and 1, and lanes 2 and 3, in float64. */
export type Wide = readonly [Local, Local];

/** The numbers of the halves, as `promote` takes them. */
export const HALVES = [0, 1] as const;

/** Two new locals. */
export function wide(f: FunctionBuilder): Wide {
  return [f.local('v128'), f.local('v128')];
}

/** Pops a vector of float32 into float64. */
export function setWide(f: FunctionBuilder, target: Wide): void {
  const value = f.local('v128');
  f.set(value);
  for (const half of HALVES) promote(f, value, half, target[half]);
}

/** Pushes a vector of float32, rounded from float64. */
export function rounded(f: FunctionBuilder, [low, high]: Wide): void {
  f.get(low).op('f32x4.demote_f64x2_zero').get(high).op('f32x4.demote_f64x2_zero').shuffle(0, 1, 4, 5);
}

/**
 * What `push` pushes for each half, summed over the rows and merged where lanes belong to one row.
 * `push` may keep or store what it pushes.
 */
export function sumOver(
  lanes: Lanes,
  prepare: (step: Step) => void,
  push: (step: Step, half: 0 | 1) => void,
): Wide {
  const { f } = lanes;
  const sums = wide(f);
  const zero = f.local('v128');
  for (const half of HALVES) f.get(zero).set(sums[half]);
  lanes.pass((step) => {
    prepare(step);
    for (const half of HALVES) {
      push(step, half);
      onlyFresh(f, step, half);
      f.get(sums[half]).op('f64x2.add').set(sums[half]);
    }
  });
  mergeSums(lanes, sums);
  return sums;
}

/** Clears a lane of float64 whose number has been there before. */
function onlyFresh(f: FunctionBuilder, { fresh }: Step, half: 0 | 1): void {
  if (!fresh) return;
  f.get(fresh).get(fresh);
  if (half === 0) f.shuffle(0, 0, 1, 1);
  else f.shuffle(2, 2, 3, 3);
  f.op('v128.and');
}

function mergeSums({ f, oneRow }: Lanes, [low, high]: Wide): void {
  if (!oneRow) return;
  f.get(low).get(high).op('f64x2.add').tee(low);
  f.get(low).get(low).shuffle(2, 3, 0, 1).op('f64x2.add').tee(low).set(high);
}
