import { silentReporter, type Print, type Reporter } from './reporter.js';

/**
 * One JSON object an epoch, one where early stopping went back to an epoch, and one of the open-set report on `print`,
 * nothing else there. Warnings go to `printError`.
 */
export function jsonReporter(print: Print, printError: Print): Reporter {
  return {
    ...silentReporter,
    epoch({ epoch, trainLoss, valLoss, valAccuracy, testLoss, testAccuracy, seconds }) {
      print(JSON.stringify({ epoch, trainLoss, valLoss, valAccuracy, testLoss, testAccuracy, seconds }));
    },
    backTo({ epoch }, ran) {
      print(JSON.stringify({ bestEpoch: epoch, epochs: ran }));
    },
    openSet(report) {
      print(JSON.stringify(report));
    },
    warn: printError,
  };
}
