// Using the page as a person does.
import type { Browser, BrowserContextOptions, Page } from 'playwright';
import type { Drawing, Point, Stroke } from '../../../examples/draw-and-teach/src/strokes.js';

/** Shares of the pad that a drawing has on each side, so that the pen stays on it. */
const MARGIN = 0.06;

/** Places that a hand's pointer reports are no nearer to each other, in CSS pixels. */
const APART = 6;

/** The page in a window of its own, with what went wrong in it. */
export interface Opened {
  readonly page: Page;
  /** Errors and warnings on its console, exceptions that nothing caught, and what its policy forbade. */
  readonly complaints: readonly string[];
  /** The addresses of what it asked for. */
  readonly requests: readonly string[];
}

/** Opens the page in a profile of its own, and waits until it answers. */
export async function open(
  browser: Browser,
  address: string,
  options: BrowserContextOptions = {},
): Promise<Opened> {
  const context = await browser.newContext({ viewport: { width: 1200, height: 900 }, ...options });
  const page = await context.newPage();
  const complaints: string[] = [];
  const requests: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => requests.push(request.url()));
  await page.goto(address);
  await ready(page);
  return { page, complaints, requests };
}

/** Waits until the page answers. */
export async function ready(page: Page): Promise<void> {
  await page.locator('html[data-ready]').waitFor();
}

/** What the page says of a drawing. */
export interface Reply {
  /** What stands large: the label, or 'none of these'. */
  readonly label: string;
  /** The class of the longest bar. */
  readonly best: string;
}

/** Clears the pad by its key, draws with the mouse, and reads the reply. @param side of the square that the drawing's points lie in */
export async function draw(page: Page, drawing: Drawing, side: number): Promise<Reply> {
  const pad = page.locator('#pad');
  await pad.press('Delete');
  const { x, y, width, height } = await pad.evaluate((element) => {
    element.scrollIntoView({ block: 'nearest' });
    const { left, top, width: across, height: down } = element.getBoundingClientRect();
    return { x: left, y: top, width: across, height: down };
  });
  const placed = (at: number, from: number, size: number) =>
    from + size * (MARGIN + (1 - 2 * MARGIN) * (at / side));
  const { mouse } = page;
  for (const stroke of drawing) {
    const [first, ...others] = reported(
      stroke.map(([px, py]): Point => [placed(px, x, width), placed(py, y, height)]),
    );
    // oxlint-disable no-await-in-loop -- one stroke after another
    await mouse.move(first[0], first[1]);
    await mouse.down();
    // The browser takes these in their order, and several in one frame.
    await Promise.all(others.map(([px, py]) => mouse.move(px, py)));
    await mouse.up();
    // oxlint-enable no-await-in-loop
  }
  return reply(page);
}

/** The places of a stroke that a pointer reports: its ends, and those between that are apart. */
function reported(stroke: Stroke): Stroke {
  const out = [stroke[0]];
  for (const [x, y] of stroke) {
    const [lastX, lastY] = out[out.length - 1];
    if (Math.hypot(x - lastX, y - lastY) >= APART) out.push([x, y]);
  }
  return [...out, stroke[stroke.length - 1]];
}

/** What the page says now. */
export async function reply(page: Page): Promise<Reply> {
  await frames(page);
  return page.evaluate(() => ({
    label: document.querySelector('#answer .label')!.textContent,
    best: document.querySelector('#classes .best [role="rowheader"]')?.textContent ?? '',
  }));
}

/** Teaches the page a symbol. */
export async function teach(
  page: Page,
  name: string,
  drawings: readonly Drawing[],
  side: number,
): Promise<void> {
  await page.locator('#name').fill(name);
  for (const drawing of drawings) {
    // oxlint-disable-next-line no-await-in-loop -- one drawing after another
    await draw(page, drawing, side);
    // oxlint-disable-next-line no-await-in-loop
    await page.locator('#add').click();
  }
  await page.locator('#learn').click();
  await page.locator('#taught-status', { hasText: `Learned ${name} from` }).waitFor();
}

/** Waits until the page has shown what has happened: it answers once a frame. */
async function frames(page: Page): Promise<void> {
  await page.evaluate(
    () =>
      new Promise<void>((resolve) => {
        requestAnimationFrame(() => requestAnimationFrame(() => resolve()));
      }),
  );
}
