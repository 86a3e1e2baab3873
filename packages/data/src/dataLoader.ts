// Mini-batches over tensors. Nothing here needs Node: a page imports this file too.
import { ArgumentError, defaultGenerator, ShapeError, tensor } from '@gmml/tensor';
import type { FloatArray, Generator, Tensor } from '@gmml/tensor';

/** One mini-batch: features `[B, ...]` and labels `[B]`. */
export type Batch = [features: Tensor, labels: Tensor];

/** Features `[N, ...]` with their labels `[N]`: a pair, or an object that names them. */
export type Dataset =
  | readonly [features: Tensor, labels: Tensor]
  | { readonly images: Tensor; readonly labels: Tensor }
  | { readonly features: Tensor; readonly labels: Tensor };

/** Options of `DataLoader`. */
export interface DataLoaderOptions {
  /** Rows in a batch, an integer of at least 1. Default 1. */
  batchSize?: number;
  /** Draw a new order every epoch. Default false: the data set's own order. */
  shuffle?: boolean;
  /** Leave out a last batch that has fewer than `batchSize` rows. Default false. */
  dropLast?: boolean;
  /** Where the orders are drawn from. Default: the generator that `manualSeed` seeds. */
  generator?: Generator;
}

/**
 * Iterates a data set in mini-batches `[features, labels]`; each `for … of` over it is one epoch.
 *
 * With `shuffle` every epoch draws its own permutation when it begins, so that the same seed gives the same
 * sequence of epochs. Every row appears exactly once an epoch (but for those that `dropLast` leaves out).
 *
 * @throws ShapeError when features or labels have no first dimension, or their lengths differ
 * @throws ArgumentError when `batchSize` is not an integer of at least 1
 * @example
 * const [features, labels] = [randn([100, 3]), zeros([100])];
 * const loader = new DataLoader([features, labels], { batchSize: 64, shuffle: true });
 * loader.length; // 2
 * Array.from(loader, ([x]) => x.shape); // [[64, 3], [36, 3]]
 */
export class DataLoader implements Iterable<Batch> {
  readonly batchSize: number;
  /** Rows in the data set. */
  readonly sampleCount: number;
  /** Batches in an epoch. */
  readonly length: number;
  readonly #features: Tensor;
  readonly #labels: Tensor;
  readonly #shuffle: boolean;
  readonly #generator: Generator | undefined;

  constructor(dataset: Dataset, options: DataLoaderOptions = {}) {
    const { batchSize = 1, shuffle = false, dropLast = false, generator } = options;
    const [features, labels] = pair(dataset);
    if (features.ndim < 1 || labels.ndim !== 1 || features.shape[0] !== labels.shape[0]) {
      throw new ShapeError(
        `DataLoader: features [N, ...] and labels [N] must have the same N: ` +
          `features are [${features.shape.join(', ')}], labels are [${labels.shape.join(', ')}].`,
      );
    }
    if (!Number.isInteger(batchSize) || batchSize < 1) {
      throw new ArgumentError(`DataLoader: batchSize must be an integer of at least 1: it is ${batchSize}.`);
    }
    this.batchSize = batchSize;
    this.sampleCount = labels.size;
    this.length = (dropLast ? Math.floor : Math.ceil)(this.sampleCount / batchSize);
    this.#features = features;
    this.#labels = labels;
    this.#shuffle = shuffle;
    this.#generator = generator;
  }

  /** The batches of one epoch, in an order drawn for it where they are shuffled. */
  [Symbol.iterator](): IterableIterator<Batch> {
    return this.#epoch();
  }

  /**
   * Draws the order of the rows [N] of an epoch, which `batches` takes; undefined, and nothing drawn, without `shuffle`.
   *
   * @example
   * const loader = new DataLoader([randn([100, 3]), zeros([100])], { batchSize: 20, shuffle: true });
   * const order = loader.drawOrder();
   * [...loader.batches(order, 3)].length; // 2: what is left of an epoch from its batch 3 on
   */
  drawOrder(): Int32Array | undefined {
    const generator = this.#generator ?? defaultGenerator();
    return this.#shuffle ? generator.permutation(this.sampleCount) : undefined;
  }

  /**
   * The batches of one epoch in a given order of the rows, or their own, from number `first` on (from 0; default 0).
   *
   * @throws ArgumentError when `order` has not as many rows as the data set, or `first` is not an integer of at least 0
   */
  *batches(order: Int32Array | undefined, first = 0): IterableIterator<Batch> {
    if (order !== undefined && order.length !== this.sampleCount) {
      throw new ArgumentError(
        `DataLoader.batches: order must have the ${this.sampleCount} rows of the data set: it has ${order.length}.`,
      );
    }
    if (!Number.isSafeInteger(first) || first < 0) {
      throw new ArgumentError(`DataLoader.batches: first must be an integer of at least 0: it is ${first}.`);
    }
    for (let batch = first; batch < this.length; batch++) {
      const start = batch * this.batchSize;
      const end = Math.min(start + this.batchSize, this.sampleCount);
      yield [rows(this.#features, start, end, order), rows(this.#labels, start, end, order)];
    }
  }

  /** Draws an order when its first batch is asked for. */
  *#epoch(): IterableIterator<Batch> {
    yield* this.batches(this.drawOrder());
  }
}

function pair(dataset: Dataset): readonly [features: Tensor, labels: Tensor] {
  if ('images' in dataset) return [dataset.images, dataset.labels];
  if ('features' in dataset) return [dataset.features, dataset.labels];
  return dataset;
}

/** Rows `order[start]` … `order[end − 1]` of `[N, ...]`, copied; without an order rows `start` … `end − 1`. */
function rows(source: Tensor, start: number, end: number, order: Int32Array | undefined): Tensor {
  const shape = [end - start, ...source.shape.slice(1)];
  const rowSize = source.size / source.shape[0];
  if (!order)
    return tensor(source.data.subarray(start * rowSize, end * rowSize), { shape, dtype: source.dtype });

  const length = (end - start) * rowSize;
  const batch: FloatArray = source.dtype === 'float64' ? new Float64Array(length) : new Float32Array(length);
  for (let i = start; i < end; i++) {
    const row = order[i] * rowSize;
    batch.set(source.data.subarray(row, row + rowSize), (i - start) * rowSize);
  }
  return tensor(batch, { shape, dtype: source.dtype });
}
