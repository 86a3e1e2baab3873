import { playwright } from '@vitest/browser-playwright';
import { defineConfig, type TestProjectConfiguration } from 'vitest/config';
import { CHROMIUM_ARGUMENTS, findChromium } from './test/browser/findChromium.mjs';
import { IN_CHROMIUM, NOT_IN_CHROMIUM } from './test/browser/suite.js';

// Tests see the packages' sources, never a dist that may be stale.
const conditions = ['@gmml/source', 'node', 'import', 'module', 'default'];

const provide = {
  backend: 'reference',
  threads: Number(process.env.GMML_THREADS ?? 1),
  // The same properties in every run; other seeds look for more.
  propertySeed: Number(process.env.GMML_PROPERTY_SEED ?? 1),
} as const;

const chromium = findChromium();

/** The tests that need no Node, in a page: on the reference, and what computes once more on the WASM kernels. */
const inChromium: TestProjectConfiguration = {
  extends: true,
  resolve: { conditions: conditions.filter((condition) => condition !== 'node') },
  optimizeDeps: { include: ['fast-check', 'ndarray', 'ndarray-ops'] },
  test: {
    name: 'browser',
    include: IN_CHROMIUM,
    exclude: Object.keys(NOT_IN_CHROMIUM),
    // One page for many files: it takes longer to load the packages than to run most of them.
    isolate: false,
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({ launchOptions: { executablePath: chromium, args: CHROMIUM_ARGUMENTS } }),
      instances: [
        { browser: 'chromium', name: 'browser reference' },
        { browser: 'chromium', name: 'browser wasm', provide: { ...provide, backend: 'wasm' } },
      ],
    },
  },
};

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    setupFiles: ['test/setup.ts'],
    testTimeout: 30_000,
    // The tests leave the user's own folder alone.
    env: { GMML_CACHE_DIR: 'off' },
    provide,
    projects: [
      { extends: true, test: { name: 'reference', include: ['test/**/*.test.ts'] } },
      {
        // What computes, once more on the WASM kernels.
        extends: true,
        test: {
          name: 'wasm',
          include: ['test/{tensor,nn,gmm,onnx,golden}/**/*.test.ts'],
          exclude: ['test/tensor/wasm/**'],
          provide: { ...provide, backend: 'wasm' },
        },
      },
      ...(chromium === undefined ? [] : [inChromium]),
    ],
  },
});
