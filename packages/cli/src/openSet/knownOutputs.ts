import type { LabelledImages } from '@gmml/data';
import { tensor } from '@gmml/tensor';
import type { FloatArray, Tensor } from '@gmml/tensor';
import { evenSample } from '../training/knownDigits.js';
import type { KnownDigits } from '../training/knownDigits.js';
import type { Network } from '../training/networks/network.js';
import { headOutputs, inBatches, together } from './headOutputs.js';
import type { Batch, HeadOutputs, OnBatch } from './headOutputs.js';

/** What a trained network makes of the digits that it was to learn. */
export interface KnownOutputs {
  /** The training images that were looked at, then those held out from training, where there are such. */
  readonly samples: readonly LabelledImages[];
  /** Of the images of all samples, one sample after the other. */
  readonly examples: HeadOutputs;
  /** [N] of the examples: places in `KnownDigits.labels`. */
  readonly labels: Tensor;
  readonly test: HeadOutputs;
  /** [N] of the test images. */
  readonly testLabels: FloatArray;
}

export interface OutputOptions {
  /** Images that go through the network at once. */
  testBatchSize: number;
  /** A sample of the training images and one batch of each test set. */
  dryRun: boolean;
}

/** Training images that a dry run looks at. */
const DRY_RUN_SAMPLE = 1000;

/** Hears how many of all images went through the network, at first none. */
export type OnProgress = (progress: { done: number; total: number }) => void;

/** Runs the network over the training, held-out and test images, each once. */
export function knownOutputs(
  network: Network,
  digits: KnownDigits,
  options: OutputOptions,
  onProgress: OnProgress = () => {},
): KnownOutputs {
  const { testBatchSize, dryRun } = options;
  const { train, validation } = digits;
  const samples = (validation ? [train, validation] : [train]).map((set) =>
    dryRun ? evenSample(set, DRY_RUN_SAMPLE) : set,
  );
  const tests = digits.test.labels.size;
  const sizes = [
    ...samples.map(({ labels }) => labels.size),
    dryRun ? Math.min(tests, testBatchSize) : tests,
  ];
  const onBatch = counting(
    sizes.reduce((sum, size) => sum + size),
    onProgress,
  );
  const examples = together(
    samples.map(({ images }) => headOutputs(network, inBatches(images, testBatchSize), onBatch)),
  );
  const test = testOutputs(network, inBatches(digits.test.images, testBatchSize), options, onBatch);
  return {
    samples,
    examples,
    labels: tensor(Float32Array.from(samples.flatMap((sample) => Array.from(sample.labels.data)))),
    test,
    testLabels: digits.test.labels.data.subarray(0, test.count),
  };
}

/** What the network makes of a test set: of its first batch in a dry run. */
export function testOutputs(
  network: Network,
  batches: Iterable<Batch>,
  { dryRun }: Pick<OutputOptions, 'dryRun'>,
  onBatch: OnBatch,
): HeadOutputs {
  return headOutputs(network, dryRun ? firstOf(batches) : batches, onBatch);
}

/** Tells how many of `total` images are through, each time that some more are. */
export function counting(total: number, onProgress: OnProgress): OnBatch {
  let done = 0;
  onProgress({ done, total });
  return (count) => onProgress({ done: (done += count), total });
}

function* firstOf<T>(values: Iterable<T>): Iterable<T> {
  for (const value of values) {
    yield value;
    return;
  }
}
