import { describe, expect, test } from 'vitest';
import {
  PAIRS,
  rowNorm,
  scaleRows,
  TILE,
  transformsOf,
  transposed,
} from '../../../packages/tensor/src/kernels/wasm/conv/winogradTransforms.js';

describe.each([
  [2, 5],
  [4, 3],
  [5, 2],
  [3, 4],
])('F(%d, %d)', (outputs, taps) => {
  const { input, filter, output, scale } = transformsOf(outputs, taps);
  const scaled = scaleRows(filter, scale);

  test('has the sizes of its six points', () => {
    expect([input.length, input[0].length]).toEqual([TILE, TILE]);
    expect([filter.length, filter[0].length]).toEqual([TILE, taps]);
    expect([output.length, output[0].length]).toEqual([outputs, TILE]);
    expect(scale).toHaveLength(TILE);
  });

  test('correlates exactly: for unit vectors, and so for all, being bilinear', () => {
    for (let at = 0; at < TILE; at++) {
      for (let tap = 0; tap < taps; tap++) {
        const found = output.map((row) =>
          row.reduce((sum, value, j) => sum + value * scaled[j][tap] * input[j][at], 0),
        );
        // Output i is Σₖ wₖ dᵢ₊ₖ.
        const expected = found.map((_, i) => (i + tap === at ? 1 : 0));
        expect(found).toBeAllClose(expected, { atol: 1e-14, rtol: 0 });
      }
    }
  });

  test('has no rounded coefficients but those that are scaled', () => {
    const coefficients = [input, filter, output].flat(2);
    expect(coefficients.filter((value) => Math.fround(value) !== value)).toEqual([]);
  });

  test('pairs points that differ in the sign of what is odd', () => {
    const [inputs, filters, outputsOf] = [input, scaled, transposed(output)];
    for (const matrix of [inputs, filters, outputsOf]) {
      for (const row of PAIRS) {
        expect(matrix[row + 1]).toEqual(matrix[row].map((value, k) => (k % 2 === 0 ? value : 0 - value)));
      }
    }
    expect(PAIRS.map((j) => scale[j + 1])).toEqual(PAIRS.map((j) => scale[j]));
  });
});

test('the norm is the largest sum of magnitudes of a row', () => {
  expect(
    rowNorm([
      [1, -2],
      [0, 2.5],
    ]),
  ).toBe(3);
});
