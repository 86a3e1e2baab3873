import { describe, expect, it } from 'vitest';
import { Generator } from '@gmml/tensor';
import { factorInPlace } from '../../packages/gmm/src/linearAlgebra/cholesky.js';
import {
  addSquares,
  gram,
  putColumns,
  solveBlocks,
  weightedSums,
} from '../../packages/gmm/src/linearAlgebra/products.js';
import { addScatter } from '../../packages/gmm/src/linearAlgebra/scatter.js';
import { triangleSize } from '../../packages/gmm/src/linearAlgebra/symmetric.js';
import { squaredDistances, whitened } from '../../packages/gmm/src/linearAlgebra/whitening.js';

/** Below, at and beyond where kernels, blocks of columns and blocks of rows end. */
const FEATURES = [1, 2, 3, 4, 5, 8, 11, 12, 13, 17, 31];
const ROWS = [1, 2, 3, 5, 63, 64, 67, 257, 515];

function drawn(count: number, seed: number): Float64Array {
  const generator = new Generator(seed);
  return Float64Array.from({ length: count }, () => generator.normal());
}

/** A lower triangular matrix [D, D] with numbers above its diagonal that must not be read. */
function triangle(d: number): Float64Array {
  const l = drawn(d * d, 100 + d);
  for (let i = 0; i < d; i++) {
    for (let j = 0; j < d; j++) l[i * d + j] = i === j ? 1 + Math.abs(l[i * d + j]) : l[i * d + j] / d;
  }
  return l;
}

/** L⁻¹ (x − c) of one row, by substitution. */
function solved(x: Float64Array, row: number, centre: Float64Array, l: Float64Array): Float64Array {
  const d = centre.length;
  const z = new Float64Array(d);
  for (let i = 0; i < d; i++) {
    let rest = x[row * d + i] - centre[i];
    for (let j = 0; j < i; j++) rest -= l[i * d + j] * z[j];
    z[i] = rest / l[i * d + i];
  }
  return z;
}

const cases = FEATURES.flatMap((d) => ROWS.map((rows) => ({ d, rows })));

describe.each(cases)('of $rows rows of $d features', ({ d, rows }) => {
  const x = drawn((rows + 3) * d, d + rows);
  const centre = drawn(d, 7);
  const l = triangle(d);
  // Every row but the first three, last first.
  const chosen = Int32Array.from({ length: rows }, (_, i) => rows + 2 - i);

  it('gram is the sum of outer products', () => {
    const own = x.subarray(0, rows * d);
    const found = new Float64Array(d * d);
    gram(
      rows,
      d,
      (target) => target.set(own),
      (product) => found.set(product),
    );
    for (let i = 0; i < d; i++) {
      for (let j = 0; j <= i; j++) {
        let sum = 0;
        for (let n = 0; n < rows; n++) sum += own[n * d + i] * own[n * d + j];
        expect(Math.abs(found[i * d + j] - sum)).toBeLessThan(1e-12 * (rows + 10));
      }
    }
  });

  it('scatter is that of the weighted, centred rows', () => {
    const shares = drawn(2 * rows, 5).map((share, at) => (at % 6 === 1 ? 0 : Math.abs(share)));
    const sums = new Float64Array(triangleSize(d));
    addScatter(sums, x.slice(0, rows * d), centre, { values: shares, offset: 1, stride: 2 });
    const expected = new Float64Array(triangleSize(d));
    for (let n = 0; n < rows; n++) {
      for (let i = 0, at = 0; i < d; i++) {
        for (let j = 0; j <= i; j++, at++) {
          expected[at] += shares[2 * n + 1] * (x[n * d + i] - centre[i]) * (x[n * d + j] - centre[j]);
        }
      }
    }
    expect(sums).toBeAllClose(expected, { rtol: 1e-11, atol: 1e-11 });
  });

  it('weightedSums is the sum of rows by share', () => {
    const shares = drawn(3 * rows, 9);
    const expected = new Float64Array(3 * d);
    for (let n = 0; n < rows; n++) {
      for (let k = 0; k < 3; k++) {
        for (let j = 0; j < d; j++) expected[k * d + j] += shares[3 * n + k] * x[n * d + j];
      }
    }
    const found = weightedSums(shares, x.slice(0, rows * d), rows, d);
    expect(found).toBeAllClose(expected, { rtol: 1e-11, atol: 1e-11 });
  });

  it('putColumns turns chosen rows into centred columns', () => {
    const n = Math.min(5, rows);
    const width = n + 2;
    const columns = new Float64Array(d * width).fill(9);
    putColumns(x, chosen, rows - n, n, centre, columns, width);
    for (let j = 0; j < d; j++) {
      for (let i = 0; i < width; i++) {
        const expected = i < n ? x[chosen[rows - n + i] * d + j] - centre[j] : 9;
        expect(columns[j * width + i]).toBe(expected);
      }
    }
  });

  it('solveBlocks gives the columns of L⁻¹ (x − c)', () => {
    const seen = new Float64Array(rows);
    const lengths = new Float64Array(rows);
    solveBlocks(x, chosen, centre, l, (z, width, first, n) => {
      addSquares(z, width, n, lengths, first);
      for (let i = 0; i < n; i++) {
        seen[first + i]++;
        const column = Float64Array.from({ length: d }, (_, j) => z[j * width + i]);
        expect(column).toBeAllClose(solved(x, chosen[first + i], centre, l), { rtol: 1e-11, atol: 1e-12 });
      }
    });
    expect(seen.every((times) => times === 1)).toBe(true);
    const expected = Float64Array.from(chosen, (row) =>
      solved(x, row, centre, l).reduce((sum, value) => sum + value * value, 0),
    );
    expect(lengths).toBeAllClose(expected, { rtol: 1e-11 });
    const distances = new Float64Array(rows);
    squaredDistances(x, chosen, centre, l, distances);
    expect(distances).toBeAllClose(expected, { rtol: 1e-11 });
    const limits = expected.map((distance, i) => (i % 3 === 0 ? distance / 2 : 2 * distance));
    const limited = new Float64Array(rows);
    squaredDistances(x, chosen, centre, l, limited, limits);
    const isRight = Array.from(limited, (found, i) =>
      i % 3 === 0 ? found > limits[i] : Math.abs(found / expected[i] - 1) < 1e-11,
    );
    expect(isRight).not.toContain(false);
  });

  it('whitened gives the same, row by row, alone or together', () => {
    const all = whitened(x, centre, l);
    for (const n of [0, 1, (rows >> 1) + 1, rows + 2]) {
      const expected = solved(x, n, centre, l);
      expect(all.slice(n * d, (n + 1) * d)).toBeAllClose(expected, { rtol: 1e-11, atol: 1e-12 });
      const alone = whitened(x.slice(n * d, (n + 1) * d), centre, l);
      expect(alone).toBeAllClose(expected, { rtol: 1e-11, atol: 1e-12 });
    }
  });
});

describe('factorInPlace', () => {
  it.each(FEATURES)('has L Lᵀ = A, %i rows', (d) => {
    const l = triangle(d);
    const a = new Float64Array(d * d);
    for (let i = 0; i < d; i++) {
      for (let j = 0; j <= i; j++) {
        for (let k = 0; k <= j; k++) a[i * d + j] += l[i * d + k] * l[j * d + k];
      }
    }
    expect(factorInPlace(a, d)).toBe(-1);
    for (let i = 0; i < d; i++) {
      expect(a.slice(i * d, i * d + i + 1)).toBeAllClose(l.slice(i * d, i * d + i + 1), { rtol: 1e-10 });
    }
  });

  it.each([2, 4, 7, 12])('names the row that depends on those before: of %i the last', (d) => {
    const rows = drawn(d * d, d);
    // The last feature is the sum of the others.
    for (let n = 0; n < d; n++) {
      rows[n * d + d - 1] = 0;
      for (let j = 0; j + 1 < d; j++) rows[n * d + d - 1] += rows[n * d + j];
    }
    const a = new Float64Array(d * d);
    for (let i = 0; i < d; i++) {
      for (let j = 0; j < d; j++) {
        for (let n = 0; n < d; n++) a[i * d + j] += rows[n * d + i] * rows[n * d + j];
      }
    }
    expect(factorInPlace(a, d)).toBe(d - 1);
  });
});
