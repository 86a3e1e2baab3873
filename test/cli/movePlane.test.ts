import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { movePlane, type Movement } from '../../packages/cli/src/training/movePlane.js';

const OUTSIDE = -9;
const still: Movement = { degrees: 0, right: 0, down: 0 };

/** Rows of an image, moved. */
function moved(rows: readonly (readonly number[])[], movement: Partial<Movement>, outside = OUTSIDE) {
  const width = rows[0].length;
  const out = new Float64Array(rows.length * width).fill(NaN);
  movePlane(Float64Array.from(rows.flat()), out, width, { ...still, ...movement }, outside);
  return Array.from(rows.keys(), (row) => Array.from(out.subarray(row * width, (row + 1) * width)));
}

const image = [
  [1, 2, 3],
  [4, 5, 6],
];

describe('a shift by whole pixels', () => {
  test.each([
    { right: 0, down: 0, expected: image },
    {
      right: 1,
      down: 0,
      expected: [
        [OUTSIDE, 1, 2],
        [OUTSIDE, 4, 5],
      ],
    },
    {
      right: -2,
      down: 0,
      expected: [
        [3, OUTSIDE, OUTSIDE],
        [6, OUTSIDE, OUTSIDE],
      ],
    },
    {
      right: 0,
      down: 1,
      expected: [
        [OUTSIDE, OUTSIDE, OUTSIDE],
        [1, 2, 3],
      ],
    },
    {
      right: 1,
      down: -1,
      expected: [
        [OUTSIDE, 4, 5],
        [OUTSIDE, OUTSIDE, OUTSIDE],
      ],
    },
    { right: 3, down: 0, expected: image.map((row) => row.map(() => OUTSIDE)) },
    { right: -5, down: 7, expected: image.map((row) => row.map(() => OUTSIDE)) },
  ])('$right right, $down down', ({ expected, ...movement }) => {
    expect(moved(image, movement)).toEqual(expected);
  });
});

describe('a rotation', () => {
  const square = [
    [1, 2, 3],
    [4, 5, 6],
    [7, 8, 9],
  ];

  test.each([
    [
      90,
      [
        [3, 6, 9],
        [2, 5, 8],
        [1, 4, 7],
      ],
    ],
    [
      -90,
      [
        [7, 4, 1],
        [8, 5, 2],
        [9, 6, 3],
      ],
    ],
    [
      180,
      [
        [9, 8, 7],
        [6, 5, 4],
        [3, 2, 1],
      ],
    ],
    [360, square],
  ])('by %i degrees, counterclockwise', (degrees, expected) => {
    expect(moved(square, { degrees }).flat()).toBeAllClose(expected.flat(), { rtol: 0, atol: 1e-13 });
  });

  test('by 45 degrees: a pixel at distance 1 comes from between four', () => {
    // (1, 0) from the middle was at (√½, √½) below: the shares of the four pixels there are products of √½ and 1 − √½.
    const half = Math.SQRT1_2;
    const [, row] = moved(square, { degrees: 45 });
    const expected = (1 - half) * ((1 - half) * 5 + half * 6) + half * ((1 - half) * 8 + half * 9);
    expect(row[2]).toBeCloseTo(expected, 13);
    expect(row[1]).toBe(5);
  });

  test('comes before the shift', () => {
    expect(moved(square, { degrees: 90, right: 1, down: 1 }).flat()).toBeAllClose(
      [OUTSIDE, OUTSIDE, OUTSIDE, OUTSIDE, 3, 6, OUTSIDE, 2, 5],
      { rtol: 0, atol: 1e-13 },
    );
  });

  test('and back leaves a smooth image nearly as it was, and its sum', () => {
    const blob = Array.from({ length: 28 }, (_, y) =>
      Array.from({ length: 28 }, (__, x) => Math.exp(-((x - 12) ** 2 + 2 * (y - 15) ** 2) / 20)),
    );
    const sum = (rows: number[][]) => rows.flat().reduce((total, value) => total + value, 0);
    // Linear interpolation errs by an eighth of the second derivatives, 1/10 and 1/5 here, at most, and each turn does.
    const bound = (2 * (1 / 10 + 1 / 5)) / 8;
    const turned = moved(blob, { degrees: 10 }, 0);
    const back = moved(turned, { degrees: -10 }, 0);
    expect(Math.abs(sum(turned) / sum(blob) - 1)).toBeLessThan(1e-3);
    expect(back.flat()).toBeAllClose(blob.flat(), { rtol: 0, atol: bound });
    expect(turned.flat()).not.toBeAllClose(blob.flat(), { rtol: 0, atol: bound });
  });

  test('gives numbers between the smallest and the largest of image and background', () => {
    const movements = fc.record({
      degrees: fc.double({ min: -180, max: 180, noNaN: true }),
      right: fc.integer({ min: -4, max: 4 }),
      down: fc.integer({ min: -4, max: 4 }),
    });
    const rows = fc.array(
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 5, maxLength: 5 }),
      {
        minLength: 1,
        maxLength: 7,
      },
    );
    fc.assert(
      fc.property(rows, movements, (given, movement) => {
        const made = moved(given, movement, 0.5).flat();
        const all = [...given.flat(), 0.5];
        expect(Math.min(...made)).toBeGreaterThanOrEqual(Math.min(...all) - 1e-12);
        expect(Math.max(...made)).toBeLessThanOrEqual(Math.max(...all) + 1e-12);
      }),
    );
  });
});
