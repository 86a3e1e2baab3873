export { DataLoader } from './dataLoader.js';
export type { Batch, DataLoaderOptions, Dataset } from './dataLoader.js';
export { parseIdx, readIdx } from './idx.js';
export type { IdxArray, IdxData } from './idx.js';
export { loadMnist, MNIST_MEAN, MNIST_STD } from './mnist.js';
export type { LabelledImages, LoadMnistOptions, Mnist } from './mnist.js';
