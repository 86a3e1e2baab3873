// How options are typed.

/** The option behind a name in the code: 'batchSize' is --batch-size. */
export function flagOf(name: string): string {
  return `--${name.replaceAll(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`)}`;
}

/** The value of an option; 'none' for an empty list. */
export function optionText(value: string | number | boolean | readonly string[]): string {
  return Array.isArray(value) ? value.join(',') || 'none' : String(value);
}

/** A word as a POSIX shell takes it. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
