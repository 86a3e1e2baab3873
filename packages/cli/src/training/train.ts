import { DataLoader, loadMnist, type Mnist } from '@gmml/data';
import { Adadelta, StepLR } from '@gmml/nn';
import { ArgumentError, Generator, NumericalError } from '@gmml/tensor';
import { openSetReport, type OpenSetReport } from '../openSet/openSetReport.js';
import { silentReporter, type EpochResult, type Reporter } from '../progress/reporter.js';
import { refuse, selectBackend, warnOfLostThreads } from './backend.js';
import { evaluate, trainEpoch } from './epoch.js';
import { knownDigits, withValidation, type KnownDigits } from './knownDigits.js';
import { ReferenceNetwork } from './network.js';
import { checkSaveTarget, saveModel } from './saveModel.js';
import {
  checkShares,
  defaultTrainOptions,
  describeHead,
  describeModel,
  type TrainOptions,
} from './settings.js';

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
    classNames: digits.classNames,
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
    const test = evaluate(network, digits.test, settings, reporter);
    scheduler.step();
    const seconds = Math.round(performance.now() - start) / 1000;
    const result = { epoch, trainLoss, ...test, seconds };
    results.push(result);
    reporter.epoch(result);
    threads = warnOfLostThreads(threads, reporter);
  }

  if (settings.saveModel !== undefined) {
    saveModel(settings.saveModel, network, describeModel(settings, digits));
    reporter.saved(settings.saveModel);
  }
  const openSet = settings.openSet ? reportOrWarning(network, digits, settings, reporter) : undefined;
  if (openSet) reporter.openSet(openSet);
  reporter.finish(results[results.length - 1]);
  return { epochs: results, ...(openSet && { openSet }) };
}

/** A network that was trained is not lost because too little is there to report on. */
function reportOrWarning(
  network: ReferenceNetwork,
  digits: KnownDigits,
  settings: TrainOptions,
  reporter: Reporter,
): OpenSetReport | undefined {
  try {
    return openSetReport(network, digits, settings, (progress) => reporter.testing(progress));
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
