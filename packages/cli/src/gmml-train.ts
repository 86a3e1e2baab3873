#!/usr/bin/env node
import { InformationRequest, UsageError } from './errors.js';
import { InterruptedError } from './training/checkpoint/interruption.js';
import { parseOptions } from './training/options.js';
import { errorPrinter, watchStandardStreams } from './standardStreams.js';
import { runTraining } from './training/runTraining.js';

const printError = errorPrinter('gmml-train');
watchStandardStreams(printError);

process.exitCode = await main(process.argv.slice(2));

/** Runs the command. Gives the exit code: 0 done, 1 failed, 2 called in a wrong way. */
async function main(args: readonly string[]): Promise<number> {
  try {
    await runTraining(parseOptions(args));
    return 0;
  } catch (error) {
    if (error instanceof InformationRequest) {
      process.stdout.write(error.text);
      return 0;
    }
    printError(error instanceof Error ? error.message : String(error));
    if (error instanceof InterruptedError) return error.exitCode;
    return error instanceof UsageError ? 2 : 1;
  }
}
