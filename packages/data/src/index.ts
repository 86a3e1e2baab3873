/**
 * Data sets, mini-batches, and files of numbers read as streams. For Node.
 *
 * @module @gmml/data
 */

export { DataLoader } from './dataLoader.js';
export type { Batch, DataLoaderOptions, Dataset } from './dataLoader.js';
export { parseIdx, readIdx } from './idx.js';
export type { IdxArray, IdxData } from './idx.js';
export { loadMnist, MNIST_MEAN, MNIST_STD } from './mnist.js';
export type { LabelledImages, LoadMnistOptions, Mnist } from './mnist.js';
export { Shard } from './shards/shard.js';
export type { ShardBlock, ShardOptions } from './shards/shard.js';
export type { CsvOptions } from './shards/csvRows.js';
export type { MnistName } from './download/dataSets.js';
export { downloadMnist } from './download/downloadMnist.js';
export type { DownloadOptions, DownloadProgress } from './download/downloadMnist.js';
export { DownloadError } from './download/errors.js';
export { Table } from './tables/table.js';
export type { TableBlock, TableFormat, TableOptions } from './tables/table.js';
