import { GmmlError } from '@gmml/tensor';

/** A mistake in how the command was called: one line on standard error, exit code 2. */
export class UsageError extends GmmlError {}

/** Not an error: the caller asked for a text (`--help`, `--version`) in place of a run. */
export class InformationRequest extends Error {
  readonly text: string;

  constructor(text: string) {
    super('information was asked for');
    this.text = text;
  }
}
