import { noGrad, scope, tensor } from '@gmml/tensor';
import type { Tensor } from '@gmml/tensor';
import { concatenate } from '../concatenate.js';
import type { Network } from '../training/networks/network.js';

/** What a trained network makes of N images. */
export interface HeadOutputs {
  readonly count: number;
  /** The features that reach the head, [N, D] row by row. */
  readonly features: Float32Array;
  /** log p(class | image) [N, C] row by row. */
  readonly logPosteriors: Float32Array;
}

/** Rows `[B, ...]`, made where it is called: in the memory of a running scope. */
export type Batch = () => Tensor;

/** Hears after a batch how many images it had. */
export type OnBatch = (count: number) => void;

/**
 * Runs the network over batches of images `[B, C, H, W]`, in evaluation mode and without gradients. `onBatch` hears after
 * each how many images it had.
 */
export function headOutputs(
  network: Network,
  batches: Iterable<Batch>,
  onBatch: OnBatch = () => {},
): HeadOutputs {
  network.eval();
  const features: Float32Array[] = [];
  const logPosteriors: Float32Array[] = [];
  let count = 0;
  for (const batch of batches) {
    const rows = scope(() =>
      noGrad(() => {
        const made = network.features(batch());
        features.push(Float32Array.from(made.data));
        logPosteriors.push(Float32Array.from(network.classify(made).data));
        return made.shape[0];
      }),
    );
    count += rows;
    onBatch(rows);
  }
  return {
    count,
    features: concatenate(features, Float32Array),
    logPosteriors: concatenate(logPosteriors, Float32Array),
  };
}

/** The outputs of one set of images after the other. */
export function together(sets: readonly HeadOutputs[]): HeadOutputs {
  return {
    count: sets.reduce((sum, { count }) => sum + count, 0),
    features: concatenate(
      sets.map(({ features }) => features),
      Float32Array,
    ),
    logPosteriors: concatenate(
      sets.map(({ logPosteriors }) => logPosteriors),
      Float32Array,
    ),
  };
}

/** What `head` makes of the features [N, D], so many rows at once: its numbers, row by row. */
export function overFeatures(
  { features, count }: HeadOutputs,
  batchSize: number,
  head: (features: Tensor) => Tensor,
): Float32Array {
  const rows = tensor(features, { shape: [count, features.length / count] });
  const made = Array.from(inBatches(rows, batchSize), (batch) =>
    scope(() => noGrad(() => Float32Array.from(head(batch()).data))),
  );
  return concatenate(made, Float32Array);
}

/** Rows of `[N, ...]`, so many at once, in their order. */
export function* inBatches(rows: Tensor, batchSize: number): Iterable<Batch> {
  const [count, ...shape] = rows.shape;
  const size = rows.size / count;
  for (let first = 0; first < count; first += batchSize) {
    const end = Math.min(count, first + batchSize);
    yield () => tensor(rows.data.subarray(first * size, end * size), { shape: [end - first, ...shape] });
  }
}
