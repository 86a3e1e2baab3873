import { silentReporter, type Print, type Reporter } from './reporter.js';

/** One JSON object an epoch and one of the open-set report on `print`, nothing else there. Warnings go to `printError`. */
export function jsonReporter(print: Print, printError: Print): Reporter {
  return {
    ...silentReporter,
    epoch({ epoch, trainLoss, testLoss, testAccuracy, seconds }) {
      print(JSON.stringify({ epoch, trainLoss, testLoss, testAccuracy, seconds }));
    },
    openSet(report) {
      print(JSON.stringify(report));
    },
    warn: printError,
  };
}
