import { DataLoader, loadMnist, type Mnist } from '@gmml/data';
import { Adadelta, StepLR } from '@gmml/nn';
import { Generator } from '@gmml/tensor';
import type { OpenSetReport } from '../openSet/openSetReport.js';
import { silentReporter, type EpochResult, type Reporter } from '../progress/reporter.js';
import { refuse, selectBackend, warnOfLostThreads } from './backend.js';
import { openRun, type RunControl } from './checkpoint/openRun.js';
import type { RunKeeper } from './checkpoint/runKeeper.js';
import { evaluate, trainEpoch } from './epoch.js';
import { knownDigits, withValidation } from './knownDigits.js';
import { ReferenceNetwork } from './network.js';
import { judge } from './judge.js';
import { saveModel } from './saveModel.js';
import {
  checkShares,
  defaultTrainOptions,
  describeHead,
  describeModel,
  type TrainOptions,
} from './settings.js';
import { checkTargets } from './targets.js';

/** What a training run came to. */
export interface TrainResult {
  epochs: EpochResult[];
  /** Where it was asked for and could be made. */
  openSet?: OpenSetReport;
}

/**
 * Trains the reference network on handwritten digits with Adadelta, its learning rate multiplied by `gamma` after
 * each epoch, and gives the results of the epochs; then, unless `openSet` is false, a report on how well the network's
 * features tell known digits from unknown inputs, and with `report` a page of figures. Where features are too few or too
 * little varied for an open-set report, the reporter is warned and there is none.
 *
 * The same options give the same results, bit for bit, but for the seconds; `openSet`, `keep` and `report` change nothing of
 * the training. What is left out of `options` is as in `defaultTrainOptions`.
 *
 * With `checkpoint` and `resume` a run that was stopped goes on with the same bits; `control` says how it is stopped.
 *
 * @throws UsageError when the data folder or one of its files is missing, the data have no such digit as `unseen`, `keep`
 *   is out of its range, the model, the report or checkpoints cannot be written where asked, options or data are not those of
 *   the checkpoint, or there is no such backend
 * @throws FormatError when a data file is malformed
 * @throws NotFiniteError when the loss becomes NaN or infinite: the message names the layer where it began
 * @throws InterruptedError when the run was stopped by a signal
 * @example
 * const { epochs, openSet } = await train({ epochs: 1, unseen: 7 });
 * epochs[0].testAccuracy; // 0.94
 * openSet?.unknown.unseen?.features.auroc; // 0.9
 */
export async function train(
  options: Partial<TrainOptions> = {},
  reporter: Reporter = silentReporter,
  control: RunControl = {},
): Promise<TrainResult> {
  const asked = { ...defaultTrainOptions, ...options };
  const run = openRun(asked, { given: Object.keys(options), ...control }, reporter);
  try {
    return await trainToEnd(run, reporter);
  } catch (error) {
    throw run.explained(error);
  } finally {
    run.end();
  }
}

async function trainToEnd(run: RunKeeper, reporter: Reporter): Promise<TrainResult> {
  const { settings } = run;
  checkShares(settings);
  checkTargets(settings);
  const backend = await selectBackend(settings, reporter);
  const digits = withValidation(knownDigits(load(settings.data), settings.unseen), settings.valSplit);
  run.open(digits, backend);
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
  if (!run.isResumed) network.initHead(digits.train, generator);
  const optimizer = new Adadelta(network.parameters(), { lr: settings.lr });
  const scheduler = new StepLR(optimizer, { stepSize: 1, gamma: settings.gamma });
  const loader = new DataLoader(digits.train, { batchSize: settings.batchSize, shuffle: true, generator });

  run.begin({ network, optimizer, scheduler, generator });
  const results = run.progress.epochs;
  const epochsBefore = results.length;
  let { threads } = backend;
  const epochs = settings.dryRun ? 1 : settings.epochs;
  for (let epoch = epochsBefore + 1; epoch <= epochs; epoch++) {
    // oxlint-disable-next-line no-await-in-loop -- epochs follow one another
    const trainLoss = await trainEpoch(network, optimizer, loader, { ...settings, epoch }, run, reporter);
    const test = evaluate(network, digits.test, { ...settings, epoch }, reporter);
    scheduler.step();
    const seconds = Math.round(1000 * run.epochSeconds) / 1000;
    const result = { epoch, trainLoss, ...test, seconds };
    reporter.epoch(result);
    threads = warnOfLostThreads(threads, reporter);
    // oxlint-disable-next-line no-await-in-loop -- epochs follow one another
    await run.afterEpoch(result);
  }
  run.end();
  if (results.length === epochsBefore) reporter.epoch(results[results.length - 1]);

  if (settings.saveModel !== undefined) {
    saveModel(settings.saveModel, network, describeModel(settings, digits));
    reporter.saved(settings.saveModel);
  }
  const openSet = await judge({ settings, backend, digits, network, epochs: results }, reporter);
  reporter.finish(results[results.length - 1]);
  return { epochs: results, ...(openSet && { openSet }) };
}

function load(source: string | undefined): Mnist {
  try {
    return loadMnist({ source });
  } catch (error) {
    return refuse('--data')(error);
  }
}
