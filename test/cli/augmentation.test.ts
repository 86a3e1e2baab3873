import { Augmentation, train } from '@gmml/cli';
import { MNIST_MEAN, MNIST_STD } from '@gmml/data';
import { Generator, rand, scope, tensor, type Tensor } from '@gmml/tensor';
import { describe, expect, test } from 'vitest';
import { tinyDigits } from './tinyDigits.js';

const BACKGROUND = Math.fround(-MNIST_MEAN / MNIST_STD);

function planeOf(images: Tensor, n: number): number[] {
  const size = images.size / images.shape[0];
  return Array.from(images.data.subarray(n * size, (n + 1) * size));
}

describe('Augmentation', () => {
  test('shifts by whole pixels, at most two each way, and fills with black', () => {
    const image = rand([1, 1, 7, 7], { generator: new Generator(1) });
    const augmentation = new Augmentation(['shift'], 1);
    const seen = new Set<string>();
    for (let i = 0; i < 400; i++) {
      const made = planeOf(augmentation.apply(image), 0);
      // The pixel in the middle is never shifted out.
      const at = made.indexOf(image.data[24]);
      const [right, down] = [(at % 7) - 3, Math.floor(at / 7) - 3];
      seen.add(`${right} ${down}`);
      const expected = made.map((_, place) => {
        const [x, y] = [(place % 7) - right, Math.floor(place / 7) - down];
        return x < 0 || y < 0 || x > 6 || y > 6 ? BACKGROUND : image.data[7 * y + x];
      });
      expect(made).toEqual(expected);
    }
    const all = [-2, -1, 0, 1, 2].flatMap((right) => [-2, -1, 0, 1, 2].map((down) => `${right} ${down}`));
    expect([...seen].toSorted()).toEqual(all.toSorted());
  });

  test('turns by ten degrees at most', () => {
    // One bright pixel 10 to the right of the middle: its rows tell the angle.
    const image = tensor(new Float32Array(441).fill(BACKGROUND), { shape: [1, 1, 21, 21] });
    image.data[10 * 21 + 20] = BACKGROUND + 1;
    const augmentation = new Augmentation(['rotate'], 2);
    const heights = Array.from({ length: 300 }, () => {
      const made = planeOf(augmentation.apply(image), 0).map((pixel) => pixel - BACKGROUND);
      const mass = made.reduce((sum, value) => sum + value, 0);
      return made.reduce((sum, value, place) => sum + value * (10 - Math.floor(place / 21)), 0) / mass;
    });
    const most = 10 * Math.sin((10 * Math.PI) / 180);
    expect(Math.max(...heights)).toBeLessThan(most + 0.3);
    expect(Math.min(...heights)).toBeGreaterThan(-most - 0.3);
    expect(Math.max(...heights)).toBeGreaterThan(1.3);
    expect(Math.min(...heights)).toBeLessThan(-1.3);
  });

  test('moves each image of a batch another way, all channels of one alike, and leaves the batch as it is', () => {
    const plane = rand([1, 1, 9, 9], { generator: new Generator(3) });
    const images = plane.expand([6, 2, 9, 9]).clone();
    const before = Array.from(images.data);
    const made = new Augmentation(['shift', 'rotate'], 1).apply(images);
    expect(made.shape).toEqual([6, 2, 9, 9]);
    expect(Array.from(images.data)).toEqual(before);
    const planes = Array.from({ length: 12 }, (_, n) => Array.from(made.data.subarray(81 * n, 81 * (n + 1))));
    for (let n = 0; n < 12; n += 2) expect(planes[n]).toEqual(planes[n + 1]);
    expect(new Set(planes.map((numbers) => numbers.join(' '))).size).toBe(6);
  });

  test('goes on from a state of its generator, with the same images', () => {
    const images = rand([4, 1, 8, 8], { generator: new Generator(4) });
    const augmentation = new Augmentation(['shift', 'rotate'], 7);
    augmentation.apply(images);
    const state = augmentation.generator.getState();
    const next = scope(() => augmentation.apply(images));
    const later = new Augmentation(['shift', 'rotate'], 1);
    later.generator.setState(JSON.parse(JSON.stringify(state)) as typeof state);
    expect(Array.from(later.apply(images).data)).toEqual(Array.from(next.data));
  });
});

describe('training on moved images', () => {
  const options = { batchSize: 32, dim: 8, epochs: 2, openSet: false, lr: 0.5 };

  test('is the same for the same seed, and another than on images as they are', async () => {
    const given = { ...options, data: tinyDigits() };
    const losses = async (more: Parameters<typeof train>[0]) =>
      (await train({ ...given, ...more })).epochs.map(({ trainLoss, testLoss }) => [trainLoss, testLoss]);
    const plain = await losses({});
    const shifted = await losses({ augment: ['shift'] });
    expect(await losses({ augment: ['shift'] })).toEqual(shifted);
    expect(shifted).not.toEqual(plain);
    expect(await losses({ augment: ['rotate'] })).not.toEqual(shifted);
  });
});
