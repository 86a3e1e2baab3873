// The library in a page, loaded in each way that there is.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { backendReport, useBackend, type BackendName } from '@gmml/tensor';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { asFiles, withEsbuild, withVite, type Build } from './builds.js';
import { LONG, startChromium, trainIn } from './chromium.js';
import { trainOnEach, type Run } from './training.js';

const chromium = startChromium();
/** The losses on Node's reference. */
let expected: readonly number[];

beforeAll(async () => {
  if (!chromium.isThere) return;
  const before = backendReport().backend as BackendName;
  [{ losses: expected }] = await trainOnEach([['reference', {}]]);
  await useBackend(before);
}, LONG);

const ways: readonly [way: string, how: { readonly build?: Build; readonly importMap?: boolean }][] = [
  ['by an import map', { importMap: true }],
  ['by relative paths', { build: asFiles }],
  ['through Vite', { build: withVite }],
  ['through esbuild', { build: withEsbuild }],
];

describe.each(ways)('%s', { timeout: LONG }, (_, { build, importMap }) => {
  let folder: string | undefined;

  beforeAll(async () => {
    if (build === undefined || !chromium.isThere) return;
    folder = mkdtempSync(join(tmpdir(), 'gmml-page-'));
    await build(folder);
  }, LONG);

  afterAll(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true });
  });

  // Workers have no import maps.
  test.each(importMap ? ['page'] : ['page', 'worker'])(
    'a %s trains on two threads with the losses of Node',
    async (place) => {
      const options = { folder, importMap, inWorker: place === 'worker' };
      const shown = await trainIn(chromium.browser(), [['auto', { threads: 2 }]], options);
      expect(shown).toMatchObject({ violations: [], complaints: [], crossOriginIsolated: true });
      const [{ report, losses }] = shown.trained;
      expect(report).toMatchObject({ backend: 'wasm', threads: 2, arenaOverflows: 0 });
      expect(losses).toBeAllClose(expected, { rtol: 1e-3, atol: 0 });
    },
  );

  test('a page whose policy forbids WebAssembly trains on the reference', async () => {
    const runs: Run[] = [
      ['auto', {}],
      ['wasm', {}],
    ];
    const options = { folder, importMap, scriptSource: "'self'", isolated: false };
    const shown = await trainIn(chromium.browser(), runs, options);
    expect(shown).toMatchObject({ violations: ['wasm-eval', 'wasm-eval'], complaints: [] });
    const [{ report, losses }, { error }] = shown.trained;
    expect(report).toMatchObject({ backend: 'reference', threads: 1 });
    expect(losses).toBeAllClose(expected, { rtol: 1e-6, atol: 0 });
    // Its name, although minifiers rename classes.
    expect(error).toMatch(/^ArgumentError: useBackend: 'wasm' does not run here: /);
  });
});
