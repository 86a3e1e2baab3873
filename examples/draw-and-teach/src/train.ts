import { Adadelta, crossEntropy, Linear, StepLR } from '@gmml/nn';
import { Generator, noGrad, scope, tensor } from '@gmml/tensor';
import { checkInteger, checkNumber } from '@gmml/tensor/checks';
import type { DigitData } from './digits.js';
import { DigitModel } from './model.js';
import { Body, FEATURES, normalised } from './network.js';
import { redrawn, trainingSet, type Share, type TrainingSetOptions, type Watch } from './trainingSet.js';

/** Options of `trainDigits`. */
export interface TrainOptions extends TrainingSetOptions {
  /** Passes over the training set. Default 3. */
  readonly epochs?: number;
  /** Pictures in a step. Default 64. */
  readonly batchSize?: number;
  /** Adadelta's learning rate in the first epoch, multiplied by 0.7 after each. Default 1. */
  readonly learningRate?: number;
  /** Share of the target that all classes have evenly, from 0 and below 1. Default 0.1. */
  readonly labelSmoothing?: number;
  /** Seed of everything random. Default 1. */
  readonly seed?: number;
}

/** What `trainDigits` reports. */
export type TrainProgress =
  /** The digits are being traced and drawn anew. */
  | ({ readonly stage: 'drawing' } & Share)
  /** After a step; `imagesPerSecond` since the epoch began. */
  | {
      readonly stage: 'training';
      readonly epoch: number;
      readonly batch: number;
      readonly batches: number;
      readonly loss: number;
      readonly imagesPerSecond: number;
    }
  /** After an epoch: the mean loss, and the share of redrawn test digits that the network's head has right. */
  | {
      readonly stage: 'tested';
      readonly epoch: number;
      readonly loss: number;
      readonly accuracy: number;
    }
  /** The network is trained; Gaussians are fitted to its features. */
  | { readonly stage: 'fitting' };

/**
 * Trains the network from scratch on digits as they are scanned and as they are drawn, and on what is none (invented
 * characters, digits upside down), each a class of its own, by cross entropy with label smoothing; then fits the Gaussians
 * of the digits alone. The same options give the same model on one backend and number of threads.
 *
 * @param watch `pause` is awaited after each step, and may throw to end the training
 * @throws ArgumentError for an option out of its range; whatever `pause` throws
 */
export async function trainDigits(
  { train, test }: DigitData,
  options: TrainOptions = {},
  watch: Watch<TrainProgress> = {},
): Promise<DigitModel> {
  const op = 'trainDigits';
  const { epochs = 3, batchSize = 64, learningRate = 1, labelSmoothing = 0.1, seed = 1 } = options;
  for (const [name, value] of Object.entries({ epochs, batchSize })) checkInteger(op, name, value, 1);
  checkNumber(op, 'learningRate', learningRate, { from: 0 });
  checkNumber(op, 'labelSmoothing', labelSmoothing, { from: 0, below: 1 });
  const { progress, pause } = watch;
  const generator = new Generator(seed);
  const { pictures, labels, classes } = await trainingSet(train, generator, options, {
    progress: (share) => progress?.({ stage: 'drawing', ...share }),
    pause,
  });
  const tests = redrawn(test);
  const body = new Body(generator);
  const head = new Linear(FEATURES, classes, { generator });
  const optimizer = new Adadelta([...body.parameters(), ...head.parameters()], { lr: learningRate });
  const scheduler = new StepLR(optimizer, { stepSize: 1, gamma: 0.7 });
  const batches = Math.ceil(pictures.length / batchSize);
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const order = generator.permutation(pictures.length);
    const start = performance.now();
    let lossSum = 0;
    for (let batch = 0; batch < batches; batch++) {
      const rows = Array.from(order.subarray(batch * batchSize, (batch + 1) * batchSize));
      const loss = scope(() => {
        optimizer.zeroGrad();
        const scores = head.forward(body.forward(normalised(rows.map((row) => pictures[row]))));
        const batchLoss = crossEntropy(scores, tensor(rows.map((row) => labels[row])), { labelSmoothing });
        batchLoss.backward();
        optimizer.step();
        return batchLoss.item();
      });
      lossSum += loss * rows.length;
      const seen = Math.min(pictures.length, (batch + 1) * batchSize);
      const imagesPerSecond = (1000 * seen) / (performance.now() - start);
      progress?.({ stage: 'training', epoch, batch: batch + 1, batches, loss, imagesPerSecond });
      // oxlint-disable-next-line no-await-in-loop -- a pause in the work
      await pause?.();
    }
    scheduler.step();
    const answers = digitsBy(
      body,
      head,
      tests.map(({ picture }) => picture),
    );
    const right = tests.filter(({ label }, i) => answers[i] === label).length;
    progress?.({
      stage: 'tested',
      epoch,
      loss: lossSum / pictures.length,
      accuracy: right / tests.length,
    });
  }
  progress?.({ stage: 'fitting' });
  const examples = Array.from({ length: 10 }, (_, digit) => ({
    name: String(digit),
    pictures: pictures.filter((__, i) => labels[i] === digit),
  })).filter((digit) => digit.pictures.length > 0);
  return DigitModel.fit(body, examples, { seed });
}

/** The digit that the head finds most probable in each picture. */
function digitsBy(body: Body, head: Linear, pictures: readonly Float32Array[]): number[] {
  return body.featuresOf(pictures).map((vector) => {
    const features = tensor(vector, { shape: [1, FEATURES] });
    return scope(() => noGrad(() => head.forward(features).slice(1, 0, 10).argmax(1).item()));
  });
}
