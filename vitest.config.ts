import { defineConfig } from 'vitest/config';

// Tests see the packages' sources, never a dist that may be stale.
const conditions = ['@gmml/source', 'node', 'import', 'module', 'default'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    setupFiles: ['test/setup.ts'],
    testTimeout: 30_000,
    // The tests leave the user's own folder alone.
    env: { GMML_CACHE_DIR: 'off' },
    projects: [
      { extends: true, test: { name: 'reference', include: ['test/**/*.test.ts'] } },
      {
        // What computes, once more on the WASM kernels.
        extends: true,
        test: {
          name: 'wasm',
          include: ['test/{tensor,nn,gmm,onnx,golden}/**/*.test.ts'],
          exclude: ['test/tensor/wasm/**'],
          env: { GMML_BACKEND: 'wasm', GMML_CACHE_DIR: 'off' },
        },
      },
    ],
  },
});
