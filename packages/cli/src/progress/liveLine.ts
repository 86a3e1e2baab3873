// One line at the bottom of a terminal that is drawn over and over, below everything that is printed meanwhile.
import { clearScreenDown, moveCursor } from 'node:readline';
import { stripVTControlCharacters } from 'node:util';
import { createLogUpdate } from 'log-update';

/** What a live line needs of a terminal: of `process.stdout`, say. */
export type Terminal = NodeJS.WritableStream & { columns?: number; hasColors?(): boolean };

export interface LiveLine {
  /** Draws what `render` makes for so many columns, unless something was drawn less than a tenth of a second ago. */
  show(render: (columns: number) => string): void;
  /** Takes the line away while something else is written, then draws it again. */
  around(write: () => void): void;
  /** Takes the line away, for good or until the next `show`. */
  clear(): void;
  /** The same, and stops listening to the terminal. */
  close(): void;
}

const MILLISECONDS_BETWEEN_DRAWS = 100;

/**
 * The cursor stays visible, on the line below: a process that is killed at any moment leaves a terminal as it should be.
 *
 * @param now milliseconds, rising
 */
export function liveLine(terminal: Terminal, now: () => number): LiveLine {
  const draw = createLogUpdate(withoutWrapping(terminal), { showCursor: true });
  let shown: { render: (columns: number) => string; width: number } | undefined;
  let drawnAt = -Infinity;

  const columnsNow = (): number => terminal.columns || 80;

  /** In a terminal that became narrower the line wraps: takes its further rows away, of which log-update knows nothing. */
  const unwrap = (width: number): void => {
    const rows = Math.ceil(width / columnsNow());
    if (rows <= 1) return;
    moveCursor(terminal, 0, 1 - rows);
    clearScreenDown(terminal);
  };

  const redraw = (render: (columns: number) => string): void => {
    if (shown) unwrap(shown.width);
    // A line as wide as the terminal would put the cursor of some on the next one.
    const line = render(columnsNow() - 1);
    draw(line);
    shown = { render, width: stripVTControlCharacters(line).length };
    drawnAt = now();
  };

  const onResize = (): void => {
    if (shown) redraw(shown.render);
  };
  terminal.on('resize', onResize);

  const clear = (): void => {
    if (!shown) return;
    unwrap(shown.width);
    draw.clear();
    shown = undefined;
    drawnAt = -Infinity;
  };

  return {
    show(render) {
      if (now() - drawnAt >= MILLISECONDS_BETWEEN_DRAWS) redraw(render);
      else if (shown) shown.render = render;
    },
    around(write) {
      const before = shown?.render;
      clear();
      write();
      if (before) redraw(before);
    },
    clear,
    close() {
      clear();
      terminal.off('resize', onResize);
    },
  };
}

/** What to do with a line that reaches the edge, DECAWM: write over its last character, or go on below. */
const WRAP_OFF = '\u001B[?7l';
const WRAP_ON = '\u001B[?7h';

/**
 * The terminal, with what is written in one go not wrapped: tmux tells of another width a quarter of a second late, and a
 * line that is too long until then must not take two rows. It is one write, so that a kill cannot come between.
 */
function withoutWrapping(terminal: Terminal): Terminal {
  const write = (text: string): boolean => terminal.write(WRAP_OFF + text + WRAP_ON);
  return Object.create(terminal, { write: { value: write } }) as Terminal;
}
