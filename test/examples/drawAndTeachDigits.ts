// A few of the embedded digits, and shapes to draw.
import { loadMnist, MNIST_MEAN, MNIST_STD } from '@gmml/data';
import type { DigitData, Digits } from '../../examples/draw-and-teach/src/digits.js';
import type { Drawing, Point } from '../../examples/draw-and-teach/src/strokes.js';

/** The first so many training and test digits of each class. */
export function someDigits(trainEach: number, testEach: number): DigitData {
  const { train, test } = loadMnist();
  return { train: firstOf(train, trainEach), test: firstOf(test, testEach) };
}

function firstOf({ images, labels }: ReturnType<typeof loadMnist>['train'], each: number): Digits {
  const seen = Array.from({ length: 10 }, () => 0);
  const rows = [...labels.data.keys()].filter((i) => seen[labels.data[i]]++ < each);
  const pixels = new Uint8Array(rows.length * 784);
  for (const [at, row] of rows.entries()) {
    const bytes = images.data
      .subarray(row * 784, (row + 1) * 784)
      .map((value) => Math.round(255 * (value * MNIST_STD + MNIST_MEAN)));
    pixels.set(Uint8Array.from(bytes), at * 784);
  }
  return { pixels, labels: Uint8Array.from(rows, (row) => labels.data[row]) };
}

/** A closed curve of three lobes, no two of them drawn alike. */
export function clover(i: number): Drawing {
  return [
    Array.from({ length: 90 }, (_, n): Point => {
      const angle = (2 * Math.PI * n) / 89;
      const radius = 60 + (25 + i) * Math.cos(3 * angle + 0.05 * i);
      return [140 + radius * Math.cos(angle) * (1 + 0.02 * i), 140 + radius * Math.sin(angle)];
    }),
  ];
}
