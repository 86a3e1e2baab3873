// The page that --report writes, read as a browser would: what it shows, that its numbers are those of the run, what it leaves out.
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defaultTrainOptions, silentReporter, train, UsageError } from '@gmml/cli';
import type { Reporter, TrainOptions, TrainResult } from '@gmml/cli';
import { parseHTML } from 'linkedom';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../data/idxFiles.js';
import { gmmlTrain } from './process.js';
import { tinyDigits } from './tinyDigits.js';

const small = { batchSize: 16, dim: 8, lr: 0.5, epochs: 4 };

interface Reported extends TrainResult {
  text: string;
  page: Document;
}

/** Trains on a tiny data set and reads the page. */
async function reportOf(options: Partial<TrainOptions> = {}, reporter?: Reporter): Promise<Reported> {
  const report = join(temporaryFolder(), 'report.html');
  const result = await train({ ...small, data: tinyDigits(), report, ...options }, reporter);
  const text = readFileSync(report, 'utf8');
  return { ...result, text, page: parseHTML(text).document };
}

function all(page: Document, selector: string): Element[] {
  return Array.from(page.querySelectorAll(selector));
}

function words(element: Element | null): string {
  return element!.textContent.replaceAll(/\s+/g, ' ').trim();
}

/** The figure under a heading of the third level. */
function figure(page: Document, title: string): Element | undefined {
  return all(page, 'figure').find((element) => words(element.querySelector('h3')) === title);
}

/** The cells of a table, row by row. */
function cells(table: Element): string[][] {
  return Array.from(table.querySelectorAll('tbody tr'), (row) => Array.from(row.children, words));
}

describe('the page of a run with a mixture head', () => {
  test('has its sections, loads nothing, runs nothing, and says in words what it shows', async () => {
    const { page, text, epochs } = await reportOf({ unseen: 3, valSplit: 0.25, keep: 0.9, epochs: 2 });
    expect(page.documentElement.getAttribute('lang')).toBe('en');
    expect(all(page, 'section').map(({ id }) => id)).toEqual([
      'training',
      'mistakes',
      'calibration',
      'unknown',
      'classes',
      'settings',
    ]);
    expect(all(page, 'nav a').map((link) => link.getAttribute('href'))).toEqual(
      all(page, 'section').map(({ id }) => `#${id}`),
    );
    for (const title of [
      'Loss',
      'Accuracy',
      'Confusion matrix',
      'Reliability',
      'Typicality',
      'Density',
      'The classes',
      'Map of the features',
    ]) {
      expect(figure(page, title)?.getAttribute('aria-label')).toBe(title);
      expect(words(figure(page, title)!.querySelector('figcaption')).length).toBeGreaterThan(40);
    }
    expect(all(page, 'script, iframe, object, link[rel=stylesheet]')).toEqual([]);
    const sources = all(page, '[src], link[href]').map(
      (element) => element.getAttribute('src') ?? element.getAttribute('href')!,
    );
    for (const source of sources) expect(source).toMatch(/^data:/);
    expect(text).not.toMatch(/https?:\/\/(?!www\.w3\.org\/2000\/svg)|@import|url\((?!#)/);

    const levels = all(page, 'h1, h2, h3, h4').map(({ tagName }) => Number(tagName[1]));
    expect(levels[0]).toBe(1);
    for (const [i, level] of levels.entries()) expect(level - (levels[i - 1] ?? 0)).toBeLessThanOrEqual(1);
    for (const chart of all(page, 'svg')) {
      expect(chart.getAttribute('role')).toBe('img');
      expect(chart.getAttribute('aria-label')!.length).toBeGreaterThan(20);
      expect(chart.outerHTML).not.toMatch(/NaN|undefined/);
    }
    for (const picture of all(page, 'img')) expect(picture.getAttribute('alt')).toMatch(/class \d/i);
    expect(new Set(all(page, '[id]').map(({ id }) => id)).size).toBe(all(page, '[id]').length);
    expect(words(page.querySelector('.lead'))).toBe(
      'A network with a GMM head (tril, D = 8, 1 component a class), trained for 2 epochs on 54 images, ' +
        `answers ${epochs[1].testCorrect} of 18 test images right.`,
    );
    expect(text.length).toBeLessThan(300_000);
  });

  test('shows the numbers of the run', async () => {
    const { page, epochs, openSet } = await reportOf({ unseen: 3 });
    const { testCorrect, testCount } = epochs.at(-1)!;
    const { trainedHead, fittedHead, unknown, coverage } = openSet!;
    const percent = (share: number, decimals = 2) => `${(100 * share).toFixed(decimals)} %`;

    const counts = cells(figure(page, 'Confusion matrix')!).map((row) =>
      row.slice(1, -1).map((count) => (count === '·' ? 0 : Number(count))),
    );
    expect(counts.map((row) => row.length)).toEqual(Array.from({ length: 9 }, () => 9));
    expect(counts.flat().reduce((sum, count) => sum + count)).toBe(testCount);
    expect(counts.reduce((sum, row, i) => sum + row[i], 0)).toBe(testCorrect);

    expect(all(page, '#calibration h4').map(words)).toEqual([
      `head as trained: ECE ${percent(trainedHead.ece)}`,
      `head fitted to the features: ECE ${percent(fittedHead.ece)}`,
    ]);
    expect(cells(figure(page, 'Two heads on the same features')!)).toEqual(
      [trainedHead, fittedHead].map(({ accuracy, nll, ece }, i) => [
        ['trained', 'fitted'][i],
        percent(accuracy),
        nll.toFixed(4),
        percent(ece),
      ]),
    );
    expect(cells(figure(page, 'How well unknown inputs are told apart')!)).toEqual(
      Object.entries(unknown).map(([name, { features, featuresAndPosterior, softmax, density }]) => [
        name === 'unseen' ? 'class 3, never seen' : name,
        ...[features, featuresAndPosterior].flatMap(({ auroc, fpr95, rejected }) => [
          auroc.toFixed(3),
          percent(fpr95, 1),
          percent(rejected, 1),
        ]),
        softmax.auroc.toFixed(3),
        density!.auroc.toFixed(3),
      ]),
    );
    expect(all(page, '.numbers dd').map(words)).toEqual([
      percent(trainedHead.accuracy),
      trainedHead.nll.toFixed(4),
      percent(trainedHead.ece),
      percent(coverage.features, 1),
      percent(Math.min(...Object.values(unknown).map(({ features }) => features.rejected)), 1),
    ]);
    // A panel for each set of unknown inputs, an image and its Gaussian's for each class.
    for (const title of ['Typicality', 'Density']) {
      expect(figure(page, title)!.querySelectorAll('svg').length).toBe(5);
    }
    expect(figure(page, 'The classes')!.querySelectorAll('img').length).toBe(18);
    expect(figure(page, 'Map of the features')!.querySelectorAll('ellipse').length).toBe(2 * 2 * 9);
  });

  test('is the same for the same options, but for the seconds, and takes the place of an older file', async () => {
    const data = tinyDigits();
    const report = join(temporaryFolder(), 'report.html');
    const run = async () => {
      await train({ ...small, epochs: 1, data, report });
      return readFileSync(report, 'utf8').replace(/\d+\.\d s</, 'seconds<');
    };
    writeFileSync(report, 'an older file');
    const first = await run();
    expect(await run()).toBe(first);
    expect(readdirSync(join(report, '..'))).toEqual(['report.html']);
  });

  test('escapes what it is given', async () => {
    const data = join(temporaryFolder(), '<script>"&\'');
    cpSync(tinyDigits(), data, { recursive: true });
    const { page, text } = await reportOf({ data, epochs: 1 });
    expect(all(page, 'script')).toEqual([]);
    expect(text).not.toContain('<script');
    const settings = cells(figure(page, 'Settings')!);
    expect(settings).toContainEqual(['data', data]);
    const quoted = `'${data.replace("'", String.raw`'\''`)}'`;
    expect(words(page.querySelector('code'))).toContain(`--data ${quoted} --report `);
  });

  test('changes nothing of the run', async () => {
    const data = tinyDigits();
    const timeless = ({ epochs, openSet }: TrainResult) => ({
      epochs: epochs.map((epoch) => ({ ...epoch, seconds: 0 })),
      openSet,
    });
    const told: string[] = [];
    const reporter: Reporter = {
      ...silentReporter,
      openSet: () => told.push('open set'),
      reported: (path) => told.push(path.replace(/^.*\//, '')),
      finish: () => told.push('finish'),
    };
    const reported = await reportOf({ data }, reporter);
    expect(timeless(reported)).toEqual(timeless(await train({ ...small, data })));
    expect(told).toEqual(['open set', 'report.html', 'finish']);
  });
});

describe('the page of another run', () => {
  test.each<[string, Partial<TrainOptions>]>([
    ['diag', { covType: 'diag' }],
    ['full, three components', { covType: 'full', components: 3 }],
  ])('%s has ellipses and images of every Gaussian', async (_, options) => {
    const { page } = await reportOf({ ...options, epochs: 1 });
    const components = options.components ?? 1;
    expect(figure(page, 'Map of the features')!.querySelectorAll('ellipse').length).toBe(40 * components);
    expect(figure(page, 'The classes')!.querySelectorAll('img').length).toBe(10 * (1 + components));
  });

  test('with a linear head takes density, ellipses and images from the fitted Gaussians', async () => {
    const { page } = await reportOf({ linearClassifier: true });
    expect(words(page.querySelector('.lead'))).toMatch(/^A network with a linear head \(D = 8\), /);
    expect(words(figure(page, 'Density')!.querySelector('figcaption'))).toContain(
      'by the Gaussians fitted to the features',
    );
    expect(all(page, '#classes h4').map(words)).toEqual(['Gaussians fitted to the features']);
    expect(all(page, '#unknown th').map(words)).not.toContain('density');
  });

  test.each([false, true])(
    'without open-set report leaves it out and says so, linear: %s',
    async (linear) => {
      const { page, openSet } = await reportOf({ openSet: false, linearClassifier: linear });
      expect(openSet).toBeUndefined();
      expect(words(page.querySelector('#unknown .note'))).toBe(
        'There is no report on unknown inputs: it was not asked for (--no-open-set).',
      );
      expect(all(page, '#unknown figure')).toEqual([]);
      expect(all(page, '.numbers dd').length).toBe(3);
      expect(all(page, '#calibration h4').length).toBe(1);
      expect(figure(page, 'Map of the features')!.querySelectorAll('ellipse').length).toBe(20);
    },
  );

  test('whose open-set report cannot be made says why', async () => {
    const { page } = await reportOf({ keep: 0.999 });
    expect(words(page.querySelector('#unknown .note'))).toMatch(
      /^There is no report on unknown inputs: .* keep 0\.999 needs at least 999 /,
    );
  });

  test('that was a dry run says so', async () => {
    const { page } = await reportOf({ dryRun: true, testBatchSize: 7 });
    expect(words(page.querySelector('.lead'))).toMatch(
      /, answers \d of 7 test images right\. This was a dry run: one batch of training and one of test\.$/,
    );
  });

  test('of one feature has no map, and says so', async () => {
    const { page } = await reportOf({ dim: 1, openSet: false, epochs: 1 });
    expect(words(page.querySelector('#classes .note'))).toBe(
      'There is no map of the features: a plane takes two features and two classes that differ.',
    );
  });
});

describe('a report that cannot be written', () => {
  test.each([
    [
      { report: 'none/report.html' },
      /^--report must name a file that can be written: .*none.report\.html: there is no such folder\.$/,
    ],
    [{ report: 'taken' }, /^--report must name a file that can be written: .*taken: it is a folder\.$/],
    [
      { report: 'a', saveModel: 'a' },
      /^--report and --save-model must name two files: both are .*\. Give one another name\.$/,
    ],
  ])('%j is refused before anything is loaded', async (files, message) => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'taken'));
    const options = Object.fromEntries(Object.entries(files).map(([key, name]) => [key, join(folder, name)]));
    const refused = await train({ ...options, data: 'no such folder' }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(UsageError);
    expect((refused as UsageError).message).toMatch(message);
  });

  test('as a process: one line, and exit code 2', async () => {
    const folder = temporaryFolder();
    expect(await gmmlTrain('--report', folder)).toEqual({
      code: 2,
      stdout: '',
      stderr: `gmml-train: --report must name a file that can be written: ${folder}: it is a folder.\n`,
    });
  });
});

test('as a process, gmml-train says where the report is', async () => {
  const report = join(temporaryFolder(), 'report.html');
  const args = ['--data', tinyDigits(), '--dry-run', '--no-open-set', '--dim', '8', '--report', report];
  const { code, stdout, stderr } = await gmmlTrain(...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain(`\nWrote the report to ${report}\nTest accuracy after 1 epoch: `);
  const { document } = parseHTML(readFileSync(report, 'utf8'));
  expect(words(document.querySelector('code'))).toBe(
    `gmml-train --dry-run --dim 8 --no-open-set --data ${args[1]} --report ${report}`,
  );
  expect(defaultTrainOptions.report).toBeUndefined();
});
