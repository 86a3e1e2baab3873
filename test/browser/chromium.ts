// The Chromium of this machine, and pages in it.
import { chromium, type Browser, type Worker } from 'playwright';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { CHROMIUM_ARGUMENTS, findChromium } from './findChromium.mjs';
import { startSite, type SiteOptions } from './server.js';
import type { Run, Trained } from './training.js';

/** What every page has to show. */
export interface Shown {
  readonly crossOriginIsolated: boolean;
  /** What its policy forbade. */
  readonly violations: readonly string[];
  /** Errors and warnings on its console, and exceptions that nothing caught. */
  readonly complaints: readonly string[];
  /** How many workers run in the end. */
  readonly workers: number;
}

/** What a page that trains has to show. */
export interface ShownTraining extends Shown {
  readonly trained: readonly Trained[];
  /** How often the page's timer went off while a worker was training. */
  readonly ticks?: number;
}

/** A hang guard, not a speed limit. */
export const LONG = 10 * 60_000;

/** The Chromium of a file's tests. */
export interface TestChromium {
  /** Whether this machine has one. */
  readonly isThere: boolean;
  /** It, in tests and in hooks that come later. */
  browser(): Browser;
}

/** Starts Chromium without a window for the tests of a file, and skips them where there is none. */
export function startChromium(): TestChromium {
  const executablePath = findChromium();
  let browser: Browser | undefined;
  beforeAll(async () => {
    if (executablePath === undefined) return;
    browser = await chromium.launch({ executablePath, headless: true, args: CHROMIUM_ARGUMENTS });
  }, LONG);
  afterAll(() => browser?.close());
  beforeEach((context) => {
    context.skip(executablePath === undefined, 'no Chromium');
  });
  return { isThere: executablePath !== undefined, browser: () => browser! };
}

/** Opens page.html on a site of its own, which trains there or in a worker, and waits for what it shows. */
export function trainIn(
  browser: Browser,
  runs: readonly Run[],
  { inWorker = false, ...options }: SiteOptions & { readonly inWorker?: boolean } = {},
): Promise<ShownTraining> {
  const query = { runs: JSON.stringify(runs), in: inWorker ? 'worker' : 'page' };
  return show<ShownTraining>(browser, 'page.html', query, options);
}

/**
 * Opens a page on a site of its own, and waits for the JSON that it shows in an <output>.
 * @param options.untilWorkersEnd whether to wait for the end of its workers too; default false
 */
export async function show<T extends Shown>(
  browser: Browser,
  name: string,
  query: Record<string, string>,
  { untilWorkersEnd = false, ...options }: SiteOptions & { readonly untilWorkersEnd?: boolean } = {},
): Promise<T> {
  const site = await startSite(options);
  const page = await browser.newPage();
  try {
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.goto(`${site.url(name)}?${new URLSearchParams(query).toString()}`);
    const output = page.locator('output');
    const text = await output.textContent({ timeout: 60_000 }).catch((cause: unknown) => {
      throw new Error(`the page shows nothing; its complaints: ${complaints.join('; ')}`, { cause });
    });
    if (untilWorkersEnd) await Promise.all(page.workers().map((worker) => ended(worker)));
    return { ...(JSON.parse(text!) as T), complaints, workers: page.workers().length };
  } finally {
    await page.close();
    await site.close();
  }
}

function ended(worker: Worker): Promise<unknown> {
  return new Promise((resolve) => {
    worker.on('close', resolve);
  });
}
