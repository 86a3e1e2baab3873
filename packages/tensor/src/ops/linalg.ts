import { NotFiniteError, NotPositiveDefiniteError, ShapeError } from '../errors.js';
import { kernels } from '../kernels/backend.js';
import { sameShape, show, sizeOf, type Shape } from '../shape.js';
import { emptyView, type View } from '../storage.js';
import { add, mul } from './arithmetic.js';
import { negated, square } from './elementwise.js';
import { multiply } from './matmul.js';
import type { Op } from './op.js';
import { sumTo } from './views.js';

/** Which triangle of A holds the system and how it is read. */
export interface Triangle {
  readonly upper: boolean;
  readonly transpose: boolean;
  readonly unitDiagonal: boolean;
}

/**
 * The lower triangular L with A = L Lᵀ, for [..., D, D]; reads the lower triangle of A only.
 * Derivative: Ā = ½(S + Sᵀ), S = L⁻ᵀ Φ(Lᵀ L̄) L⁻¹, Φ the lower triangle with its diagonal halved: the
 * gradient among symmetric matrices, as in torch.
 * (Murray, "Differentiation of the Cholesky decomposition", 2016, arXiv:1602.07527, eq. 10.)
 */
export const cholesky: Op = {
  name: 'cholesky',
  saves: 'output',
  shape([a]) {
    checkSquare('cholesky', a.shape);
    checkFinite(a);
    return a.shape;
  },
  forward([a], out) {
    const n = a.shape[a.shape.length - 1];
    const batch = matricesIn(a.shape);
    const failed = kernels().cholesky(a.data, batch, n, out.data);
    if (failed === null) return;
    const { matrix, row, pivot } = failed;
    throw new NotPositiveDefiniteError(
      `cholesky: matrix ${matrix} of ${batch} is not positive definite: pivot ${row} is ${Number(pivot.toPrecision(3))}. ` +
        'Add jitter to the diagonal, or use more samples per component.',
      matrix,
      row,
    );
  },
  backward(g, { output: l }) {
    const phi = halvedLower(multiply(l, lower(g, 0), true, false, true));
    const back = { upper: false, transpose: true, unitDiagonal: false };
    const s = transposed(solve(l, transposed(solve(l, phi, back)), back));
    return [symmetrized(s)];
  },
};

/**
 * X of op(A) X = B for A [..., D, D] triangular as stored and B [..., D, M]; the other triangle is not read.
 * Derivatives: B̄ = op(A)⁻ᵀ X̄ and Ā = −B̄ Xᵀ (transposed where A was), restricted to the triangle.
 * (Giles, "Collected matrix derivative results for forward and reverse mode AD", 2008, §2.3.1.)
 */
export const triangularSolve: Op<Triangle> = {
  name: 'triangularSolve',
  saves: 'both',
  shape([a, b]) {
    checkSystem('triangularSolve', a.shape, b.shape);
    return b.shape;
  },
  forward: ([a, b], out, how) => solveInto(a, b, how, out),
  backward(g, { inputs: [a], output: x, needs, attributes: how }) {
    const db = solve(a, g, { ...how, transpose: !how.transpose });
    if (!needs[0]) return [null, db];
    // The sign is turned where there is less to turn.
    const minus = negated(db);
    const [left, right] = how.transpose ? [x, minus] : [minus, x];
    const da = multiply(left, right, false, true, !how.upper);
    const beside = how.unitDiagonal ? 1 : 0;
    return [triangleOf(da, how.upper ? beside : -beside, how.upper), db];
  },
};

/**
 * |L⁻¹ b|² of each column b of B [..., D, M], L [..., D, D] lower triangular: the squared Mahalanobis distance for the
 * covariance L Lᵀ, [..., M]; the upper triangle is not read. Derivatives, with Z = L⁻¹ B and Ḡ over its rows:
 * B̄ = L⁻ᵀ (2 Ḡ Z) and L̄ = −B̄ Zᵀ, restricted to the triangle.
 */
export const squaredMahalanobis: Op<void, View> = {
  name: 'squaredMahalanobis',
  saves: 'inputs',
  shape([l, b]) {
    checkSystem('squaredMahalanobis', l.shape, b.shape);
    return [...b.shape.slice(0, -2), b.shape[b.shape.length - 1]];
  },
  forward([l, b], out) {
    const z = solve(l, b, LOWER);
    const squares = emptyView(z, z.shape);
    square.forward([z], squares);
    out.data.set(sumTo(squares, rowOf(b.shape)).data);
    return z;
  },
  backward(g, { inputs: [l, b], extra: z, needs }) {
    const doubled = emptyView(g, g.shape);
    add.forward([g, g], doubled);
    const dz = emptyView(z, z.shape);
    mul.forward([z, { data: doubled.data, shape: rowOf(b.shape) }], dz);
    const db = solve(l, dz, { ...LOWER, transpose: true });
    return [needs[0] ? lower(multiply(negated(db), z, false, true, true), 0) : null, db];
  },
};

const LOWER: Triangle = { upper: false, transpose: false, unitDiagonal: false };

/** [..., 1, M] for [..., D, M]. */
function rowOf(shape: Shape): Shape {
  return shape.with(shape.length - 2, 1);
}

function checkSystem(op: string, a: Shape, b: Shape): void {
  checkSquare(op, a);
  const fits =
    b.length === a.length && b[b.length - 2] === a[a.length - 1] && sameShape(a.slice(0, -2), b.slice(0, -2));
  if (!fits) {
    throw new ShapeError(`${op}: b must be [..., D, M] to a [..., D, D]: a is ${show(a)}, b is ${show(b)}.`);
  }
}

function checkSquare(op: string, shape: Shape): void {
  const [n, m] = shape.slice(-2);
  if (shape.length < 2 || n !== m) {
    throw new ShapeError(`${op}: a must be square, [..., D, D]: it is ${show(shape)}.`);
  }
}

function checkFinite(a: View): void {
  const n = a.shape[a.shape.length - 1];
  for (let at = 0; at < a.data.length; at++) {
    const [row, column] = [Math.floor(at / n) % n, at % n];
    if (column <= row && !Number.isFinite(a.data[at])) {
      const matrix = Math.floor(at / (n * n));
      throw new NotFiniteError(
        `cholesky: the numbers must be finite: entry [${row}, ${column}] of matrix ${matrix} of ${matricesIn(a.shape)} is ${a.data[at]}.`,
      );
    }
  }
}

function matricesIn(shape: Shape): number {
  return sizeOf(shape.slice(0, -2));
}

function solve(a: View, b: View, how: Triangle): View {
  const out = emptyView(b, b.shape);
  solveInto(a, b, how, out);
  return out;
}

function solveInto(a: View, b: View, how: Triangle, out: View): void {
  const [n, m] = b.shape.slice(-2);
  kernels().triangularSolve(a.data, b.data, { batch: matricesIn(b.shape), n, m, ...how }, out.data);
}

function lower(x: View, k: number): View {
  return triangleOf(x, k, false);
}

function triangleOf(x: View, k: number, upper: boolean): View {
  const out = emptyView(x, x.shape);
  const [rows, columns] = x.shape.slice(-2);
  if (out.data.length > 0) kernels().triangle(x.data, rows, columns, k, upper, out.data);
  return out;
}

/** Φ: the lower triangle with its diagonal halved, which is the mean of tril(x, 0) and tril(x, −1). */
function halvedLower(x: View): View {
  return mean(lower(x, 0), lower(x, -1));
}

function symmetrized(x: View): View {
  return mean(x, transposed(x));
}

function mean(x: View, y: View): View {
  const out = emptyView(x, x.shape);
  const stride = [1];
  const average = { name: 'average', f: (a: number, b: number) => (a + b) / 2 };
  kernels().zip(average, x.data, stride, y.data, stride, out.data, [x.data.length]);
  return out;
}

function transposed(x: View): View {
  const [rows, columns] = x.shape.slice(-2);
  const batch = matricesIn(x.shape);
  const out = emptyView(x, [...x.shape.slice(0, -2), columns, rows]);
  const walk = { shape: [batch, columns, rows], strides: [rows * columns, 1, columns], offset: 0 };
  kernels().readStrided(x.data, walk, out.data);
  return out;
}
