// Subcommands of `gmml` that write a file, with the options that all of them have.
import { Command } from 'commander';
import { fileName, oneOf, threads, valued } from './values.js';

/** A subcommand that writes a file. */
export function writingCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .addOption(valued('--output <file>', 'where the result goes (default: standard output)', fileName))
    .allowExcessArguments(false);
}

/** What `writingCommand` adds. */
export interface WritingFlags {
  readonly output?: string;
}

/** A subcommand that computes what it writes. */
export function computingCommand(name: string, description: string): Command {
  return writingCommand(name, description)
    .addOption(
      valued('--backend <name>', 'what computes', oneOf('auto', 'wasm', 'reference')).default('auto'),
    )
    .addOption(valued('--threads <n>', 'threads that compute', threads).default(1));
}

/** What `computingCommand` adds. */
export interface ComputingFlags extends WritingFlags {
  readonly backend: 'auto' | 'wasm' | 'reference';
  readonly threads: number | 'auto';
}
