import type { Command } from 'commander';
import { trainCommand } from '../training/options.js';
import { runTraining } from '../training/runTraining.js';

/** `gmml train`: what `gmml-train` does. */
export function trainSubcommand(): Command {
  return trainCommand('train', runTraining);
}
