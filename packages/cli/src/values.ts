// What stands behind an option of the command line: how it is read, and what is said where it cannot be.
import { readFileSync } from 'node:fs';
import { Option } from 'commander';
import { UsageError } from './errors.js';

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
export function number(allowed: string, isAllowed: (value: number) => boolean): ValueReader {
  return {
    allowed,
    read(text) {
      const value = /^\d*\.?\d+(e[+-]?\d+)?$/i.test(text) ? Number(text) : NaN;
      return Number.isFinite(value) && isAllowed(value) ? value : undefined;
    },
  };
}

export const positive = number('a number above 0', (value) => value > 0);
export const notNegative = number('a number of at least 0', () => true);
export const fraction = number('a number from 0 to 1', (value) => value <= 1);
export const part = number('a number from 0 and below 1', (value) => value < 1);
export const share = number('a number above 0 and below 1', (value) => value > 0 && value < 1);

export const threads: ValueReader = {
  allowed: "an integer from 1 to 256 or 'auto'",
  read: (text) => (text === 'auto' ? text : integer(1, 256).read(text)),
};

export const fileName: ValueReader = {
  allowed: 'a path',
  obvious: true,
  read: (text) => (text === '' ? undefined : text),
};

export const webAddress: ValueReader = {
  allowed: 'a URL with http or https',
  obvious: true,
  read: (text) =>
    URL.canParse(text) && ['http:', 'https:'].includes(new URL(text).protocol) ? text : undefined,
};

export function oneOf(...choices: readonly string[]): ValueReader {
  return {
    allowed: `one of ${choices.join(', ')}`,
    read: (text) => (choices.includes(text) ? text : undefined),
  };
}

export function version(): string {
  const file = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(file) as { version: string }).version;
}
