#!/usr/bin/env node
import { InformationRequest, UsageError } from './errors.js';
import { parseOptions } from './options.js';
import { jsonReporter, textReporter } from './report.js';
import { endWithOutput, errorPrinter } from './streams.js';
import { train } from './train.js';

const printError = errorPrinter('gmml-train');
endWithOutput(printError);

process.exitCode = await main(process.argv.slice(2));

/** Runs the command. Gives the exit code: 0 done, 1 failed, 2 called in a wrong way. */
async function main(args: readonly string[]): Promise<number> {
  try {
    const { json, ...options } = parseOptions(args);
    await train(options, (json ? jsonReporter : textReporter)(printLine, printError));
    return 0;
  } catch (error) {
    if (error instanceof InformationRequest) {
      process.stdout.write(error.text);
      return 0;
    }
    printError(error instanceof Error ? error.message : String(error));
    return error instanceof UsageError ? 2 : 1;
  }
}

function printLine(line: string): void {
  process.stdout.write(`${line}\n`);
}
