// gmml-train on a terminal, and where there is none.
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { mnistFiles, folderOf, temporaryFolder } from '../data/idxFiles.js';
import { mirrorOf } from '../data/mirror.js';
import { gmmlTrain } from './process.js';
import { screenOf } from './screen.js';
import { hasPty, trainOnTerminal } from './terminal.js';
import { tinyDigits } from './tinyDigits.js';

// oxlint-disable-next-line no-control-regex -- escape sequences are what is looked for
const ESCAPE = /\u001B/;
const COLOR = '\u001B[36m';

/** 80 steps an epoch. */
const small = ['--batch-size', '1', '--dim', '8', '--no-open-set', '--threads', '1'];

describe.skipIf(!hasPty)('on a terminal (skipped: no pseudo-terminals, for want of python3)', () => {
  test('a bar runs with rate, loss and time left, and only lines stay', async () => {
    const args = ['--data', tinyDigits(), '--epochs', '3', ...small];
    const { code, written } = await trainOnTerminal({ args, columns: 100 });
    expect(code).toBe(0);
    expect(written).toMatch(/Epoch \d\/3 .* \d+ images\/s {2}loss \d+\.\d{4} {2}0:\d\d left/);
    expect(written).toContain(COLOR);
    expect(screenOf(written, 100)).toEqual([
      'Training on 80 digits, testing on 20. GMM head (tril, D = 8, 1 component a class).',
      'Backend wasm, 1 thread.',
      expect.stringMatching(/^Epoch 1: train loss /),
      expect.stringMatching(/^Epoch 2: train loss /),
      expect.stringMatching(/^Epoch 3: train loss /),
      expect.stringMatching(/^Test accuracy after 3 epochs: /),
    ]);
    // Neither a hidden cursor nor lines that do not wrap are left behind.
    expect(written).not.toContain('\u001B[?25l');
    expect(written.lastIndexOf('\u001B[?7h')).toBeGreaterThan(written.lastIndexOf('\u001B[?7l'));
    expect(written.lastIndexOf('\u001B[?2026l')).toBeGreaterThan(written.lastIndexOf('\u001B[?2026h'));
  });

  test('a Ctrl-C ends it on a line of its own', async () => {
    const args = ['--data', tinyDigits(), '--epochs', '100000', ...small];
    const steps = [{ after: 'images/s', signal: 'SIGINT' as const }];
    const { code, written } = await trainOnTerminal({ args, columns: 200, steps });
    expect(code).toBe(130);
    const screen = screenOf(`${written}$ `, 200);
    expect(screen.at(-1)).toBe('$');
    expect(screen.at(-2)).toMatch(
      /^gmml-train: stopped by SIGINT in epoch \d+ after batch \d+: nothing was kept\./,
    );
    expect(screen.filter((line) => line.includes('images/s'))).toEqual([]);
  });

  test('another width redraws it', async () => {
    const args = ['--data', tinyDigits(), '--epochs', '100000', ...small];
    const steps = [
      { after: 'images/s', columns: 40 },
      { after: '/s 0.', columns: 120 },
      { after: '(run ', signal: 'SIGTERM' as const },
    ];
    const { code, written } = await trainOnTerminal({ args, columns: 80, steps });
    expect(code).toBe(143);
    const drawn = written.slice(0, written.indexOf(')', written.lastIndexOf('(run ')) + 1);
    expect(screenOf(drawn, 120).at(-1)).toMatch(/^Epoch \d+\/100000 .* images\/s .* left \(run [\d:]+\)$/);
  });

  test('an error takes it away and stands alone', async () => {
    const args = ['--data', tinyDigits(), '--lr', '1e30', ...small];
    const { code, written } = await trainOnTerminal({ args, columns: 200 });
    expect(code).toBe(1);
    const screen = screenOf(written, 200);
    expect(screen.slice(2)).toEqual([
      expect.stringMatching(/^gmml-train: (epoch \d+, batch \d+|testing): .* try a smaller --lr\.$/),
    ]);
  });

  test.each([
    ['NO_COLOR', { NO_COLOR: '1' }, true, false],
    ['FORCE_COLOR=0', { FORCE_COLOR: '0' }, true, false],
    ['a dumb terminal', { TERM: 'dumb' }, false, false],
  ])('%s is respected', async (_, environment, draws, colors) => {
    const args = ['--data', tinyDigits(), '--epochs', '1', ...small];
    const { code, written } = await trainOnTerminal({ args, columns: 80, environment });
    expect(code).toBe(0);
    expect({ draws: ESCAPE.test(written), colors: written.includes(COLOR) }).toEqual({ draws, colors });
    expect(written.includes('Train Epoch: 1 [70/80 (88%)]')).toBe(!draws);
  });

  test.each([['--json'], ['--quiet']])('%s draws nothing', async (form) => {
    const args = ['--data', tinyDigits(), '--dry-run', ...small, form];
    const { code, written } = await trainOnTerminal({ args, columns: 80 });
    expect(code).toBe(0);
    expect(written).toMatch(/^(\{"epoch":1,.*\}|Test accuracy after 1 epoch: \d+\.\d\d %)\r\n$/);
  });
});

describe('where there is no terminal', () => {
  test('lines are plain, whatever the variables say', async () => {
    const { code, stdout, stderr } = await gmmlTrain('--data', tinyDigits(), '--epochs', '1', ...small);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).not.toMatch(ESCAPE);
    expect(stdout.split('\n').map((line) => line.replaceAll(/\d+\.\d+/g, '0.0'))).toEqual([
      'Training on 80 digits, testing on 20. GMM head (tril, D = 8, 1 component a class).',
      'Backend wasm, 1 thread.',
      ...[0, 10, 20, 30, 40, 50, 60, 70].map(
        (seen) => `Train Epoch: 1 [${seen}/80 (${Math.round((100 * seen) / 80)}%)]  Loss: 0.0`,
      ),
      expect.stringMatching(
        /^Epoch 1: train loss 0\.0, test loss 0\.0, test accuracy \d+\/20 \(0\.0 %\), 0\.0 s$/,
      ),
      'Test accuracy after 1 epoch: 0.0 %',
      '',
    ]);
  });

  test('--quiet leaves the last line', async () => {
    const run = await gmmlTrain('--data', tinyDigits(), '--epochs', '1', '--quiet', '--dim', '8');
    expect(run).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^Test accuracy after 1 epoch: \d+\.\d\d %\n$/),
      stderr: '',
    });
  });

  test('--quiet leaves warnings and errors', async () => {
    const args = ['--data', tinyDigits(), '--quiet', '--dim', '8', '--lr', '1e30'];
    const { code, stdout, stderr } = await gmmlTrain(...args, '--backend', 'reference', '--threads', '2');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(
      /^gmml-train: asked for backend reference, 2 threads: .*\ngmml-train: .* try a smaller --lr\.\n$/,
    );
  });

  test('--download holds what comes to the data set’s size, and leaves nothing', async () => {
    const files = mnistFiles([0, 1], [1]);
    const mirror = await mirrorOf(
      Object.fromEntries(Object.entries(files).map(([name, file]) => [`${name}.gz`, Buffer.from(file)])),
    );
    const folder = join(temporaryFolder(), 'mnist');
    const args = ['--download', 'mnist', '--data', folder, '--mirror', mirror.url];
    expect(await gmmlTrain(...args)).toEqual({
      code: 1,
      stdout: '',
      stderr:
        `gmml-train: train-images-idx3-ubyte.gz must come from a mirror: ${mirror.host} has a file of 1584 bytes, ` +
        'not 9912422. Try again, which goes on where this ended, or put train-images-idx3-ubyte.gz, ' +
        `train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz into ${folder} yourself.\n`,
    });
  });

  test('--download leaves somebody’s files alone', async () => {
    const folder = folderOf({ 'train-labels-idx1-ubyte.gz': Uint8Array.of(1, 2, 3) });
    expect(await gmmlTrain('--download', 'mnist', '--data', folder)).toEqual({
      code: 2,
      stdout: '',
      stderr:
        `gmml-train: --download mnist: ${join(folder, 'train-labels-idx1-ubyte.gz')} must be a file of the data set: ` +
        'it has 3 bytes, not 28881. Move it away, or give another folder.\n',
    });
  });
});
