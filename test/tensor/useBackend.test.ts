// What computes, by name. Threads and flavours are in backendThreads.test.ts.
import { ArgumentError, type BackendName, backendReport, randn, useBackend } from '@gmml/tensor';
import { afterEach, describe, expect, test, vi } from 'vitest';

describe('useBackend', () => {
  // Arrays may have overflowed an arena before: pages run many files of tests.
  const { backend: before, threads, arenaOverflows } = backendReport();
  afterEach(() => useBackend(before as BackendName, { threads }));

  test('says what it chose', async () => {
    expect(await useBackend('reference')).toEqual({ backend: 'reference', threads: 1 });
    expect(backendReport()).toEqual({ backend: 'reference', threads: 1, onReference: [], arenaOverflows });
    expect(await useBackend('wasm', { threads: 1 })).toEqual({ backend: 'wasm', threads: 1 });
    const { backend, onReference } = backendReport();
    expect(backend).toBe('wasm');
    expect(onReference).toEqual(['sin', 'cos', 'pow']);
    expect(onReference).not.toContain('matmul');
    expect(await useBackend('auto', { threads: 1 })).toEqual({ backend: 'wasm', threads: 1 });
    expect(backendReport()).toEqual({ backend: 'wasm', threads: 1, onReference, arenaOverflows });
  });

  test('computes the same on each', async () => {
    const [a, b] = [randn([37, 300]), randn([300, 19])];
    await useBackend('reference');
    const expected = a.matmul(b);
    await useBackend('wasm');
    const found = a.matmul(b);
    expect(found).toBeAllClose(expected, { rtol: 1e-4, atol: 1e-4 });
  });

  test("falls back where there is no WebAssembly, and refuses 'wasm' there", async () => {
    vi.resetModules();
    vi.stubGlobal('WebAssembly', undefined);
    try {
      const fresh = await import('@gmml/tensor');
      expect(await fresh.useBackend('auto')).toEqual({ backend: 'reference', threads: 1 });
      await expect(fresh.useBackend('wasm')).rejects.toThrow(
        "useBackend: 'wasm' does not run here: there is no WebAssembly. Use 'auto' or 'reference'.",
      );
    } finally {
      vi.unstubAllGlobals();
    }
  });

  test('refuses what there is not', async () => {
    await expect(useBackend('gpu' as 'auto')).rejects.toThrow(
      new ArgumentError("useBackend: the backend must be one of 'auto', 'wasm', 'reference': it is 'gpu'."),
    );
    await expect(useBackend('auto', { threads: 0 })).rejects.toThrow(
      new ArgumentError('useBackend: threads must be an integer from 1 to 256: it is 0.'),
    );
    await expect(useBackend('auto', { relaxed: 'false' as never })).rejects.toThrow(
      new ArgumentError("useBackend: relaxed must be true or false: it is 'false'."),
    );
  });
});
