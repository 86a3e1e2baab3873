import { DataLoader, type LabelledImages } from '@gmml/data';
import { crossEntropy, nllLoss, type Optimizer } from '@gmml/nn';
import { noGrad, NotFiniteError, NumericalError, scope, type Tensor } from '@gmml/tensor';
import type { EpochResult, Reporter } from '../progress/reporter.js';
import type { Augmentation } from './augmentation.js';
import type { RunKeeper } from './checkpoint/runKeeper.js';
import { diverged, findBroken } from './divergence.js';
import type { Network } from './networks/network.js';
import type { TrainOptions } from './settings.js';

interface EpochOptions {
  /** From 1. */
  epoch: number;
  augmentation?: Augmentation;
}

/**
 * Trains on every batch of the loader that the run has not trained on in this epoch, its images moved if they are to be; gives the
 * epoch's mean loss.
 */
export async function trainEpoch(
  network: Network,
  optimizer: Optimizer,
  loader: DataLoader,
  { epoch, epochs, logInterval, dryRun, labelSmoothing, augmentation }: TrainOptions & EpochOptions,
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
      const inputs = augmentation?.apply(images) ?? images;
      const batchLoss = finiteLoss(when, network, inputs, () => {
        const logPosteriors = network.forward(inputs);
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
  network: Network,
  digits: LabelledImages,
  options: TrainOptions & EpochOptions,
  reporter: Reporter,
): Pick<EpochResult, 'testLoss' | 'testAccuracy' | 'testCorrect' | 'testCount'> {
  const { loss, correct, count } = outcome(network, digits, 'testing', options, reporter);
  return { testLoss: loss, testAccuracy: correct / count, testCorrect: correct, testCount: count };
}

/** The same over the held-out images; nothing where there are none. */
export function validate(
  network: Network,
  digits: LabelledImages | undefined,
  options: TrainOptions & EpochOptions,
  reporter: Reporter,
): Pick<EpochResult, 'valLoss' | 'valAccuracy'> {
  if (digits === undefined) return {};
  const { loss, correct, count } = outcome(network, digits, 'validating', options, reporter);
  return { valLoss: loss, valAccuracy: correct / count };
}

function outcome(
  network: Network,
  digits: LabelledImages,
  what: 'testing' | 'validating',
  { epoch, testBatchSize, dryRun }: TrainOptions & EpochOptions,
  reporter: Reporter,
): { loss: number; correct: number; count: number } {
  network.eval();
  let lossSum = 0;
  let correct = 0;
  let count = 0;
  let batch = 0;
  const total = digits.labels.size;
  reporter.testing({ done: 0, total });
  for (const [images, labels] of new DataLoader(digits, { batchSize: testBatchSize })) {
    const when = `${what} after epoch ${epoch}, batch ${batch + 1}`;
    const [loss, right] = scope(() =>
      noGrad(() => {
        let rightHere = 0;
        const lossHere = finiteLoss(when, network, images, () => {
          const logPosteriors = network.forward(images);
          rightHere = logPosteriors.argmax(1).equal(labels).sum().item();
          return nllLoss(logPosteriors, labels, { reduction: 'sum' });
        });
        return [lossHere.item(), rightHere];
      }),
    );
    lossSum += loss;
    correct += right;
    count += labels.size;
    batch++;
    reporter.testing({ done: count, total });
    if (dryRun) break;
  }
  return { loss: lossSum / count, correct, count };
}

/** @throws NotFiniteError when the loss is NaN or infinite, or the numbers on the way to it break down */
function finiteLoss(when: string, network: Network, images: Tensor, compute: () => Tensor): Tensor {
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
