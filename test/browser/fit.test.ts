// Fits with { workers } by the build in a real browser: Workers of the page give what one thread gives.
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { findChromium, fitIn, launch } from './chromium.js';

const TIMEOUT = 120_000;

const executable = findChromium();
let browser: Browser | undefined;

beforeAll(async () => {
  if (executable !== undefined) browser = await launch(executable);
}, TIMEOUT);

afterAll(() => browser?.close());

beforeEach((context) => {
  context.skip(executable === undefined, 'no Chromium');
});

test.each([
  { backend: 'wasm', isolated: true },
  { backend: 'reference', isolated: true },
  { backend: 'wasm', isolated: false },
])('equals the fit of one thread: %j', { timeout: TIMEOUT }, async ({ backend, isolated }) => {
  const shown = await fitIn(browser!, backend, { isolated });
  expect(shown).toMatchObject({
    threads: 2,
    crossOriginIsolated: isolated,
    violations: [],
    complaints: [],
    workers: 0,
  });
  const { parallel, single } = shown;
  expect(parallel.iterations).toBe(single.iterations);
  expect(parallel.lowerBounds).toBeAllClose(single.lowerBounds!, { rtol: 1e-9, atol: 0 });
  expect(parallel.numbers).toBeAllClose(single.numbers!, { rtol: 1e-9, atol: 1e-9 });
});

test('a script of the threads that is missing is an error', { timeout: TIMEOUT }, async () => {
  const { parallel, single } = await fitIn(browser!, 'wasm', { missing: 'statistics/worker.js' });
  expect(parallel.error).toBe('NumericalError: fit: a thread failed (its script did not load).');
  expect(single.iterations).toBeGreaterThan(1);
});
