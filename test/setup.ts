import * as fc from 'fast-check';
import { afterEach, expect, inject } from 'vitest';
import { useBackend, type BackendName } from '@gmml/tensor';
import { matchers } from './matchers.js';

declare module 'vitest' {
  /** What a project of vitest.config.ts says. */
  export interface ProvidedContext {
    readonly backend: BackendName;
    readonly threads: number;
    readonly propertySeed: number;
  }
}

expect.extend(matchers);

await useBackend(inject('backend'), { threads: inject('threads') });

fc.configureGlobal({ seed: inject('propertySeed') });

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
