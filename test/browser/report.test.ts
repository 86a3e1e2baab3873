// The page of --report in a real browser: nothing is fetched, nothing complains, nothing sticks out, in light and in dark.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { train } from '@gmml/cli';
import { afterAll, expect, test } from 'vitest';
import { tinyDigits } from '../cli/tinyDigits.js';
import { LONG, startChromium } from './chromium.js';

const chromium = startChromium();
const folder = mkdtempSync(join(tmpdir(), 'gmml-report-'));

afterAll(() => rmSync(folder, { recursive: true }));

/** What a page is like at a width of the window, in CSS pixels. */
async function shown(path: string, width: number, look: 'light' | 'dark' | 'print') {
  const colorScheme = look === 'light' ? 'light' : 'dark';
  const page = await chromium.browser().newPage({ viewport: { width, height: 800 }, colorScheme });
  try {
    const complaints: string[] = [];
    const requests: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('request', (request) => requests.push(request.url()));
    const url = pathToFileURL(path).href;
    if (look === 'print') await page.emulateMedia({ media: 'print' });
    await page.goto(url);
    const seen = await page.evaluate(() => {
      const boxes = (selector: string) =>
        Array.from(document.querySelectorAll(selector), (element) => element.getBoundingClientRect());
      const rgb = (name: 'color' | 'backgroundColor') => getComputedStyle(document.body)[name];
      // A box with a bar of its own may hold what is wider than the page; what stands in it is cut off.
      const holdsMore = (element: Element) => getComputedStyle(element).overflowX === 'auto';
      const outside = Array.from(document.querySelectorAll('body *'))
        .filter((element) => {
          const box = element.parentElement!.closest('.scroll');
          return box === null || !holdsMore(box);
        })
        .filter((element) => element.getBoundingClientRect().right > innerWidth + 0.5);
      return {
        scrolls: document.documentElement.scrollWidth > innerWidth,
        outside: outside.map((element) => element.outerHTML.slice(0, 80)),
        charts: boxes('svg').filter(({ width: w, height }) => w > 200 && height > 60).length,
        pictures: Array.from(document.images).filter((image) => image.naturalWidth === 28).length,
        smallestText: Math.min(
          ...Array.from(document.querySelectorAll('svg text'), (text) => {
            const svg = text.closest('svg')!;
            const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
            return scale * Number.parseFloat(getComputedStyle(text).fontSize);
          }),
        ),
        colours: [rgb('color'), rgb('backgroundColor')].map((colour) =>
          colour.match(/\d+/g)!.reduce((sum, part) => sum + Number(part), 0),
        ),
      };
    });
    return { ...seen, complaints, requests: requests.filter((request) => !request.startsWith('data:')), url };
  } finally {
    await page.close();
  }
}

test(
  'the report shows all of itself, on a desk and on a phone, in light and in dark',
  async () => {
    const path = join(folder, 'report.html');
    const data = tinyDigits();
    // Few enough steps to make mistakes.
    await train({ data, report: path, dim: 16, batchSize: 16, epochs: 2, lr: 0.2, unseen: 7, components: 2 });
    for (const [width, look] of [
      [1200, 'light'],
      [1200, 'dark'],
      [390, 'light'],
      [390, 'dark'],
      [320, 'light'],
      // A4 between margins; on paper the colours are the light ones.
      [680, 'print'],
    ] as const) {
      // oxlint-disable-next-line no-await-in-loop -- one page after the other is enough
      const { colours, charts, pictures, smallestText, url, ...rest } = await shown(path, width, look);
      const where = `${width} pixels, ${look}`;
      expect(rest, where).toEqual({ scrolls: false, outside: [], complaints: [], requests: [url] });
      // Two curves, two reliability diagrams of two charts, five histograms of each score, two maps.
      expect(charts, where).toBe(2 + 4 + 10 + 2);
      expect(pictures, where).toBeGreaterThanOrEqual(27);
      expect(smallestText, where).toBeGreaterThan(width < 390 ? 9 : 10);
      const [ink, ground] = colours;
      expect(Math.sign(ground - ink), where).toBe(look === 'dark' ? -1 : 1);
    }
  },
  LONG,
);
