import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { ArgumentError, FormatError } from '@gmml/tensor';
import type { Tensor } from '@gmml/tensor';
import { loadMnist, MNIST_MEAN, MNIST_STD } from '@gmml/data';
import type { LabelledImages, Mnist } from '@gmml/data';
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { knownClassNames } from '../../packages/data/src/mnist.js';
import { folderOf, idxBytes, mnistFiles, temporaryFolder } from './idxFiles.js';

/** The bytes that normalised pixels came from. */
function pixelBytes(images: Tensor): Uint8Array {
  return Uint8Array.from(images.data, (x) => Math.round((x * MNIST_STD + MNIST_MEAN) * 255));
}

function classCounts({ labels }: LabelledImages): number[] {
  const counts = Array.from({ length: 10 }, () => 0);
  for (const label of labels.data) counts[label]++;
  return counts;
}

function checksum({ images, labels }: LabelledImages): string {
  return createHash('sha256').update(pixelBytes(images)).update(Uint8Array.from(labels.data)).digest('hex');
}

/** The first pixel of every image. */
function firstPixels({ data, shape }: Tensor): number[] {
  return Array.from({ length: shape[0] }, (_, n) => data[784 * n]);
}

function normalised(byte: number): number {
  return Math.fround((byte / 255 - 0.1307) / 0.3081);
}

// The package itself is read, whatever lies in the user's cache.
beforeEach(() => void vi.stubEnv('GMML_CACHE_DIR', 'off'));
afterEach(() => void vi.unstubAllEnvs());

describe('the embedded digits', () => {
  let digits: Mnist;
  beforeAll(() => {
    vi.stubEnv('GMML_CACHE_DIR', 'off');
    digits = loadMnist();
  });

  test('are 7,996 to train and 2,004 to test, 80 % of each class rounded down', () => {
    expect(digits.train.images.shape).toEqual([7996, 1, 28, 28]);
    expect(digits.test.images.shape).toEqual([2004, 1, 28, 28]);
    expect(digits.nClass).toBe(10);
    expect(classCounts(digits.train)).toEqual([800, 901, 792, 825, 784, 690, 811, 856, 755, 782]);
    expect(classCounts(digits.test)).toEqual([201, 226, 199, 207, 196, 173, 203, 214, 189, 196]);
  });

  test('are float32, in order of class', () => {
    for (const { images, labels } of [digits.train, digits.test]) {
      expect([images.dtype, labels.dtype]).toEqual(['float32', 'float32']);
      expect([...labels.data]).toEqual([...labels.data].toSorted((a, b) => a - b));
    }
  });

  test('hold the package’s pixels, as the bytes they were rounded from, in its order', () => {
    const require = createRequire(new URL('../../packages/data/src/mnist.ts', import.meta.url));
    const bytes = { train: pixelBytes(digits.train.images), test: pixelBytes(digits.test.images) };
    const offset = { train: 0, test: 0 };
    let wrong = 0;
    for (let digit = 0; digit < 10; digit++) {
      const path = require.resolve(`mnist/src/digits/${digit}.json`);
      const { data } = JSON.parse(readFileSync(path, 'utf8')) as { data: number[] };
      const boundary = Math.floor((0.8 * data.length) / 784) * 784;
      for (let i = 0; i < data.length; i++) {
        const part = i < boundary ? 'train' : 'test';
        const byte = bytes[part][offset[part]++];
        // Three decimals are the package's own precision: the byte must give exactly its number.
        if (Math.round((byte / 255) * 1000) / 1000 !== data[i]) wrong++;
      }
    }
    expect(wrong).toBe(0);
    expect(offset).toEqual({ train: 7996 * 784, test: 2004 * 784 });
  });

  test('come from the cache as they come from the package', () => {
    const bits = ({ train, test: held }: Mnist) =>
      [train.images, train.labels, held.images, held.labels].map(({ data }) =>
        createHash('sha256').update(data).digest('hex'),
      );
    vi.stubEnv('GMML_CACHE_DIR', temporaryFolder());
    expect(bits(loadMnist())).toEqual(bits(digits));
    expect(bits(loadMnist())).toEqual(bits(digits));
  });

  test('have the known checksum', () => {
    expect(checksum(digits.train)).toMatchInlineSnapshot(
      `"1b5f884dae5ce9946fcbd23506073ba940be9ebd921697e0d770325ecd761ae1"`,
    );
    expect(checksum(digits.test)).toMatchInlineSnapshot(
      `"60d87a366a06bdac3a5f542ca58c9197ef08166f860c3f4ecbb964becc7ac077"`,
    );
  });

  test('are normalised: background −0.4242, full ink 2.8215', () => {
    const { data } = digits.train.images;
    let [min, max] = [Infinity, -Infinity];
    for (const x of data) {
      min = Math.min(min, x);
      max = Math.max(max, x);
    }
    expect(min).toBeCloseTo(-0.4242, 4);
    expect(max).toBeCloseTo(2.8215, 4);
  });
});

describe('a folder of IDX files', () => {
  const files = mnistFiles([0, 1, 2, 1], [2, 0]);

  const packed = Object.entries(files).map(([name, bytes]) => [`${name}.gz`, gzipSync(bytes)]);
  const dotted = Object.entries(files).map(([name, bytes]) => [name.replace('-idx', '.idx'), bytes]);

  test.each([
    ['plain', files],
    ['gzipped', Object.fromEntries(packed)],
    ['named with a dot before idx', Object.fromEntries(dotted)],
  ])('loads %s', (_, written) => {
    const { train, test: held, nClass } = loadMnist({ source: folderOf(written) });
    expect(nClass).toBe(3);
    expect(train.images.shape).toEqual([4, 1, 28, 28]);
    expect(held.images.shape).toEqual([2, 1, 28, 28]);
    expect([...train.labels.data]).toEqual([0, 1, 2, 1]);
    expect([...held.labels.data]).toEqual([2, 0]);
    expect(firstPixels(train.images)).toEqual([0, 11, 22, 31].map(normalised));
    expect(firstPixels(held.images)).toEqual([2, 10].map(normalised));
  });

  test('has names of classes where its labels are those of a data set that has names', () => {
    const labels = packed[1][1] as Uint8Array;
    const path = join(folderOf({ labels }), 'labels');
    const own = {
      name: 'labels',
      size: labels.length,
      sha256: createHash('sha256').update(labels).digest('hex'),
    };
    const set = { mirrors: [], files: [own], classNames: ['Coat', 'Bag'] };
    expect(knownClassNames(path, [set])).toEqual(['Coat', 'Bag']);
    expect(knownClassNames(path, [{ ...set, files: [{ ...own, sha256: '0'.repeat(64) }] }])).toBeUndefined();
    expect(knownClassNames(path, [{ mirrors: [], files: [own] }])).toBeUndefined();
    expect(knownClassNames(path, [])).toBeUndefined();
    expect(loadMnist({ source: folderOf(files) }).classNames).toBeUndefined();
  });

  test('images may have any size', () => {
    const pixels = (count: number) => Array.from({ length: count * 15 }, (_, i) => (7 * i) % 256);
    const images = (count: number) => idxBytes(8, [count, 3, 5], pixels(count));
    const source = folderOf({
      ...files,
      'train-images-idx3-ubyte': images(4),
      't10k-images-idx3-ubyte': images(2),
    });
    const { train, test: held } = loadMnist({ source });
    expect([train.images.shape, held.images.shape]).toEqual([
      [4, 1, 3, 5],
      [2, 1, 3, 5],
    ]);
    expect(Array.from(train.images.data)).toEqual(pixels(4).map(normalised));
  });

  test('must exist', () => {
    const none = join(temporaryFolder(), 'none');
    expect(() => loadMnist({ source: none })).toThrow(
      new ArgumentError(
        `loadMnist: source must be a folder with the four MNIST files: there is no folder ${none}.`,
      ),
    );
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    expect(() => loadMnist({ source: file })).toThrow(
      new ArgumentError(
        `loadMnist: source must be a folder with the four MNIST files: there is no folder ${file}.`,
      ),
    );
  });

  test.each(Object.keys(files))('must hold %s', (name) => {
    const folder = folderOf(files);
    rmSync(join(folder, name));
    const [stem] = name.split('-idx');
    const spellings = [
      name,
      `${name}.gz`,
      name.replace('-idx', '.idx'),
      `${name.replace('-idx', '.idx')}.gz`,
    ];
    expect(stem).not.toBe(name);
    expect(() => loadMnist({ source: folder })).toThrow(
      new ArgumentError(`loadMnist: ${folder} must hold ${name}: there is none of ${spellings.join(', ')}.`),
    );
  });

  test('must hold all of them: what is missing is listed', () => {
    const folder = folderOf(files);
    for (const name of Object.keys(files).slice(1)) rmSync(join(folder, name));
    expect(() => loadMnist({ source: folder })).toThrow(
      new ArgumentError(
        `loadMnist: ${folder} must hold the four MNIST files: there is no train-labels-idx1-ubyte, no ` +
          't10k-images-idx3-ubyte, no t10k-labels-idx1-ubyte, plain or with .gz, nor any spelled .idx.',
      ),
    );
  });

  test.each([
    {
      title: 'labels under the images’ name',
      name: 'train-images-idx3-ubyte',
      bytes: idxBytes(8, [4], [0, 1, 2, 1]),
      message: 'images must be uint8 [N, H, W]: they are uint8 [4].',
    },
    {
      title: 'images under the labels’ name',
      name: 't10k-labels-idx1-ubyte',
      bytes: files['t10k-images-idx3-ubyte'],
      message: 'labels must be uint8 [N]: they are uint8 [2, 28, 28].',
    },
    {
      title: 'test images of another size',
      name: 't10k-images-idx3-ubyte',
      bytes: idxBytes(8, [2, 32, 28], new Uint8Array(2 * 32 * 28)),
      message: 'test images must have the size of the training images, 28 × 28: they are 32 × 28.',
    },
    {
      title: 'images without pixels',
      name: 'train-images-idx3-ubyte',
      bytes: idxBytes(8, [4, 28, 0], []),
      message: 'images must have pixels: they are 28 × 0.',
    },
    {
      title: 'images of another type',
      name: 'train-images-idx3-ubyte',
      bytes: idxBytes(9, [4, 28, 28], new Uint8Array(4 * 784)),
      message: 'images must be uint8 [N, H, W]: they are int8 [4, 28, 28].',
    },
    {
      title: 'a test label beyond training',
      name: 't10k-labels-idx1-ubyte',
      bytes: idxBytes(8, [2], [2, 3]),
      message: 'test labels must not go beyond the training labels, whose largest is 2: the largest is 3.',
    },
    {
      title: 'a file cut short',
      name: 'train-labels-idx1-ubyte',
      bytes: idxBytes(8, [4], [0, 1, 2]),
      message: 'the file is cut short: uint8 [4] takes 12 bytes with its header, the file has 11.',
    },
  ])('refuses $title, naming the file', ({ name, bytes, message }) => {
    const folder = folderOf({ ...files, [name]: bytes });
    expect(() => loadMnist({ source: folder })).toThrow(new FormatError(`${join(folder, name)}: ${message}`));
  });

  test('refuses another number of labels than images, naming both files', () => {
    const folder = folderOf({ ...files, 'train-labels-idx1-ubyte': idxBytes(8, [3], [0, 1, 2]) });
    expect(() => loadMnist({ source: folder })).toThrow(
      new FormatError(
        `${join(folder, 'train-labels-idx1-ubyte')}: there must be one label for each image, and at least one: ` +
          `3 labels, 4 images in ${join(folder, 'train-images-idx3-ubyte')}.`,
      ),
    );
  });

  test('refuses an empty set', () => {
    const folder = folderOf(mnistFiles([0, 1], []));
    expect(() => loadMnist({ source: folder })).toThrow(
      new FormatError(
        `${join(folder, 't10k-labels-idx1-ubyte')}: there must be one label for each image, and at least one: ` +
          `0 labels, 0 images in ${join(folder, 't10k-images-idx3-ubyte')}.`,
      ),
    );
  });
});
