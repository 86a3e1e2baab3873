import { setImmediate } from 'node:timers/promises';
import { DataLoader, type LabelledImages } from '@gmml/data';
import { crossEntropy, nllLoss, type Adadelta } from '@gmml/nn';
import { noGrad, NotFiniteError, NumericalError, scope, type Tensor } from '@gmml/tensor';
import type { EpochResult, Reporter } from '../progress/reporter.js';
import type { ReferenceNetwork } from './network.js';
import type { TrainOptions } from './settings.js';

/** Trains on every batch of the loader once; gives the mean loss. */
export async function trainEpoch(
  network: ReferenceNetwork,
  optimizer: Adadelta,
  loader: DataLoader,
  { epoch, epochs, logInterval, dryRun, labelSmoothing }: TrainOptions & { epoch: number },
  reporter: Reporter,
): Promise<number> {
  network.train();
  let lossSum = 0;
  let seen = 0;
  let batch = 0;
  for (const [images, labels] of loader) {
    const loss = scope(() => {
      optimizer.zeroGrad();
      const when = `epoch ${epoch}, batch ${batch + 1}`;
      const batchLoss = finiteLoss(when, () => {
        const logPosteriors = network.forward(images);
        if (labelSmoothing === 0) return nllLoss(logPosteriors, labels);
        return crossEntropy(logPosteriors, labels, { labelSmoothing });
      });
      batchLoss.backward();
      optimizer.step();
      return batchLoss.item();
    });
    const seenAfter = seen + labels.size;
    const progress = {
      epoch,
      epochs: dryRun ? 1 : epochs,
      seen,
      seenAfter,
      trainCount: loader.sampleCount,
      loss,
    };
    reporter.step(progress);
    if (batch % logInterval === 0) reporter.batch(progress);
    // oxlint-disable-next-line no-await-in-loop -- a pause, in which a closed output or another width of it is noticed
    await setImmediate();
    lossSum += loss * labels.size;
    seen = seenAfter;
    batch++;
    if (dryRun) break;
  }
  return lossSum / seen;
}

/** Mean loss and accuracy over the test images; over one batch of them in a dry run. */
export function evaluate(
  network: ReferenceNetwork,
  digits: LabelledImages,
  { testBatchSize, dryRun }: TrainOptions,
  reporter: Reporter,
): Pick<EpochResult, 'testLoss' | 'testAccuracy' | 'testCorrect' | 'testCount'> {
  network.eval();
  let lossSum = 0;
  let testCorrect = 0;
  let testCount = 0;
  const total = digits.labels.size;
  reporter.testing({ done: 0, total });
  for (const [images, labels] of new DataLoader(digits, { batchSize: testBatchSize })) {
    const [loss, correct] = scope(() =>
      noGrad(() => {
        const logPosteriors = network.forward(images);
        const lossHere = finiteLoss('testing', () => nllLoss(logPosteriors, labels, { reduction: 'sum' }));
        return [lossHere.item(), logPosteriors.argmax(1).equal(labels).sum().item()];
      }),
    );
    lossSum += loss;
    testCorrect += correct;
    testCount += labels.size;
    reporter.testing({ done: testCount, total });
    if (dryRun) break;
  }
  return { testLoss: lossSum / testCount, testAccuracy: testCorrect / testCount, testCorrect, testCount };
}

/** @throws NotFiniteError when the loss is NaN or infinite, or the numbers on the way to it break down */
function finiteLoss(when: string, compute: () => Tensor): Tensor {
  try {
    const loss = compute();
    if (Number.isFinite(loss.item())) return loss;
    throw new NotFiniteError(`the loss must be finite: it is ${loss.item()}.`);
  } catch (error) {
    if (!(error instanceof NumericalError)) throw error;
    throw new NotFiniteError(`${when}: ${error.message} Training has diverged: try a smaller --lr.`, {
      cause: error,
    });
  }
}
