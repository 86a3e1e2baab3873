// What a terminal would show of what was written to it: the sequences that the live line uses, and no others.
import { Writable } from 'node:stream';

/** The lines of a terminal so many columns wide, from the first to the last that has text. */
export function screenOf(written: string, columns: number): string[] {
  const lines = [''];
  let [row, column, wraps] = [0, 0, true];
  const put = (character: string): void => {
    if (column === columns && wraps) [row, column] = [row + 1, 0];
    column = Math.min(column, columns - 1);
    while (lines.length <= row) lines.push('');
    const line = lines[row].padEnd(column);
    lines[row] = line.slice(0, column) + character + line.slice(column + 1);
    column++;
  };
  // oxlint-disable-next-line no-control-regex -- escape sequences are what is read here
  for (const [token] of written.matchAll(/\u001B\[[?\d;]*[A-Za-z]|[^\u001B]/gu)) {
    const [, argument, command] = /^.\[([?\d;]*)(\w)$/u.exec(token) ?? [];
    const count = Number(argument || 1);
    if (command === undefined) {
      if (token === '\n') [row, column] = [row + 1, 0];
      else if (token === '\r') column = 0;
      else put(token);
    } else if (command === 'A') row = Math.max(0, row - count);
    else if (command === 'G') column = count - 1;
    else if (command === 'K') lines[row] = argument === '2' ? '' : (lines[row] ?? '').slice(0, column);
    else if (command === 'J') {
      lines[row] = (lines[row] ?? '').slice(0, column);
      lines.length = row + 1;
    } else if (argument === '?7') wraps = command === 'h';
    else if (argument !== '?2026' && command !== 'm') throw new Error(`unknown: ${JSON.stringify(token)}`);
    while (lines.length <= row) lines.push('');
  }
  const last = lines.findLastIndex((line) => line.trim() !== '');
  return lines.slice(0, last + 1).map((line) => line.trimEnd());
}

/** A terminal that keeps what is written to it. */
export class FakeTerminal extends Writable {
  readonly isTTY = true;
  readonly rows = 24;
  columns: number;
  written = '';
  /** How often a line was drawn. */
  draws = 0;
  readonly #colors: boolean;

  constructor(columns: number, colors = false) {
    super();
    this.columns = columns;
    this.#colors = colors;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.written += chunk.toString();
    if (chunk.includes('?2026h')) this.draws++;
    done();
  }

  hasColors(): boolean {
    return this.#colors;
  }

  get screen(): string[] {
    return screenOf(this.written, this.columns);
  }
}
