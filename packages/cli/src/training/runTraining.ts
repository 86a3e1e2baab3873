import { jsonReporter } from '../progress/jsonReporter.js';
import { textReporter } from '../progress/textReporter.js';
import { errorPrinter } from '../streams.js';
import type { GmmlTrainOptions } from './options.js';
import { train } from './train.js';

/** Trains, and reports on standard output. */
export async function runTraining({ json, ...options }: GmmlTrainOptions): Promise<void> {
  const reporter = json ? jsonReporter : textReporter;
  await train(options, reporter(printLine, errorPrinter('gmml-train')));
}

function printLine(line: string): void {
  process.stdout.write(`${line}\n`);
}
