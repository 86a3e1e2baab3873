import { openSetTable } from '../openSet/openSetTable.js';
import { bytes, className, count, percent } from '../formatting.js';
import { silentReporter, type Print, type Reporter } from './reporter.js';

/** Lines for people, in the manner of PyTorch's MNIST example. */
export function textReporter(print: Print, printError: Print): Reporter {
  let fetching = '';
  return {
    ...silentReporter,
    download({ file, size, host }) {
      const line = `Fetching ${file} (${bytes(size)}) from ${host} …`;
      if (line !== fetching) print(line);
      fetching = line;
    },
    start({ trainCount, testCount, heldOut, unseen, classNames, head, backend, threads }) {
      const without = unseen === undefined ? '' : `, without ${className(unseen, classNames)}`;
      const inputs = classNames ? 'images' : 'digits';
      const apart = heldOut === undefined ? '' : `, ${heldOut} held out`;
      print(`Training on ${trainCount} ${inputs}, testing on ${testCount}${apart}${without}. ${head}.`);
      print(`Backend ${backend}, ${count(threads, 'thread')}.`);
    },
    batch({ epoch, seen, trainCount, loss }) {
      const done = Math.round((100 * seen) / trainCount);
      print(`Train Epoch: ${epoch} [${seen}/${trainCount} (${done}%)]  Loss: ${loss.toFixed(4)}`);
    },
    epoch({ epoch, trainLoss, valLoss, valAccuracy, testLoss, testCorrect, testCount, seconds }) {
      const held =
        valLoss === undefined || valAccuracy === undefined
          ? ''
          : `validation loss ${valLoss.toFixed(4)} (${percent(valAccuracy, 2)}), `;
      print(
        `Epoch ${epoch}: train loss ${trainLoss.toFixed(4)}, ${held}test loss ${testLoss.toFixed(4)}, ` +
          `test accuracy ${testCorrect}/${testCount} (${percent(testCorrect / testCount, 2)}), ${seconds.toFixed(1)} s`,
      );
    },
    backTo({ epoch }, ran) {
      print(
        `Ended after epoch ${ran}: back to the weights of epoch ${epoch}, whose validation loss is the lowest.`,
      );
    },
    saved(path) {
      print(`Saved the model to ${path}`);
    },
    reported(path) {
      print(`Wrote the report to ${path}`);
    },
    openSet(report) {
      for (const line of openSetTable(report)) print(line);
    },
    finish({ epoch, testCorrect, testCount }) {
      print(`Test accuracy after ${count(epoch, 'epoch')}: ${percent(testCorrect / testCount, 2)}`);
    },
    warn: printError,
  };
}
