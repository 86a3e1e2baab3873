// fit in a page, whose workers compute without sharing memory.
import { GaussianMixture } from '@gmml/gmm';
import { Generator } from '@gmml/tensor';
import { expect, test } from 'vitest';
import { LONG, show, type Shown, startChromium } from './chromium.js';
import { samples } from './mixtureTask.js';

const chromium = startChromium();

test(
  'a page that is not cross-origin isolated fits on two workers what Node fits',
  async () => {
    const shown = await show<Shown & { fitted: number[][] }>(
      chromium.browser(),
      'parallel.html',
      {},
      { isolated: false },
    );
    expect(shown).toMatchObject({ violations: [], complaints: [], crossOriginIsolated: false });
    const mixture = new GaussianMixture({ components: 3, generator: new Generator(5) }).fit(samples(600));
    expect(shown.fitted).toBeAllClose(mixture.means, { rtol: 1e-6, atol: 1e-6 });
  },
  LONG,
);
