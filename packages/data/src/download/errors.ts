import { GmmlError } from '@gmml/tensor';

/** A file of a data set could not be fetched, is not what it must be, or cannot be written. */
export class DownloadError extends GmmlError {}

/** A mirror is of no use for a file: another one may be. */
export class MirrorError extends Error {}

/** A mirror did not answer this time, or not to the end: it may the next time. */
export class PassingError extends Error {
  /** Milliseconds that the mirror asks to be left alone. */
  readonly retryAfter: number | undefined;

  constructor(message: string, options: { retryAfter?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.retryAfter = options.retryAfter;
  }
}
