import { constants } from 'node:os';
import { GmmlError } from '@gmml/tensor';
import { shellWord } from '../../options/commandLine.js';

type StopSignal = 'SIGINT' | 'SIGTERM';

/** A signal stopped the run: one line on standard error, and a shell's exit code for that signal. */
export class InterruptedError extends GmmlError {
  /** 130 for SIGINT, 143 for SIGTERM. */
  readonly exitCode: number;

  constructor(signal: StopSignal, message: string) {
    super(message);
    this.exitCode = 128 + constants.signals[signal];
  }
}

/**
 * Notes that SIGINT or SIGTERM has come, between `begin` and `end`, in place of ending the process. After the first one
 * signals do again what they always do, so that a second one ends the process at once, whatever it is at.
 */
export class Interruption {
  #signal: StopSignal | undefined;
  readonly #note = (signal: NodeJS.Signals): void => {
    this.#signal = signal as StopSignal;
    this.end();
  };

  /** What has come, if anything has. */
  get signal(): StopSignal | undefined {
    return this.#signal;
  }

  begin(): void {
    process.on('SIGINT', this.#note).on('SIGTERM', this.#note);
  }

  end(): void {
    process.off('SIGINT', this.#note).off('SIGTERM', this.#note);
  }
}

/**
 * The command that goes on from `folder`: the words that this one was started with, and `--resume`.
 *
 * @param program what is typed before the arguments: 'gmml-train'
 * @example
 * resumeCommand('gmml-train', ['--checkpoint', 'my run'], 'my run'); // "gmml-train --checkpoint 'my run' --resume 'my run'"
 */
export function resumeCommand(program: string, args: readonly string[], folder: string): string {
  const isAsked = args.some(
    (word, i) => word === `--resume=${folder}` || (word === folder && args[i - 1] === '--resume'),
  );
  const others = args.filter(
    (word, i) => word !== '--resume' && !word.startsWith('--resume=') && args[i - 1] !== '--resume',
  );
  return [program, ...(isAsked ? args : [...others, '--resume', folder]).map(shellWord)].join(' ');
}
