// TaskWorker in a page: long work in a worker while the page goes on.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { withVite } from './builds.js';
import { LONG, show, type Shown, startChromium } from './chromium.js';
import { mixtureOf, samples } from './mixtureTask.js';

const ROWS = 10_000;
const ITERATIONS = 20;

interface ShownTasks extends Shown {
  readonly means: number[][];
  readonly backend: { readonly backend: string; readonly threads: number; readonly notice?: string };
  /** Milliseconds from one of the page's frames to the next, during the fit. */
  readonly frames: readonly number[];
  /** Iterations with the shape and the sum of their weights. */
  readonly heard: readonly [number, number[], number][];
  readonly aborted: string;
  readonly heardBeforeAbort: readonly number[];
  /** How many fits were no longer running at the end. */
  readonly ended: number;
  /** Whether bad samples gave a NotFiniteError, its name and message. */
  readonly refused: string;
  readonly closed: string;
}

const chromium = startChromium();

test.each([
  ['a cross-origin isolated page: 2 threads', { isolated: true, threads: 2, byVite: false }],
  ['any other page: 1 thread', { isolated: false, threads: 1, byVite: false }],
  ['a page built by Vite: 2 threads', { isolated: true, threads: 2, byVite: true }],
])(
  'a worker fits a mixture while the page shows frames, in %s',
  async (_, { isolated, threads, byVite }) => {
    const folder = byVite ? await builtByVite() : undefined;
    const query = { rows: String(ROWS), iterations: String(ITERATIONS) };
    const shown = await show<ShownTasks>(chromium.browser(), 'tasks.html', query, {
      isolated,
      folder,
      untilWorkersEnd: true,
    });
    expect(shown).toMatchObject({
      violations: [],
      complaints: [],
      crossOriginIsolated: isolated,
      workers: 0,
    });
    expect(shown.backend).toMatchObject({ backend: 'wasm', threads });
    // As Node's.
    const { mixture, turns } = mixtureOf(samples(ROWS), ITERATIONS);
    expect([...turns]).toHaveLength(ITERATIONS);
    expect(shown.means).toBeAllClose(mixture.means, { rtol: 1e-6, atol: 1e-6 });
    // Every iteration was heard of, in order, with its weights as a tensor.
    expect(shown.heard.map(([iteration]) => iteration)).toEqual(
      Array.from(Array(ITERATIONS).keys(), (i) => i + 1),
    );
    expect(shown.heard.every(([, [length], sum]) => length === 6 && Math.abs(sum - 1) < 1e-6)).toBe(true);
    // The page was free: it went on showing frames.
    expect(median(shown.frames)).toBeLessThan(100);
    // An abort ends one task and nothing else.
    expect(shown).toMatchObject({ aborted: 'AbortError', ended: 3 });
    expect(shown.heardBeforeAbort).toEqual([1, 2, 3]);
    expect(shown.refused).toMatch(/^true, NotFiniteError: GaussianMixture\.fit: /);
    expect(shown.closed).toBe('WorkerError: TaskWorker: the worker must be open: it was closed.');
  },
  LONG,
);

async function builtByVite(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'gmml-page-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  await withVite(folder);
  return folder;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
}
