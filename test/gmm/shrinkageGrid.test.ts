import { describe, expect, it } from 'vitest';
import { Generator } from '@gmml/tensor';
import {
  chooseShrinkage,
  deviations,
  meanLogDensity,
  SHRINKAGE_GRID,
  type Group,
  type ShrinkageTarget,
} from '../../packages/gmm/src/leaveOneOut.js';
import { addRows, noMoments, type Spread } from '../../packages/gmm/src/linearAlgebra/moments.js';
import { sumOf } from '../../packages/gmm/src/linearAlgebra/symmetric.js';

interface Shape {
  readonly d: number;
  readonly spread: Spread;
  /** Rows of each group. */
  readonly counts: readonly number[];
  /** 0: groups have one covariance in common; 1: each has its own. */
  readonly own: number;
}

/** Normal rows of several groups, each turned and stretched by a matrix of its own. */
function groupsOf({ d, spread, counts, own }: Shape, seed: number): Group[] {
  const generator = new Generator(seed);
  const normals = (count: number): Float64Array =>
    Float64Array.from({ length: count }, () => generator.normal());
  const common = normals(d * d);
  return counts.map((count) => {
    const turned = normals(d * d).map((value, at) => own * value + (1 - own) * common[at]);
    const noise = normals(count * d);
    const rows = new Float64Array(count * d);
    for (let n = 0; n < count; n++) {
      for (let i = 0; i < d; i++) {
        for (let j = 0; j < d; j++) rows[n * d + i] += turned[i * d + j] * noise[n * d + j];
      }
    }
    return { moments: addRows(noMoments(d, spread), rows), rows };
  });
}

function pooledOf(groups: readonly Group[]): ShrinkageTarget {
  const count = groups.reduce((total, { moments }) => total + moments.count, 0);
  return { scatter: sumOf(groups.map(({ moments }) => moments.scatter)), count, hasRows: true };
}

/** The best of the whole grid, the least at a tie; 1 where nothing has a density. */
function bestOfGrid(groups: readonly Group[], pooled: ShrinkageTarget): number {
  const telling = groups.filter(({ moments }) => moments.count > 1);
  const away = telling.map(({ rows, moments }) => deviations(rows, moments.mean));
  const all = SHRINKAGE_GRID.map((amount) => meanLogDensity(amount, telling, away, pooled));
  const most = Math.max(...all);
  return most > -Infinity ? SHRINKAGE_GRID[all.indexOf(most)] : 1;
}

const SHAPES: readonly Shape[] = [
  { d: 1, spread: 'diagonal', counts: [5, 9, 30], own: 1 },
  { d: 4, spread: 'diagonal', counts: [6, 12, 3], own: 0.5 },
  { d: 9, spread: 'diagonal', counts: [40, 40], own: 1 },
  { d: 2, spread: 'triangle', counts: [4, 5, 6, 7], own: 0 },
  { d: 5, spread: 'triangle', counts: [8, 20, 50], own: 0.3 },
  { d: 5, spread: 'triangle', counts: [300, 400], own: 1 },
  { d: 8, spread: 'triangle', counts: [3, 12, 2, 20], own: 1 },
  { d: 13, spread: 'triangle', counts: [20, 30, 90], own: 0.1 },
  { d: 20, spread: 'triangle', counts: [15, 15, 15], own: 0.5 },
];

describe('the walk uphill over the grid of shrinkages ends where the whole grid is best', () => {
  it.each(SHAPES)('$spread, $d features, rows $counts, own $own', (shape) => {
    for (let seed = 0; seed < 20; seed++) {
      const groups = groupsOf(shape, seed);
      const pooled = pooledOf(groups);
      expect(chooseShrinkage(groups, pooled), `seed ${seed}`).toBe(bestOfGrid(groups, pooled));
    }
  });

  it.each(SHAPES)(
    'toward what the rows are not in: $spread, $d features, rows $counts, own $own',
    (shape) => {
      for (let seed = 0; seed < 20; seed++) {
        const [first, ...others] = groupsOf(shape, seed);
        const target = pooledOf(others.length > 0 ? others : [first]);
        const pooled = { ...target, hasRows: false };
        expect(chooseShrinkage([first], pooled), `seed ${seed}`).toBe(bestOfGrid([first], pooled));
      }
    },
  );

  it('has shapes that ask for every amount of the grid', () => {
    const found = new Set<number>();
    for (const shape of SHAPES) {
      for (let seed = 0; seed < 20; seed++) {
        const groups = groupsOf(shape, seed);
        found.add(chooseShrinkage(groups, pooledOf(groups)));
      }
    }
    expect([...found].toSorted((a, b) => a - b)).toEqual(SHRINKAGE_GRID);
  });
});
