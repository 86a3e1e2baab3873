// examples/draw-and-teach as a person uses it: by pointer and by keys, in a window of a desk and of a phone.
// --reporter=verbose tells what was counted; GMML_PICTURE=1 makes docs/images/draw-and-teach.png.
import { copyFileSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import axe from 'axe-core';
import type { Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { furtherDrawings, unknownDrawings } from '../../examples/draw-and-teach/data/unknownDrawings.js';
import { pictureOf } from '../../examples/draw-and-teach/src/digits.js';
import type { Drawing } from '../../examples/draw-and-teach/src/strokes.js';
import { traced } from '../../examples/draw-and-teach/src/tracing.js';
import { LONG, startChromium } from './chromium.js';
import { draw, open, ready, reply, teach, type Opened, type Reply } from './drawAndTeach/page.js';
import { gapsDuring } from './drawAndTeach/frames.js';
import { startSite, type Site } from './drawAndTeach/site.js';

/** Of each digit. */
const EACH = 20;

/** Sides of the squares in which digits and other drawings lie. */
const [DIGIT, CANVAS] = [28, 280];

const PICTURE = fileURLToPath(new URL('../../docs/images/draw-and-teach.png', import.meta.url));

const chromium = startChromium();
const pictures = mkdtempSync(join(tmpdir(), 'gmml-pictures-'));
let site: Site;

beforeAll(async () => {
  if (!chromium.isThere) return;
  site = await startSite();
}, LONG);

afterAll(async () => {
  await site?.close();
  if (process.env.GMML_PICTURE) copyFileSync(join(pictures, 'draw-light-1200.png'), PICTURE);
  rmSync(pictures, { recursive: true });
});

/** What is the page's own is asked for, and nothing goes wrong. */
function expectNothingWrong({ complaints, requests }: Opened): void {
  expect(complaints).toEqual([]);
  expect(requests.filter((url) => !url.startsWith(site.address) && !url.startsWith('blob:'))).toEqual([]);
}

describe('the first tab', { timeout: LONG }, () => {
  const taught = 'heart';
  let opened: Opened;
  let page: Page;
  let digits: { readonly label: string; readonly strokes: Drawing }[];
  let repliesBefore: Reply[];

  beforeAll(async () => {
    if (!chromium.isThere) return;
    opened = await open(chromium.browser(), site.address);
    ({ page } = opened);
    const { labels } = site.digits.test;
    const seen = Array.from({ length: 10 }, () => 0);
    digits = [...labels.keys()]
      .filter((i) => seen[labels[i]]++ < EACH)
      .map((i) => ({ label: String(labels[i]), strokes: traced(pictureOf(site.digits.test, i)) }));
  }, LONG);

  const drawDigits = (): Promise<Reply[]> =>
    drawAll(
      page,
      digits.map(({ strokes }) => strokes),
      DIGIT,
    );
  const right = (replies: readonly Reply[]): number =>
    replies.filter(({ best }, i) => best === digits[i].label).length;

  test('recognises test digits that are drawn with the pointer', async ({ annotate }) => {
    repliesBefore = await drawDigits();
    expect(repliesBefore.length).toBe(10 * EACH);
    const answered = repliesBefore.filter(({ label }, i) => label === digits[i].label).length;
    const kept = repliesBefore.filter(({ label }) => label !== 'none of these').length;
    await annotate(
      `right ${right(repliesBefore)}, right and kept ${answered}, kept ${kept} of ${digits.length} digits`,
    );
    expect(answered / digits.length).toBeGreaterThanOrEqual(0.9);
    expect(kept / digits.length).toBeGreaterThanOrEqual(0.93);
  });

  test('says none of these to letters, scribbles and an empty canvas', async ({ annotate }) => {
    const unknown = unknownDrawings().filter(({ index }) => index % 2 === 1);
    const replies = await drawAll(
      page,
      unknown.map(({ strokes }) => strokes),
      CANVAS,
    );
    const none = replies.filter(({ label }) => label === 'none of these').length;
    await annotate(`none of these: ${none} of ${unknown.length} letters and scribbles`);
    expect(none / unknown.length).toBeGreaterThanOrEqual(0.8);
    await page.locator('#clear').click();
    expect(await reply(page)).toEqual({ label: 'none of these', best: '' });
  });

  test('learns a symbol of 5 drawings, and keeps its digits', async ({ annotate }) => {
    const [lesson, further] = heartsFor(taught);
    await teach(page, taught, lesson, CANVAS);
    const replies = await drawAll(page, further, CANVAS);
    const known = replies.filter(({ label }) => label === taught).length;
    const change = right(await drawDigits()) - right(repliesBefore);
    await annotate(
      `taught: ${known} of ${further.length} recognised, digits right: ${change} of ${digits.length}`,
    );
    expect(known).toBeGreaterThanOrEqual(9);
    expect(change / digits.length).toBeGreaterThanOrEqual(-0.01);
  });

  test('remembers it when it is loaded again, saves it, forgets it, and opens it', async () => {
    const [, [one]] = heartsFor(taught);
    await page.reload();
    await ready(page);
    expect(await draw(page, one, CANVAS)).toMatchObject({ label: taught });

    const [file] = await Promise.all([page.waitForEvent('download'), page.locator('#save').click()]);
    const path = join(pictures, file.suggestedFilename());
    await file.saveAs(path);
    await page.getByRole('button', { name: `Forget ${taught}` }).click();
    await page.locator('#taught-status', { hasText: `Forgot ${taught}.` }).waitFor();
    expect((await draw(page, one, CANVAS)).label).not.toBe(taught);

    await page.locator('#file').setInputFiles(path);
    await page.locator('#taught-status', { hasText: 'Opened' }).waitFor();
    expect(await draw(page, one, CANVAS)).toMatchObject({ label: taught });

    writeFileSync(path, 'no model');
    await page.locator('#file').setInputFiles(path);
    await page.locator('#taught-status', { hasText: 'cannot be opened' }).waitFor();
    await page.locator('#reset').click();
    await page.locator('#taught-status', { hasText: 'As it was delivered.' }).waitFor();
    expect((await draw(page, one, CANVAS)).label).not.toBe(taught);
    expectNothingWrong(opened);
    await page.context().close();
  });
});

test(
  'trains an epoch beside the page, which goes on showing frames, and stops when it is told to',
  async ({ annotate }) => {
    const opened = await open(chromium.browser(), site.address);
    const { page } = opened;
    await page.locator('#tab-train').click();
    await page.locator('#train-backend', { hasText: 'wasm' }).waitFor();
    await page.locator('#epochs').fill('1');
    const status = page.locator('#train-status');
    const gaps = await gapsDuring(page, async () => {
      await page.locator('#train').click();
      await status.filter({ hasText: /^Done/ }).waitFor({ timeout: LONG });
    });
    const longest = gaps.reduce((a, b) => (b.length > a.length ? b : a));
    const busiest = Math.max(...gaps.map(({ own }) => own));
    await annotate(
      `${gaps.length} frames, the longest gap ${longest.length.toFixed(0)} ms, ${longest.own.toFixed(0)} of them the page's own; at most ${busiest.toFixed(0)}`,
    );
    // Of a long gap on a busy machine the page itself has a small part.
    expect(gaps.length).toBeGreaterThan(100);
    expect(gaps.filter(({ length, own }) => length > 100 && own > 50)).toEqual([]);
    expect(busiest).toBeLessThan(100);
    const accuracy = await page.locator('#train-figures div:last-child dd').textContent();
    expect(Number.parseFloat(accuracy!)).toBeGreaterThan(90);
    expect(await page.locator('#loss-curve svg path').count()).toBeGreaterThan(0);

    await page.locator('#train').click();
    await status.filter({ hasText: /^Epoch 1 of 1 …|^Tracing/ }).waitFor({ timeout: LONG });
    await page.locator('#stop').click();
    await status.filter({ hasText: /^Stopped/ }).waitFor();
    await page.locator('#tab-draw').click();
    const one = unknownDrawings().find(({ kind }) => kind === 'zigzag')!;
    expect(await draw(page, one.strokes, CANVAS)).toMatchObject({ label: 'none of these' });
    expectNothingWrong(opened);
    await page.context().close();
  },
  LONG,
);

test('is used by the keyboard alone', { timeout: LONG }, async () => {
  const opened = await open(chromium.browser(), site.address);
  const { page } = opened;
  const { keyboard } = page;
  const pressAll = async (...keys: string[]): Promise<void> => {
    // oxlint-disable-next-line no-await-in-loop -- one key after another
    for (const key of keys) await keyboard.press(key);
  };
  const focused = () => page.evaluate(() => document.activeElement?.id);
  await pressAll('Tab', 'ArrowRight', 'ArrowRight');
  expect(await focused()).toBe('tab-em');
  expect(await page.locator('#panel-em').isVisible()).toBe(true);
  await pressAll('ArrowRight', 'Tab');
  expect(await focused()).toBe('pad');
  // A stroke from above the middle downwards.
  await pressAll(...many('Shift+ArrowUp', 4), 'Space', ...many('Shift+ArrowDown', 8), 'Space');
  expect(await reply(page)).toMatchObject({ label: '1' });
  await page.locator('#spoken', { hasText: /^1\. / }).waitFor({ state: 'attached' });
  await pressAll('Backspace');
  expect(await reply(page)).toMatchObject({ label: 'none of these' });
  expectNothingWrong(opened);
  await page.context().close();
});

test('follows EM in the plane, and BIC', { timeout: LONG }, async () => {
  const opened = await open(chromium.browser(), site.address);
  const { page } = opened;
  await page.locator('#tab-em').click();
  const plane = page.locator('#plane');
  const status = page.locator('#em-status');
  await page.locator('#em-step').click();
  expect(await status.textContent()).toBe('Add at least 3 points first: there are 0.');
  // Two groups.
  for (let i = 0; i < 24; i++) {
    const [x, y] = [Math.cos(2.4 * i) * (6 + 2 * i), Math.sin(2.4 * i) * (6 + 2 * i)];
    // oxlint-disable-next-line no-await-in-loop -- one click after another
    await plane.click({ position: i % 2 === 0 ? { x: 150 + x, y: 150 + y } : { x: 550 + x, y: 350 + y } });
  }
  expect(await page.locator('#plane .point').count()).toBe(24);
  await page.locator('#components').fill('2');
  await page.locator('#em-step').click();
  expect(await status.textContent()).toMatch(/^Iteration 1: log-likelihood −\d+\.\d{3} a point/);
  await page.locator('#em-step').click();
  expect(await status.textContent()).toMatch(/^Iteration 2: /);
  expect(await page.locator('#plane ellipse').count()).toBe(4);
  await page.locator('#em-choose').click();
  await status.filter({ hasText: 'converged' }).waitFor();
  expect(await page.locator('#components').inputValue()).toBe('2');
  expect(await page.locator('#em-table td').count()).toBe(24);
  expect(await page.locator('#em-table .least').count()).toBe(1);
  // The points lie at equal angles.
  const centres = await page
    .locator('#plane ellipse')
    .evaluateAll((all) => all.map((each) => /translate\(([\d.]+)/.exec(each.getAttribute('transform')!)![1]));
  expect(new Set(centres).size).toBe(2);
  expectNothingWrong(opened);
  await page.context().close();
});

test.each([
  ['light', 1200, 900],
  ['dark', 1200, 900],
  ['light', 390, 844],
  ['dark', 390, 844],
] as const)('is whole and accessible: %s, %i pixels wide', { timeout: LONG }, async (look, width, height) => {
  // A window that becomes a phone's.
  const opened = await open(chromium.browser(), site.address, { colorScheme: look });
  const { page } = opened;
  await page.setViewportSize({ width, height });
  const unknown = unknownDrawings().find(({ kind, index }) => kind === 'letter A' && index % 2 === 1)!;
  const [lesson] = heartsFor('heart');
  await teach(page, 'heart', lesson, CANVAS);
  await draw(page, unknown.strokes, CANVAS);
  await page.evaluate(axe.source);
  for (const tab of ['draw', 'train', 'em']) {
    // oxlint-disable no-await-in-loop -- one tab after another
    await page.locator(`#tab-${tab}`).click();
    if (tab === 'train') await page.locator('#accuracy-curve svg').waitFor();
    if (tab === 'em') await page.locator('#em-cluster').click();
    const path = join(pictures, `${tab}-${look}-${width}.png`);
    await page.screenshot({ path, fullPage: true });
    expect(statSync(path).size).toBeGreaterThan(10_000);
    expect(await sticksOut(page), tab).toEqual([]);
    expect(await tooSmall(page, width < 500 ? 44 : 24), tab).toEqual([]);
    const { violations } = await page.evaluate(() =>
      (globalThis as unknown as { axe: typeof axe }).axe.run(),
    );
    expect(
      violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]),
      tab,
    ).toEqual([]);
    // oxlint-enable no-await-in-loop
  }
  expectNothingWrong(opened);
  await page.context().close();
});

test('opened as a file, says what to do', async () => {
  const page = await chromium.browser().newPage();
  await page.goto(pathToFileURL(join(site.folder, 'index.html')).href);
  const notice = page.getByRole('alert');
  await notice.waitFor();
  expect(await notice.textContent()).toMatch(/Serve this folder instead: "npm run demo"/);
  await page.close();
});

async function drawAll(page: Page, drawings: readonly Drawing[], side: number): Promise<Reply[]> {
  const replies: Reply[] = [];
  // oxlint-disable-next-line no-await-in-loop -- one drawing after another
  for (const drawing of drawings) replies.push(await draw(page, drawing, side));
  return replies;
}

/** Five drawings to teach, and ten others. */
function heartsFor(kind: string): [lesson: Drawing[], further: Drawing[]] {
  const all = furtherDrawings(kind, 15).map(({ strokes }) => strokes);
  return [all.slice(0, 5), all.slice(5)];
}

/** What lies beyond the right edge of the window. */
function sticksOut(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    Array.from(document.querySelectorAll('body *'))
      .filter((element) => element.getBoundingClientRect().right > innerWidth + 0.5)
      .map((element) => element.outerHTML.slice(0, 80)),
  );
}

/** Controls that are seen and lower than so many pixels. */
function tooSmall(page: Page, least: number): Promise<string[]> {
  return page.evaluate(
    (pixels) =>
      Array.from(document.querySelectorAll<HTMLElement>('button, input, select'))
        .filter((element) => element.checkVisibility() && element.getBoundingClientRect().height < pixels)
        .map((element) => element.outerHTML.slice(0, 80)),
    least,
  );
}

function many(key: string, count: number): string[] {
  return Array.from({ length: count }, () => key);
}
