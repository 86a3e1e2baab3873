// fit in a process of its own: threads run the build.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { fit } from '@gmml/gmm/statistics';
import { expect, inject, test } from 'vitest';

const backend = inject('backend');

/** A hang guard, not a speed limit. */
const LONG = 5 * 60_000;

interface Shown {
  numbers: number[][];
  lowerBounds: number[];
  iterations: number;
  converged: boolean;
  error?: string;
}

async function fitBoth(options: object): Promise<{ parallel: Shown; single: Shown }> {
  const script = fileURLToPath(new URL('fitThreads.mjs', import.meta.url));
  const shape = { rows: 501, features: 3, components: 4, workers: 2 };
  const args = [script, backend, JSON.stringify({ ...shape, ...options })];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as { parallel: Shown; single: Shown };
}

test.each([
  { covariance: 'full' },
  { covariance: 'tied', workers: 3 },
  { covariance: 'diag', workers: 1, restarts: 3, init: 'random', tolerance: 1e-6 },
  { covariance: 'spherical', rows: 5, workers: 8, regularization: 0.1 },
  { covariance: 'full', features: 16, maxIterations: 2, tolerance: 0, init: 'randomFromData' },
])('equals the fit of one thread: %j', { timeout: LONG }, async (options) => {
  const { parallel, single } = await fitBoth(options);
  expect([parallel.iterations, parallel.converged]).toEqual([single.iterations, single.converged]);
  expect(parallel.lowerBounds).toBeAllClose(single.lowerBounds, { rtol: 1e-9, atol: 0 });
  for (const [i, numbers] of parallel.numbers.entries()) {
    expect(numbers).toBeAllClose(single.numbers[i], { rtol: 1e-9, atol: 1e-9 });
  }
});

test('fails as the fit does', { timeout: LONG }, async () => {
  const { parallel, single } = await fitBoth({ rows: 3 });
  expect(parallel.error).toBe(single.error);
  expect(parallel.error).toMatch(/^ShapeError: .* there must be at least as many samples as components/);
  const refused = await fitBoth({ missing: 'marginalize', covariance: 'diag' });
  expect(refused.parallel.error).toMatch(/^ArgumentError: EMStatistics: the mixture must do without gaps/);
});

test('a thread that ends is an error', { timeout: LONG }, async () => {
  const { parallel } = await fitBoth({ losesThread: true });
  expect(parallel.error).toMatch(/^NumericalError: fit: a thread ended \(exit code \d\)\.$/);
});

test('a thread that cannot be started is an error, and none goes on', { timeout: LONG }, async () => {
  const { parallel } = await fitBoth({ lacksThread: true });
  expect(parallel.error).toBe('GmmlError: fit: a thread could not be started: there are no more.');
});

test('refuses workers that are no positive integer', async () => {
  await expect(fit([[1]], { workers: 0 })).rejects.toThrow(
    'fit: workers must be an integer of at least 1: it is 0.',
  );
});
