#!/usr/bin/env node
import { DuplicateShardError } from '@gmml/gmm/statistics';
import { Command, CommanderError } from 'commander';
import { exportCommand } from './commands/export.js';
import { evalCommand } from './commands/eval.js';
import { fitCommand } from './commands/fit.js';
import { infoCommand } from './commands/info.js';
import { initCommand } from './commands/init.js';
import { mergeCommand } from './commands/merge.js';
import { predictCommand } from './commands/predict.js';
import { statsCommand } from './commands/stats.js';
import { trainSubcommand } from './commands/train.js';
import { UsageError } from './errors.js';
import { InterruptedError } from './training/checkpoint/interruption.js';
import { errorPrinter, watchStandardStreams } from './standardStreams.js';
import { version } from './version.js';

const printError = errorPrinter('gmml');
watchStandardStreams(printError);

process.exitCode = await main(process.argv.slice(2));

/** Runs the command. Gives the exit code: 0 done, 1 failed, 2 called in a wrong way, or one of the subcommand's own. */
async function main(args: readonly string[]): Promise<number> {
  let exitCode = 0;
  const finish = (code: number): void => {
    exitCode = code;
  };
  const program = new Command('gmml')
    .description('Gaussian mixtures and classifiers of data in files, in one or in many pieces.')
    .version(version());
  const commands = [
    trainSubcommand(),
    exportCommand(),
    fitCommand(),
    predictCommand(),
    evalCommand(),
    infoCommand(),
    initCommand(),
    statsCommand(),
    mergeCommand(finish),
  ];
  for (const command of commands) program.addCommand(command);
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({ writeErr: () => {} });
  }
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return 0;
      if (args.length === 0) {
        process.stderr.write(program.helpInformation());
        return 2;
      }
      const problem = error.message.replace(/^error: |\.$/g, '').replaceAll(/\s+/g, ' ');
      printError(`${problem}. gmml --help lists the commands, gmml <command> --help their options.`);
      return 2;
    }
    printError(error instanceof Error ? error.message : String(error));
    if (error instanceof InterruptedError) return error.exitCode;
    return error instanceof UsageError || error instanceof DuplicateShardError ? 2 : 1;
  }
}
