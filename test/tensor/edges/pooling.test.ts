import { avgPool2d, maxPool2d, type NestedArray, tensor } from '@gmml/tensor';
import { describe, expect, test } from 'vitest';
import { valueAndGradient } from './gradient.js';

const INF = Infinity;

describe('maxPool2d', () => {
  const image = (rows: number[][]): NestedArray => [[rows]];

  test('gives the gradient to the first maximum of a window, in row-major order', () => {
    const { y, dx } = valueAndGradient(
      image([
        [1, 7, 2, 2],
        [7, 7, 2, 2],
      ]),
      (x) => maxPool2d(x, { kernelSize: 2 }),
    );
    expect(y).toBeAllClose(image([[7, 2]]));
    expect(dx).toBeAllClose(
      image([
        [0, 1, 1, 0],
        [0, 0, 0, 0],
      ]),
    );
  });

  test('adds up where windows overlap', () => {
    const { dx } = valueAndGradient(image([[1, 9, 3]]), (x) =>
      maxPool2d(x, { kernelSize: [1, 2], stride: 1 }),
    );
    expect(dx).toBeAllClose(image([[0, 2, 0]]));
  });

  test('lets NaN through, and the gradient to it', () => {
    const { y, dx } = valueAndGradient(image([[5, NaN, 7]]), (x) => maxPool2d(x, { kernelSize: [1, 3] }));
    expect(y).toBeAllClose(image([[NaN]]));
    expect(dx).toBeAllClose(image([[0, 1, 0]]));
  });

  test('never chooses padding, even over negative pixels', () => {
    const { y, dx } = valueAndGradient(image([[-5]]), (x) =>
      maxPool2d(x, { kernelSize: 2, stride: 1, padding: 1 }),
    );
    expect(y).toBeAllClose(
      image([
        [-5, -5],
        [-5, -5],
      ]),
    );
    expect(dx).toBeAllClose(image([[4]]));
  });

  test('finds −∞ where there is nothing else', () => {
    const { y, dx } = valueAndGradient(image([[-INF, -INF]]), (x) => maxPool2d(x, { kernelSize: [1, 2] }));
    expect(y).toBeAllClose(image([[-INF]]));
    expect(dx).toBeAllClose(image([[1, 0]]));
  });
});

test('avgPool2d counts padding as zeros', () => {
  expect(avgPool2d(tensor([[[[8]]]]), { kernelSize: 2, stride: 1, padding: 1 })).toBeAllClose([
    [
      [
        [2, 2],
        [2, 2],
      ],
    ],
  ]);
});
