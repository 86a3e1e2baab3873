import { DataLoader, loadMnist, type Mnist } from '@gmml/data';
import { Generator } from '@gmml/tensor';
import { asUsageError } from '../errors.js';
import type { OpenSetReport } from '../openSet/openSetReport.js';
import { silentReporter, type EpochResult, type Reporter } from '../progress/reporter.js';
import { selectBackend, warnOfLostThreads } from './backend.js';
import { openRun, type RunControl } from './checkpoint/openRun.js';
import type { RunKeeper } from './checkpoint/runKeeper.js';
import { completeOptions } from './completeOptions.js';
import { evaluate, trainEpoch, validate } from './epoch.js';
import { judge } from './judge.js';
import { knownDigits, withValidation } from './knownDigits.js';
import { makeLearner } from './learner.js';
import { networkMetadata } from './networks/makeNetwork.js';
import { saveModel } from './saveModel.js';
import { checkShares, describeHead, describeTraining, type TrainOptions } from './settings.js';
import { checkTargets } from './targets.js';

/** What a training run came to. */
export interface TrainResult {
  epochs: EpochResult[];
  /** With early stopping: the epoch, from 1, whose weights the network ended with. */
  bestEpoch?: number;
  /** Where it was asked for and could be made. */
  openSet?: OpenSetReport;
}

/**
 * Trains a network on handwritten digits and gives the results of the epochs; then, unless `openSet` is false, a report
 * on how well the network's features tell known digits from unknown inputs, and with `report` a page of figures. Where
 * features are too few or too little varied for an open-set report, the reporter is warned and there is none. With
 * `earlyStop` what is saved and reported on is the network of the epoch with the lowest loss on the held-out images.
 *
 * The same options give the same results, bit for bit, but for the seconds; `openSet`, `keep` and `report` change nothing of
 * the training. What is left out of `options` is as in the preset, where there is one, then as in `defaultTrainOptions`.
 *
 * With `checkpoint` and `resume` a run that was stopped goes on with the same bits; `control` says how it is stopped.
 *
 * @throws UsageError when the data folder or one of its files is missing, the data have no such digit as `unseen`, `keep`
 *   is out of its range, options do not go together, the images are too small for the network, the model, the report or
 *   checkpoints cannot be written where asked, options or data are not those of the checkpoint, or there is no such backend
 * @throws FormatError when a data file is malformed
 * @throws NotFiniteError when the loss becomes NaN or infinite: the message names the layer where it began
 * @throws InterruptedError when the run was stopped by a signal
 * @example
 * const { epochs, openSet } = await train({ epochs: 1, unseen: 7 });
 * epochs[0].testAccuracy > 0.9; // true
 * openSet!.unknown.unseen!.features.auroc > 0.85; // true
 */
export async function train(
  options: Partial<TrainOptions> = {},
  reporter: Reporter = silentReporter,
  control: RunControl = {},
): Promise<TrainResult> {
  const asked = completeOptions(options);
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
  const generator = new Generator(settings.seed);
  const learner = makeLearner(settings, digits, generator, { startsHead: !run.isResumed });
  const { description, network, optimizer, scheduler, augmentation, stopping } = learner;
  reporter.start({
    trainCount: digits.train.labels.size,
    testCount: digits.test.labels.size,
    heldOut: digits.validation?.labels.size,
    unseen: settings.unseen,
    classNames: digits.classNames,
    head: describeHead(settings),
    ...backend,
  });

  const loader = new DataLoader(digits.train, { batchSize: settings.batchSize, shuffle: true, generator });
  run.begin({ ...learner, generator });
  const results = run.progress.epochs;
  const epochsBefore = results.length;
  let { threads } = backend;
  const epochs = settings.dryRun ? 1 : settings.epochs;
  for (let epoch = epochsBefore + 1; epoch <= epochs && !stopping?.isOver(epoch - 1); epoch++) {
    const thisEpoch = { ...settings, epoch, augmentation };
    // oxlint-disable-next-line no-await-in-loop -- epochs follow one another
    const trainLoss = await trainEpoch(network, optimizer, loader, thisEpoch, run, reporter);
    const held = validate(network, digits.validation, thisEpoch, reporter);
    const test = evaluate(network, digits.test, thisEpoch, reporter);
    scheduler.step();
    const seconds = Math.round(1000 * run.epochSeconds) / 1000;
    const result = { epoch, trainLoss, ...held, ...test, seconds };
    reporter.epoch(result);
    threads = warnOfLostThreads(threads, reporter);
    stopping?.observe(result, network);
    // oxlint-disable-next-line no-await-in-loop -- epochs follow one another
    await run.afterEpoch(result);
  }
  run.end();
  const last = results[results.length - 1];
  if (results.length === epochsBefore) reporter.epoch(last);

  const kept = stopping?.goBack(network) ?? last;
  if (stopping && kept !== last) reporter.backTo(kept, last.epoch);
  if (settings.saveModel !== undefined) {
    saveModel(settings.saveModel, network, {
      ...networkMetadata(description),
      ...describeTraining(settings, digits, kept.epoch),
    });
    reporter.saved(settings.saveModel);
  }
  const openSet = await judge({ settings, backend, digits, network, epochs: results }, reporter);
  reporter.finish(kept);
  return { epochs: results, ...(stopping && { bestEpoch: kept.epoch }), ...(openSet && { openSet }) };
}

function load(source: string | undefined): Mnist {
  try {
    return loadMnist({ source });
  } catch (error) {
    return asUsageError('--data')(error);
  }
}
