import { ShapeError, type Tensor, triangularSolve } from '@gmml/tensor';
import { broadcast, build, entryAt, type Grid, range, spread, swapped, total } from './grid.js';
import type { Row, Sample } from './row.js';

/** Triangular systems over the last two dimensions. */
export const triangularSolveRows: Row[] = [
  {
    name: 'triangularSolve',
    ops: ['triangularSolve'],
    differentiable: true,
    samples: [
      ...[false, true].flatMap((upper) =>
        [false, true].flatMap((transpose) =>
          [false, true].flatMap((unitDiagonal) =>
            [true, false].map((left) =>
              solved([3, 3], left ? [3, 2] : [2, 3], { upper, transpose, unitDiagonal, left }),
            ),
          ),
        ),
      ),
      solved([1, 1], [1, 1], {}),
      solved([6, 6], [6, 1], {}),
      solved([2, 3, 3], [2, 3, 4], {}),
      solved([2, 1, 2, 2], [3, 2, 3], { upper: true }),
      solved([3, 3], [2, 3, 2], { transpose: true }),
      solved([2, 3, 3], [3, 1], {}),
      solved([2, 2, 2], [3, 2], { left: false }),
      solved([0, 0], [0, 3], {}),
      solved([3, 3], [3, 0], {}),
      solved([0, 2, 2], [0, 2, 1], {}),
    ],
    bad: [
      {
        label: 'not square',
        call: () => triangularSolve(spread([2, 3]).tensor(), spread([2, 1]).tensor()),
        error: ShapeError,
        message: 'triangularSolve: a must be square, [..., D, D]: it is [2, 3].',
      },
      {
        label: 'sizes that do not fit',
        call: () => triangularSolve(spread([2, 2]).tensor(), spread([3, 1]).tensor()),
        error: ShapeError,
        message: 'triangularSolve: b must be [..., D, M] to a [..., D, D]: a is [2, 2], b is [3, 1].',
      },
      {
        label: 'sizes that do not fit on the right',
        call: () => triangularSolve(spread([2, 2]).tensor(), spread([1, 3]).tensor(), { left: false }),
        error: ShapeError,
        message: 'triangularSolve: b must be [..., M, D] to a [..., D, D]: a is [2, 2], b is [1, 3].',
      },
      {
        label: 'a vector',
        call: () => triangularSolve(spread([2, 2]).tensor(), spread([2]).tensor()),
        error: ShapeError,
        message: 'triangularSolve: b must be [..., D, M] to a [..., D, D]: a is [2, 2], b is [2].',
      },
      {
        label: 'leading sizes',
        call: () => triangularSolve(spread([2, 2, 2]).tensor(), spread([3, 2, 1]).tensor()),
        error: ShapeError,
        message:
          'triangularSolve: leading dimensions do not broadcast: a is [2, 2, 2], b is [3, 2, 1] (2 ≠ 3).',
      },
    ],
  },
  {
    name: 'squaredMahalanobis',
    ops: ['squaredMahalanobis'],
    differentiable: true,
    samples: [
      distances([1, 1], [1, 1]),
      distances([3, 3], [3, 2]),
      distances([6, 6], [6, 1]),
      distances([2, 3, 3], [2, 3, 4]),
      distances([2, 1, 2, 2], [3, 2, 3]),
      distances([2, 3, 3], [3, 1]),
      distances([0, 0], [0, 3]),
      distances([3, 3], [3, 0]),
      distances([0, 2, 2], [0, 2, 1]),
    ],
    bad: [
      {
        label: 'not square',
        call: () =>
          spread([2, 3])
            .tensor()
            .squaredMahalanobis(spread([2, 1]).tensor()),
        error: ShapeError,
        message: 'squaredMahalanobis: a must be square, [..., D, D]: it is [2, 3].',
      },
      {
        label: 'sizes that do not fit',
        call: () =>
          spread([2, 2])
            .tensor()
            .squaredMahalanobis(spread([3, 1]).tensor()),
        error: ShapeError,
        message: 'squaredMahalanobis: b must be [..., D, M] to a [..., D, D]: a is [2, 2], b is [3, 1].',
      },
    ],
  },
];

interface SolveFlags {
  upper?: boolean;
  transpose?: boolean;
  unitDiagonal?: boolean;
  left?: boolean;
}

/** A triangular system as the general one it stands for, by Gauss–Jordan elimination with pivoting. */
function solved(shapeA: number[], shapeB: number[], flags: SolveFlags): Sample {
  const { upper = false, transpose = false, unitDiagonal = false, left = true } = flags;
  const n = shapeA[shapeA.length - 1];
  const lead = broadcast(shapeA.slice(0, -2), shapeB.slice(0, -2));
  const reference = (a: Grid, b: Grid): Grid =>
    build([...lead, ...shapeB.slice(-2)], (index) => {
      const batch = index.slice(0, -2);
      const stored = build([n, n], ([i, j]) => {
        if (i === j) return unitDiagonal ? 1 : entryAt(a, batch, i, j);
        return i > j === upper ? 0 : entryAt(a, batch, i, j);
      });
      const system = transpose ? swapped(stored) : stored;
      const [row, column] = index.slice(-2);
      // X op(A) = B is op(A)ᵀ Xᵀ = Bᵀ.
      if (left)
        return solve(
          system,
          range(n).map((i) => entryAt(b, batch, i, column)),
        )[row];
      return solve(
        swapped(system),
        range(n).map((i) => entryAt(b, batch, row, i)),
      )[column];
    });
  const names = Object.entries(flags)
    .filter(([, on]) => on)
    .map(([flag]) => flag);
  // Diagonals away from 0; both triangles filled, so that reading the wrong one shows.
  const matrix = spread(shapeA, -1, 1, 3);
  const a = build(
    shapeA,
    (index) => matrix.at(...index) + (index[index.length - 1] === index[index.length - 2] ? 2 : 0),
  );
  return {
    label: `[${shapeA}] [${shapeB}] ${names.join(' ')}${left ? '' : 'right'}`,
    inputs: [a, spread(shapeB)],
    call: (l: Tensor, rhs: Tensor) => triangularSolve(l, rhs, flags),
    reference,
  };
}

/** The squared length of each column of a triangular system's solution. */
function distances(shapeL: number[], shapeB: number[]): Sample {
  const system = solved(shapeL, shapeB, {});
  return {
    ...system,
    call: (l: Tensor, b: Tensor) => l.squaredMahalanobis(b),
    reference: (l, b) => {
      const z = system.reference(l, b);
      const [rows] = shapeB.slice(-2);
      return build([...z.shape.slice(0, -2), ...z.shape.slice(-1)], (index) =>
        total(rows, (i) => z.at(...index.slice(0, -1), i, ...index.slice(-1)) ** 2),
      );
    },
  };
}

function solve(a: Grid, b: number[]): number[] {
  const rows = range(b.length).map((i) =>
    range(b.length)
      .map((j) => a.at(i, j))
      .concat(b[i]),
  );
  rows.forEach((_, i) => {
    const pivot = range(rows.length)
      .slice(i)
      .toSorted((p, q) => Math.abs(rows[q][i]) - Math.abs(rows[p][i]))[0];
    [rows[i], rows[pivot]] = [rows[pivot], rows[i]];
    const head = rows[i].map((value) => value / rows[i][i]);
    rows.forEach((row, r) => (rows[r] = r === i ? head : row.map((value, j) => value - row[i] * head[j])));
  });
  return rows.map((row) => row[b.length]);
}
