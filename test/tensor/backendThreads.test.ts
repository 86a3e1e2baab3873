// Threads and flavours of the backend. What it chooses at all is in useBackend.test.ts.
import { availableParallelism } from 'node:os';
import { backendReport, randn, tensor, useBackend, type BackendName } from '@gmml/tensor';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { kernels } from '../../packages/tensor/src/kernels/backend.js';
import { webAssembly } from '../../packages/tensor/src/kernels/wasm/webAssembly.js';
import { bestFlavour } from '../../packages/tensor/src/kernels/wasm/probe.js';

const { backend: before, threads: threadsBefore } = backendReport();

afterEach(async () => {
  vi.unstubAllGlobals();
  await useBackend(before as BackendName, { threads: threadsBefore });
});

describe('useBackend: threads', () => {
  test.each([
    [1, 2],
    [2, 3],
    [3, 2],
    [2, 2],
    [2, 1],
  ])('can be counted: %i, then %i', async (first, second) => {
    await useBackend('wasm', { threads: first });
    expect(await useBackend('wasm', { threads: second })).toEqual({ backend: 'wasm', threads: second });
    expect(kernels().threads).toBe(second);
    expect(backendReport()).not.toHaveProperty('notice');
  });

  test('are kept while the reference computes', async () => {
    await useBackend('wasm', { threads: 2 });
    expect(backendReport()).toMatchObject({
      backend: 'wasm',
      threads: 2,
      onReference: ['sin', 'cos', 'pow'],
    });
    const chosen = kernels();
    expect(await useBackend('reference', { threads: 2 })).toEqual({ backend: 'reference', threads: 1 });
    expect(backendReport()).toEqual({ backend: 'reference', threads: 1, onReference: [], arenaOverflows: 0 });
    await useBackend('wasm', { threads: 2 });
    expect(kernels()).toBe(chosen);
  });

  test('end when there are to be others', async () => {
    await useBackend('wasm', { threads: 2 });
    const two = kernels();
    await useBackend('wasm', { threads: 3 });
    expect([two.threads, kernels().threads]).toEqual([1, 3]);
  });

  test('go on where others cannot be had', async () => {
    await useBackend('wasm', { threads: 2 });
    const two = kernels();
    function Memory(): never {
      throw new RangeError('no memory.');
    }
    vi.stubGlobal('WebAssembly', Object.assign(Object.create(webAssembly()), { Memory }));
    await expect(useBackend('wasm', { threads: 3 })).rejects.toThrow(
      "useBackend: 'wasm' does not run here: no memory. Use 'auto' or 'reference'.",
    );
    expect(kernels()).toBe(two);
    expect(backendReport()).toMatchObject({ backend: 'wasm', threads: 2 });
  });

  test("are as many as the cores where they are 'auto'", async () => {
    const threads = Math.min(availableParallelism(), 16);
    expect(await useBackend('auto')).toEqual({ backend: 'wasm', threads });
  });

  test('take effect in the order of the calls', async () => {
    const [first, second, third] = await Promise.all([
      useBackend('wasm', { threads: 2 }),
      useBackend('reference'),
      useBackend('wasm', { threads: 3 }),
    ]);
    expect([first.threads, second.threads, third.threads]).toEqual([2, 1, 3]);
    expect(backendReport()).toMatchObject({ backend: 'wasm', threads: 3 });
  });

  test('are one in a page that is not cross-origin isolated, which is said if more were asked for', async () => {
    vi.stubGlobal('crossOriginIsolated', false);
    expect(await useBackend('wasm')).toEqual({ backend: 'wasm', threads: 1 });
    expect(backendReport()).not.toHaveProperty('notice');
    expect(await useBackend('wasm', { threads: 2 })).toEqual({ backend: 'wasm', threads: 1 });
    expect(backendReport().notice).toBe('the page is not cross-origin isolated: running on one thread');
    await useBackend('reference');
    expect(backendReport()).not.toHaveProperty('notice');
    await useBackend('wasm', { threads: 1 });
    expect(backendReport()).not.toHaveProperty('notice');
  });

  test('are one where there is no shared memory', async () => {
    vi.stubGlobal('SharedArrayBuffer', undefined);
    expect(await useBackend('wasm', { threads: 2 })).toEqual({ backend: 'wasm', threads: 1 });
    expect(backendReport().notice).toBe('there is no SharedArrayBuffer: running on one thread');
  });

  test('do not change the bits from run to run', async () => {
    const [a, b] = [randn([70, 300]), randn([300, 90])];
    await useBackend('wasm', { threads: 3 });
    const once = a.matmul(b).relu().toArray();
    await useBackend('wasm', { threads: 2 });
    await useBackend('wasm', { threads: 3 });
    expect(a.matmul(b).relu().toArray()).toEqual(once);
  });
});

describe('useBackend: relaxed', () => {
  test.runIf(bestFlavour().relaxed)('false rounds every product', async () => {
    // 1 + 2⁻¹² squared is 1 + 2⁻¹¹ + 2⁻²⁴, which float32 rounds to 1 + 2⁻¹¹.
    const a = tensor([[1, 1 + 2 ** -12]]);
    const b = tensor([[-1 - 2 ** -11], [1 + 2 ** -12]]);
    const difference = async (relaxed: boolean): Promise<number> => {
      await useBackend('wasm', { threads: 1, relaxed });
      return a.matmul(b).item();
    };
    expect([await difference(true), await difference(false), await difference(true)]).toEqual([
      2 ** -24,
      0,
      2 ** -24,
    ]);
  });
});
