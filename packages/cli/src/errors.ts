import { ArgumentError, GmmlError } from '@gmml/tensor';

/** A mistake in how the command was called: one line on standard error, exit code 2. */
export class UsageError extends GmmlError {}

/** Throws what a library refuses as a mistake of whoever gave the option, and other errors as they are. */
export function asUsageError(option: string): (error: unknown) => never {
  return (error) => {
    throw error instanceof ArgumentError
      ? new UsageError(`${option}: ${error.message}`, { cause: error })
      : error;
  };
}

/** Not an error: the caller asked for a text (`--help`, `--version`) in place of a run. */
export class InformationRequest extends Error {
  readonly text: string;

  constructor(text: string) {
    super('information was asked for');
    this.text = text;
  }
}
