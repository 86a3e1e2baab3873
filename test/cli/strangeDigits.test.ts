// Inputs that are no digits, made from digits.
import { MNIST_MEAN, MNIST_STD } from '@gmml/data';
import { defaultGenerator, manualSeed, rand, tensor } from '@gmml/tensor';
import type { Tensor } from '@gmml/tensor';
import { describe, expect, test } from 'vitest';
import { strangeDigits } from '../../packages/cli/src/openSet/strangeDigits.js';

const normalised = (pixels: Tensor): Tensor => pixels.sub(MNIST_MEAN).div(MNIST_STD);

/** All images of a set, one image after the other. */
function imagesOf(images: Tensor, name: string, batchSize = 100): Float32Array {
  const set = strangeDigits(images).find((each) => each.name === name)!;
  return Float32Array.from([...set.batches(batchSize)].flatMap((batch) => [...batch().data]));
}

describe('strangeDigits', () => {
  test('gives as many images as there were, in batches of the same shape', () => {
    const sets = strangeDigits(rand([5, 1, 4, 4]));
    expect(sets.map(({ name }) => name)).toEqual(['noise', 'inverted', 'rotated', 'permuted']);
    for (const { batches } of sets) {
      expect([...batches(2)].map((batch) => batch().shape)).toEqual([
        [2, 1, 4, 4],
        [2, 1, 4, 4],
        [1, 1, 4, 4],
      ]);
    }
  });

  test('noise is uniform over all pixel values', () => {
    const pixels = imagesOf(rand([100, 1, 10, 10]), 'noise').map((x) => x * MNIST_STD + MNIST_MEAN);
    const sorted = pixels.toSorted();
    expect(sorted[0]).toBeGreaterThan(-1e-6);
    expect(sorted[9_999]).toBeLessThan(1 + 1e-6);
    // Kolmogorov's distance: beyond 1.95/√n once in a thousand samples.
    expect(Math.max(...sorted.map((x, i) => Math.abs(x - i / 10_000)))).toBeLessThan(1.95 / 100);
  });

  test('inverted is dark where it was light', () => {
    const pixels = tensor([0, 0.25, 0.5, 1], { shape: [1, 1, 2, 2] });
    const expected = normalised(tensor([1, 0.75, 0.5, 0]));
    expect(imagesOf(normalised(pixels), 'inverted')).toBeAllClose(expected.data, { rtol: 1e-6, atol: 1e-6 });
  });

  test('rotated is turned counterclockwise, each channel by itself', () => {
    const images = tensor([1, 2, 3, 4, 5, 6, 7, 8, 9, -1, -2, -3, -4, -5, -6, -7, -8, -9], {
      shape: [1, 2, 3, 3],
    });
    expect([...imagesOf(images, 'rotated')]).toEqual([
      3, 6, 9, 2, 5, 8, 1, 4, 7, -3, -6, -9, -2, -5, -8, -1, -4, -7,
    ]);
  });

  test('permuted has the pixels of each image in one order, which is not theirs', () => {
    const places = Array.from({ length: 16 }, (_, i) => i);
    const images = tensor([...places, ...places.map((i) => i + 100)], { shape: [2, 1, 4, 4] });
    const made = [...imagesOf(images, 'permuted')];
    const order = made.slice(0, 16);
    expect(order.toSorted((a, b) => a - b)).toEqual(places);
    expect(order).not.toEqual(places);
    expect(made.slice(16)).toEqual(order.map((i) => i + 100));
  });

  test('leaves out the rotated ones of images that are not square', () => {
    const names = strangeDigits(rand([1, 1, 2, 3])).map(({ name }) => name);
    expect(names).toEqual(['noise', 'inverted', 'permuted']);
  });

  test.each(['noise', 'inverted', 'rotated', 'permuted'])(
    '%s is the same each time and for every batch size, and takes nobody’s random numbers',
    (name) => {
      manualSeed(3);
      const images = rand([7, 1, 4, 4]);
      const before = defaultGenerator().getState();
      const once = imagesOf(images, name, 7);
      expect(imagesOf(images, name, 7)).toEqual(once);
      expect(imagesOf(images, name, 3)).toEqual(once);
      expect(defaultGenerator().getState()).toEqual(before);
    },
  );
});
