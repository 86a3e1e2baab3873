// The live bar, on a terminal that is made up: time goes as the test says.
import { textReporter, type EpochResult, type Reporter } from '@gmml/cli';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { barLine, barStyle } from '../../packages/cli/src/progress/barLine.js';
import { barReporter } from '../../packages/cli/src/progress/barReporter.js';
import { canDraw } from '../../packages/cli/src/progress/chooseReporter.js';
import { Rate } from '../../packages/cli/src/progress/rate.js';
import { bytes, clock } from '../../packages/cli/src/formatting.js';
import { FakeTerminal } from './screen.js';

const environment = { LANG: 'en_GB.UTF-8' };
const run = { trainCount: 7996, testCount: 2004, head: 'GMM head', backend: 'wasm', threads: 2 };
const result: EpochResult = {
  epoch: 1,
  trainLoss: 0.5,
  testLoss: 0.25,
  testAccuracy: 0.97,
  testCorrect: 1944,
  testCount: 2004,
  seconds: 2,
};

/** A reporter whose clock the test sets. */
function reporterOn(terminal: FakeTerminal): {
  reporter: Reporter;
  at: (time: number) => Reporter;
  errors: string[];
} {
  let time = 0;
  const errors: string[] = [];
  const reporter = barReporter(terminal, (message) => errors.push(message), { now: () => time, environment });
  return {
    reporter,
    errors,
    at(milliseconds) {
      time = milliseconds;
      return reporter;
    },
  };
}

/** The k-th of 125 batches of 64. */
function batch(k: number, epoch = 1, epochs = 14) {
  const seenAfter = Math.min(7996, 64 * k);
  return { epoch, epochs, seen: 64 * (k - 1), seenAfter, trainCount: 7996, loss: 0.41239 };
}

describe('the bar of an epoch', () => {
  test.each([
    [
      120,
      'Epoch 1/14 ━━━━━━━━━━━━━━━━━━━━────────────────────  50 %  3200 images/s  loss 0.4124  0:02 left (run 0:34)',
    ],
    [80, 'Epoch 1/14 ━━━━━━━━━━━━───────────  50 %  3200 images/s  loss 0.4124  0:02 left'],
    [40, '1/14 ━━━━━────  50 % 3200/s 0.4124 0:02'],
    [30, '1/14  50 % 3200/s 0.4124 0:02'],
    [20, '1/14  50 % 3200/s 0'],
  ])('at %i columns has rate, loss and time left', (columns, line) => {
    const terminal = new FakeTerminal(columns);
    const { at } = reporterOn(terminal);
    at(0).step(batch(1));
    at(1240).step(batch(63));
    expect(terminal.screen).toEqual([line]);
    expect(line.length).toBeLessThan(columns);
  });

  test('is one line below what is printed, and goes without a trace', () => {
    const terminal = new FakeTerminal(100);
    const { reporter, at, errors } = reporterOn(terminal);
    const lines: string[] = [];
    const text = textReporter(
      (line) => lines.push(line),
      () => {},
    );
    for (const told of [reporter, text]) told.start(run);
    at(100).step(batch(1));
    at(300).step(batch(2));
    reporter.batch(batch(2));
    const bar: unknown = expect.stringMatching(
      /^Epoch 1\/14 ━─+ {3}1 % {2}320 images\/s {2}loss 0\.4124 {2}0:25 left \(run 5:50\)$/,
    );
    expect(terminal.screen).toEqual([...lines, bar]);
    reporter.warn('fewer threads');
    expect(errors).toEqual(['fewer threads']);
    expect(terminal.screen).toEqual([...lines, bar]);
    for (const told of [reporter, text]) told.epoch(result);
    expect(terminal.screen).toEqual(lines);
    at(600).step(batch(5, 2));
    expect(terminal.screen.at(-1)).toMatch(/^Epoch 2\/14 ━/);
    for (const told of [reporter, text]) told.saved('model');
    for (const told of [reporter, text]) told.finish(result);
    reporter.close();
    expect(terminal.screen).toEqual(lines);
    expect(terminal.listenerCount('resize')).toBe(0);
  });

  test('is taken away when the run fails', () => {
    const terminal = new FakeTerminal(80);
    const { reporter, at } = reporterOn(terminal);
    at(0).step(batch(1));
    reporter.close();
    expect(terminal.screen).toEqual([]);
  });

  test('is drawn at most ten times a second', () => {
    const terminal = new FakeTerminal(80);
    const { at } = reporterOn(terminal);
    for (let k = 1; k <= 125; k++) at(8 * k).step(batch(k));
    expect(terminal.draws).toBe(10);
  });

  test('fits a terminal that becomes narrower, and one that becomes wider', () => {
    const terminal = new FakeTerminal(80);
    const { reporter, at } = reporterOn(terminal);
    reporter.start(run);
    for (const k of [1, 2, 3]) at(200 * k).step(batch(k));
    const wide = terminal.screen.at(-1)!;
    expect(wide.length).toBe(79);
    // The terminal wraps what it shows: the bar then has two rows.
    terminal.columns = 40;
    terminal.written = ['above', wide.slice(0, 40), wide.slice(40), ''].join('\n');
    terminal.emit('resize');
    expect(terminal.screen).toEqual([
      'above',
      expect.stringMatching(/^1\/14 ─+ {3}2 % \d+\/s 0\.4124 \d:\d\d$/),
    ]);
    terminal.columns = 80;
    terminal.emit('resize');
    expect(terminal.screen).toEqual(['above', wide]);
  });

  test('has colours where the terminal has them, and # where the locale has no lines', () => {
    const colored = new FakeTerminal(80, true);
    const { at } = reporterOn(colored);
    at(0).step(batch(60));
    expect(colored.written).toContain('\u001B[36m━');
    const plain = new FakeTerminal(80);
    barReporter(plain, () => {}, { now: () => 0, environment: { LANG: 'C' } }).step(batch(60));
    expect(plain.screen[0]).toMatch(/^Epoch 1\/14 #+-+ {2}48 % {2}– images\/s/);
  });
});

describe('the bar of testing', () => {
  test('comes after a second', () => {
    const terminal = new FakeTerminal(60);
    const { at } = reporterOn(terminal);
    at(0).testing({ done: 0, total: 10_000 });
    at(900).testing({ done: 4000, total: 10_000 });
    expect(terminal.screen).toEqual([]);
    at(1100).testing({ done: 5000, total: 10_000 });
    expect(terminal.screen[0]).toMatch(/^testing … ━+─+ {2}50 % {2}5000\/10000 images$/);
  });

  test('counts its second anew for each epoch', () => {
    const terminal = new FakeTerminal(60);
    const { at } = reporterOn(terminal);
    at(0).testing({ done: 0, total: 100 });
    at(500).step(batch(1));
    at(1500).testing({ done: 0, total: 100 });
    at(1600).testing({ done: 50, total: 100 });
    expect(terminal.screen[0]).toMatch(/^1\/14/);
  });
});

test('the bar of a file that is fetched', () => {
  const terminal = new FakeTerminal(100);
  const { at } = reporterOn(terminal);
  const file = { file: 'train-images-idx3-ubyte.gz', size: 10_000_000, host: 'example.org' };
  at(0).download({ ...file, received: 4_000_000 });
  at(1000).download({ ...file, received: 6_000_000 });
  const line = 'Fetching train-images-idx3-ubyte.gz (10.0 MB) from example.org …';
  expect(terminal.screen[0]).toBe(line);
  expect(terminal.screen[1]).toMatch(
    /^train-images-idx3-ubyte\.gz ━+─+ {2}60 % {2}6\.0 MB of 10\.0 MB {2}2\.0 MB\/s {2}0:02 left$/,
  );
  at(2000).download({ ...file, received: 10_000_000 });
  expect(terminal.screen).toEqual([line]);
});

test('no line is wider than its terminal', () => {
  const text = fc.string({ unit: 'grapheme-ascii', maxLength: 60 });
  const texts = fc.array(fc.record({ before: text, after: text, minCells: fc.nat(20) }), {
    minLength: 1,
    maxLength: 4,
  });
  fc.assert(
    fc.property(
      texts,
      fc.double({ min: -1, max: 2, noNaN: true }),
      fc.integer({ min: 1, max: 200 }),
      (given, share, columns) => {
        const [first, ...others] = given;
        const line = barLine([first, ...others], share, columns, { colors: false, unicode: true });
        expect(line.length).toBeLessThanOrEqual(columns);
      },
    ),
  );
});

test('a rate forgets what was long ago, by 1/e in three seconds', () => {
  const rate = new Rate();
  expect(rate.perSecond).toBeUndefined();
  rate.add(100, 1);
  expect(rate.perSecond).toBe(100);
  rate.add(600, 3);
  // (100/e + 600) / (1/e + 3)
  expect(rate.perSecond).toBeCloseTo((100 / Math.E + 600) / (1 / Math.E + 3), 10);
});

test.each([
  [{ isTTY: true, columns: 80 }, {}, true],
  [{ isTTY: true, columns: 80 }, { TERM: 'xterm', NO_COLOR: '1' }, true],
  [{ isTTY: true, columns: 80 }, { TERM: 'dumb' }, false],
  [{ isTTY: true, columns: 0 }, {}, false],
  [{ columns: 80 }, {}, false],
  [{}, {}, false],
])('a terminal %o with %o can draw: %s', (terminal, variables, expected) => {
  expect(canDraw(terminal, variables)).toBe(expected);
});

test.each([
  [{ LANG: 'de_DE.utf8' }, true],
  [{ LC_ALL: 'C', LANG: 'de_DE.UTF-8' }, false],
  [{ LC_ALL: '', LC_CTYPE: 'C.UTF-8' }, true],
  [{ WT_SESSION: '1' }, true],
  [{}, false],
])('%o has box drawing characters: %s', (variables, unicode) => {
  expect(barStyle({}, variables)).toEqual({ colors: false, unicode });
});

test('times and sizes in words', () => {
  expect([0, 0.2, 59.1, 60, 3599, 3600, 36_061].map(clock)).toEqual([
    '0:00',
    '0:01',
    '1:00',
    '1:00',
    '59:59',
    '1:00:00',
    '10:01:01',
  ]);
  expect([0, 1, 999, 1000, 28_881, 9_912_422].map(bytes)).toEqual([
    '0 bytes',
    '1 byte',
    '999 bytes',
    '1.0 kB',
    '28.9 kB',
    '9.9 MB',
  ]);
});
