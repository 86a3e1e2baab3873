import { basename } from 'node:path';
import { chooseReporter } from '../progress/chooseReporter.js';
import { Interruption, resumeCommand } from './checkpoint/interruption.js';
import { fetchDataSet } from './fetchDataSet.js';
import type { GmmlTrainOptions } from './options.js';
import { train } from './train.js';

/**
 * Trains, on a data set that is fetched first where that is asked for, and reports on standard output; SIGINT and SIGTERM
 * stop it between two steps.
 */
export async function runTraining({
  json,
  quiet,
  download,
  mirror,
  given,
  ...options
}: GmmlTrainOptions): Promise<void> {
  const reporter = await chooseReporter({ json, quiet }, programName());
  try {
    const { data } = options;
    const folder = download === undefined ? data : await fetchDataSet({ download, mirror, data }, reporter);
    await train({ ...options, data: folder }, reporter, {
      given,
      interruption: new Interruption(),
      resumeCommand: (checkpoints) => resumeCommand(typedProgram(), process.argv.slice(2), checkpoints),
    });
  } finally {
    reporter.close();
  }
}

/** 'gmml-train', or 'gmml' of `gmml train`. */
function programName(): string {
  return basename(process.argv[1], '.js');
}

/** What was typed before the arguments: a script that runs this one says so in GMML_COMMAND. */
function typedProgram(): string {
  return process.env.GMML_COMMAND ?? programName();
}
