import { styleText } from 'node:util';

/** What stands on both sides of a bar. */
export interface BarText {
  before: string;
  after: string;
  /** Cells that the bar must have, or a shorter text is taken. */
  minCells: number;
}

export interface BarStyle {
  colors: boolean;
  /** Box drawing characters, where the terminal is known to have them; # and - otherwise. */
  unicode: boolean;
}

/** A longer bar says no more. */
const MOST_CELLS = 40;

/**
 * A line of at most `columns` characters: a bar of which `share`, from 0 to 1, is filled, in the first of `texts` that
 * leaves room for it. Where none does, the last of them without a bar, cut at its end.
 */
export function barLine(
  texts: readonly [BarText, ...BarText[]],
  share: number,
  columns: number,
  { colors, unicode }: BarStyle,
): string {
  const room = ({ before, after }: BarText): number => columns - before.length - after.length - 2;
  const text = texts.find((candidate) => room(candidate) >= candidate.minCells);
  if (!text) {
    const { before, after } = texts[texts.length - 1];
    return `${before} ${after}`.slice(0, columns);
  }
  const cells = Math.min(MOST_CELLS, room(text));
  const filled = Math.round(cells * Math.min(1, Math.max(0, share)));
  const [full, empty] = unicode ? ['━', '─'] : ['#', '-'];
  const paint = (color: 'cyan' | 'gray', cell: string): string =>
    colors && cell !== '' ? styleText(color, cell, { validateStream: false }) : cell;
  const bar = paint('cyan', full.repeat(filled)) + paint('gray', empty.repeat(cells - filled));
  return [text.before, bar, text.after].filter((part) => part !== '').join(' ');
}

/** Colours as the stream says, which knows NO_COLOR and FORCE_COLOR; characters as the locale says. */
export function barStyle(
  terminal: { hasColors?(): boolean },
  environment: Readonly<Record<string, string | undefined>>,
): BarStyle {
  const { LC_ALL, LC_CTYPE, LANG, WT_SESSION } = environment;
  return {
    colors: terminal.hasColors?.() ?? false,
    unicode: WT_SESSION !== undefined || /utf-?8/i.test(LC_ALL || LC_CTYPE || LANG || ''),
  };
}
