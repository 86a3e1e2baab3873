// fit in a page, whose workers compute without sharing memory.
import { GaussianMixture } from '@gmml/gmm';
import { Generator } from '@gmml/tensor';
import type { Browser } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launch, show, type Shown } from './chromium.js';
import { findChromium } from './findChromium.js';
import { samples } from './mixtureTask.js';

const TIMEOUT = 120_000;

const executable = findChromium();
let browser: Browser | undefined;

beforeAll(async () => {
  if (executable !== undefined) browser = await launch(executable);
}, TIMEOUT);

afterAll(() => browser?.close());

test(
  'a page that is not cross-origin isolated fits on two workers what Node fits',
  async (context) => {
    context.skip(executable === undefined, 'no Chromium');
    const shown = await show<Shown & { fitted: number[][] }>(
      browser!,
      'parallel.html',
      {},
      { isolated: false },
    );
    expect(shown).toMatchObject({ violations: [], complaints: [], crossOriginIsolated: false });
    const mixture = new GaussianMixture({ components: 3, generator: new Generator(5) }).fit(samples(600));
    expect(shown.fitted).toBeAllClose(mixture.means, { rtol: 1e-6, atol: 1e-6 });
  },
  TIMEOUT,
);
