import { DataLoader, type LabelledImages } from '@gmml/data';
import { crossEntropy, nllLoss, type Optimizer } from '@gmml/nn';
import { noGrad, NotFiniteError, NumericalError, scope, type Tensor } from '@gmml/tensor';
import type { EpochResult, Reporter } from '../progress/reporter.js';
import type { RunKeeper } from './checkpoint/runKeeper.js';
import { diverged, findBroken } from './divergence.js';
import type { ReferenceNetwork } from './network.js';
import type { TrainOptions } from './settings.js';

/** Trains on every batch of the loader that the run has not trained on in this epoch; gives the epoch's mean loss. */
export async function trainEpoch(
  network: ReferenceNetwork,
  optimizer: Optimizer,
  loader: DataLoader,
  { epoch, epochs, logInterval, dryRun, labelSmoothing }: TrainOptions & { epoch: number },
  run: RunKeeper,
  reporter: Reporter,
): Promise<number> {
  network.train();
  const { order, ...start } = run.startEpoch(loader);
  let { batch, lossSum, seen } = start;
  for (const [images, labels] of loader.batches(order, batch)) {
    if (dryRun && batch > 0) break;
    const loss = scope(() => {
      optimizer.zeroGrad();
      const when = `epoch ${epoch}, batch ${batch + 1}`;
      const batchLoss = finiteLoss(when, network, images, () => {
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
    lossSum += loss * labels.size;
    seen = seenAfter;
    batch++;
    // oxlint-disable-next-line no-await-in-loop -- batches follow one another
    await run.afterStep({ batch, lossSum, seen });
  }
  return lossSum / seen;
}

/** Mean loss and accuracy over the test images; over one batch of them in a dry run. */
export function evaluate(
  network: ReferenceNetwork,
  digits: LabelledImages,
  { epoch, testBatchSize, dryRun }: TrainOptions & { epoch: number },
  reporter: Reporter,
): Pick<EpochResult, 'testLoss' | 'testAccuracy' | 'testCorrect' | 'testCount'> {
  network.eval();
  let lossSum = 0;
  let testCorrect = 0;
  let testCount = 0;
  let batch = 0;
  const total = digits.labels.size;
  reporter.testing({ done: 0, total });
  for (const [images, labels] of new DataLoader(digits, { batchSize: testBatchSize })) {
    const when = `testing after epoch ${epoch}, batch ${batch + 1}`;
    const [loss, correct] = scope(() =>
      noGrad(() => {
        let correctHere = 0;
        const lossHere = finiteLoss(when, network, images, () => {
          const logPosteriors = network.forward(images);
          correctHere = logPosteriors.argmax(1).equal(labels).sum().item();
          return nllLoss(logPosteriors, labels, { reduction: 'sum' });
        });
        return [lossHere.item(), correctHere];
      }),
    );
    lossSum += loss;
    testCorrect += correct;
    testCount += labels.size;
    batch++;
    reporter.testing({ done: testCount, total });
    if (dryRun) break;
  }
  return { testLoss: lossSum / testCount, testAccuracy: testCorrect / testCount, testCorrect, testCount };
}

/** @throws NotFiniteError when the loss is NaN or infinite, or the numbers on the way to it break down */
function finiteLoss(when: string, network: ReferenceNetwork, images: Tensor, compute: () => Tensor): Tensor {
  try {
    const loss = compute();
    if (Number.isFinite(loss.item())) return loss;
    throw new NotFiniteError(`the loss must be finite: it is ${loss.item()}.`);
  } catch (error) {
    if (!(error instanceof NumericalError)) throw error;
    const broken = findBroken(network, images);
    const first = broken === undefined ? '' : ` The first that is not finite: ${broken}.`;
    throw diverged(when, `${error.message}${first}`, error);
  }
}
