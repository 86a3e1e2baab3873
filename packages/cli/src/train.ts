import { setImmediate } from 'node:timers/promises';
import { DataLoader, loadMnist } from '@gmml/data';
import type { LabelledImages, Mnist } from '@gmml/data';
import type { CovType } from '@gmml/gmm';
import { Adadelta, crossEntropy, nllLoss, StepLR } from '@gmml/nn';
import {
  ArgumentError,
  backendReport,
  Generator,
  noGrad,
  NotFiniteError,
  NumericalError,
  scope,
  useBackend,
} from '@gmml/tensor';
import type { Tensor } from '@gmml/tensor';
import { UsageError } from './errors.js';
import { knownDigits, withValidation } from './knownDigits.js';
import type { KnownDigits } from './knownDigits.js';
import { ReferenceNetwork } from './network.js';
import { openSetReport } from './openSetReport.js';
import type { OpenSetReport } from './openSetReport.js';
import { count, silentReporter } from './report.js';
import type { EpochResult, Reporter } from './report.js';
import { checkSaveTarget, saveModel } from './saveModel.js';

export interface TrainOptions {
  /** Images in a training step. Default 64. */
  batchSize: number;
  /** Images that go through the network at once in testing. Default 1000. */
  testBatchSize: number;
  /** Passes over the training images. Default 14. */
  epochs: number;
  /** Adadelta's learning rate in the first epoch. Default 1. */
  lr: number;
  /** What the learning rate is multiplied by after each epoch. Default 0.7. */
  gamma: number;
  /** Seed of everything random: first weights, start of the head, order of the images. Default 1. */
  seed: number;
  /** Batches from one report of the training loss to the next. Default 10. */
  logInterval: number;
  /** One batch of training and one of test, to see that everything runs. Default false. */
  dryRun: boolean;
  /** File for the trained network, safetensors. Default: none. */
  saveModel?: string;
  /** A linear head in place of the mixture. Default false. */
  linearClassifier: boolean;
  /** Covariance of a component of the mixture head. Default 'tril'. */
  covType: CovType;
  /** Gaussians for each class. Default 1. */
  components: number;
  /** Features that the head classifies. Default 128. */
  dim: number;
  /** Folder of MNIST's four IDX files. Default: the embedded digits. */
  data?: string;
  /** End with a report on what the network knows of what it does not know. Default true. */
  openSet: boolean;
  /** ε of label smoothing in the training loss, from 0 to 1. Default 0. */
  labelSmoothing: number;
  /**
   * Share of the training images, from 0 and below 1, that is held out from training, of each class the last: the
   * report's threshold is set by them. Default 0: by images that were trained on.
   */
  valSplit: number;
  /** A digit that is left out of training and testing, to see how well it is rejected. Default: none. */
  unseen?: number;
  /** Share of known digits that the report's classifier is to keep, above 0 and below 1. Default 0.95. */
  keep: number;
  /** What computes. Default 'auto', the fastest there is. */
  backend: 'auto' | 'wasm' | 'reference';
  /** Threads that compute, or 'auto'. Default 'auto'. */
  threads: number | 'auto';
}

export const defaultTrainOptions: Readonly<TrainOptions> = {
  batchSize: 64,
  testBatchSize: 1000,
  epochs: 14,
  lr: 1,
  gamma: 0.7,
  seed: 1,
  logInterval: 10,
  dryRun: false,
  linearClassifier: false,
  covType: 'tril',
  components: 1,
  dim: 128,
  labelSmoothing: 0,
  valSplit: 0,
  openSet: true,
  keep: 0.95,
  backend: 'auto',
  threads: 'auto',
};

/** What a training run came to. */
export interface TrainResult {
  epochs: EpochResult[];
  /** Where it was asked for and could be made. */
  openSet?: OpenSetReport;
}

/**
 * Trains the reference network on handwritten digits with Adadelta, its learning rate multiplied by `gamma` after
 * each epoch, and gives the results of the epochs; then, unless `openSet` is false, a report on how well the network's
 * features tell known digits from unknown inputs. Where features are too few or too little varied for a report, the
 * reporter is warned and there is none.
 *
 * The same options give the same results, bit for bit, but for the seconds; `openSet` and `keep` change nothing of the
 * training. What is left out of `options` is as in `defaultTrainOptions`.
 *
 * @throws UsageError when the data folder or one of its files is missing, the data have no such digit as `unseen`, `keep`
 *   is out of its range, the model cannot be saved where asked, or there is no such backend
 * @throws FormatError when a data file is malformed
 * @throws NotFiniteError when the loss becomes NaN or infinite
 * @example
 * const { epochs, openSet } = await train({ epochs: 1, unseen: 7 });
 * epochs[0].testAccuracy; // 0.94
 * openSet?.unknown.unseen?.features.auroc; // 0.9
 */
export async function train(
  options: Partial<TrainOptions> = {},
  reporter: Reporter = silentReporter,
): Promise<TrainResult> {
  const settings: TrainOptions = { ...defaultTrainOptions, ...options };
  checkShares(settings);
  if (settings.saveModel !== undefined) checkSaveTarget(settings.saveModel);
  const backend = await selectBackend(settings, reporter);
  const digits = withValidation(knownDigits(load(settings.data), settings.unseen), settings.valSplit);
  reporter.start({
    trainCount: digits.train.labels.size,
    testCount: digits.test.labels.size,
    heldOut: digits.validation?.labels.size,
    unseen: settings.unseen,
    head: describeHead(settings),
    ...backend,
  });

  const generator = new Generator(settings.seed);
  const network = new ReferenceNetwork({ ...settings, nClass: digits.labels.length, generator });
  network.initHead(digits.train, generator);
  const optimizer = new Adadelta(network.parameters(), { lr: settings.lr });
  const scheduler = new StepLR(optimizer, { stepSize: 1, gamma: settings.gamma });
  const loader = new DataLoader(digits.train, { batchSize: settings.batchSize, shuffle: true, generator });

  const results: EpochResult[] = [];
  let { threads } = backend;
  const epochs = settings.dryRun ? 1 : settings.epochs;
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const start = performance.now();
    // oxlint-disable-next-line no-await-in-loop -- epochs follow one another
    const trainLoss = await trainEpoch(network, optimizer, loader, { ...settings, epoch }, reporter);
    const test = evaluate(network, digits.test, settings);
    scheduler.step();
    const seconds = Math.round(performance.now() - start) / 1000;
    const result = { epoch, trainLoss, ...test, seconds };
    results.push(result);
    reporter.epoch(result);
    threads = warnOfLostThreads(threads, reporter);
  }

  if (settings.saveModel !== undefined) {
    saveModel(settings.saveModel, network, describeModel(settings, digits.labels));
    reporter.saved(settings.saveModel);
  }
  const openSet = settings.openSet ? reportOrWarning(network, digits, settings, reporter) : undefined;
  if (openSet) reporter.openSet(openSet);
  reporter.finish(results[results.length - 1]);
  return { epochs: results, ...(openSet && { openSet }) };
}

function checkShares({ keep, labelSmoothing, valSplit }: TrainOptions): void {
  if (!(keep > 0 && keep < 1)) {
    throw new UsageError(`--keep must be a number above 0 and below 1: it is ${keep}.`);
  }
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
    throw new UsageError(`--label-smoothing must be a number from 0 to 1: it is ${labelSmoothing}.`);
  }
  if (!(valSplit >= 0 && valSplit < 1)) {
    throw new UsageError(`--val-split must be a number from 0 and below 1: it is ${valSplit}.`);
  }
}

/** A network that was trained is not lost because too little is there to report on. */
function reportOrWarning(
  network: ReferenceNetwork,
  digits: KnownDigits,
  settings: TrainOptions,
  reporter: Reporter,
): OpenSetReport | undefined {
  try {
    return openSetReport(network, digits, settings);
  } catch (error) {
    if (!(error instanceof NumericalError || error instanceof ArgumentError)) throw error;
    reporter.warn(`no open-set report: ${error.message}`);
    return undefined;
  }
}

function load(source: string | undefined): Mnist {
  try {
    return loadMnist({ source });
  } catch (error) {
    return refuse('--data')(error);
  }
}

/** Turns what a library refuses into a mistake of whoever gave the option; passes other errors on. */
function refuse(option: string): (error: unknown) => never {
  return (error) => {
    throw error instanceof ArgumentError
      ? new UsageError(`${option}: ${error.message}`, { cause: error })
      : error;
  };
}

/** Selects the backend and warns when it is less than asked for. 'auto' takes what there is. */
async function selectBackend(
  { backend, threads }: TrainOptions,
  reporter: Reporter,
): Promise<{ backend: string; threads: number }> {
  const chosen = await useBackend(backend, { threads }).catch(refuse('--backend'));
  const fewerThreads = threads !== 'auto' && chosen.threads < threads;
  if (fewerThreads || (backend !== 'auto' && chosen.backend !== backend)) {
    const asked =
      threads === 'auto' ? `backend ${backend}` : `backend ${backend}, ${count(threads, 'thread')}`;
    const { notice } = backendReport();
    const because = notice === undefined ? '' : ` (${notice})`;
    reporter.warn(
      `asked for ${asked}: running on backend ${chosen.backend}, ${count(chosen.threads, 'thread')}${because}.`,
    );
  }
  return chosen;
}

/** Says so when there are fewer threads than before; gives how many there are. */
function warnOfLostThreads(before: number, reporter: Reporter): number {
  const { threads, notice } = backendReport();
  if (threads < before && notice !== undefined) reporter.warn(`${notice}.`);
  return threads;
}

/** Trains on every batch of the loader once; gives the mean loss. */
async function trainEpoch(
  network: ReferenceNetwork,
  optimizer: Adadelta,
  loader: DataLoader,
  { epoch, logInterval, dryRun, labelSmoothing }: TrainOptions & { epoch: number },
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
    if (batch % logInterval === 0) {
      reporter.batch({ epoch, seen, trainCount: loader.sampleCount, loss });
      // oxlint-disable-next-line no-await-in-loop -- a pause, in which a closed output is noticed
      await setImmediate();
    }
    lossSum += loss * labels.size;
    seen += labels.size;
    batch++;
    if (dryRun) break;
  }
  return lossSum / seen;
}

/** Mean loss and accuracy over the test images; over one batch of them in a dry run. */
function evaluate(
  network: ReferenceNetwork,
  digits: LabelledImages,
  { testBatchSize, dryRun }: TrainOptions,
): Pick<EpochResult, 'testLoss' | 'testAccuracy' | 'testCorrect' | 'testCount'> {
  network.eval();
  let lossSum = 0;
  let testCorrect = 0;
  let testCount = 0;
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

/** 'GMM head (tril, D = 128, 1 component a class)' */
function describeHead({ linearClassifier, covType, components, dim }: TrainOptions): string {
  if (linearClassifier) return `Linear head (D = ${dim})`;
  return `GMM head (${covType}, D = ${dim}, ${count(components, 'component')} a class)`;
}

/** The options that built and trained the network, for the metadata of its file. */
function describeModel(settings: TrainOptions, digits: readonly number[]): Record<string, string | number> {
  const { linearClassifier, covType, components, dim, epochs, dryRun } = settings;
  const { seed, lr, gamma, batchSize, labelSmoothing, valSplit } = settings;
  const length = { epochs: dryRun ? 1 : epochs, dryRun: String(dryRun) };
  const training = { seed, ...length, lr, gamma, batchSize, labelSmoothing, valSplit };
  // What each output of the head stands for.
  const classes = { dim, nClass: digits.length, labels: digits.join(' ') };
  if (linearClassifier) return { head: 'linear', ...classes, ...training };
  return { head: 'gmml', covType, components, ...classes, ...training };
}
