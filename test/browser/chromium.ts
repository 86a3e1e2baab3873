// The Chromium of this machine, and pages in it.
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium, type Browser } from 'playwright-core';
import { startSite, type SiteOptions } from './server.js';
import type { Run, Trained } from './training.js';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** What every page has to show. */
interface ShownByAll {
  readonly crossOriginIsolated: boolean;
  /** What its policy forbade. */
  readonly violations: readonly string[];
  /** Errors and warnings on its console, and exceptions that nothing caught. */
  readonly complaints: readonly string[];
  /** How many workers run in the end. */
  readonly workers: number;
}

/** What the page that trains has to show. */
export interface Shown extends ShownByAll {
  readonly trained: readonly Trained[];
  /** How often the page's timer went off while a worker was training. */
  readonly ticks?: number;
}

/** A fit, or why there is none. */
export interface ShownFit {
  readonly numbers?: number[];
  readonly lowerBounds?: number[];
  readonly iterations?: number;
  readonly error?: string;
}

/** What the page that fits has to show. */
export interface ShownFits extends ShownByAll {
  readonly parallel: ShownFit;
  readonly single: ShownFit;
  /** How many workers were started. */
  readonly threads: number;
}

/** Where Chromium is: the environment variable CHROMIUM, or the first on the PATH; undefined without one. */
export function findChromium(): string | undefined {
  const { CHROMIUM, PATH = '' } = process.env;
  if (CHROMIUM) return CHROMIUM;
  const folders = PATH.split(delimiter);
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

/** Starts Chromium without a window. */
export function launch(executablePath: string): Promise<Browser> {
  return chromium.launch({ executablePath, headless: true, args: ARGUMENTS });
}

/** Opens the page on a site of its own, which trains there or in a worker, and waits for what it shows. */
export async function trainIn(
  browser: Browser,
  runs: readonly Run[],
  { inWorker = false, ...options }: SiteOptions & { readonly inWorker?: boolean } = {},
): Promise<Shown> {
  const query = { runs: JSON.stringify(runs), in: inWorker ? 'worker' : 'page' };
  return shownBy<Shown>(browser, 'page.html', query, options);
}

/** The same of the page that fits a mixture, with threads and without. */
export async function fitIn(browser: Browser, backend: string, options: SiteOptions): Promise<ShownFits> {
  return shownBy<ShownFits>(browser, 'fit.html', { backend }, options);
}

async function shownBy<Shows extends ShownByAll>(
  browser: Browser,
  file: string,
  query: Record<string, string>,
  options: SiteOptions,
): Promise<Shows> {
  const site = await startSite(options);
  const page = await browser.newPage();
  try {
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.goto(`${site.url}${file}?${new URLSearchParams(query).toString()}`);
    const output = page.locator('output');
    const text = await output.textContent({ timeout: 60_000 }).catch((cause: unknown) => {
      throw new Error(`the page shows nothing; its complaints: ${complaints.join('; ')}`, { cause });
    });
    return { ...(JSON.parse(text!) as Shows), complaints, workers: page.workers().length };
  } finally {
    await page.close();
    await site.close();
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
