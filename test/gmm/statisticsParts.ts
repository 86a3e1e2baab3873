// Partitions of data whose statistics are merged.
import * as fc from 'fast-check';
import { expect } from 'vitest';
import type { CovarianceType } from '@gmml/gmm';
import { parseSafetensors } from '@gmml/nn';
import { blobs } from './samples.js';

/** The covariance types. */
export const TYPES: readonly CovarianceType[] = ['full', 'tied', 'diag', 'spherical'];
export const EXACT = { rtol: 1e-10, atol: 1e-12 };
export const SAME = { rtol: 1e-9, atol: 1e-11 };

/** Rows that are far from the origin, so that sums of squares would lose their digits. */
const far = { seed: 4, rows: 300, features: 5, components: 3, apart: 4 };

/** Blobs with their labels. */
export function samples(): { x: number[][]; labels: number[] } {
  const { x, labels } = blobs(far);
  return { x: x.map((row) => row.map((value) => value + 1e4)), labels };
}

/** The files have the same tensors, but for rounding. */
export function expectSameTensors(a: Uint8Array, b: Uint8Array, tolerance = EXACT): void {
  const [left, right] = [parseSafetensors(a).tensors, parseSafetensors(b).tensors];
  expect(Object.keys(left)).toEqual(Object.keys(right));
  for (const [name, values] of Object.entries(left)) {
    expect(values, name).toBeAllClose(right[name], { ...tolerance, atol: tolerance.atol * 1e4 });
  }
}

/** A partition of rows into parts in some order, some of them empty of some labels. */
export const partition = fc.record({
  cuts: fc.array(fc.nat(far.rows), { maxLength: 5 }),
  shuffle: fc.array(fc.nat(1e6), { minLength: 6, maxLength: 6 }),
  fold: fc.constantFrom('left', 'right', 'pairs'),
});

type Partition = typeof partition extends fc.Arbitrary<infer T> ? T : never;

/** The parts that are not empty, in their order. */
export function rangesOf({ cuts, shuffle }: Partition): (readonly [number, number])[] {
  const ends = [0, ...cuts.toSorted((a, b) => a - b), far.rows];
  return ends
    .slice(1)
    .map((end, i) => [ends[i], end] as const)
    .filter(([from, to]) => to > from)
    .map((range, i) => ({ range, key: shuffle[i] }))
    .toSorted((a, b) => a.key - b.key)
    .map(({ range }) => range);
}

/** The parts merged from the left, from the right or in pairs. */
export function merged<T extends { merge(other: T): void }>(parts: readonly T[], fold: Partition['fold']): T {
  if (parts.length === 1) return parts[0];
  const middle = fold === 'pairs' ? Math.ceil(parts.length / 2) : fold === 'left' ? parts.length - 1 : 1;
  const first = merged(parts.slice(0, middle), fold);
  first.merge(merged(parts.slice(middle), fold));
  return first;
}
