// examples/draw-and-teach where a person does two things at once, types what does not fit, or the server is gone.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { furtherDrawings } from '../../examples/draw-and-teach/data/unknownDrawings.js';
import type { Drawing } from '../../examples/draw-and-teach/src/strokes.js';
import { LONG, startChromium } from './chromium.js';
import { draw, open, reply, teach, type Opened } from './drawAndTeach/page.js';
import { startSite, type Site } from './drawAndTeach/site.js';

/** Side of the square in which drawings lie. */
const CANVAS = 280;

const chromium = startChromium();
let site: Site;

beforeAll(async () => {
  if (!chromium.isThere) return;
  site = await startSite();
}, LONG);

afterAll(async () => {
  await site?.close();
});

test('symbols forgotten at once are all forgotten', { timeout: LONG }, async () => {
  const opened = await open(chromium.browser(), site.address);
  const { page } = opened;
  await teach(page, 'heart', drawings('heart', 3), CANVAS);
  await teach(page, 'star', drawings('star', 3), CANVAS);
  await page.locator('#taught button').evaluateAll((buttons) => {
    for (const button of buttons) (button as HTMLButtonElement).click();
  });
  await page.locator('#taught-status', { hasText: 'Forgot star.' }).waitFor();
  expect(await page.locator('#taught').textContent()).toBe('Nothing yet.');
  await close(opened);
});

test(
  'while a symbol is learned or forgotten, nothing can be added to it or asked twice',
  { timeout: LONG },
  async () => {
    const opened = await open(chromium.browser(), site.address);
    const { page } = opened;
    const isDisabled = (...ids: string[]) =>
      page.evaluate(
        (names) => names.map((id) => document.querySelector<HTMLButtonElement>(`#${id}`)!.disabled),
        ids,
      );
    await page.locator('#name').fill('heart');
    for (const drawing of drawings('heart', 3)) {
      // oxlint-disable no-await-in-loop -- one drawing after another
      await draw(page, drawing, CANVAS);
      await page.locator('#add').click();
      // oxlint-enable no-await-in-loop
    }
    await page.locator('#learn').evaluate((button: HTMLButtonElement) => button.click());
    expect(await isDisabled('add', 'learn', 'discard')).toEqual([true, true, true]);
    const status = page.locator('#taught-status');
    await status.filter({ hasText: 'Learned heart from 3 drawings.' }).waitFor();
    expect(await isDisabled('add', 'learn', 'discard')).toEqual([false, true, true]);
    await page.locator('#taught button').dblclick();
    await status.filter({ hasText: 'Forgot heart.' }).waitFor();
    await page.locator('#tab-train').click();
    await page.locator('#train-backend', { hasText: 'wasm' }).waitFor();
    expect(await status.textContent()).toBe('Forgot heart.');
    await close(opened);
  },
);

test('what is taught while the network is trained is known to the new one', { timeout: LONG }, async () => {
  const opened = await open(chromium.browser(), site.address);
  const { page } = opened;
  const [further, ...lesson] = drawings('heart', 6);
  await page.locator('#tab-train').click();
  await page.locator('#epochs').fill('1');
  await page.locator('#train').click();
  const status = page.locator('#train-status');
  await status.filter({ hasText: /^Epoch 1 of 1 …/ }).waitFor({ timeout: LONG });
  await page.locator('#tab-draw').click();
  await teach(page, 'heart', lesson, CANVAS);
  await page.locator('#tab-train').click();
  await status.filter({ hasText: /^Done/ }).waitFor({ timeout: LONG });
  await page.locator('#tab-draw').click();
  expect(await draw(page, further, CANVAS)).toMatchObject({ label: 'heart' });
  await close(opened);
});

test('a number of components that does not fit is refused where it stands', { timeout: LONG }, async () => {
  const opened = await open(chromium.browser(), site.address);
  const { page } = opened;
  await page.locator('#tab-em').click();
  await page.locator('#em-cluster').click();
  const status = page.locator('#em-status');
  const components = page.locator('#components');
  for (const [index, wrong] of ['', '0', '2.5', '7'].entries()) {
    // oxlint-disable no-await-in-loop -- one number after another
    await components.fill(wrong);
    await page.locator(['#em-step', '#em-run', '#em-restart', '#em-step'][index]).click();
    expect(await components.evaluate((field: HTMLInputElement) => field.matches(':focus:invalid'))).toBe(
      true,
    );
    expect(await status.textContent()).toBe('40 points.');
    // oxlint-enable no-await-in-loop
  }
  // The key that ends the typing is no way out of the page.
  await components.fill('2');
  await components.press('Enter');
  await page.locator('#em-step').click();
  expect(await status.textContent()).toMatch(/^Iteration 1: /);
  await close(opened);
});

test('what BIC says of points that are gone is not taken', { timeout: LONG }, async () => {
  const opened = await open(chromium.browser(), site.address);
  const { page } = opened;
  await page.locator('#tab-em').click();
  await page.locator('#em-cluster').click();
  await page.evaluate(() => {
    for (const id of ['em-choose', 'em-clear']) document.querySelector<HTMLElement>(`#${id}`)!.click();
  });
  // The worker does one thing after another: what it tells here comes after its choice.
  await page.locator('#tab-train').click();
  await page.locator('#train-backend', { hasText: 'wasm' }).waitFor();
  expect(await page.locator('#em-table td').count()).toBe(0);
  expect(await page.locator('#em-status').textContent()).toBe('0 points.');
  await close(opened);
});

test('a second finger does not draw into the stroke of the first', { timeout: LONG }, async () => {
  const opened = await open(chromium.browser(), site.address, { hasTouch: true });
  const { page } = opened;
  const box = (await page.locator('#pad').boundingBox())!;
  const finger = (id: number, x: number, y: number) => ({
    id,
    x: box.x + x * box.width,
    y: box.y + y * box.height,
  });
  const session = await page.context().newCDPSession(page);
  const touch = (
    type: 'touchStart' | 'touchMove' | 'touchEnd',
    ...touchPoints: ReturnType<typeof finger>[]
  ) => session.send('Input.dispatchTouchEvent', { type, touchPoints });
  // A line from above, while a palm rests in the corner.
  await touch('touchStart', finger(0, 0.5, 0.1));
  await touch('touchStart', finger(0, 0.5, 0.1), finger(1, 0.9, 0.9));
  for (const [n, y] of [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9].entries()) {
    // oxlint-disable-next-line no-await-in-loop -- one move after another
    await touch('touchMove', finger(0, 0.5, y), finger(1, 0.9 - 0.01 * n, 0.9));
  }
  await touch('touchEnd');
  expect(await reply(page)).toMatchObject({ label: '1' });
  await close(opened);
});

test('where the server is gone, the page says so and goes on', { timeout: LONG }, async () => {
  const { page } = await open(chromium.browser(), site.address);
  await page.context().setOffline(true);
  await page.locator('#reset').click();
  await page.locator('#taught-status', { hasText: 'The delivered model cannot be loaded: ' }).waitFor();
  await page.locator('#tab-em').click();
  expect(await page.getByRole('alert').textContent()).toMatch(/^This tab cannot be loaded: /);
  await page.context().setOffline(false);
  await page.locator('#tab-draw').click();
  await page.locator('#tab-em').click();
  await page.locator('#em-cluster').click();
  expect(await page.locator('#plane .point').count()).toBe(40);
  await page.context().close();
});

/** Nothing was complained of, by exceptions that nothing caught least of all. */
async function close({ page, complaints }: Opened): Promise<void> {
  expect(complaints).toEqual([]);
  await page.context().close();
}

function drawings(kind: string, count: number): Drawing[] {
  return furtherDrawings(kind, count).map(({ strokes }) => strokes);
}
