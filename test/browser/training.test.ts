// The build in a real browser: which backend a page gets, that it trains as Node does, and keeps to the page's policy.
import { backendReport, useBackend, type BackendName } from '@gmml/tensor';
import { beforeAll, describe, expect, test } from 'vitest';
import { LONG, startChromium, trainIn } from './chromium.js';
import { trainOnEach, type Run } from './training.js';

const onReference = { backend: 'reference', threads: 1 };
const onOne = { backend: 'wasm', threads: 1 };
const onTwo = { backend: 'wasm', threads: 2 };

/** What a page that keeps to its policy shows. */
const quiet = { violations: [], complaints: [] };

const chromium = startChromium();
/** The losses on Node's reference. */
let expected: readonly number[];
/** What Node's WASM backend leaves to the reference. */
let left: readonly string[];

beforeAll(async () => {
  if (!chromium.isThere) return;
  const before = backendReport().backend as BackendName;
  const [reference, wasm] = await trainOnEach([
    ['reference', {}],
    ['wasm', { threads: 2 }],
  ]);
  await useBackend(before);
  expected = reference.losses;
  left = wasm.report.onReference;
}, LONG);

function checkLosses(losses: readonly number[]): void {
  expect(losses).toBeAllClose(expected, { rtol: 1e-3, atol: 0 });
}

describe('in a cross-origin isolated page', { timeout: LONG }, () => {
  test('training has two threads and the losses of Node', async () => {
    const shown = await trainIn(chromium.browser(), [['auto', { threads: 2 }]]);
    expect(shown).toMatchObject({ ...quiet, crossOriginIsolated: true, workers: 1 });
    const [{ choice, losses, report }] = shown.trained;
    expect(choice).toEqual(onTwo);
    expect(report).toEqual({ ...onTwo, onReference: left, arenaOverflows: 0 });
    checkLosses(losses);
  });

  test.each([1, 2])('training has the same bits each time, threads: %i', async (threads) => {
    const wasm: Run = ['auto', { threads }];
    const { trained } = await trainIn(chromium.browser(), [wasm, ['reference', {}], wasm]);
    const onWasm = { backend: 'wasm', threads };
    expect(trained.map(({ report }) => report)).toMatchObject([onWasm, onReference, onWasm]);
    const [first, reference, second] = trained.map(({ losses }) => losses);
    expect(second).toEqual(first);
    checkLosses(first);
    checkLosses(reference);
  });

  test('relaxed SIMD is used unless that is forbidden', async () => {
    const { trained } = await trainIn(chromium.browser(), [
      ['wasm', { threads: 2 }],
      ['wasm', { threads: 2, relaxed: false }],
    ]);
    expect(trained.map(({ fused }) => fused)).toEqual([true, false]);
    for (const { losses, report } of trained) {
      expect(report).toMatchObject(onTwo);
      checkLosses(losses);
    }
  });

  test('a worker trains on two threads while the page goes on', async () => {
    const shown = await trainIn(chromium.browser(), [['auto', { threads: 2 }]], { inWorker: true });
    expect(shown).toMatchObject({ ...quiet, crossOriginIsolated: true });
    expect(shown.ticks).toBeGreaterThan(0);
    const [{ choice, losses, report }] = shown.trained;
    expect(choice).toEqual(onTwo);
    expect(report).toEqual({ ...onTwo, onReference: left, arenaOverflows: 0 });
    checkLosses(losses);
  });

  test('there is one thread where the script of the threads is missing', async () => {
    const shown = await trainIn(chromium.browser(), [['auto', { threads: 2 }]], {
      missing: 'threads/gmmlThread.js',
    });
    expect(shown).toMatchObject({ violations: [], workers: 0 });
    const [{ choice, losses, report }] = shown.trained;
    expect(choice).toEqual(onOne);
    const notice = 'a worker failed (its script did not load): running on one thread';
    expect(report).toMatchObject({ ...onOne, notice });
    checkLosses(losses);
  });
});

test(
  'in a page that is not cross-origin isolated there is one thread, which is said if more were asked for',
  async () => {
    const runs: Run[] = [
      ['auto', { threads: 2 }],
      ['auto', {}],
    ];
    const shown = await trainIn(chromium.browser(), runs, { isolated: false });
    expect(shown).toMatchObject({ ...quiet, crossOriginIsolated: false, workers: 0 });
    const [two, any] = shown.trained;
    expect([two.choice, any.choice]).toEqual([onOne, onOne]);
    expect(two.report.notice).toBe('the page is not cross-origin isolated: running on one thread');
    expect(any.report).not.toHaveProperty('notice');
    checkLosses(two.losses);
    checkLosses(any.losses);
  },
  LONG,
);

test(
  'in a page whose policy forbids WebAssembly the reference trains',
  async () => {
    const runs: Run[] = [
      ['auto', { threads: 2 }],
      ['wasm', {}],
    ];
    const shown = await trainIn(chromium.browser(), runs, { scriptSource: "'self'" });
    const [auto, wasm] = shown.trained;
    expect(auto.choice).toEqual(onReference);
    expect(auto.report).toEqual({ ...onReference, onReference: [], arenaOverflows: 0 });
    expect(wasm.error).toMatch(
      /^ArgumentError: useBackend: 'wasm' does not run here: .*Content Security Policy.* Use 'auto' or 'reference'\.$/,
    );
    expect(wasm.losses).toEqual(auto.losses);
    checkLosses(auto.losses);
    // The two attempts, and no code from strings.
    expect(shown).toMatchObject({ violations: ['wasm-eval', 'wasm-eval'], complaints: [] });
  },
  LONG,
);
