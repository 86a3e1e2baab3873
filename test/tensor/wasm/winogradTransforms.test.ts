import { describe, expect, test } from 'vitest';
import {
  pairsOf,
  rowNorm,
  scaleRows,
  transformsOf,
  transposed,
} from '../../../packages/tensor/src/kernels/wasm/conv/winogradTransforms.js';

describe.each([
  { points: 6, outputs: 2, taps: 5 },
  { points: 6, outputs: 4, taps: 3 },
  { points: 6, outputs: 5, taps: 2 },
  { points: 6, outputs: 3, taps: 4 },
  { points: 8, outputs: 4, taps: 5 },
  { points: 8, outputs: 5, taps: 4 },
  { points: 8, outputs: 6, taps: 3 },
])('F($outputs, $taps)', ({ points, outputs, taps }) => {
  const { input, filter, output, scale } = transformsOf(outputs, taps);
  const scaled = scaleRows(filter, scale);

  test('has the sizes of its points', () => {
    expect([input.length, input[0].length]).toEqual([points, points]);
    expect([filter.length, filter[0].length]).toEqual([points, taps]);
    expect([output.length, output[0].length]).toEqual([outputs, points]);
    expect(scale).toHaveLength(points);
  });

  test('correlates exactly: for unit vectors, and so for all, being bilinear', () => {
    for (let at = 0; at < points; at++) {
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
      for (const row of pairsOf(points)) {
        expect(matrix[row + 1]).toEqual(matrix[row].map((value, k) => (k % 2 === 0 ? value : 0 - value)));
      }
    }
    const pairs = pairsOf(points);
    expect(pairs).toHaveLength((points - 2) / 2);
    expect(pairs.map((j) => scale[j + 1])).toEqual(pairs.map((j) => scale[j]));
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
