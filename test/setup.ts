import * as fc from 'fast-check';
import { afterEach, expect } from 'vitest';
import { useBackend, type BackendName } from '@gmml/tensor';
import { matchers } from './matchers.js';

expect.extend(matchers);

const { GMML_BACKEND = 'reference', GMML_THREADS = '1', GMML_PROPERTY_SEED = '1' } = process.env;
await useBackend(GMML_BACKEND as BackendName, { threads: Number(GMML_THREADS) });

// The same properties in every run; other seeds look for more.
fc.configureGlobal({ seed: Number(GMML_PROPERTY_SEED) });

// Libraries print nothing: the test during (or before) which something is written to the console fails.
const written: string[] = [];

for (const method of ['debug', 'error', 'info', 'log', 'trace', 'warn'] as const) {
  console[method] = (...parts: unknown[]) =>
    written.push(`console.${method}(${parts.map(String).join(', ')})`);
}

afterEach(() => {
  if (written.length > 0)
    throw new Error(`nothing may be written to the console: ${written.splice(0).join('; ')}`);
});
