// What stands behind an option of the command line: how it is read, and what is said where it cannot be.
import { Option } from 'commander';
import { UsageError } from '../errors.js';

/** Reads the text after an option, or says what is allowed there. */
export interface ValueReader {
  allowed: string;
  /** The help need not repeat what is allowed. */
  obvious?: boolean;
  /** Gives undefined for what is not allowed. */
  read(text: string): unknown;
}

/** An option with a value that `reader` reads. */
export function valued(flags: string, description: string, reader: ValueReader): Option {
  const option = new Option(flags, reader.obvious ? description : `${description}: ${reader.allowed}`);
  return option.argParser((text) => {
    const value = reader.read(text);
    if (value === undefined)
      throw new UsageError(`${option.long} must be ${reader.allowed}: it is '${text}'.`);
    return value;
  });
}

export function integer(min: number, max: number): ValueReader {
  return {
    allowed: `an integer from ${min} to ${max}`,
    read(text) {
      const value = /^\d+$/.test(text) ? Number(text) : NaN;
      return value >= min && value <= max ? value : undefined;
    },
  };
}

/** A decimal number, such as 3, .5 or 1e-3. */
function number(allowed: string, isAllowed: (value: number) => boolean): ValueReader {
  return {
    allowed,
    read(text) {
      const value = /^\d*\.?\d+(e[+-]?\d+)?$/i.test(text) ? Number(text) : NaN;
      return Number.isFinite(value) && isAllowed(value) ? value : undefined;
    },
  };
}

export const positive = number('a number above 0', (value) => value > 0);
/** Nobody means more than 1e300, and what is computed with it would overflow. */
export const notNegative = number('a number of at least 0', (value) => value < 1e300);
/** [0, 1]. */
export const fraction = number('a number from 0 to 1', (value) => value <= 1);
/** [0, 1). */
export const fractionBelowOne = number('a number from 0 and below 1', (value) => value < 1);
/** (0, 1). */
export const properFraction = number('a number above 0 and below 1', (value) => value > 0 && value < 1);

export const threads: ValueReader = {
  allowed: "an integer from 1 to 256 or 'auto'",
  read: (text) => (text === 'auto' ? text : integer(1, 256).read(text)),
};

/** A file or a folder. */
export const fileName = anyText('a path');
/** A column, a shard. */
export const properName = anyText('a name');

/** Any text but none. */
function anyText(allowed: string): ValueReader {
  return { allowed, obvious: true, read: (text) => (text === '' ? undefined : text) };
}

export const webAddress: ValueReader = {
  allowed: 'a URL with http or https',
  obvious: true,
  read: (text) =>
    URL.canParse(text) && ['http:', 'https:'].includes(new URL(text).protocol) ? text : undefined,
};

/** What stands between two fields of a CSV file: no quote and no end of a line, which have a meaning of their own there. */
export const delimiter: ValueReader = {
  allowed: "one character, or 'tab'",
  read: (text) => (text === 'tab' ? '\t' : /^[^"\r\n]$/.test(text) ? text : undefined),
};

/** `from:to`, either of which may be missing. */
export const rowRange: ValueReader = {
  allowed: 'from:to, the first row and the first that is not meant any more',
  read(text) {
    const [, from, to] = /^(\d*):(\d*)$/.exec(text) ?? [];
    if (from === undefined) return undefined;
    const range = { from: from === '' ? 0 : Number(from), to: to === '' ? undefined : Number(to) };
    return range.to === undefined || range.to > range.from ? range : undefined;
  },
};

export function oneOf(...choices: readonly string[]): ValueReader {
  return {
    allowed: `one of ${choices.join(', ')}`,
    read: (text) => (choices.includes(text) ? text : undefined),
  };
}

/** 'auto' or what `reader` reads. */
export function autoOr(reader: ValueReader): ValueReader {
  return {
    allowed: `${reader.allowed}, or auto`,
    read: (text) => (text === 'auto' ? text : reader.read(text)),
  };
}
