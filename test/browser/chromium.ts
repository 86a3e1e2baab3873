// The Chromium of this machine, and pages in it.
import { chromium, type Browser, type Worker } from 'playwright';
import { CHROMIUM_ARGUMENTS } from './findChromium.js';
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

/** Starts Chromium without a window. */
export function launch(executablePath: string): Promise<Browser> {
  return chromium.launch({ executablePath, headless: true, args: CHROMIUM_ARGUMENTS });
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
